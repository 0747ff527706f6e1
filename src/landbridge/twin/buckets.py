"""How do the declared buckets come to be on the twin?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.twin.seaweed import make_bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleTypeDef

    from landbridge.deploy.needs import Bucket, Needs


def prepare(admin: S3Client, needs: Needs) -> None:
    """Create every bucket that is needed, with versions, expiry and the SFTP user's folders. Idempotent.

    The bucket behind SFTP gets no versions here: SeaweedFS keeps a versioned object in a folder of its own, and its
    SFTP server would show that folder instead of the file. AWS Transfer Family shows the newest version.

    Raises:
        botocore.exceptions.ClientError: the server refused.
    """
    for bucket in needs.buckets:
        make_bucket(admin, bucket.name, needs.region)
        if bucket.versioned and bucket.name != needs.sftp.bucket:
            admin.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        if bucket.expiring:
            admin.put_bucket_lifecycle_configuration(
                Bucket=bucket.name, LifecycleConfiguration={"Rules": _rules(bucket)}
            )
        for folder in bucket.folders:
            admin.put_object(Bucket=bucket.name, Key=f"{folder}/")


def _rules(bucket: Bucket) -> list[LifecycleRuleTypeDef]:
    return [
        {
            "ID": f"forget-{prefix.strip('/')}",
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "Expiration": {"Days": bucket.days},
        }
        for prefix in bucket.expiring
    ]
