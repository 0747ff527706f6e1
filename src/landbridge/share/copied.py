"""How does a file become a private copy, as cheaply as its file system can?"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from landbridge.errors import disk_refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PIECE = 1 << 20
_AT_ONCE = 64 << 20
"""Bytes that the system is asked to copy by itself; `watch` is told as often."""
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EPERM, errno.EBADF}


def copy(source: int, into: Path, size: int, watch: Callable[[int], None] | None) -> str:
    """Copy the first `size` bytes of the open file `source` to a new file, fsync it, and give the sha256 of the copy.

    A file system that can copy by itself does: a server over its own disks (NFS 4.2, SMB 3), or by sharing blocks
    (XFS, Btrfs); what is hashed is read from the copy then. Elsewhere the bytes are hashed on their way.

    Raises:
        ShareRefused, DiskFailed: it could not be read or written.

    Source: copy_file_range(2).
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        into.unlink(missing_ok=True)
        target = os.open(into, flags, 0o640)
        try:
            left = _by_itself(source, target, size, watch)
            passed = _by_hand(source, target, left, watch)
            os.fsync(target)
            if left == size:
                return passed
            os.lseek(target, 0, os.SEEK_SET)
            with os.fdopen(os.dup(target), "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        finally:
            os.close(target)
    except OSError as error:
        with suppress(OSError):
            into.unlink()  # half a copy is begun anew, and may be what fills the volume
        raise disk_refused(error, f"copying to {into}") from error


def _by_itself(source: int, target: int, size: int, watch: Callable[[int], None] | None) -> int:
    """Have the system copy, and give how many bytes it left."""
    left = size
    while sys.platform == "linux" and left:
        try:
            came = os.copy_file_range(source, target, min(left, _AT_ONCE))
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            break
        if came == 0:
            break
        left -= came
        if watch is not None:
            watch(came)
    return left


def _by_hand(source: int, target: int, left: int, watch: Callable[[int], None] | None) -> str:
    """Copy up to `left` bytes from where both files are, and give their sha256; a source that ends earlier ends it."""
    digest = hashlib.sha256()
    while left and (piece := os.read(source, min(left, _PIECE))):
        digest.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(target, rest) :]
        left -= len(piece)
        if watch is not None:
            watch(len(piece))
    return digest.hexdigest()
