"""Which call of an AWS API does which line of code make, and which permission does it need for that?

The table that a security review reads and tests hold against the code, both ways: a call of the code without a row, a
row without code, a permission without a row and a row without its permission are errors.

`observed`: under a server that enforces the very policy document, the step fails without this one permission and
succeeds with it. `derived`: no such server is to be had (KMS above all), so AWS's own documentation is the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Proof = Literal["observed", "derived"]


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that a call needs, and the statements of which roles give it for that."""

    permission: str
    proof: Proof
    of: tuple[str, ...]
    """`role.Statement`, without the numbers of statements that there are several of: `pod.Source`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS API."""

    code: str
    """Who makes it: module below `landbridge` and function."""
    api: str
    """Service and operation, as in AWS's API references."""
    does: str
    """What for, for a reviewer."""
    needs: tuple[Need, ...]
    by: Literal[
        "Landbridge",
        "whoever deploys",
        "whoever signs evidence",
        "Transfer Family",
        "boto3",
        "Control-M",
        "the doctor",
    ] = "Landbridge"
    """Who sends it: Transfer Family turns the collector's SFTP into S3; boto3's credential chain takes roles; whoever
    deploys, or signs evidence, does so with rights of their own, which no role of an environment has; `the doctor`
    only asks whether it may, so that a refusal is an answer and nothing is needed."""


SOURCES = {
    "s3": "Service Authorization Reference, Amazon S3; Amazon S3 API Reference",
    "kms": "Amazon S3 User Guide, 'Using server-side encryption with AWS KMS keys'; AWS KMS Developer Guide",
    "sns": "Service Authorization Reference, Amazon SNS; Amazon SNS Developer Guide, 'Key management'",
    "sts": "AWS STS API Reference, AssumeRoleWithWebIdentity",
    "secretsmanager": "Service Authorization Reference, AWS Secrets Manager",
    "cloudwatch": "Service Authorization Reference, Amazon CloudWatch",
    "logs": "Service Authorization Reference, Amazon CloudWatch Logs",
    "transfer": "Service Authorization Reference, AWS Transfer Family",
    "cloudformation": "Service Authorization Reference, AWS CloudFormation",
}
"""Of what is derived, by the service of the permission."""


def step(sid: str) -> str:
    """Give a statement's name without its number."""
    return re.sub(r"\d+", "", sid)


def _observed(permission: str, *of: str) -> Need:
    return Need(permission, "observed", of)


def _derived(permission: str, *of: str) -> Need:
    return Need(permission, "derived", of)


_ENCRYPTS = _derived("kms:GenerateDataKey", "pod.Encrypt")
_DECRYPTS = _derived("kms:Decrypt", "pod.Encrypt", "operator.Decrypt")
_DECRYPTS_PARTS = _derived("kms:Decrypt", "pod.Encrypt")
_ABSENT = _observed(
    "s3:ListBucket", "pod.StageSees", "pod.PromoteSees", "operator.SeeStaging", "operator.SeeReports"
)
"""A missing key answers 403 to who may not list the bucket; its own prefix is listed then."""

CALLS = (
    # Staging: the draft, and its ciphertext.
    Call(
        "stores.s3:S3Store.put_file",
        "s3:PutObject",
        "stages a file in one request",
        (_observed("s3:PutObject", "pod.Stage"), _ENCRYPTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:CreateMultipartUpload",
        "stages a larger file in parts",
        (_observed("s3:PutObject", "pod.Stage"), _ENCRYPTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:UploadPart",
        "one part",
        (_observed("s3:PutObject", "pod.Stage"), _ENCRYPTS, _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:CompleteMultipartUpload",
        "makes it visible",
        (_observed("s3:PutObject", "pod.Stage"), _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:AbortMultipartUpload",
        "takes back what was begun, when the file changed meanwhile",
        (_observed("s3:AbortMultipartUpload", "pod.Stage"),),
    ),
    # Verdicts, manifests, and what the watch remembers: created once.
    Call(
        "stores.s3:S3Store.put_new",
        "s3:PutObject",
        "writes a verdict, a manifest or a small file, only if nobody has (`If-None-Match: *`)",
        (
            _observed("s3:PutObject", "pod.Commit", "pod.Promote", "pod.PromoteFurther", "watch.Remember"),
            _ENCRYPTS,
        ),
    ),
    # Reading.
    Call(
        "stores.s3:S3Store.head",
        "s3:HeadObject",
        "sees whether a name is taken, and by which bytes",
        (
            _observed(
                "s3:GetObject",
                "pod.Promote",
                "pod.Commit",
                "pod.Stage",
                "pod.PromoteFurther",
                "operator.ReadReports",
            ),
            _DECRYPTS,
        ),
    ),
    Call(
        "stores.s3:S3Store.read",
        "s3:GetObject",
        "reads a verdict or a manifest",
        (
            _observed(
                "s3:GetObject", "pod.Commit", "operator.ReadLedger", "operator.ReadReports", "watch.Remember"
            ),
            _DECRYPTS,
        ),
    ),
    Call(
        "stores.s3:S3Store.list",
        "s3:ListObjectsV2",
        "finds verdicts, sources and what was told; tells an absent key from a forbidden one",
        (
            _observed(
                "s3:ListBucket",
                "pod.CommitSees",
                "pod.SourceSees",
                "operator.SeeLedger",
                "watch.RememberSees",
            ),
            _ABSENT,
        ),
    ),
    Call(
        "stores.s3:S3Store.versions",
        "s3:ListObjectVersions",
        "finds every version of a receipt",
        (_observed("s3:ListBucketVersions", "operator.SeeReports"),),
    ),
    Call(
        "stores.s3:S3Store.remove",
        "s3:DeleteObject",
        "removes one version of a file that has had its time",
        (_observed("s3:DeleteObjectVersion", "reaper.ReapKept", "reaper.ReapReleased"),),
    ),
    Call(
        "stores.s3_read:pieces",
        "s3:GetObject",
        "reads a file: by its version where that is known, which is a permission of its own",
        (
            _observed("s3:GetObject", "pod.Source", "operator.ReadStaging", "operator.ReadFurther"),
            _observed(
                "s3:GetObjectVersion",
                "pod.Stage",
                "pod.Commit",
                "pod.Promote",
                "pod.PromoteFurther",
                "operator.ReadStaging",
                "operator.ReadReports",
            ),
            _DECRYPTS,
        ),
    ),
    Call(
        "stores.s3_read:_rest",
        "s3:GetObject",
        "reads the following pieces, of the version that the first one was of",
        (
            _observed(
                "s3:GetObjectVersion",
                "pod.Stage",
                "pod.Source",
                "operator.ReadStaging",
                "operator.ReadFurther",
            ),
            _DECRYPTS,
        ),
    ),
    # Copies inside S3: to the final name, to quarantine, to further places.
    Call(
        "stores.s3_copy:original",
        "s3:HeadObject",
        "sees that staging still has the bytes that were recorded",
        (_observed("s3:GetObjectVersion", "pod.Stage"), _DECRYPTS),
    ),
    Call(
        "stores.s3_copy:_whole",
        "s3:CopyObject",
        "copies to the final name, only if nobody has",
        (
            _observed("s3:GetObjectVersion", "pod.Stage"),
            _observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"),
            _DECRYPTS,
            _ENCRYPTS,
        ),
    ),
    Call(
        "stores.s3_copy:_copied_parts",
        "s3:UploadPartCopy",
        "copies a part of a file above 5 GiB",
        (
            _observed("s3:GetObjectVersion", "pod.Stage"),
            _observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"),
            _DECRYPTS,
            _ENCRYPTS,
        ),
    ),
    Call(
        "stores.s3_parts:Upload.__init__",
        "s3:CreateMultipartUpload",
        "begins a copy in parts",
        (_observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"), _ENCRYPTS),
    ),
    Call(
        "stores.s3_parts:Upload.put",
        "s3:UploadPart",
        "sends a part of a file that comes from elsewhere",
        (_observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther"), _ENCRYPTS, _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3_parts:Upload.end",
        "s3:CompleteMultipartUpload",
        "makes it visible, only if nobody has the name",
        (_observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"), _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3_parts:Upload.abort",
        "s3:AbortMultipartUpload",
        "takes back what was begun",
        (_observed("s3:AbortMultipartUpload", "pod.Promote", "pod.PromoteFurther", "pod.Stage"),),
    ),
    # Who one is, and secrets.
    Call(
        "wiring:_session",
        "sts:AssumeRoleWithWebIdentity",
        "becomes the role; its trust policy decides, no permission is needed",
        (),
        by="boto3",
    ),
    Call(
        "wiring:_references",
        "secretsmanager:GetSecretValue",
        "resolves an `aws-sm:` reference where it is used",
        (
            _observed("secretsmanager:GetSecretValue", "pod.Secrets"),
            _derived("secretsmanager:GetSecretValue", "operator.ReceiptKeys", "watch.TellSecrets"),
            _DECRYPTS,
        ),
    ),
    # The watch.
    Call(
        "tellers.sns:Topic.tell",
        "sns:Publish",
        "tells what is late, missing, quarantined or stuck",
        (
            _observed("sns:Publish", "watch.Tell"),
            _derived("kms:GenerateDataKey", "watch.TellEncrypted"),
            _derived("kms:Decrypt", "watch.TellEncrypted"),
        ),
    ),
    Call(
        "tellers.sns:CloudWatch.measure",
        "cloudwatch:PutMetricData",
        "tells how many slots are past their deadline",
        (_derived("cloudwatch:PutMetricData", "watch.Count"),),
    ),
    # `landbridge doctor`: asks, and changes nothing.
    Call(
        "stores.s3_asked:Asked.caller",
        "sts:GetCallerIdentity",
        "sees whose credentials these are",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.put",
        "s3:PutObject",
        "asks whether a name may be written, with a checksum that is wrong: S3 takes nothing",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.begin",
        "s3:CreateMultipartUpload",
        "asks whether an upload may begin and be encrypted; it is taken back at once",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.begin",
        "s3:AbortMultipartUpload",
        "takes back what was begun",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.abort",
        "s3:AbortMultipartUpload",
        "asks whether uploads may be taken back; there is none of this name",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.get",
        "s3:HeadObject",
        "asks whether an object, and a version of it, may be read",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.see",
        "s3:ListObjectsV2",
        "asks whether a prefix may be listed",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.see_versions",
        "s3:ListObjectVersions",
        "asks whether versions may be listed",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.delete",
        "s3:DeleteObject",
        "asks, under a condition that no object meets, for what every role must be refused",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.delete_version",
        "s3:DeleteObject",
        "asks, of a version that is not there, for what only the reaper may",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.some",
        "s3:ListObjectsV2",
        "finds an object whose reading can be asked for",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.version_of",
        "s3:HeadObject",
        "finds the version of such an object",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.now",
        "s3:ListObjectsV2",
        "reads the time by S3's clock",
        (),
        by="the doctor",
    ),
    Call(
        "stores.s3_asked:Asked.versioned",
        "s3:GetBucketVersioning",
        "sees that versions are kept",
        (_observed("s3:GetBucketVersioning", "operator.SeeSettings"),),
    ),
    Call(
        "stores.s3_asked:Asked.encryption",
        "s3:GetBucketEncryption",
        "sees that the bucket encrypts with the environment's key",
        (_observed("s3:GetEncryptionConfiguration", "operator.SeeSettings"),),
    ),
    Call(
        "stores.s3_asked:Asked.blocks_public",
        "s3:GetPublicAccessBlock",
        "sees that nothing of it can be public",
        (_derived("s3:GetBucketPublicAccessBlock", "operator.SeeSettings"),),
    ),
    Call(
        "stores.s3_asked:Asked.policy",
        "s3:GetBucketPolicy",
        "sees that only TLS is allowed, and each name written once",
        (_observed("s3:GetBucketPolicy", "operator.SeeSettings"),),
    ),
    Call(
        "stores.s3_asked:Asked.lifecycle",
        "s3:GetBucketLifecycleConfiguration",
        "sees that drafts are forgotten and evidence is not",
        (_observed("s3:GetLifecycleConfiguration", "operator.SeeSettings"),),
    ),
    # `landbridge keys`.
    Call(
        "deploy.keys.aws:SecretCustody._labels",
        "secretsmanager:DescribeSecret",
        "sees which version is pending, current, previous",
        (_derived("secretsmanager:DescribeSecret", "rotator.KeepKey"),),
    ),
    Call(
        "deploy.keys.aws:SecretCustody._read",
        "secretsmanager:GetSecretValue",
        "reads the private key, to log in with it before it becomes the current one",
        (
            _derived("secretsmanager:GetSecretValue", "rotator.KeepKey"),
            _derived("kms:Decrypt", "rotator.EncryptKey"),
        ),
    ),
    Call(
        "deploy.keys.aws:SecretCustody._make",
        "secretsmanager:CreateSecret",
        "makes the secret where no stack has",
        (
            _derived("secretsmanager:CreateSecret", "rotator.KeepKey"),
            _derived("secretsmanager:TagResource", "rotator.KeepKey"),
        ),
    ),
    Call(
        "deploy.keys.aws:SecretCustody._put",
        "secretsmanager:PutSecretValue",
        "writes the new private key as pending",
        (
            _derived("secretsmanager:PutSecretValue", "rotator.KeepKey"),
            _derived("kms:GenerateDataKey", "rotator.EncryptKey"),
            _derived("kms:Decrypt", "rotator.EncryptKey"),
        ),
    ),
    Call(
        "deploy.keys.aws:SecretCustody._move",
        "secretsmanager:UpdateSecretVersionStage",
        "makes the pending key the current one",
        (_derived("secretsmanager:UpdateSecretVersionStage", "rotator.KeepKey"),),
    ),
    Call(
        "deploy.keys.aws:SecretCustody.make_current",
        "secretsmanager:UpdateSecretVersionStage",
        "takes the label `pending` away",
        (_derived("secretsmanager:UpdateSecretVersionStage", "rotator.KeepKey"),),
    ),
    Call(
        "deploy.keys.aws:TransferServer.announced",
        "transfer:DescribeUser",
        "sees which public keys the server knows",
        (_derived("transfer:DescribeUser", "rotator.Announce"),),
    ),
    Call(
        "deploy.keys.aws:TransferServer.announce",
        "transfer:ImportSshPublicKey",
        "tells the server a public key",
        (_derived("transfer:ImportSshPublicKey", "rotator.Announce"),),
    ),
    Call(
        "deploy.keys.aws:TransferServer.withdraw",
        "transfer:DeleteSshPublicKey",
        "takes a public key away",
        (_derived("transfer:DeleteSshPublicKey", "rotator.Announce"),),
    ),
    Call(
        "deploy.keys.aws:TransferServer._listed",
        "transfer:ListHostKeys",
        "sees the server's host keys",
        (_derived("transfer:ListHostKeys", "rotator.HostKeys"),),
    ),
    Call(
        "deploy.keys.aws:TransferServer.add_host_key",
        "transfer:ImportHostKey",
        "adds a host key beside the old one",
        (_derived("transfer:ImportHostKey", "rotator.HostKeys"),),
    ),
    Call(
        "deploy.keys.aws:TransferServer.remove_host_key",
        "transfer:DeleteHostKey",
        "takes a host key away after the overlap",
        (_derived("transfer:DeleteHostKey", "rotator.HostKeys"),),
    ),
    Call(
        "deploy.keys.aws_log:StructuredLog._groups",
        "transfer:DescribeServer",
        "finds the log that the server writes",
        (_derived("transfer:DescribeServer", "rotator.FindLog"),),
    ),
    Call(
        "deploy.keys.aws_log:StructuredLog._of",
        "logs:FilterLogEvents",
        "sees which agents have logged in with which key",
        (_derived("logs:FilterLogEvents", "rotator.ProveLogIn"),),
    ),
    # `landbridge deploy aws`, with the rights of whoever runs it.
    # Evidence: whoever signs bundles has a right of their own to the key; no role of an environment has it.
    Call(
        "signers.kms:open_key",
        "kms:GetPublicKey",
        "learns the public half of the key that signs evidence bundles",
        (),
        by="whoever signs evidence",
    ),
    Call(
        "signers.kms:KmsKey.sign",
        "kms:Sign",
        "signs the digest of an evidence bundle",
        (),
        by="whoever signs evidence",
    ),
    Call(
        "deploy.aws.account:Account.prove",
        "sts:GetCallerIdentity",
        "sees whose account it is, before anything else",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.destroying:_holds_data",
        "s3:ListObjectVersions",
        "sees whether a bucket holds data: such a one is never deleted",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.destroying:_policies",
        "cloudformation:GetTemplate",
        "sees what a stack keeps when it goes",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.destroying:_resources",
        "cloudformation:ListStackResources",
        "names what goes",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.destroying:destroy",
        "cloudformation:DeleteStack",
        "deletes a stack, after a typed confirmation",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.destroying:destroy",
        "cloudformation:UpdateTerminationProtection",
        "lifts the protection of what was confirmed",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.events:_newest_first",
        "cloudformation:DescribeStackEvents",
        "tells what happens",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.events:_validation",
        "cloudformation:DescribeEvents",
        "tells why a change set was refused",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.planning:_create",
        "cloudformation:CreateChangeSet",
        "asks what would change",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.planning:_described",
        "cloudformation:DescribeChangeSet",
        "shows what would change",
        (),
        by="whoever deploys",
    ),
    Call(
        "deploy.aws.planning:_discard",
        "cloudformation:DeleteChangeSet",
        "leaves nothing behind of a plan",
        (),
        by="whoever deploys",
    ),
    # The collector's SFTP, as Transfer Family does it on S3.
    Call(
        "sftp.client:SftpRemote._begin",
        "s3:GetBucketLocation",
        "a log-in, at the first of its calls",
        (_derived("s3:GetBucketLocation", "sftp-user.Locate"),),
        by="Transfer Family",
    ),
    Call(
        "sftp.client:SftpRemote.files",
        "s3:ListObjectsV2",
        "a listing of manifests and receipts",
        (_derived("s3:ListBucket", "sftp-user.List"),),
        by="Transfer Family",
    ),
    Call(
        "sftp.client:SftpRemote.download",
        "s3:GetObject",
        "a download",
        (
            _derived("s3:GetObject", "sftp-user.Collect"),
            _derived("s3:GetObjectVersion", "sftp-user.Collect"),
            _derived("kms:Decrypt", "sftp-user.Decrypt"),
        ),
        by="Transfer Family",
    ),
    Call(
        "sftp.client:SftpRemote.write",
        "s3:PutObject",
        "a receipt is sent",
        (
            _derived("s3:PutObject", "sftp-user.Acknowledge"),
            _derived("kms:GenerateDataKey", "sftp-user.Decrypt"),
        ),
        by="Transfer Family",
    ),
    Call(
        "",
        "s3:DeleteObject",
        "a mover that deletes what it took, where `sftp_may_delete` is declared",
        (_derived("s3:DeleteObject", "sftp-user.Delete"),),
        by="Control-M",
    ),
)


def calls_for(role: str, sid: str, permission: str) -> list[tuple[Call, Need]]:
    """Give the calls that a permission of a role's statement is for.

    The watch looks with the operator's statements, and runs what was missed with the pod's; the reaper looks as the operator does.
    """
    borrowed = {"watch": ("pod", "operator"), "reaper": ("operator",)}
    roles = (role, *borrowed.get(role, ()))
    names = {f"{each}.{step(sid)}" for each in roles}
    return [
        (call, need)
        for call in CALLS
        for need in call.needs
        if need.permission == permission and names & set(need.of)
    ]
