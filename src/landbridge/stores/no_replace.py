"""How does a finished file get its name without ever replacing another one?

A hard link does it on ext4, XFS, APFS, NFS and NTFS; `renameat2(RENAME_NOREPLACE)` where the file system has no
links but Linux can still do it (SMB, exFAT); `rename` itself never replaces on Windows.

Source: link(2), renameat2(2), Linux; MoveFileEx, Windows.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def place(part: Path, final: Path) -> None:
    """Give the finished file `part` the name `final` of the same volume, and make both names durable.

    Raises:
        FileExistsError: `final` is there; nothing was touched, `part` is still there.
        OSError: the disk refused.
    """
    if sys.platform == "win32":
        part.rename(final)
        return
    try:
        os.link(part, final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename(part, final)
    else:
        part.unlink()
    sync_folder(final.parent)


def _rename(part: Path, final: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(final), _RENAME_NOREPLACE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(final))


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Windows does so by itself."""
    if sys.platform == "win32":
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
