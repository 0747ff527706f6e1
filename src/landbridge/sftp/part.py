"""How does a file grow on a disk, in order, hashed on its way, and go on where an earlier try stopped?"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Self

from landbridge.disk import PIECE, write_whole
from landbridge.errors import disk_refused
from landbridge.facts import Content

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from landbridge.disk import Disk

_SETTLE = 16 << 20
"""Bytes after which the disk is set to work, so that the last fsync does not wait for the whole file."""


class Part:
    """A partial file, open for going on. Contiguous from 0 at every moment: its size is where the next try begins."""

    def __init__(self, disk: Disk, path: Path, size: int, watch: Callable[[int], None] | None) -> None:
        """Open or create `path`; what is beyond `size` cannot be ours and is cut off.

        Raises:
            ShareRefused, DiskFailed: the disk refused.
        """
        self._disk = disk
        self._path = path
        self._size = size
        self._watch = watch
        self._digest = hashlib.sha256()
        self.there = 0
        self._settled = 0
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._file = disk.open(path, flags, 0o640)
        except OSError as error:
            raise disk_refused(error, f"opening {path}") from error

    def __enter__(self) -> Self:
        """Read again and hash what an earlier try left."""
        try:
            left = self._disk.fstat(self._file).st_size
            if left > self._size:
                self._disk.ftruncate(self._file, 0)
            while left and (piece := self._disk.read(self._file, PIECE)):
                self._take(piece)
        except OSError as error:
            self._disk.close(self._file)
            raise disk_refused(error, f"reading {self._path}") from error
        self._settled = self.there
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; what is there stays.

        Raises:
            ShareRefused, DiskFailed: the disk refused; some network file systems say only now that a write failed.
        """
        try:
            self._disk.close(self._file)
        except OSError as error:
            raise disk_refused(error, f"closing {self._path}") from error

    def write(self, piece: bytes | memoryview) -> None:
        """Add the next bytes.

        Raises:
            ShareRefused, DiskFailed: the disk refused; what is there stays contiguous.
        """
        there = self.there + len(piece)
        try:
            write_whole(self._disk, self._file, piece)
            if there - self._settled >= _SETTLE:
                self._settled = there
                self._disk.write_behind(self._file, there)
        except OSError as error:
            raise disk_refused(error, f"writing {self._path}") from error
        self._take(piece)

    def finish(self) -> Content:
        """Make the bytes durable and say what they are.

        Raises:
            ShareRefused, DiskFailed: the disk refused.
        """
        try:
            self._disk.fsync(self._file)
        except OSError as error:
            raise disk_refused(error, f"making {self._path} durable") from error
        return Content(size=self.there, sha256=self._digest.hexdigest(), rows=0)

    def _take(self, piece: bytes | memoryview) -> None:
        self._digest.update(piece)
        self.there += len(piece)
        if self._watch is not None:
            self._watch(len(piece))
