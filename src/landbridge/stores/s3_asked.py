"""May these credentials do something in a bucket, and what is a bucket set to? Asked by calls that change nothing.

How each question leaves nothing behind: a write carries a checksum that is wrong, so S3 refuses the bytes when it would have
taken the write; an upload that is aborted does not exist; a deletion is bound to an ETag or a version that no object has; the rest only reads.
S3 decides about permissions before it looks at any of that, so a refusal (403) is about the permission.

Source: Amazon S3 API Reference, PutObject, DeleteObject, AbortMultipartUpload, "Error responses".
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from landbridge.errors import UsageError
from landbridge.stores.s3_errors import status_of, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3
    from mypy_boto3_s3.client import S3Client

_WRONG = base64.b64encode(hashlib.sha256(b"not what is sent").digest()).decode()
_BODY = b"landbridge doctor"
_NO_ETAG = '"00000000000000000000000000000000-9999"'
_NO_VERSION = "0" * 32
_REFUSED = 403
_ABSENT = 404


class Answer(StrEnum):
    """What S3 says about a permission."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNSURE = "unsure"
    """S3 answers the same to who may and to who may not."""
    TOOK = "took"
    """It did what no S3 does: it took bytes whose checksum is wrong, or deleted in spite of a condition."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credentials these are."""

    account: str
    arn: str


class Asked:
    """One set of credentials at one endpoint. Every call may raise what a store raises; none is tried again for long."""

    def __init__(self, session: boto3.Session, endpoint: str | None = None) -> None:
        self._session = session
        self._endpoint = endpoint

    @cached_property
    def _s3(self) -> S3Client:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=5,
            read_timeout=15,
            max_pool_connections=16,
        )
        return self._session.client("s3", endpoint_url=self._endpoint, config=config)

    def caller(self) -> Caller:
        """Say who we are; no permission is needed for that."""
        with told("the identity", "sts:GetCallerIdentity"):
            found = self._session.client("sts", endpoint_url=self._endpoint).get_caller_identity()
        return Caller(found["Account"], found["Arn"])

    def put(self, bucket: str, key: str) -> Answer:
        """May `key` be written? Nothing is: the checksum is wrong."""

        def ask() -> object:
            return self._s3.put_object(
                Bucket=bucket, Key=key, Body=_BODY, IfNoneMatch="*", ChecksumSHA256=_WRONG
            )

        return self._answered(f"s3://{bucket}/{key}", ask, allowed=lambda status: status in {400, 412})

    def begin(self, bucket: str, key: str) -> Answer:
        """May an upload in parts begin, which also asks for the key that encrypts? It is taken back at once."""
        url = f"s3://{bucket}/{key}"

        def ask() -> object:
            begun = self._s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
            return self._s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun)

        return self._answered(url, ask, took=Answer.ALLOWED)

    def abort(self, bucket: str, key: str) -> Answer:
        """May uploads below `key` be taken back? There is none with this name."""

        def ask() -> object:
            return self._s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=_NO_ETAG.strip('"'))

        return self._answered(f"s3://{bucket}/{key}", ask, took=Answer.ALLOWED, allowed=_no_such)

    def get(self, bucket: str, key: str, version: str = "") -> Answer:
        """May `key` be read? Of a key that is not there AWS answers 403 also to who may."""

        def ask() -> object:
            if version:
                return self._s3.head_object(Bucket=bucket, Key=key, VersionId=version)
            return self._s3.head_object(Bucket=bucket, Key=key)

        return self._answered(f"s3://{bucket}/{key}", ask, took=Answer.ALLOWED, allowed=_no_such)

    def see(self, bucket: str, prefix: str) -> Answer:
        """May `prefix` be listed?"""

        def ask() -> object:
            return self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)

        return self._answered(f"s3://{bucket}/{prefix}", ask, took=Answer.ALLOWED)

    def see_versions(self, bucket: str, prefix: str) -> Answer:
        """May the versions below `prefix` be listed?"""

        def ask() -> object:
            return self._s3.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=1)

        return self._answered(f"s3://{bucket}/{prefix}", ask, took=Answer.ALLOWED)

    def delete(self, bucket: str, key: str) -> Answer:
        """May `key` be deleted? Nothing is: it is bound to an ETag that no object has, and there is no such key."""

        def ask() -> object:
            return self._s3.delete_object(Bucket=bucket, Key=key, IfMatch=_NO_ETAG)

        return self._answered(f"s3://{bucket}/{key}", ask, allowed=lambda status: status in {404, 412})

    def delete_version(self, bucket: str, key: str) -> Answer:
        """May versions of `key` be removed for good? None is: there is no such key, and no such version."""

        def ask() -> object:
            return self._s3.delete_object(Bucket=bucket, Key=key, VersionId=_NO_VERSION)

        url = f"s3://{bucket}/{key}"
        return self._answered(url, ask, took=Answer.ALLOWED, allowed=lambda status: status in {400, 404})

    def some(self, bucket: str, prefix: str) -> str:
        """Give the key of an object below `prefix`; empty where there is none."""
        with told(f"s3://{bucket}/{prefix}", "s3:ListBucket"):
            listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", ())
        return next((one["Key"] for one in listed), "")

    def version_of(self, bucket: str, key: str) -> str:
        """Give the version of an object that may be read; empty where the bucket keeps none."""
        with told(f"s3://{bucket}/{key}", "s3:GetObject"):
            return self._s3.head_object(Bucket=bucket, Key=key).get("VersionId", "")

    def now(self, bucket: str, prefix: str) -> datetime:
        """Give the time by S3's own clock, to the second."""
        with told(f"s3://{bucket}/{prefix}", "s3:ListBucket"):
            answer = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(date).astimezone(UTC)
        except ValueError as error:
            raise UsageError("S3 does not say what time it is", seen=date) from error

    def versioned(self, bucket: str) -> bool:
        """Tell whether the bucket keeps versions."""
        with told(f"s3://{bucket}", "s3:GetBucketVersioning"):
            return self._s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"

    def encryption(self, bucket: str) -> str:
        """Give how the bucket encrypts by itself: `aws:kms`, `AES256`, or nothing."""
        from botocore.exceptions import ClientError

        with told(f"s3://{bucket}", "s3:GetEncryptionConfiguration"):
            try:
                found = self._s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
            except ClientError as error:
                if _unset(error):
                    return ""
                raise
        rules = (rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in found["Rules"])
        return next((str(rule["SSEAlgorithm"]) for rule in rules if "SSEAlgorithm" in rule), "")

    def blocks_public(self, bucket: str) -> bool:
        """Tell whether all four blocks of public access are on."""
        from botocore.exceptions import ClientError

        with told(f"s3://{bucket}", "s3:GetBucketPublicAccessBlock"):
            try:
                found = self._s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
            except ClientError as error:
                if _unset(error):
                    return False
                raise
        return all(
            (
                found.get("BlockPublicAcls"),
                found.get("BlockPublicPolicy"),
                found.get("IgnorePublicAcls"),
                found.get("RestrictPublicBuckets"),
            )
        )

    def policy(self, bucket: str) -> Mapping[str, Any]:
        """Give the bucket's policy; empty without one."""
        from botocore.exceptions import ClientError

        with told(f"s3://{bucket}", "s3:GetBucketPolicy"):
            try:
                text = self._s3.get_bucket_policy(Bucket=bucket)["Policy"]
            except ClientError as error:
                if _unset(error):
                    return {}
                raise
        found = json.loads(text)
        return found if isinstance(found, dict) else {}

    def lifecycle(self, bucket: str) -> list[Mapping[str, Any]]:
        """Give the bucket's lifecycle rules; none without any."""
        from botocore.exceptions import ClientError

        with told(f"s3://{bucket}", "s3:GetLifecycleConfiguration"):
            try:
                return list(self._s3.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", ()))
            except ClientError as error:
                if _unset(error):
                    return []
                raise

    def _answered(
        self,
        url: str,
        ask: Callable[[], object],
        *,
        took: Answer = Answer.TOOK,
        allowed: Callable[[int], bool] = lambda _: False,
    ) -> Answer:
        from botocore.exceptions import ClientError

        with told(url, "the permission that is asked for"):
            try:
                ask()
            except ClientError as error:
                status, code = status_of(error)
                if (
                    code == "NoSuchBucket"
                    or error.operation_name.startswith("AssumeRole")
                    or code in _CREDENTIALS
                ):
                    raise
                if status == _REFUSED:
                    return Answer.REFUSED
                if allowed(status):
                    return Answer.ALLOWED
                raise
        return took


_CREDENTIALS = {
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
"""Refused as a whole: nothing is known of any permission."""


def _no_such(status: int) -> bool:
    return status == _ABSENT


def _unset(error: Any) -> bool:  # noqa: ANN401 - botocore's ClientError
    return status_of(error)[0] == _ABSENT and status_of(error)[1] != "NoSuchBucket"
