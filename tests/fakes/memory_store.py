"""A store in memory, for tests that are not about stores."""

from __future__ import annotations

import hashlib
import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, NotFound, StoreConflict, UsageError
from landbridge.facts import Content, Location
from landbridge.ports import Blob
from landbridge.stores import files
from landbridge.stores.keys import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_NAMES = itertools.count(1)
_ALL: dict[str, MemoryStore] = {}


@dataclass(frozen=True)
class _Version:
    body: bytes
    blob: Blob


@dataclass
class MemoryStore:
    """Keeps every version of every object; obeys ports.Store and carry.Target."""

    name: str = field(default_factory=lambda: f"memory://{next(_NAMES)}")
    reach: str = "memory"
    objects: dict[str, list[_Version]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        _ALL[self.name] = self

    def put_file(self, key: str, path: Path, content: Content) -> Blob:
        with files.exactly(path, content, 1 << 20) as blocks:
            body = b"".join(blocks)
        with self.lock:
            return self._add(checked(key), body)

    def put_new(self, key: str, body: bytes) -> Blob:
        with self.lock:
            known = self.objects.get(checked(key))
            if known is None:
                return self._add(key, body)
            if known[-1].body != body:
                raise StoreConflict(f"{known[-1].blob.at} already holds other bytes")
            return known[-1].blob

    def put_stream(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        return self.put_new(key, b"".join(files.verified(blocks, content, key)))

    def copy_new(self, source: Location, key: str, content: Content) -> Blob:
        if source.store not in _ALL:
            raise UsageError(f"memory cannot copy from {source}")
        body = _ALL[source.store]._at(source).body
        if (len(body), hashlib.sha256(body).hexdigest()) != (content.size, content.sha256):
            raise IntegrityBroken(f"{source} no longer has the bytes that were recorded")
        return self.put_new(key, body)

    def head(self, key: str) -> Blob | None:
        known = self.objects.get(checked(key))
        return known[-1].blob if known else None

    def read(self, key: str) -> bytes:
        body = self._at(Location(self.name, checked(key))).body
        if len(body) > 16 << 20:
            raise files.too_large(key, len(body), 16 << 20)
        return body

    def fetch(self, at: Location, path: Path) -> Content:
        return files.arriving(path, [self._at(at).body])

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        body = self._at(at).body
        return (body[start : start + size] for start in range(0, len(body), size))

    def list(self, prefix: str) -> Iterator[Blob]:
        for key in sorted(self.objects, key=str.encode):
            if key.startswith(prefix):
                yield self.objects[key][-1].blob

    def versions(self, key: str) -> Sequence[Blob]:
        return [version.blob for version in self.objects.get(checked(key), [])]

    def remove(self, at: Location) -> None:
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}")
        with self.lock:
            known = self.objects.get(checked(at.key), [])
            left = [one for one in known if one.blob.at.version != at.version]
            if left:
                self.objects[at.key] = left
            else:
                self.objects.pop(at.key, None)

    def _add(self, key: str, body: bytes) -> Blob:
        known = self.objects.setdefault(key, [])
        sha256 = hashlib.sha256(body).hexdigest()
        version = str(int(known[-1].blob.at.version) + 1) if known else "1"
        at = Location(self.name, key, version=version, etag=sha256[:16])
        blob = Blob(at, len(body), datetime.now(UTC), sha256)
        known.append(_Version(body, blob))
        return blob

    def _at(self, at: Location) -> _Version:
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}")
        for version in reversed(self.objects.get(at.key, [])):
            if at.version in {"", version.blob.at.version}:
                return version
        raise NotFound(f"{at} is not there")
