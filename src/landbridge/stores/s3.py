"""How does a bucket keep the promises of a store?

Digests: every object carries the sha256 of its whole content as user metadata `sha256`, written with the object and
kept by copies, because S3's own checksum of an object that came in parts is not that of its content. On top, each
upload carries a checksum that S3 verifies before anything becomes visible: SHA-256 in one request, CRC-64/NVME over
the whole object in parts. No encryption header is sent: the bucket's default encryption does the work.

Source: Amazon S3 User Guide, "Conditional requests", "Checking object integrity", "Multipart upload limits".
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

import obstore
from botocore.exceptions import ClientError
from obstore.exceptions import AlreadyExistsError, PermissionDeniedError

from landbridge.errors import NotFound, NotPermitted, StoreConflict, Unavailable, UsageError
from landbridge.facts import Location
from landbridge.ports import Blob
from landbridge.stores import files, s3_copy
from landbridge.stores.keys import checked
from landbridge.stores.s3_errors import told
from landbridge.stores.s3_parts import SHA256, Made, Sizes, at_once, upload_stream
from landbridge.stores.s3_read import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from obstore import Attributes, Bytes, ObjectMeta, PutResult
    from obstore.store import S3Store as Bucket

    from landbridge.facts import Content
    from landbridge.stores.s3_account import S3Account

SMALL = 16 << 20
"""The most bytes that `read` gives."""

_ROUNDS = 5
"""How often a write that met another one half-way is begun again."""


class S3Store:
    """A bucket, or a prefix of one; obeys ports.Store. Safe to share between threads."""

    def __init__(
        self, bucket: str, prefix: str = "", *, account: S3Account, sizes: Sizes | None = None
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._account = account
        self._sizes = sizes or Sizes()
        self.name = f"s3://{bucket}/{self._prefix}" if self._prefix else f"s3://{bucket}"

    @cached_property
    def _bytes(self) -> Bucket:
        """For what fits into one request: SHA-256, kept by S3 for the auditor."""
        return self._account.bytes_of(self._bucket, "sha256")

    @cached_property
    def _parts(self) -> Bucket:
        """For what comes in parts: CRC-64/NVME, the one that S3 can verify over the whole object."""
        return self._account.bytes_of(self._bucket, "crc64nvme")

    def put_file(self, key: str, path: Path, content: Content) -> Blob:
        """Write the file; see ports.Store. At most 64 MiB are in memory, or one part of a file above 640 GB."""
        whole, part = self._whole(key), self._sizes.part_of(content.size)
        attributes = _attributes(content.sha256)
        if content.size <= part:
            body = files.whole(path, content)
            with told(self._url(key), "s3:PutObject"):
                done = obstore.put(self._bytes, whole, body, attributes=attributes, use_multipart=False)
            return self._written(key, done, content.size, content.sha256)
        with told(self._url(key), "s3:PutObject"), files.exactly(path, content, part) as blocks:
            # What `blocks` raises at its end passes through obstore, which then aborts the upload.
            done = obstore.put(
                self._parts,
                whole,
                blocks,
                attributes=attributes,
                chunk_size=part,
                max_concurrency=at_once(part),
            )
        return self._written(key, done, content.size, content.sha256)

    def put_new(self, key: str, body: bytes) -> Blob:
        """Create the object; see ports.Store."""
        whole, sha256 = self._whole(key), hashlib.sha256(body).hexdigest()
        for again in range(_ROUNDS):
            time.sleep(0.05 * again)
            with told(self._url(key), "s3:PutObject"):
                try:
                    done = obstore.put(
                        self._bytes,
                        whole,
                        body,
                        attributes=_attributes(sha256),
                        mode="create",
                        use_multipart=False,
                    )
                except AlreadyExistsError:  # also S3's 409, while another write is still under way
                    pass
                else:
                    return self._written(key, done, len(body), sha256)
            if known := self._same(key, len(body), sha256):
                return known
        raise _crowded(self._url(key))

    def put_stream(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        """Create the object from what comes; see carry.Target."""
        coming = files.verified(blocks, content, self._url(key))
        if content.size <= self._sizes.part:
            return self.put_new(key, b"".join(coming))
        part = self._sizes.part_of(content.size)
        blob = self._made(
            key,
            content,
            partial(
                upload_stream, self._account.client, self._bucket, blocks=coming, content=content, part=part
            ),
        )
        if blob is None:  # what came is gone, so the caller has to bring it again
            raise _crowded(self._url(key))
        return blob

    def copy_new(self, source: Location, key: str, content: Content) -> Blob:
        """Copy inside S3; see ports.Store. The source may be in any bucket that these credentials read."""
        if not source.store.startswith("s3://"):
            raise UsageError(f"S3 cannot copy from {source} by itself", hint="carry the bytes instead")
        client = self._account.client
        for again in range(_ROUNDS):
            time.sleep(0.05 * again)
            found = self._original(source, content)
            blob = self._made(
                key,
                content,
                partial(s3_copy.copy, client, found, self._bucket, content=content, sizes=self._sizes),
            )
            if blob:
                return blob
        raise _crowded(self._url(key))

    def _original(self, source: Location, content: Content) -> s3_copy.Original:
        beside = source.store.removeprefix("s3://").partition("/")
        store = self if source.store == self.name else S3Store(beside[0], beside[2], account=self._account)
        with store._reading(source.key):  # noqa: SLF001 - its own class
            return s3_copy.original(self._account.client, source, content)

    def _made(self, key: str, content: Content, make: Callable[[str], Made]) -> Blob | None:
        """Make an object only if nobody has; None when neither ours nor another one is there now.

        Raises:
            StoreConflict: another one is there.
        """
        url = self._url(key)
        with told(url, "s3:PutObject"):
            try:
                made = make(self._whole(key))
            except ClientError as error:
                if not s3_copy.lost(error):
                    raise
                return self._same(key, content.size, content.sha256)
        at = Location(self.name, key, made.version, made.etag)
        return Blob(at, content.size, datetime.now(UTC), content.sha256)

    def _same(self, key: str, size: int, sha256: str) -> Blob | None:
        """Describe what stands in the way of a write, if it is the same bytes; None when nothing is there.

        Raises:
            StoreConflict: other bytes are there.
        """
        known = self.head(key)
        if known is None or (known.size == size and self._digest(known) == sha256):
            return known
        raise StoreConflict(
            f"{known.at} already holds other bytes",
            expected=f"{size} bytes, sha256 {sha256}",
            seen=f"{known.size} bytes, sha256 {known.sha256 or 'not recorded'}, written {known.modified_at:%Y-%m-%dT%H:%M:%SZ}",
        )

    @property
    def reach(self) -> str:
        """The endpoint: S3 copies between all its buckets."""
        return self._account.endpoint

    def head(self, key: str) -> Blob | None:
        """Describe the object; see ports.Store.

        S3 tells only those who may list the bucket that a key is absent; to a role that may list prefixes alone it
        answers 403 (a HEAD has no prefix that a condition could allow). Then the key's own prefix is listed.

        Source: Amazon S3 API Reference, HeadObject, "Permissions".
        """
        with told(self._url(key), "s3:GetObject"):
            try:
                answer = obstore.get(self._bytes, self._whole(key), options={"head": True})
            except FileNotFoundError:
                return None
            except PermissionDeniedError:
                if self._is_absent(key):
                    return None
                raise
        return self._blob(answer.meta, answer.attributes.get(SHA256, ""))

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """Tell a key that is not there from a forbidden one, as `head` does.

        Raises:
            NotFound: instead of NotPermitted.
        """
        try:
            yield
        except NotPermitted as error:
            if self._is_absent(key):
                raise NotFound(f"{self._url(key)} is not there", seen=error.seen) from error
            raise

    def _is_absent(self, key: str) -> bool:
        """Tell whether a listing of the key's own prefix shows that it is not there."""
        try:
            return all(blob.at.key != key for blob in self.list(key))
        except NotPermitted:
            return False

    def read(self, key: str) -> bytes:
        """Give the whole object; see ports.Store."""
        with self._reading(key), told(self._url(key), "s3:GetObject"):
            answer = obstore.get(self._bytes, self._whole(key))
            if (size := answer.meta["size"]) > SMALL:
                raise files.too_large(self._url(key), size, SMALL)
            return answer.bytes().to_bytes()

    def fetch(self, at: Location, path: Path) -> Content:
        """Download the object; see ports.Store."""
        with self._reading(at.key):
            return files.arriving(path, self._pieces(at, self._sizes.part))

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        """Stream the object; see ports.Store."""
        with self._reading(at.key):
            for piece in self._pieces(at, size):
                yield bytes(piece)  # plain bytes are not copied

    def _pieces(self, at: Location, size: int) -> Iterator[bytes | Bytes]:
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}", hint="was the bucket renamed in the declaration?")
        return pieces(self._bytes, self._whole(at.key), str(at), at.version, size)

    def list(self, prefix: str) -> Iterator[Blob]:
        """Give the objects in key order; see ports.Store. All of them are in memory, about 0.5 kB each.

        S3 lists in this order by itself; directory buckets and SeaweedFS do not (`a/b` comes before `a-b` there).
        """
        start = f"{self._prefix}/{prefix}" if self._prefix else prefix
        pages = self._account.client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=start
        )
        with told(f"s3://{self._bucket}/{start}", "s3:ListBucket (for this prefix)"):
            found = [
                Blob(
                    Location(self.name, self._own(seen["Key"]), etag=seen["ETag"]),
                    seen["Size"],
                    seen["LastModified"].astimezone(UTC),
                )
                for page in pages
                for seen in page.get("Contents", ())
            ]
        return iter(sorted(found, key=lambda blob: blob.at.key.encode()))

    def versions(self, key: str) -> Sequence[Blob]:
        """Give what is and was under `key`, oldest first; see ports.Store."""
        whole, found = self._whole(key), list[Blob]()
        pages = self._account.client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=whole
        )
        with told(self._url(key), "s3:ListBucketVersions"):
            for page in pages:
                found += [
                    Blob(
                        Location(self.name, key, seen["VersionId"], seen["ETag"]),
                        seen["Size"],
                        seen["LastModified"].astimezone(UTC),
                    )
                    for seen in page.get("Versions", ())
                    if seen["Key"] == whole
                ]
        return found[::-1]  # S3 gives the newest first

    def remove(self, at: Location) -> None:
        """Remove one version for good, in a bucket without versions the object of this etag; see ports.Erasable.

        A bucket that never had versioning knows each object as version `null`.

        Source: Amazon S3 API Reference, DeleteObject; Amazon S3 User Guide, "Deleting object versions".
        """
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}", hint="was the bucket renamed in the declaration?")
        if not at.version:
            known = self.head(at.key)
            if known is None or known.at.version or (at.etag and known.at.etag != at.etag):
                return
        with told(str(at), "s3:DeleteObjectVersion"):
            self._account.client.delete_object(
                Bucket=self._bucket, Key=self._whole(at.key), VersionId=at.version or "null"
            )

    def _digest(self, blob: Blob) -> str:
        """Give the digest that came with the object, or read it whole: what others put there carries none."""
        if blob.sha256:
            return blob.sha256
        digest = hashlib.sha256()
        for piece in self._pieces(blob.at, self._sizes.part):
            digest.update(piece)
        return digest.hexdigest()

    def _whole(self, key: str) -> str:
        return f"{self._prefix}/{checked(key)}" if self._prefix else checked(key)

    def _own(self, whole: str) -> str:
        return whole.removeprefix(f"{self._prefix}/") if self._prefix else whole

    def _url(self, key: str) -> str:
        return f"{self.name}/{key}"

    def _blob(self, meta: ObjectMeta, sha256: str) -> Blob:
        at = Location(self.name, self._own(meta["path"]), meta["version"] or "", meta["e_tag"] or "")
        return Blob(at, meta["size"], meta["last_modified"].astimezone(UTC), sha256)

    def _written(self, key: str, done: PutResult, size: int, sha256: str) -> Blob:
        at = Location(self.name, key, done["version"] or "", done["e_tag"] or "")
        return Blob(at, size, datetime.now(UTC), sha256)


def _attributes(sha256: str) -> Attributes:
    return {SHA256: sha256, "Content-Type": "application/octet-stream"}


def _crowded(url: str) -> Unavailable:
    return Unavailable(f"{url} is being written by others, again and again", hint="try again")
