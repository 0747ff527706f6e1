"""How does an object get to its final name inside S3, only if nobody was there before, at any size?"""

from __future__ import annotations

import base64
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from landbridge.errors import IntegrityBroken
from landbridge.stores.s3_errors import status_of, told
from landbridge.stores.s3_parts import SHA256, Made, upload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef

    from landbridge.facts import Content, Location
    from landbridge.stores.s3_parts import Sizes

_AT_ONCE = 8
_NOT_IMPLEMENTED = 501


@dataclass(frozen=True, slots=True)
class Original:
    """One version of one object, whose bytes were found to be the right ones."""

    bucket: str
    key: str
    version: str
    etag: str

    def source(self) -> CopySourceTypeDef:
        """Name it the way boto3 asks for."""
        if self.version:
            return {"Bucket": self.bucket, "Key": self.key, "VersionId": self.version}
        return {"Bucket": self.bucket, "Key": self.key}


def bucket_and_key(at: Location) -> tuple[str, str]:
    """Take a location of any S3 store apart."""
    bucket, _, prefix = at.store.removeprefix("s3://").partition("/")
    return bucket, f"{prefix}/{at.key}" if prefix else at.key


def original(client: S3Client, at: Location, content: Content) -> Original:
    """Find the version of `at` that is going to be copied, and see that it is `content`.

    The same bytes put again (another ETag, the same digest) are the same file.

    Raises:
        NotFound: it is gone.
        IntegrityBroken: other bytes are there.
    """
    bucket, key = bucket_and_key(at)
    with told(str(at), "s3:GetObject"):
        seen = (
            client.head_object(Bucket=bucket, Key=key, VersionId=at.version)
            if at.version
            else client.head_object(Bucket=bucket, Key=key)
        )
    sha256 = seen["Metadata"].get(SHA256, "")
    known = sha256 == content.sha256 if sha256 else bool(at.etag or at.version) and seen["ETag"] == at.etag
    if seen["ContentLength"] != content.size or not known:
        raise IntegrityBroken(
            f"{at} no longer has the bytes that were recorded",
            expected=f"{content.size} bytes, sha256 {content.sha256}",
            seen=f"{seen['ContentLength']} bytes, sha256 {sha256 or 'not recorded'}",
        )
    return Original(bucket, key, at.version, seen["ETag"])


def copy(client: S3Client, source: Original, bucket: str, key: str, content: Content, sizes: Sizes) -> Made:
    """Copy `source` to `key` of `bucket`, only if nothing is there.

    A store that does not know conditional copies (501) gets a multipart copy with a conditional end.

    Raises:
        ClientError: 409 start again; 412 something is there, or the source changed; 404 an upload that is gone.
    """
    if content.size <= sizes.copy_limit:
        try:
            return _whole(client, source, bucket, key, content)
        except ClientError as error:
            status, code = status_of(error)
            if status != _NOT_IMPLEMENTED and code != "NotImplemented":
                raise
    return _in_parts(client, source, bucket, key, content, sizes.copy_part_of(content.size))


def _whole(client: S3Client, source: Original, bucket: str, key: str, content: Content) -> Made:
    answer = client.copy_object(
        Bucket=bucket,
        Key=key,
        CopySource=source.source(),
        CopySourceIfMatch=source.etag,
        IfNoneMatch="*",
        ChecksumAlgorithm="SHA256",  # of the whole object, whatever the source has
    )
    result = answer["CopyObjectResult"]
    checksum = result.get("ChecksumSHA256", "")
    expected = base64.b64encode(bytes.fromhex(content.sha256)).decode()
    if checksum and "-" not in checksum and checksum != expected:
        raise IntegrityBroken(
            f"the copy s3://{bucket}/{key} has other bytes than its source",
            expected=f"SHA-256 {expected}",
            seen=checksum,
            hint="it has no manifest, so nobody will collect it; look at it before you remove it",
        )
    etag = result["ETag"].strip('"')  # SeaweedFS leaves the quotes away, here only
    return Made(f'"{etag}"', answer.get("VersionId", ""))


def _in_parts(client: S3Client, source: Original, bucket: str, key: str, content: Content, part: int) -> Made:
    with upload(client, bucket, key, content) as begun:
        if content.size == 0:  # S3 copies no empty part
            return begun.end([begun.put(1, b"")])
        return begun.end(_copied_parts(client, source, bucket, key, begun.id, content.size, part))


def _copied_parts(
    client: S3Client, source: Original, bucket: str, key: str, upload: str, size: int, part: int
) -> list[CompletedPartTypeDef]:
    failed: list[int] = []

    def one(number: int) -> CompletedPartTypeDef:
        if any(earlier < number for earlier in failed):
            raise CancelledError  # nobody hears of it: the earlier one is asked first, and tells what it met
        with ExitStack() as unless_whole:
            unless_whole.callback(failed.append, number)
            copied = sent(number)
            unless_whole.pop_all()
        return copied

    def sent(number: int) -> CompletedPartTypeDef:
        start = (number - 1) * part
        answer = client.upload_part_copy(
            Bucket=bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            CopySource=source.source(),
            CopySourceIfMatch=source.etag,
            CopySourceRange=f"bytes={start}-{min(start + part, size) - 1}",
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(one, range(1, -(-size // part) + 1)))


def lost(error: ClientError) -> bool:
    """Tell whether a conditional write was refused because of what others did, so that the name must be looked at.

    412: something is there, or the source changed. 409: another write is under way. An upload that is gone may
    have been brought to its end by ourselves, with the answer lost.
    """
    status, code = status_of(error)
    return status in {409, 412} or code == "NoSuchUpload"
