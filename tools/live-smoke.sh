#!/usr/bin/env bash
# Does it work in a real AWS account? NOT RUN YET against one: see docs/live-smoke.md before you use it.
set -euo pipefail

project=${1:?usage: tools/live-smoke.sh PROJECT_FOLDER ENVIRONMENT}
environment=${2:?usage: tools/live-smoke.sh PROJECT_FOLDER ENVIRONMENT}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
outputs="$project/.landbridge/aws-$(tr '[:upper:]' '[:lower:]' <<<"$environment").json"
day=$(date -u +%F)
name="smoke-$(date -u +%H%M%S)"

say() { printf '\n== %s\n' "$*" >&2; }
output() { jq -er ".stacks[\"$1\"].$2" "$outputs"; }
refused() {
  say "refused, as it must be: $1"
  shift
  if "$@"; then
    echo "this was allowed" >&2
    exit 1
  fi
}

say "plan"
landbridge deploy aws plan --environment "$environment" --project "$project" --json >"$scratch/plan.json"
jq -r '.stacks[] | "\(.stack): \(.action)"' "$scratch/plan.json"
read -rp "Type $environment to create this in account $(jq -r .account "$scratch/plan.json"): " typed
[ "$typed" = "$environment" ] || exit 1

say "apply what was shown"
landbridge deploy aws apply --environment "$environment" --project "$project" --plan "$(jq -r .digest "$scratch/plan.json")"
say "apply again: nothing may change"
landbridge deploy aws apply --environment "$environment" --project "$project" --yes --json | jq -e '.changed == []'
landbridge deploy aws status --environment "$environment" --project "$project"

reports=$(output storage ReportsBucket)
staging=$(output storage StagingBucket)
server=$(output sftp ServerId)
user=$(output sftp-user UserName)

if [ -n "${POD_PROFILE:-}" ]; then
  say "the pod's role: whole objects, and one in parts"
  head -c 4096 /dev/urandom >"$scratch/small"
  head -c 20000000 /dev/urandom >"$scratch/large"
  aws --profile "$POD_PROFILE" s3 cp "$scratch/large" "s3://$staging/drafts/$name"
  aws --profile "$POD_PROFILE" s3api put-object --bucket "$reports" --key "outbound/$day/$name" \
    --body "$scratch/small" --if-none-match '*'
  say "a conditional copy: 501 is expected, which is why promotion copies in parts; 200 would be welcome"
  aws --profile "$POD_PROFILE" s3api copy-object --bucket "$reports" --key "outbound/$day/$name-copy" \
    --copy-source "$staging/drafts/$name" --if-none-match '*' || true
  refused "a put without a condition" aws --profile "$POD_PROFILE" s3api put-object \
    --bucket "$reports" --key "outbound/$day/$name-plain" --body "$scratch/small"
  refused "an object outside of the prefixes" aws --profile "$POD_PROFILE" s3api put-object \
    --bucket "$reports" --key "other/$name" --body "$scratch/small" --if-none-match '*'
else
  say "POD_PROFILE is not set: what only the pod's role can prove is skipped, and a file is put with yours"
  head -c 4096 /dev/urandom >"$scratch/small"
  aws s3api put-object --bucket "$reports" --key "outbound/$day/$name" --body "$scratch/small" --if-none-match '*'
fi

say "the host key: made, pinned, shown"
landbridge keys create --host --environment "$environment" --project "$project"
read -rp "Pin the line under sftp.host_keys (with the old ones), fix the addresses if they are declared, then press Enter: " _
landbridge keys retire --host --environment "$environment" --project "$project"
landbridge keys status --host --environment "$environment" --project "$project"

say "a key for the SFTP user"
landbridge keys create --environment "$environment" --project "$project"
landbridge keys status --environment "$environment" --project "$project"
umask 077
aws secretsmanager get-secret-value --secret-id "$(output sftp-user PrivateKeySecretArn)" \
  --query SecretString --output text >"$scratch/key"
read -rp "Name or address of the SFTP endpoint of $server, as this host reaches it: " endpoint
ssh-keyscan -p 22 "$endpoint" >"$scratch/known_hosts" 2>/dev/null
over_sftp() {
  sftp -b - -i "$scratch/key" -o UserKnownHostsFile="$scratch/known_hosts" -o IdentitiesOnly=yes "$user@$endpoint"
}

say "collect and acknowledge"
printf 'get /outbound/%s/%s %s\nput %s /receipts/%s.json\n' \
  "$day" "$name" "$scratch/collected" "$scratch/plan.json" "$name" | over_sftp
cmp "$scratch/small" "$scratch/collected"
delete() { printf 'rm /outbound/%s/%s\n' "$day" "$name" | over_sftp; }
refused "deleting over SFTP" delete

say "destroy: you are asked again"
landbridge deploy aws destroy --environment "$environment" --project "$project"
cat >&2 <<END

Kept, and yours to delete: the server first, then its security group; the buckets $reports, $staging and the ledger's and access logs', the key, the secrets, the server's log, and the
server $server, which costs by the hour: aws transfer delete-server --server-id $server
END
