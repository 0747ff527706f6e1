"""How do the files that match a pattern become batches, in order of their names?"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.disk.scratch import scratch
from landbridge.errors import ContractBroken, Unavailable, UsageError
from landbridge.sources import stream
from landbridge.sources.around import inside
from landbridge.sources.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from landbridge.facts import Location, Slot
    from landbridge.feed.inputs import FilesSource
    from landbridge.ports import Extract, Store
    from landbridge.sources.around import Around

_BUCKET = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Found:
    """A file that matched: on this machine, or in a store."""

    name: str
    """What it is called in errors: its path below the project's folder, or its URL."""
    path: Path | None = None
    store: Store | None = None
    at: Location | None = None

    @contextmanager
    def local(self, scratch: Path) -> Iterator[Path]:
        """Lend the file as one on this machine; one from a store is downloaded for as long as it is read."""
        if self.path is not None:
            yield self.path
            return
        if self.store is None or self.at is None:
            raise AssertionError("a found file lies somewhere")
        copy = scratch / "part"
        self.store.fetch(self.at, copy)
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)


class Files:
    """One declared set of files."""

    def __init__(self, name: str, declared: FilesSource, around: Around) -> None:
        self._name = name
        self._declared = declared
        self._around = around

    @contextmanager
    def open(self, slot: Slot) -> Iterator[Extract]:
        """List the files and read the first one's columns now; see ports.Source."""
        around = self._around
        began = around.clock.now()
        pattern = around.resolved(self._declared.path, slot)
        found = matching(self._name, pattern, around)
        if not found and self._declared.none_is == "error":
            raise Unavailable(
                f"source `{self._name}`: no file matches",
                expected=f"at least one `{around.shown(pattern)}`",
                hint="declare `none_is: empty` when that is fine, or `ready` to wait for it",
            )
        reader = Reader(self._name, self._declared)
        with scratch() as folder:
            schema, batches = reader.all([(file.name, _lent(file, folder)) for file in found])
            asked = stream.Asked(
                self._name, "files", around.shown(pattern), {"files": str(len(found))}, began
            )
            watched = _watched(self._name, batches)
            try:
                yield stream.extract(asked, schema, watched, around.clock, around.progress)
            finally:
                watched.close()


def _lent(file: Found, folder: Path) -> AbstractContextManager[Path]:
    return file.local(folder)


def _watched(name: str, batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    try:
        yield from batches
    except OSError as error:
        raise Unavailable(
            f"source `{name}`: a file cannot be read", seen=error.strerror or str(error)
        ) from error


def matching(source: str, pattern: str, around: Around) -> Sequence[Found]:
    """Give the files that match, sorted by path. `*` stays within one folder; hidden files need their dot.

    Raises:
        UsageError: the pattern is of a bucket, and no buckets are reachable here.
        Unavailable, NotPermitted: from the store.
    """
    bucket = _BUCKET.fullmatch(pattern)
    if bucket:
        return _in_bucket(source, bucket[1], bucket[2], around)
    if "://" in pattern:
        raise UsageError(
            f"source `{source}`: `{pattern}` is no path", expected="a path, or s3://bucket/prefix"
        )
    start = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else around.folder
    rest = Path(pattern).relative_to(start) if Path(pattern).is_absolute() else Path(pattern)
    parts = rest.parts
    fixed = next((number for number, part in enumerate(parts) if _WILD.search(part)), len(parts))
    if ".." in parts[fixed:]:
        raise UsageError(f"source `{source}`: `..` after a wildcard in `{pattern}`")
    base = inside(start, str(Path(*parts[:fixed]))) if fixed else start
    if fixed == len(parts):
        paths = [base] if base.is_file() else []
    else:
        paths = [path for path in base.glob(str(Path(*parts[fixed:]))) if _shows(path, base, parts[fixed:])]
        _believe(source, paths, base)
    named = {path: _named(path, around.folder) for path in paths}
    return [Found(named[path], path=path) for path in sorted(paths, key=str)]


def _shows(path: Path, base: Path, pattern: tuple[str, ...]) -> bool:
    names = path.relative_to(base).parts
    hidden = any(name.startswith(".") for name in names) and not any(part.startswith(".") for part in pattern)
    return path.is_file() and not hidden


def _believe(source: str, paths: Sequence[Path], base: Path) -> None:
    """See that names can be told, and that no link leads out of the folder that was declared; a mounted ConfigMap's stay within it.

    Raises:
        ContractBroken: they cannot, or one does: whoever may write into the folder would choose what of this machine is sent.
    """
    within = base.resolve()
    for path in paths:
        if not _is_text(str(path)):
            raise ContractBroken(
                f"source `{source}`: the name {path.name!r} is no text in UTF-8",
                hint="rename it, or declare a `path` that does not match it",
            )
        if not path.resolve().is_relative_to(within):
            raise ContractBroken(
                f"source `{source}`: {path.name!r} is a link that leads out of {base}",
                expected="files that lie in the folder",
                hint="find out who put it there; declare the other folder if its files are meant",
            )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _named(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _in_bucket(source: str, bucket: str, pattern: str, around: Around) -> Sequence[Found]:
    if around.stores is None:
        raise UsageError(f"source `{source}`: buckets cannot be reached from here")
    store = around.stores(f"s3://{bucket}")
    wild = _WILD.search(pattern)
    prefix = pattern[: wild.start()] if wild else pattern
    blobs = [blob for blob in store.list(prefix) if _same(blob.at.key, pattern)]
    if any(".." in blob.at.key.split("/") for blob in blobs):
        raise ContractBroken(f"source `{source}`: the bucket {bucket} holds a key with `..`")
    return [
        Found(f"s3://{bucket}/{blob.at.key}", store=store, at=blob.at)
        for blob in sorted(blobs, key=lambda blob: blob.at.key)
    ]


def _same(key: str, pattern: str) -> bool:
    names, parts = key.split("/"), pattern.split("/")
    return len(names) == len(parts) and all(map(fnmatchcase, names, parts))
