"""How does a file on a local disk grow, in order, hashed on its way, and go on where an earlier try stopped?"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Self

from landbridge.errors import disk_refused
from landbridge.facts import Content

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

_PIECE = 1 << 20
_SETTLE = 64 << 20
"""Bytes after which the disk is set to work, so that the last fsync does not wait for the whole file."""


class Part:
    """A partial file, open for going on. Contiguous from 0 at every moment: its size is where the next try begins."""

    def __init__(self, path: Path, size: int, watch: Callable[[int], None] | None) -> None:
        """Open or create `path`; what is beyond `size` cannot be ours and is cut off.

        Raises:
            ShareRefused, DiskFailed: the disk refused.
        """
        self._path = path
        self._size = size
        self._watch = watch
        self._digest = hashlib.sha256()
        self.there = 0
        self._settled = 0
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._file = os.open(path, flags, 0o640)
        except OSError as error:
            raise disk_refused(error, f"opening {path}") from error

    def __enter__(self) -> Self:
        """Read again and hash what an earlier try left."""
        try:
            if os.fstat(self._file).st_size > self._size:
                os.ftruncate(self._file, 0)
            while piece := os.read(self._file, _PIECE):
                self._take(piece)
        except OSError as error:
            os.close(self._file)
            raise disk_refused(error, f"reading {self._path}") from error
        self._settled = self.there
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; what is there stays."""
        os.close(self._file)

    def write(self, piece: bytes | bytearray) -> None:
        """Add the next bytes.

        Raises:
            ShareRefused, DiskFailed: the disk refused; what is there stays contiguous.
        """
        try:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise disk_refused(error, f"writing {self._path}") from error
        self._take(piece)
        if self.there - self._settled >= _SETTLE:
            self._settled = self.there
            self._settle()

    def finish(self) -> Content:
        """Make the bytes durable and say what they are.

        Raises:
            ShareRefused, DiskFailed: the disk refused.
        """
        try:
            os.fsync(self._file)
        except OSError as error:
            raise disk_refused(error, f"making {self._path} durable") from error
        return Content(size=self.there, sha256=self._digest.hexdigest(), rows=0)

    def _take(self, piece: bytes | bytearray) -> None:
        self._digest.update(piece)
        self.there += len(piece)
        if self._watch is not None:
            self._watch(len(piece))

    def _settle(self) -> None:
        advise = getattr(os, "posix_fadvise", None)
        if advise is not None:
            # DONTNEED begins to write dirty pages back and does not wait (Linux, mm/fadvise.c).
            advise(self._file, 0, self.there, os.POSIX_FADV_DONTNEED)
