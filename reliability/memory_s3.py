"""What does S3 do, request by request, with everything in memory?

A server with buckets whose objects keep their versions, conditional writes, copies and uploads in parts; and a store
over it that takes the same steps as the real one, so that a fault or a rival can come between any two requests.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from landbridge.errors import (
    IntegrityBroken,
    NotFound,
    NotPermitted,
    StoreConflict,
    TryAgain,
    Unavailable,
    UsageError,
)
from landbridge.facts import Location
from landbridge.ports import Blob
from landbridge.stores import files
from landbridge.stores.keys import checked
from landbridge.stores.s3_parts import Sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from landbridge.facts import Content

SMALL = 16 << 20
_ROUNDS = 5


class Answer(Exception):
    """A request that was refused, as HTTP says it; status 0 where no answer came."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(f"HTTP {status} {code}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of one object."""

    body: bytes
    number: str
    sha256: str
    """Of the metadata that came with it."""
    etag: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wrote:
    """Something that became visible in a bucket; for histories."""

    bucket: str
    key: str
    kept: Kept


@dataclass(frozen=True, slots=True)
class Removed:
    """A version that is gone for good."""

    bucket: str
    key: str
    kept: Kept


@dataclass(slots=True)
class _Upload:
    key: str
    sha256: str
    parts: dict[int, bytes] = field(default_factory=dict)


def _utc() -> datetime:
    return datetime.now(UTC)


class MemoryS3:
    """The server. Each method is one request: it happens whole, at one moment.

    Source: Amazon S3 API Reference; "Conditional requests".
    """

    def __init__(
        self,
        now: Callable[[], datetime] = _utc,
        tell: Callable[[Wrote | Removed], None] = lambda _event: None,
    ) -> None:
        self.buckets: dict[str, dict[str, list[Kept]]] = {}
        self.uploads: dict[str, _Upload] = {}
        self._now = now
        self._tell = tell
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def put(self, bucket: str, key: str, body: bytes, sha256: str, *, new: bool) -> Kept:
        """PutObject; `new` is `If-None-Match: *`."""
        with self._lock:
            return self._add(bucket, key, body, sha256, new=new)

    def head(self, bucket: str, key: str, version: str = "") -> Kept:
        """HeadObject."""
        for kept in reversed(self.buckets.get(bucket, {}).get(key, ())):
            if version in {"", kept.number}:
                return kept
        raise Answer(404, "NoSuchVersion" if version else "NoSuchKey")

    def get(self, bucket: str, key: str, version: str, start: int, length: int) -> tuple[Kept, bytes]:
        """GetObject of a range."""
        kept = self.head(bucket, key, version)
        return kept, kept.body[start : start + length]

    def copy(self, source: tuple[str, str, str], etag: str, bucket: str, key: str, *, new: bool) -> Kept:
        """CopyObject of (bucket, key, version) if it still has `etag`; the metadata comes along."""
        with self._lock:
            kept = self.head(*source)
            if kept.etag != etag:
                raise Answer(412, "PreconditionFailed")
            return self._add(bucket, key, kept.body, kept.sha256, new=new)

    def begin_upload(self, key: str, sha256: str) -> str:
        """CreateMultipartUpload; gives its id."""
        number = f"upload-{next(self._numbers)}"
        self.uploads[number] = _Upload(key, sha256)
        return number

    def put_part(self, upload: str, number: int, body: bytes) -> None:
        """UploadPart."""
        self._under_way(upload).parts[number] = body

    def copy_part(  # as many as S3's own
        self, upload: str, number: int, source: tuple[str, str, str], etag: str, start: int, length: int
    ) -> None:
        """UploadPartCopy."""
        kept = self.head(*source)
        if kept.etag != etag:
            raise Answer(412, "PreconditionFailed")
        self._under_way(upload).parts[number] = kept.body[start : start + length]

    def end_upload(self, upload: str, bucket: str, parts: int, *, new: bool) -> Kept:
        """CompleteMultipartUpload; `new` is `If-None-Match: *`."""
        with self._lock:
            found = self._under_way(upload)
            if set(found.parts) != set(range(1, parts + 1)):
                raise Answer(400, "InvalidPart")
            body = b"".join(found.parts[number] for number in sorted(found.parts))
            made = self._add(bucket, found.key, body, found.sha256, new=new)
            del self.uploads[upload]
            return made

    def abort_upload(self, upload: str) -> None:
        """AbortMultipartUpload."""
        self.uploads.pop(upload, None)

    def list(self, bucket: str, prefix: str) -> Sequence[tuple[str, Kept]]:
        """ListObjectsV2, all pages."""
        there = self.buckets.get(bucket, {})
        return [(key, there[key][-1]) for key in sorted(there, key=str.encode) if key.startswith(prefix)]

    def versions(self, bucket: str, key: str) -> Sequence[Kept]:
        """ListObjectVersions of one key, oldest first."""
        return tuple(self.buckets.get(bucket, {}).get(key, ()))

    def remove_version(self, bucket: str, key: str, number: str) -> None:
        """DeleteObject of one version."""
        with self._lock:
            versions = self.buckets.get(bucket, {}).get(key, [])
            for kept in [one for one in versions if one.number == number]:
                versions.remove(kept)
                self._tell(Removed(bucket, key, kept))
            if not versions:
                self.buckets.get(bucket, {}).pop(key, None)

    def _under_way(self, upload: str) -> _Upload:
        if upload not in self.uploads:
            raise Answer(404, "NoSuchUpload")
        return self.uploads[upload]

    def _add(self, bucket: str, key: str, body: bytes, sha256: str, *, new: bool) -> Kept:
        versions = self.buckets.setdefault(bucket, {}).setdefault(key, [])
        if new and versions:
            raise Answer(412, "PreconditionFailed")
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        kept = Kept(body, f"v{next(self._numbers)}", sha256, etag, self._now())
        versions.append(kept)
        self._tell(Wrote(bucket, key, kept))
        return kept


_SHARED = MemoryS3()
_NAMES = itertools.count(1)


class MemoryStore:
    """A bucket of such a server; obeys ports.Store and carry.Target, by the same steps as stores.s3.

    Without a server it is a bucket of its own on one that all share.
    """

    reach = "memory"

    def __init__(self, server: MemoryS3 = _SHARED, bucket: str = "", *, sizes: Sizes | None = None) -> None:
        self._server = server
        self._bucket = bucket or f"bucket-{next(_NAMES)}"
        self._sizes = sizes or Sizes()
        self.name = f"memory://{self._bucket}"

    def put_file(self, key: str, path: Path, content: Content) -> Blob:
        """See ports.Store."""
        part = self._sizes.part_of(content.size)
        if content.size <= part:
            body = files.whole(path, content)
            return self._blob(
                key, self._ask(key, "put", self._bucket, checked(key), body, content.sha256, new=False)
            )
        with self._told(key), files.exactly(path, content, part) as blocks:
            return self._blob(key, self._uploaded(key, blocks, content.sha256, new=False))

    def put_new(self, key: str, body: bytes) -> Blob:
        """See ports.Store."""
        whole, sha256 = checked(key), hashlib.sha256(body).hexdigest()
        for _ in range(_ROUNDS):
            try:
                return self._blob(key, self._server.put(self._bucket, whole, body, sha256, new=True))
            except Answer as answer:
                if not _lost(answer):
                    raise _meaning(self._url(key), answer) from answer
            if known := self._same(key, len(body), sha256):
                return known
        raise _crowded(self._url(key))

    def put_stream(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        """See carry.Target."""
        coming = files.verified(blocks, content, key)
        if content.size <= self._sizes.part:
            return self.put_new(key, b"".join(coming))
        pieces = _regrouped(coming, self._sizes.part_of(content.size))
        return self._made(
            key, content, lambda: self._uploaded(key, pieces, content.sha256, new=True)
        ) or _raise(_crowded(self._url(key)))

    def copy_new(self, source: Location, key: str, content: Content) -> Blob:
        """See ports.Store."""
        if not source.store.startswith("memory://"):
            raise UsageError(f"memory cannot copy from {source}")
        for _ in range(_ROUNDS):
            blob = self._made(key, content, lambda: self._copied(source, key, content))
            if blob:
                return blob
        raise _crowded(self._url(key))

    def head(self, key: str) -> Blob | None:
        """See ports.Store."""
        try:
            return self._blob(key, self._ask(key, "head", self._bucket, checked(key)))
        except NotFound:
            return None

    def read(self, key: str) -> bytes:
        """See ports.Store."""
        kept, body = self._ask(key, "get", self._bucket, checked(key), "", 0, SMALL + 1)
        if len(kept.body) > SMALL:
            raise files.too_large(self._url(key), len(kept.body), SMALL)
        return self._whole(key, kept, body, 0, SMALL)

    def fetch(self, at: Location, path: Path) -> Content:
        """See ports.Store."""
        return files.arriving(path, self._pieces(at, self._sizes.part))

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        """See ports.Store."""
        yield from self._pieces(at, size)

    def list(self, prefix: str) -> Iterator[Blob]:
        """See ports.Store."""
        return iter([self._blob(key, kept) for key, kept in self._ask(prefix, "list", self._bucket, prefix)])

    def versions(self, key: str) -> Sequence[Blob]:
        """See ports.Store."""
        return [self._blob(key, kept) for kept in self._ask(key, "versions", self._bucket, checked(key))]

    def remove(self, at: Location) -> None:
        """See ports.Erasable."""
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}")
        self._ask(at.key, "remove_version", self._bucket, checked(at.key), at.version)

    def _pieces(self, at: Location, size: int) -> Iterator[bytes]:
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}")
        kept, body = self._ask(at.key, "get", self._bucket, at.key, at.version, 0, size)
        yield self._whole(at.key, kept, body, 0, size)
        for start in range(size, len(kept.body), size):
            same, body = self._ask(at.key, "get", self._bucket, at.key, kept.number, start, size)
            if same.etag != kept.etag:
                raise TryAgain(f"{at} was replaced while it was read")
            yield self._whole(at.key, kept, body, start, size)

    def _whole(self, key: str, kept: Kept, body: bytes, start: int, length: int) -> bytes:
        """Believe no body that is shorter than its Content-Length said."""
        if len(body) != min(length, len(kept.body) - start):
            raise _meaning(self._url(key), Answer(0, "IncompleteBody"))
        return body

    def _copied(self, source: Location, key: str, content: Content) -> Kept:
        bucket = source.store.removeprefix("memory://")
        try:
            seen: Kept = self._server.head(bucket, source.key, source.version)
        except Answer as answer:
            raise _meaning(str(source), answer) from answer
        if (len(seen.body), seen.sha256) != (content.size, content.sha256):
            raise IntegrityBroken(f"{source} no longer has the bytes that were recorded")
        original = (bucket, source.key, source.version)
        if content.size <= self._sizes.copy_limit:
            return self._server.copy(original, seen.etag, self._bucket, checked(key), new=True)
        part = self._sizes.copy_part_of(content.size)
        upload = self._server.begin_upload(checked(key), content.sha256)
        steps = [
            partial(self._server.copy_part, upload, number, original, seen.etag, start, part)
            for number, start in enumerate(range(0, content.size, part), 1)
        ]
        return self._ended(upload, steps, new=True)

    def _uploaded(self, key: str, blocks: Iterable[bytes], sha256: str, *, new: bool) -> Kept:
        upload = self._server.begin_upload(checked(key), sha256)
        steps = (
            partial(self._server.put_part, upload, number, block) for number, block in enumerate(blocks, 1)
        )
        return self._ended(upload, steps, new=new)

    def _ended(self, upload: str, steps: Iterable[Callable[[], None]], *, new: bool) -> Kept:
        ended = False
        try:
            count = 0
            for step in steps:
                step()
                count += 1
            made: Kept = self._server.end_upload(upload, self._bucket, count, new=new)
            ended = True
            return made
        finally:
            if not ended:
                with suppress(Answer):  # what cannot be taken back is invisible
                    self._server.abort_upload(upload)

    def _made(self, key: str, content: Content, make: Callable[[], Kept]) -> Blob | None:
        """Make an object only if nobody has; None when neither ours nor another one is there now."""
        try:
            return self._blob(key, make())
        except Answer as answer:
            if not _lost(answer):
                raise _meaning(self._url(key), answer) from answer
            return self._same(key, content.size, content.sha256)

    def _same(self, key: str, size: int, sha256: str) -> Blob | None:
        known = self.head(key)
        if known is None or (known.size, known.sha256) == (size, sha256):
            return known
        raise StoreConflict(f"{known.at} already holds other bytes", expected=sha256, seen=known.sha256)

    def _ask(self, key: str, request: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 # as the request
        with self._told(key):
            return getattr(self._server, request)(*arguments, **options)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        try:
            yield
        except Answer as answer:
            raise _meaning(self._url(key), answer) from answer

    def _blob(self, key: str, kept: Kept) -> Blob:
        return Blob(Location(self.name, key, kept.number, kept.etag), len(kept.body), kept.at, kept.sha256)

    def _url(self, key: str) -> str:
        return f"{self.name}/{key}"


def _raise(error: Unavailable) -> Blob:
    raise error


def _lost(answer: Answer) -> bool:
    """Tell whether others were first; see stores.s3_copy.lost."""
    return answer.status in {409, 412} or answer.code == "NoSuchUpload"


def _meaning(
    url: str, answer: Answer
) -> NotFound | NotPermitted | Unavailable | IntegrityBroken | UsageError:
    """See stores.s3_errors.meaning."""
    match answer.status:
        case 403:
            return NotPermitted(f"{url} is refused", seen=str(answer))
        case 404 if answer.code != "NoSuchUpload":
            return NotFound(f"{url} is not there", seen=str(answer))
        case 412:
            return IntegrityBroken(f"{url} is not the object that was asked for", seen=str(answer))
        case 400:
            return UsageError(f"S3 does not take the request for {url}", seen=str(answer))
        case _:
            return Unavailable(f"S3 gave no proper answer for {url}", seen=str(answer))


def _crowded(url: str) -> Unavailable:
    return Unavailable(f"{url} is being written by others, again and again", hint="try again")


def _regrouped(blocks: Iterable[bytes], part: int) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        held += block
        while len(held) > part:
            yield held[:part]
            held = held[part:]
    yield held
