"""How does this machine do what is asked of a disk, on whichever file system is mounted?

Run here: Linux with ext4 and tmpfs. Not run here: NFS, SMB, Windows; for them this follows the sources named at each
function, and the contract suite in tests/contract is to be run on such a host before it is trusted.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.disk import Disk

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_MOVE_WRITE_THROUGH = 8
_RANGE_WRITE = 2
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
_BINARY = getattr(os, "O_BINARY", 0)


class LocalDisk:
    """The file systems of this machine; obeys disk.Disk."""

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """See disk.Disk."""
        return os.open(path, flags | _BINARY, mode)

    def read(self, file: int, size: int) -> bytes:
        """See disk.Disk."""
        return os.read(file, size)

    def write(self, file: int, piece: bytes | memoryview) -> int:
        """See disk.Disk."""
        return os.write(file, piece)

    def lseek(self, file: int, offset: int, whence: int) -> int:
        """See disk.Disk."""
        return os.lseek(file, offset, whence)

    def ftruncate(self, file: int, size: int) -> None:
        """See disk.Disk."""
        os.ftruncate(file, size)

    def fstat(self, file: int) -> os.stat_result:
        """See disk.Disk."""
        return os.fstat(file)

    def fsync(self, file: int) -> None:
        """See disk.Disk."""
        os.fsync(file)

    def write_behind(self, file: int, size: int) -> None:
        """See disk.Disk. Only Linux is asked for it.

        Source: sync_file_range(2): WRITE begins to write dirty pages back. posix_fadvise(2) with DONTNEED does so too, and
        then takes from memory what the consumer is about to read, which costs a third of writing it.
        """
        begin = getattr(_libc(), "sync_file_range", None) if sys.platform == "linux" else None
        if begin is not None:
            begin(file, ctypes.c_int64(0), ctypes.c_int64(size), _RANGE_WRITE)

    def close(self, file: int) -> None:
        """See disk.Disk."""
        os.close(file)

    def stat(self, path: Path) -> os.stat_result:
        """See disk.Disk."""
        return path.stat()

    def lstat(self, path: Path) -> os.stat_result:
        """See disk.Disk."""
        return path.lstat()

    def listdir(self, folder: Path) -> list[str]:
        """See disk.Disk."""
        return os.listdir(folder)  # noqa: PTH208 - names are what is asked for

    def mkdir(self, folder: Path) -> None:
        """See disk.Disk."""
        folder.mkdir()

    def utime(self, path: Path) -> None:
        """See disk.Disk."""
        os.utime(path)

    def chmod(self, path: Path, mode: int) -> None:
        """See disk.Disk."""
        path.chmod(mode)

    def rename(self, path: Path, target: Path) -> None:
        """See disk.Disk."""
        os.replace(path, target)  # noqa: PTH105 - pathlib's makes a path of its target once more

    def rename_new(self, path: Path, target: Path) -> None:
        """See disk.Disk.

        Source: rename(2), renameat2(2); fs/nfs/dir.c refuses flags with EINVAL. MoveFileExW, Win32: without
        MOVEFILE_REPLACE_EXISTING it never replaces, with MOVEFILE_WRITE_THROUGH it returns when the move is on disk.
        """
        if sys.platform == "win32":
            if not ctypes.windll.kernel32.MoveFileExW(str(path), str(target), _MOVE_WRITE_THROUGH):
                raise ctypes.WinError()
            return
        libc = _libc()
        if not hasattr(libc, "renameat2"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(target))
        if libc.renameat2(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(target))

    def link(self, path: Path, target: Path) -> None:
        """See disk.Disk."""
        os.link(path, target, follow_symlinks=False)

    def unlink(self, path: Path) -> None:
        """See disk.Disk."""
        path.unlink()

    def rmdir(self, folder: Path) -> None:
        """See disk.Disk."""
        folder.rmdir()

    def sync_folder(self, folder: Path) -> None:
        """See disk.Disk. NTFS keeps names by its own journal, and `rename_new` writes through.

        Source: fsync(2): "does not necessarily ensure that the entry in the directory has also reached disk".
        """
        if sys.platform == "win32":
            return
        try:
            number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return
        try:
            os.fsync(number)
        except OSError as error:
            # Some SMB mounts know no fsync of a folder; their server keeps names itself.
            if error.errno not in _NO_SYNC:
                raise
        finally:
            os.close(number)

    def lock(self, path: Path) -> int | None:
        """See disk.Disk.

        Source: flock(2) (over NFS since Linux 2.6.12, over SMB since 5.5); msvcrt.locking, which locks bytes of an open file.
        """
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(number)
        except OSError as error:
            os.close(number)
            if error.errno in _NO_LOCKS:
                return None
            raise BlockingIOError(error.errno, "held by another process", str(path)) from error
        return number


LOCAL: Final[Disk] = LocalDisk()
"""The only one this machine needs: it remembers nothing."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _lock(number: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
