"""How large are the parts of a large object, and how does an upload in parts end: whole, once, or not at all?"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

    from landbridge.facts import Content

SHA256 = "sha256"
"""The user metadata that carries the digest of the whole object."""

MOST_PARTS = 10_000
"""Of one multipart upload (S3)."""

_IN_FLIGHT = 64 << 20
"""Bytes of one upload in memory, unless a single part is larger."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """From which size on objects travel in parts, in bytes. Tests make them small."""

    copy_limit: int = 5 << 30
    """A larger object is copied in parts; S3's own limit of CopyObject."""
    copy_part: int = 64 << 20
    """Of such a copy; larger where 10,000 of them would not do. What is tried again after a fault is one of them."""
    part: int = 8 << 20
    """Of uploads and downloads; larger uploads take larger parts."""

    def part_of(self, size: int) -> int:
        """Give the part of an upload of `size` bytes."""
        return _at_least(self.part, size)

    def copy_part_of(self, size: int) -> int:
        """Give the part of a copy of `size` bytes."""
        return _at_least(self.copy_part, size)


def _at_least(part: int, size: int) -> int:
    needed = -(-size // MOST_PARTS)
    return max(part, -(-needed // (1 << 20)) << 20)


def at_once(part: int) -> int:
    """Give how many parts of one upload are in memory at once."""
    return max(1, min(4, _IN_FLIGHT // part))


@dataclass(frozen=True, slots=True)
class Made:
    """An object that became visible under its name."""

    etag: str
    version: str


class Upload:
    """An upload in parts that is under way; nothing of it is visible."""

    def __init__(self, client: S3Client, bucket: str, key: str, content: Content) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self.id = client.create_multipart_upload(
            Bucket=bucket,
            Key=key,
            ContentType="application/octet-stream",
            Metadata={SHA256: content.sha256},  # a copy in parts does not bring the source's along
        )["UploadId"]

    def put(self, number: int, body: bytes) -> CompletedPartTypeDef:
        """Send one part; boto3 adds a checksum that S3 verifies."""
        answer = self._client.upload_part(
            Bucket=self._bucket, Key=self._key, UploadId=self.id, PartNumber=number, Body=body
        )
        # What was sent with the part has to be said again at the end.
        part: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return part

    def end(self, parts: list[CompletedPartTypeDef]) -> Made:
        """Make the object visible, only if nothing has its name."""
        answer = self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self.id,
            MultipartUpload={"Parts": parts},
            IfNoneMatch="*",
        )
        return Made(answer["ETag"], answer.get("VersionId", ""))

    def abort(self) -> None:
        """Take it back. What cannot be taken back is invisible, and the bucket's lifecycle rule removes it."""
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self.id)


@contextmanager
def upload(client: S3Client, bucket: str, key: str, content: Content) -> Iterator[Upload]:
    """Begin an upload in parts, and take it back unless the block is left well."""
    begun = Upload(client, bucket, key, content)
    ended = False
    try:
        yield begun
        ended = True
    finally:
        if not ended:
            begun.abort()


def upload_stream(
    client: S3Client, bucket: str, key: str, blocks: Iterable[bytes], content: Content, part: int
) -> Made:
    """Upload what comes, only if nothing has its name; an error of `blocks` leaves nothing.

    Raises:
        ClientError: as s3_copy.copy.
    """
    with upload(client, bucket, key, content) as begun:
        return begun.end([begun.put(number, body) for number, body in enumerate(_regrouped(blocks, part), 1)])


def _regrouped(blocks: Iterable[bytes], part: int) -> Iterator[bytes]:
    """Give the same bytes in pieces of `part`, the last one shorter."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) > part:
            yield bytes(held[:part])
            del held[:part]
    yield bytes(held)
