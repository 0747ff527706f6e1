"""Which calls do the steps of a run make, the reading of evidence, the reaper and the watch?"""

from __future__ import annotations

from landbridge.deploy.calls.call import Call, derived, observed

_ENCRYPTS = derived("kms:GenerateDataKey", "pod.Encrypt")
_DECRYPTS = derived("kms:Decrypt", "pod.Encrypt", "operator.Decrypt")
_DECRYPTS_PARTS = derived("kms:Decrypt", "pod.Encrypt")
_ABSENT = observed(
    "s3:ListBucket", "pod.StageSees", "pod.PromoteSees", "operator.SeeStaging", "operator.SeeReports"
)
"""A missing key answers 403 to who may not list the bucket; its own prefix is listed then."""

STEPS = (
    # Staging: the draft, and its ciphertext.
    Call(
        "stores.s3:S3Store.put_file",
        "s3:PutObject",
        "stages a file in one request",
        (observed("s3:PutObject", "pod.Stage"), _ENCRYPTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:CreateMultipartUpload",
        "stages a larger file in parts",
        (observed("s3:PutObject", "pod.Stage"), _ENCRYPTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:UploadPart",
        "one part",
        (observed("s3:PutObject", "pod.Stage"), _ENCRYPTS, _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:CompleteMultipartUpload",
        "makes it visible",
        (observed("s3:PutObject", "pod.Stage"), _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3:S3Store.put_file",
        "s3:AbortMultipartUpload",
        "takes back what was begun, when the file changed meanwhile",
        (observed("s3:AbortMultipartUpload", "pod.Stage"),),
    ),
    # Verdicts, manifests, and what the watch remembers: created once.
    Call(
        "stores.s3:S3Store.put_new",
        "s3:PutObject",
        "writes a verdict, a manifest or a small file, only if nobody has (`If-None-Match: *`)",
        (
            observed("s3:PutObject", "pod.Commit", "pod.Promote", "pod.PromoteFurther", "watch.Remember"),
            _ENCRYPTS,
        ),
    ),
    # Reading.
    Call(
        "stores.s3:S3Store.head",
        "s3:HeadObject",
        "sees whether a name is taken, and by which bytes",
        (
            observed(
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
            observed(
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
            observed(
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
        (observed("s3:ListBucketVersions", "operator.SeeReports"),),
    ),
    Call(
        "stores.s3:S3Store.remove",
        "s3:DeleteObject",
        "removes one version of a file that has had its time",
        (observed("s3:DeleteObjectVersion", "reaper.ReapKept", "reaper.ReapReleased"),),
    ),
    Call(
        "stores.s3_read:pieces",
        "s3:GetObject",
        "reads a file: by its version where that is known, which is a permission of its own",
        (
            observed("s3:GetObject", "pod.Source", "operator.ReadStaging", "operator.ReadFurther"),
            observed(
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
            observed(
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
        (observed("s3:GetObjectVersion", "pod.Stage"), _DECRYPTS),
    ),
    Call(
        "stores.s3_copy:_whole",
        "s3:CopyObject",
        "copies to the final name, only if nobody has",
        (
            observed("s3:GetObjectVersion", "pod.Stage"),
            observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"),
            _DECRYPTS,
            _ENCRYPTS,
        ),
    ),
    Call(
        "stores.s3_copy:_copied_parts",
        "s3:UploadPartCopy",
        "copies a part of a file above 5 GiB",
        (
            observed("s3:GetObjectVersion", "pod.Stage"),
            observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"),
            _DECRYPTS,
            _ENCRYPTS,
        ),
    ),
    Call(
        "stores.s3_parts:Upload.__init__",
        "s3:CreateMultipartUpload",
        "begins a copy in parts",
        (observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"), _ENCRYPTS),
    ),
    Call(
        "stores.s3_parts:Upload.put",
        "s3:UploadPart",
        "sends a part of a file that comes from elsewhere",
        (observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther"), _ENCRYPTS, _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3_parts:Upload.end",
        "s3:CompleteMultipartUpload",
        "makes it visible, only if nobody has the name",
        (observed("s3:PutObject", "pod.Promote", "pod.PromoteFurther", "pod.Stage"), _DECRYPTS_PARTS),
    ),
    Call(
        "stores.s3_parts:Upload.abort",
        "s3:AbortMultipartUpload",
        "takes back what was begun",
        (observed("s3:AbortMultipartUpload", "pod.Promote", "pod.PromoteFurther", "pod.Stage"),),
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
            observed("secretsmanager:GetSecretValue", "pod.Secrets"),
            derived("secretsmanager:GetSecretValue", "operator.ReceiptKeys", "watch.TellSecrets"),
            _DECRYPTS,
        ),
    ),
    # The watch.
    Call(
        "tellers.sns:Topic.tell",
        "sns:Publish",
        "tells what is late, missing, quarantined or stuck",
        (
            observed("sns:Publish", "watch.Tell"),
            derived("kms:GenerateDataKey", "watch.TellEncrypted"),
            derived("kms:Decrypt", "watch.TellEncrypted"),
        ),
    ),
    Call(
        "tellers.sns:CloudWatch.measure",
        "cloudwatch:PutMetricData",
        "tells how many slots are past their deadline",
        (derived("cloudwatch:PutMetricData", "watch.Count"),),
    ),
)
