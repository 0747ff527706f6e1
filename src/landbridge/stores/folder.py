"""How does a folder keep the promises of a store?

A file is written under a private name in `.landbridge/` of the same folder, synced, and then gets its own name in one
step that never replaces: a reader sees nothing or all of it, also after a power cut. No digest is kept beside the
file, so `sha256` is empty and conflicts are settled by reading.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.errors import (
    DiskFailed,
    LandbridgeError,
    NotFound,
    NotPermitted,
    StoreConflict,
    UsageError,
)
from landbridge.facts import Content, Location
from landbridge.ports import Blob
from landbridge.stores import files
from landbridge.stores.keys import checked
from landbridge.stores.no_replace import place, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

PRIVATE = ".landbridge"
"""The folder of unfinished files, below the store's own."""

SMALL = 16 << 20
_PART = 1 << 20


class FolderStore:
    """A folder of this machine, or of a mounted volume; obeys ports.Store. Safe to share between processes.

    The folder is made when something is first written. Linked folders below it are followed by the operating system
    as for any program.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.name = self._root.as_uri()
        self.reach = "file"

    def put_file(self, key: str, path: Path, content: Content) -> Blob:
        """Write the file; see ports.Store."""
        final = self._path(key)
        with _told(final), files.exactly(path, content, _PART) as blocks, self._part(final, blocks) as part:
            part.replace(final)
            sync_folder(final.parent)
            return self._blob(key, final.stat())

    def put_new(self, key: str, body: bytes) -> Blob:
        """Create the file; see ports.Store."""
        return self._new(key, (body,), Content(len(body), hashlib.sha256(body).hexdigest(), 0))

    def copy_new(self, source: Location, key: str, content: Content) -> Blob:
        """Copy from this or another folder; see ports.Store."""
        if not source.store.startswith("file://"):
            raise UsageError(f"a folder cannot copy from {source} by itself", hint="carry the bytes instead")
        origin = self if source.store == self.name else FolderStore(_folder(source.store))
        return self._new(key, origin.chunks(source), content)

    def put_stream(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        """Create the file from what comes; see carry.Target."""
        return self._new(key, blocks, content)

    def _new(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        final = self._path(key)
        with _told(final), self._part(final, files.verified(blocks, content, str(final))) as part:
            try:
                place(part, final)
            except FileExistsError:
                there = self._content(final)
                if (there.size, there.sha256) != (content.size, content.sha256):
                    raise StoreConflict(
                        f"{final} already holds other bytes",
                        expected=f"{content.size} bytes, sha256 {content.sha256}",
                        seen=f"{there.size} bytes, sha256 {there.sha256}",
                    ) from None
            return self._blob(key, final.stat())

    @contextmanager
    def _part(self, final: Path, blocks: Iterable[bytes]) -> Iterator[Path]:
        """Lend a finished, synced file with a private name; it is gone afterwards unless it got another name."""
        private = self._root / PRIVATE
        try:
            private.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise _in_the_way(private) from error
        _make_folders(final.parent, self._root)
        if final.is_dir():
            raise _in_the_way(final)
        part = private / f"{uuid.uuid4().hex}.part"
        try:
            with part.open("xb", buffering=0) as file:
                for block in blocks:
                    view = memoryview(block)
                    while view:
                        view = view[file.write(view) :]
                os.fsync(file.fileno())
            yield part
        finally:
            part.unlink(missing_ok=True)

    def head(self, key: str) -> Blob | None:
        """Describe the file; see ports.Store."""
        path = self._path(key)
        with _told(path):
            try:
                seen = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return None if path.is_dir() else self._blob(key, seen)

    def read(self, key: str) -> bytes:
        """Give the whole file; see ports.Store."""
        path = self._path(key)
        with _told(path), path.open("rb") as file:
            if (size := os.fstat(file.fileno()).st_size) > SMALL:
                raise files.too_large(str(path), size, SMALL)
            return file.read()

    def fetch(self, at: Location, path: Path) -> Content:
        """Copy the file out; see ports.Store."""
        return files.arriving(path, self.chunks(at))

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        """Stream the file; see ports.Store."""
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}", hint="was the folder renamed in the declaration?")
        return self._chunks(self._path(at.key), size)

    @staticmethod
    def _chunks(path: Path, size: int) -> Iterator[bytes]:
        with _told(path):
            file = path.open("rb", buffering=0)
        with file:
            while True:
                with _told(path):
                    block = file.read(size)
                if not block:
                    return
                yield block

    def list(self, prefix: str) -> Iterator[Blob]:
        """Give the files in the order of their keys; see ports.Store."""
        with _told(self._root):
            yield from self._walk("", prefix)

    def _walk(self, above: str, prefix: str) -> Iterator[Blob]:
        try:
            found = [(entry, entry.is_dir()) for entry in os.scandir(self._root / above)]
        except (FileNotFoundError, NotADirectoryError):
            return
        # A folder sorts as its keys do: `a-b` before `a/c`, since `-` is less than `/`.
        for name, entry in sorted((entry.name + "/" * folder, entry) for entry, folder in found):
            key = above + name
            if key == f"{PRIVATE}/" or not (key.startswith(prefix) or prefix.startswith(key)):
                continue
            if name.endswith("/"):
                yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                yield self._blob(key, entry.stat())

    def versions(self, key: str) -> Sequence[Blob]:
        """Give the one version there is; see ports.Store."""
        known = self.head(key)
        return [known] if known else []

    def remove(self, at: Location) -> None:
        """Remove the file, if it is still the one that was seen; see ports.Erasable."""
        if at.store != self.name:
            raise UsageError(f"{at} is not in {self.name}", hint="was the folder renamed in the declaration?")
        path, known = self._path(at.key), self.head(at.key)
        if known is None or (at.etag and known.at.etag != at.etag):
            return
        with _told(path):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def _content(self, path: Path) -> Content:
        digest, size = hashlib.sha256(), 0
        for block in self._chunks(path, _PART):
            digest.update(block)
            size += len(block)
        return Content(size, digest.hexdigest(), 0)

    def _path(self, key: str) -> Path:
        if checked(key).split("/", 1)[0] == PRIVATE:
            raise UsageError(f"{key!r} cannot be a key of a folder: `{PRIVATE}` holds unfinished files")
        return self._root / key

    def _blob(self, key: str, seen: os.stat_result) -> Blob:
        at = Location(self.name, key, etag=f"{seen.st_ino:x}-{seen.st_mtime_ns:x}-{seen.st_size:x}")
        return Blob(at, seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC))


def _folder(store: str) -> Path:
    from pathlib import Path
    from urllib.parse import urlparse
    from urllib.request import url2pathname

    return Path(url2pathname(urlparse(store).path))


def _make_folders(folder: Path, root: Path) -> None:
    """Make `folder` and what is missing above it, each durable in the folder above."""
    missing = [
        above for above in (folder, *folder.parents) if above.is_relative_to(root) and not above.exists()
    ]
    for above in reversed(missing):
        try:
            above.mkdir(exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise _in_the_way(above) from error
        sync_folder(above.parent)
    if not folder.is_dir():
        raise _in_the_way(folder)


def _in_the_way(path: Path) -> StoreConflict:
    return StoreConflict(f"{path} is in the way", expected="files and folders of different names")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what the disk refused in the operator's words."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFound(f"{path} is not there") from error
    except PermissionError as error:
        raise NotPermitted(f"{path} is refused by the file system", seen=error.strerror or "") from error
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> LandbridgeError:
    return DiskFailed(
        f"{path} failed",
        seen=error.strerror or type(error).__name__,
        hint="is the volume full, read-only or away?",
    )
