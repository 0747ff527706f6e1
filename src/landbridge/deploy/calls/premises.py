"""Which calls come of what a collector, or another mover, does over SFTP?"""

from __future__ import annotations

from landbridge.deploy.calls.call import Call, derived

PREMISES = (
    # The collector's SFTP, as Transfer Family does it on S3.
    Call(
        "sftp.client:SftpRemote._begin",
        "s3:GetBucketLocation",
        "a log-in, at the first of its calls",
        (derived("s3:GetBucketLocation", "sftp-user.Locate"),),
        by="Transfer Family",
    ),
    Call(
        "sftp.client:SftpRemote.files",
        "s3:ListObjectsV2",
        "a listing of manifests and receipts",
        (derived("s3:ListBucket", "sftp-user.List"),),
        by="Transfer Family",
    ),
    Call(
        "sftp.client:SftpRemote.download",
        "s3:GetObject",
        "a download",
        (
            derived("s3:GetObject", "sftp-user.Collect"),
            derived("s3:GetObjectVersion", "sftp-user.Collect"),
            derived("kms:Decrypt", "sftp-user.Decrypt"),
        ),
        by="Transfer Family",
    ),
    Call(
        "sftp.client:SftpRemote.write",
        "s3:PutObject",
        "a receipt is sent",
        (
            derived("s3:PutObject", "sftp-user.Acknowledge"),
            derived("kms:GenerateDataKey", "sftp-user.Decrypt"),
        ),
        by="Transfer Family",
    ),
    Call(
        "",
        "s3:DeleteObject",
        "a mover that deletes what it took, where `sftp_may_delete` is declared",
        (derived("s3:DeleteObject", "sftp-user.Delete"),),
        by="Control-M",
    ),
)
