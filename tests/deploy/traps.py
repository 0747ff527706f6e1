"""Which traps of AWS, Kubernetes and images are known, where is each kept out, and which test shows it?

One row a trap, for reviewers (docs/traps.md is made of it) and for tests, which hold every row against what it names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trap:
    """Something that is known to have caught somebody."""

    what: str
    kept_out: str
    """File that does it, from the root of the repository."""
    shown: str
    """`file::test`, from `tests/`."""
    case: str = ""
    """Of a test over many: the name of a claim about the templates, or of a rule about manifests."""


_CFN = "src/landbridge/deploy/cloudformation/templates"
_STORAGE, _IDENTITY, _SFTP, _USER = (
    f"{_CFN}/{name}" for name in ("storage.yaml", "role.part", "sftp.yaml", "sftp-user.yaml")
)
_NEEDS, _PERMISSIONS = "src/landbridge/deploy/needs.py", "src/landbridge/deploy/permissions.py"
_POD, _RENDER = "src/landbridge/deploy/kubernetes/pod.py", "src/landbridge/deploy/kubernetes/render.py"
_JOBS, _CRON = "src/landbridge/deploy/kubernetes/jobs.py", "src/landbridge/deploy/kubernetes/cron.py"
_CHECKS = "src/landbridge/deploy/kubernetes/checks"

_CLAIM = "deploy/cfn/test_claims.py::test_the_claim_holds"
_MISTAKE = "deploy/test_kubernetes_checks.py::test_a_planted_mistake_is_found"
_AROUND = "deploy/test_kubernetes_checks.py::test_a_mistake_around_the_jobs_is_found"
_HERE = "deploy/cfn/test_traps.py::"

S3_AND_KMS = (
    Trap(
        "A Deny with `StringNotEqualsIfExists` on the SSE header denies every plain put, Transfer Family's too: an absent key evaluates true",
        f"{_CFN}/denies.part",
        _CLAIM,
        "ReportsBucket takes a plain put, and refuses any encryption but the key's",
    ),
    Trap(
        "A bucket policy that denies by `aws:SourceVpce` shuts Transfer Family out",
        f"{_CFN}/denies.part",
        _CLAIM,
        "ReportsBucket does not shut Transfer Family out by aws:SourceVpce",
    ),
    Trap(
        "A policy that demands conditional writes denies receipts, which Transfer Family writes without conditions",
        _STORAGE,
        _CLAIM,
        "receipts are spared: Transfer Family writes them without conditions",
    ),
    Trap(
        "... and the parts of a multipart upload, which cannot have a condition",
        _STORAGE,
        _CLAIM,
        "ReportsBucketPolicy: what the protocol creates once needs If-None-Match, the parts of an upload cannot have it",
    ),
    Trap(
        "A multipart upload to KMS needs `kms:Decrypt` as well, so that a denial shows on large files only",
        _PERMISSIONS,
        _HERE + "test_a_multipart_upload_to_kms_needs_decrypt_as_well",
    ),
    Trap(
        "HEAD needs `s3:GetObject`: without it a 412 cannot be verified where the pod promotes",
        _PERMISSIONS,
        _HERE + "test_head_needs_get_object_where_the_pod_promotes",
    ),
    Trap(
        "Without `s3:ListBucket` a missing key answers 403 and not 404",
        _PERMISSIONS,
        _HERE + "test_without_list_bucket_a_missing_key_answers_403_so_the_pod_has_it_below_its_prefixes",
    ),
    Trap(
        "`s3:ListBucket` on an object's ARN gives nothing, and no linter says so",
        _PERMISSIONS,
        _HERE + "test_list_bucket_is_said_of_buckets_and_never_of_objects",
    ),
    Trap(
        "With bucket keys the KMS encryption context is the bucket, so that a condition on an object's never holds",
        _PERMISSIONS,
        _HERE + "test_bucket_keys_make_the_encryption_context_the_bucket_so_no_policy_names_an_object",
    ),
    Trap(
        "Copying a tagged object needs rights to tags",
        "src/landbridge/deploy/calls/steps.py",
        _HERE + "test_nothing_of_ours_is_tagged_in_s3_so_no_copy_needs_rights_to_tags",
    ),
    Trap(
        "`CopyObject` ends at 5 GB, and answers 501 where conditions are not known: then in parts",
        "src/landbridge/stores/s3_copy.py",
        "contract/test_store_s3.py::test_a_store_without_conditional_copies_gets_them_in_parts",
    ),
    Trap(
        "Bytes that are damaged on the way are kept unless a checksum goes with them",
        "src/landbridge/stores/s3_account.py",
        "contract/test_store_s3.py::test_bytes_damaged_on_the_way_are_refused",
    ),
    Trap(
        "A lifecycle of the whole reports bucket forgets receipts",
        _STORAGE,
        _CLAIM,
        "no version of a receipt ever expires, nor a released file",
    ),
    Trap(
        "Object lock can be chosen only before the bucket exists",
        _STORAGE,
        _CLAIM,
        "evidence is locked where that is declared",
    ),
    Trap(
        "An encrypted topic is silent where CloudWatch and EventBridge may not use the key",
        _STORAGE,
        _CLAIM,
        "CloudWatch and EventBridge may use the key for the encrypted topic, with no condition that EventBridge lacks",
    ),
    Trap(
        "An encrypted log group needs the key's policy",
        _STORAGE,
        _CLAIM,
        "the key encrypts the server's log group and no other",
    ),
    Trap(
        "`AWS_CA_BUNDLE` reaches one of two S3 clients: control calls succeed, and no draft can be staged",
        "src/landbridge/stores/s3_account.py",
        "contract/test_store_s3.py::test_the_certificates_to_trust_are_those_of_boto3",
    ),
)

TRANSFER = (
    Trap(
        "`EndpointType: VPC_ENDPOINT` is closed to new accounts",
        _SFTP,
        _CLAIM,
        "the endpoint is in the VPC",
    ),
    Trap("An Elastic IP faces the internet", _SFTP, _CLAIM, "it has private addresses only"),
    Trap(
        "Security groups cannot be changed through UpdateServer",
        _SFTP,
        _CLAIM,
        "the security group itself never changes, only its rules: Transfer Family takes no other group later",
    ),
    Trap(
        "CloudFormation's default security policy is of 2018",
        _SFTP,
        _CLAIM,
        "its security policy is said: CloudFormation's default is of 2018",
    ),
    Trap(
        "An old Java client cannot speak the newest ciphers: the policy has to stay a parameter",
        _SFTP,
        _CLAIM,
        "an older security policy can be asked for",
    ),
    Trap(
        "An invented security policy passes every linter, and fails in the middle of an update",
        "src/landbridge/deploy/aws/events.py",
        "deploy/test_whole_set.py::test_an_update_that_breaks_goes_back",
    ),
    Trap("Clients that set times or modes fail without `SetStatOption`", _SFTP, _CLAIM, "SETSTAT is ignored"),
    Trap(
        "Modification times are not preserved: whoever decides by them collects twice, or never",
        "src/landbridge/ports.py",
        _HERE + "test_no_modification_time_comes_over_sftp_so_nothing_is_decided_by_one",
    ),
    Trap(
        "`DirectoryListingOptimization` is off by default through the API",
        _SFTP,
        _CLAIM,
        "listings are optimised, which the API leaves off",
    ),
    Trap(
        "A user's name has 3 to 100 characters and is never `root`",
        "src/landbridge/project.py",
        _HERE + "test_a_user_that_transfer_family_refuses_is_refused_when_it_is_declared",
    ),
    Trap(
        "A session policy ends at 2,048 bytes, which prefixes and folders outgrow: the role itself is bound instead",
        _USER,
        _CLAIM,
        "the user has no session policy, which ends at 2,048 bytes: its role itself is bound to the two folders",
    ),
    Trap(
        "... and a managed policy at 6,144 characters",
        _NEEDS,
        "deploy/test_calls.py::test_every_policy_fits_into_a_managed_one",
    ),
    Trap("A logical home needs a mapping a folder", _USER, _CLAIM, "the user's world is two folders"),
    Trap(
        "A trust without `aws:SourceAccount` and `aws:SourceArn` serves servers of other accounts",
        _USER,
        _CLAIM,
        "Transfer Family takes the role for users of this server of this account only",
    ),
    Trap(
        "A pickup that deletes is easily given, and takes evidence with it",
        _PERMISSIONS,
        _CLAIM,
        "the user of eidv-prd reads what is released, adds and reads receipts, and never deletes one",
    ),
    Trap(
        "Download events are best effort and may be partial: good for an alarm, never for a receipt",
        _SFTP,
        _CLAIM,
        "a download or receipt that breaks off raises an alarm",
    ),
    Trap(
        "Managed workflows do not run for files of 0 bytes",
        _SFTP,
        _HERE + "test_managed_workflows_are_not_used",
    ),
    Trap(
        "An idle session is cut after 30 minutes, an unresponsive one after 5",
        "src/landbridge/sftp/lines.py",
        "contract/test_sftp_clients.py::test_a_cut_leaves_a_beginning_and_the_next_call_goes_on",
    ),
    Trap(
        "A connection carries 10 sessions at most",
        "src/landbridge/sftp/lines.py",
        "contract/test_sftp_clients.py::test_a_long_line_is_filled_by_as_many_connections_as_it_takes",
    ),
    Trap(
        "A host key that changes at once locks every pinned client out",
        "src/landbridge/deploy/keys/host.py",
        "deploy/test_keys.py::test_a_new_host_key_changes_nothing_until_it_is_pinned",
    ),
    Trap(
        "Fixed addresses cannot be asked of CloudFormation",
        "src/landbridge/deploy/cloudformation/handover.py",
        "deploy/cfn/test_rendering.py::test_the_fixed_addresses_are_given_to_the_endpoint_afterwards",
    ),
)

SECRETS_AND_IDENTITY = (
    Trap(
        "A secret's value in a template is seen by everybody who may read one",
        _USER,
        _CLAIM,
        "the private key's place is empty, encrypted with the key, and outlives its stack",
    ),
    Trap("A host key in a template, too", _SFTP, _CLAIM, "its host key is in no template"),
    Trap(
        "... and in anything else that is rendered",
        _USER,
        _HERE + "test_no_secret_is_in_anything_that_is_rendered",
    ),
    Trap(
        "A secret that is not there yet has no random end: what is asked of it is denied to who may use its later ARN",
        _PERMISSIONS,
        _HERE + "test_a_secret_that_is_not_there_yet_is_asked_for_by_its_bare_name",
    ),
    Trap(
        "Condition keys cannot hold intrinsics: the trust of IRSA is text, in which a typing error is silent",
        _IDENTITY,
        _CLAIM,
        "PodRole is for one service account's tokens for STS, and no others",
    ),
    Trap("... nor can any other key of a map", _IDENTITY, _HERE + "test_no_map_key_holds_an_intrinsic"),
    Trap(
        "A trust without `sub` lets every pod of the cluster in, one without `aud` every token it signs",
        _IDENTITY,
        "deploy/test_whole_set.py::test_nobody_else_takes_the_pods_role",
    ),
    Trap(
        "With Pod Identity a role without an association is taken by nobody",
        _IDENTITY,
        "deploy/test_whole_set.py::test_pod_identity_associates_every_role_with_its_service_account",
    ),
    Trap(
        "A mounted token of the cluster serves whoever breaks into the pod; neither IRSA nor Pod Identity needs it",
        _POD,
        _MISTAKE,
        "cluster-token-mounted",
    ),
    Trap(
        "Notifications of buckets through custom resources bring a function and its role along",
        _STORAGE,
        _HERE + "test_no_function_and_no_custom_resource_is_brought_along",
    ),
    Trap(
        "An emulator that does not enforce a right proves nothing about it",
        "tests/servers/ministack.py",
        "deploy/test_whole_set.py::test_what_ministack_does_not_enforce_is_known",
    ),
    Trap(
        "KMS is enforced by no emulator",
        "src/landbridge/deploy/calls/call.py",
        "deploy/test_calls.py::test_no_emulator_is_claimed_to_enforce_kms",
    ),
)

KUBERNETES = (
    Trap("A schedule without a zone is the controller's, usually UTC", _JOBS, _MISTAKE, "zone-missing"),
    Trap(
        "Between 01:00 and 02:00 local a time comes twice or never",
        _CRON,
        "deploy/test_kubernetes_cron.py::test_a_time_that_some_day_does_not_have_is_refused",
    ),
    Trap("Two runs of one feed overlap", _JOBS, _MISTAKE, "overlapping-runs"),
    Trap(
        "A start that was missed is made up for much too late, or never", _JOBS, _MISTAKE, "start-unbounded"
    ),
    Trap("A run that hangs keeps the next ones away for ever", _JOBS, _MISTAKE, "run-unbounded"),
    Trap("Finished jobs pile up", _JOBS, _MISTAKE, "jobs-pile-up"),
    Trap(
        "`restartPolicy` other than `Never` disables the failure policy", _POD, _MISTAKE, "restarted-in-place"
    ),
    Trap("An eviction counts as a failure of the run", _JOBS, _MISTAKE, "eviction-counts"),
    Trap("Data that broke its contract is tried again and again", _JOBS, _MISTAKE, "broken-data-retried"),
    Trap("... and what would succeed at the next try is not", _JOBS, _MISTAKE, "never-tried-again"),
    Trap("A failure policy that names another container is for nobody", _JOBS, _MISTAKE, "policy-of-nobody"),
    Trap(
        "The annotation with the scheduled time is on the Job and never reaches the pod",
        _POD,
        _MISTAKE,
        "slot-unknown",
    ),
    Trap(
        "The end of the job's name is a convention, not a promise: it has to fit the schedule",
        "src/landbridge/wiring/choice.py",
        "core/test_choice.py::test_a_job_whose_name_does_not_fit_the_schedule_is_asked_for_its_date",
    ),
    Trap(
        "A date taken from the clock is the wrong one as soon as anything is late",
        _CHECKS,
        _MISTAKE,
        "date-from-now",
    ),
    Trap(
        "Cron fires twice",
        "src/landbridge/run.py",
        "stories/test_run_story.py::test_two_and_eight_runs_at_once_agree_on_one_file",
    ),
    Trap(
        "... early",
        "src/landbridge/wiring/choice.py",
        "core/test_choice.py::test_a_job_may_start_a_little_early",
    ),
    Trap(
        "... or not at all",
        "src/landbridge/watch.py",
        "stories/test_watch_story.py::test_a_slot_that_no_job_ran_is_run_and_the_deadline_told_once",
    ),
    Trap("A schema takes a schedule that never fires", _CHECKS, _MISTAKE, "schedule-unreadable"),
    Trap("... a zone that does not exist", _CHECKS, _MISTAKE, "zone-unknown"),
    Trap("... a word that no API knows", _CHECKS, _MISTAKE, "enum-unknown"),
    Trap("... `2GB`, which is no quantity", _CHECKS, _MISTAKE, "quantity-unreadable"),
    Trap("... and a mount without its volume", _CHECKS, _MISTAKE, "volume-missing"),
    Trap("A CPU limit throttles at the moment of need", _POD, _MISTAKE, "cpu-limit"),
    Trap("An `emptyDir` without a size fills the node", _POD, _MISTAKE, "scratch-unbounded"),
    Trap("... and one larger than the limit of the pod is its eviction", _POD, _MISTAKE, "evicted-when-full"),
    Trap(
        "A network policy that selects no pod leaves everything open",
        "src/landbridge/deploy/kubernetes/network.py",
        _AROUND,
        "network-open",
    ),
    Trap(
        "Whoever reaches the node's metadata has the node's role",
        "src/landbridge/deploy/kubernetes/network.py",
        _AROUND,
        "node-credentials",
    ),
    Trap(
        "A pod that is more than restricted is refused by the namespace, at its first start",
        _POD,
        _MISTAKE,
        "privileged",
    ),
    Trap(
        "A chart and manifests drift apart",
        "src/landbridge/deploy/kubernetes/chart.py",
        "deploy/test_kubernetes_tools.py::test_the_chart_gives_the_same_objects",
    ),
    Trap(
        "`kubectl --dry-run=client` needs a server, so it is no check of what is rendered",
        _CHECKS,
        "cli/test_deploy_kubernetes.py::test_check_of_an_environment_is_quick",
    ),
)

IMAGE = (
    Trap("A tag can be moved to other bytes", _CHECKS, _MISTAKE, "image-by-tag"),
    Trap(
        "... that of the base, too",
        "packaging/image.sh",
        _HERE + "test_the_base_of_the_image_is_named_by_its_digest",
    ),
    Trap(
        "A build that fetches gives other bytes every day, and fails without a network",
        "Dockerfile",
        _HERE + "test_the_image_is_built_of_a_wheelhouse_and_nothing_is_fetched",
    ),
    Trap(
        "A user by name, or root, is refused by `runAsNonRoot`",
        "Dockerfile",
        _HERE + "test_the_image_runs_as_a_number_and_its_program_gets_the_signals",
    ),
    Trap(
        "An ENTRYPOINT of the shell swallows SIGTERM",
        "Dockerfile",
        _HERE + "test_the_image_runs_as_a_number_and_its_program_gets_the_signals",
    ),
    Trap(
        "What can build in an image serves whoever breaks in",
        "Dockerfile",
        "deploy/test_image.py::test_it_has_nothing_to_build_with_and_nothing_to_write_to",
    ),
)

TRAPS = {
    "S3 and KMS": S3_AND_KMS,
    "Transfer Family": TRANSFER,
    "Secrets and identity": SECRETS_AND_IDENTITY,
    "Kubernetes": KUBERNETES,
    "The image": IMAGE,
}
