#!/bin/sh
# Installs one private SSH key for Control-M's managed file transfer on this agent: @NAME@
# Written by `landbridge keys hand-over`. It holds no secret: the key is fetched, or comes on standard input.
# Safe to run again, and to be cut off at any point. It replaces no other key.
#
#   sh @FILE@ [--home DIR] [--stdin] [--check] [--test]
#
#   --home DIR  the agent's home, which holds cm/AFT/data/Keys; else $CONTROLM, else ~/ctm
#   --stdin     read the private key from standard input, instead of fetching it with `aws`
#   --check     only say whether the key is installed
#   --test      when it is installed, log in with it by this host's own sftp
#
# Exit codes: 0 installed, 64 usage, 69 cannot be fetched or checked here, 73 cannot be written, 76 another key, 77 not
# permitted. With --check: 0 installed, 1 not.
set -eu
umask 077
LC_ALL=C
export LC_ALL

NAME=@NAME_QUOTED@
FINGERPRINT=@FINGERPRINT_QUOTED@
SPKI=@SPKI_QUOTED@
SECRET=@SECRET_QUOTED@
VERSION=@VERSION_QUOTED@
REGION=@REGION_QUOTED@
HOST=@HOST_QUOTED@
PORT=@PORT_QUOTED@
LOGIN=@LOGIN_QUOTED@
PINNED=@PINNED_QUOTED@

home=${CONTROLM:-${HOME:-}/ctm}
from=aws
check=no
test=no
part=

say() { printf '%s\n' "$*"; }
fail() { # exit code, words
	code=$1
	shift
	printf 'error: %s\n' "$*" >&2
	exit "$code"
}
clean() {
	[ -z "$part" ] || rm -f "$part" "$part.known"
}
trap clean EXIT
trap 'exit 130' HUP INT TERM

while [ $# -gt 0 ]; do
	case $1 in
	--home)
		[ $# -ge 2 ] || fail 64 "--home wants a folder"
		home=$2
		shift
		;;
	--stdin) from=stdin ;;
	--check) check=yes ;;
	--test) test=yes ;;
	*) fail 64 "unknown option: $1 (see the first lines of this file)" ;;
	esac
	shift
done

keys=$home/cm/AFT/data/Keys
target=$keys/$NAME

# Says whether the file $1 holds the right private key: 0 yes, 1 no. Nothing of it is printed.
is_right() {
	if command -v ssh-keygen >/dev/null 2>&1; then
		# shellcheck disable=SC2002 # through a pipe: a key that others may read is refused as a file, and that is mended below.
		shown=$(cat "$1" | ssh-keygen -y -P '' -f /dev/stdin 2>/dev/null | ssh-keygen -l -E sha256 -f - 2>/dev/null | cut -d ' ' -f 2) || shown=
		[ "$shown" = "$FINGERPRINT" ]
		return
	fi
	if [ -n "$SPKI" ] && command -v openssl >/dev/null 2>&1; then
		shown=$(openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null | openssl dgst -sha256 2>/dev/null | sed 's/.*= *//') || shown=
		[ "$shown" = "$SPKI" ]
		return
	fi
	fail 69 "neither ssh-keygen nor openssl is here, so the key cannot be checked; install one of them"
}

owner_of() { # user and group, as numbers
	# shellcheck disable=SC2012 # the folder is named by us, and stat differs from one Unix to the next
	ls -ldn "$1" | awk '{print $3 ":" $4}'
}

log_in() {
	[ "$test" = yes ] || return 0
	[ -n "$PINNED" ] || fail 69 "no host key is pinned in the declaration, so a log-in would trust whoever answers"
	command -v sftp >/dev/null 2>&1 || fail 69 "there is no sftp on this host: test the connection profile in Control-M instead"
	part=$keys/.$NAME.$$
	printf '%s\n' "$PINNED" >"$part.known" || fail 77 "$keys cannot be written by this account"
	if printf 'pwd\n' | sftp -q -b - -P "$PORT" -i "$target" -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
		-o PreferredAuthentications=publickey -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$part.known" \
		-o GlobalKnownHostsFile=/dev/null -F /dev/null "$LOGIN@$HOST" >/dev/null; then
		say "logged in as $LOGIN on $HOST with it"
	else
		fail 69 "the log-in as $LOGIN on $HOST failed: see the lines above"
	fi
}

[ -d "$keys" ] || fail 73 "there is no folder $keys: name the agent's home with --home; managed file transfer must be installed on it"

owner=$(owner_of "$keys/.") # of the folder itself, where its name is a link
me=$(id -u)

# Gives the right key that is there to the account that owns the folder, unless it is that account's already.
mend_owner() {
	has=$(owner_of "$target")
	[ "${has%%:*}" != "${owner%%:*}" ] || return 0
	[ "$check" = no ] || fail 1 "$target is the right key, but belongs to another account (${has%%:*}) than $keys (${owner%%:*}): run this without --check as root"
	[ "$me" = 0 ] || fail 77 "$target is the right key, but belongs to another account (${has%%:*}) than $keys (${owner%%:*}): run this as root"
	chown -h "$owner" "$target" || fail 77 "the owner of $target cannot be set"
}

if [ -L "$target" ]; then # as root, nothing is done to what a link of another account names
	fail 73 "$target is a link, not a file; it was left alone"
elif [ -f "$target" ]; then
	if is_right "$target"; then
		mend_owner
		if [ "$check" = no ]; then
			chmod 600 "$target" || fail 77 "the rights of $target cannot be set"
			rm -f "$keys/.$NAME".* # of a run that was killed after the key had its name
		fi
		say "installed already: $NAME ($FINGERPRINT)"
		[ "$check" = yes ] || log_in
		exit 0
	fi
	[ "$check" = no ] || exit 1
	fail 76 "$target holds another key, or one that cannot be read here; it was left alone"
elif [ -e "$target" ]; then
	fail 73 "$target is not a file; it was left alone"
fi
if [ "$check" = yes ]; then
	say "not installed: $NAME"
	exit 1
fi

[ "$me" = 0 ] || [ "$me" = "${owner%%:*}" ] || fail 77 "run this as the account that owns $keys, or as root"

rm -f "$keys/.$NAME".* # of a run that was killed
part=$keys/.$NAME.$$
(set -C && : >"$part") 2>/dev/null || fail 73 "$part cannot be written"
if [ "$from" = stdin ]; then
	cat >"$part" || fail 73 "$part cannot be written"
else
	command -v aws >/dev/null 2>&1 || fail 69 "there is no aws command on this host: bring the key on standard input (--stdin)"
	aws secretsmanager get-secret-value --secret-id "$SECRET" --version-id "$VERSION" --region "$REGION" \
		--query SecretString --output text >"$part" || fail 69 "the secret $SECRET could not be fetched: see the lines above"
fi
[ -s "$part" ] || fail 76 "no key came"
[ -z "$(tail -c 1 "$part")" ] || printf '\n' >>"$part" # a last line without its end is not read by everybody
is_right "$part" || fail 76 "what came is not the key $FINGERPRINT; nothing was installed"
[ "$me" != 0 ] || chown "$owner" "$part" || fail 77 "the owner of the key cannot be set"
chmod 600 "$part"
sync # the bytes before the name
# A hard link appears at once and replaces nothing.
if ! why=$(ln "$part" "$target" 2>&1); then
	if [ -f "$target" ] && is_right "$target"; then
		say "installed meanwhile by another run: $NAME ($FINGERPRINT)"
		exit 0
	fi
	fail 73 "$target cannot be made: $why; nothing was installed. If this file system knows no hard links, put the key there by hand, for the agent's account alone (mode 600), and let --check look at it"
fi
rm -f "$part"
say "installed: $NAME ($FINGERPRINT)"
log_in
