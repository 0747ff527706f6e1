"""What do the share and a download ask of a disk, and what does it promise? POSIX, as narrow as they need it.

Every effect they have goes through one `Disk`: so it can be a simulated one that loses what was not fsynced, and any
call can be made to fail (see docs/decisions/0044).
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECE = 1 << 20
"""Bytes that are read at once."""


class Stat(Protocol):
    """What a disk tells of a file; `os.stat_result` is one."""

    @property
    def st_mode(self) -> int:
        """Kind and mode."""
        ...

    @property
    def st_dev(self) -> int:
        """Which volume it is on."""
        ...

    @property
    def st_ino(self) -> int:
        """Which file of the volume it is."""
        ...

    @property
    def st_nlink(self) -> int:
        """How many names it has."""
        ...

    @property
    def st_size(self) -> int:
        """Bytes."""
        ...

    @property
    def st_mtime(self) -> float:
        """Last change of its bytes, seconds of the disk's own clock."""
        ...

    @property
    def st_mtime_ns(self) -> int:
        """The same in nanoseconds."""
        ...

    @property
    def st_ctime_ns(self) -> int:
        """Last change of its bytes, its mode or its names, nanoseconds of the disk's own clock."""
        ...


class Disk(Protocol):
    """Files and folders of one or more volumes. Paths are absolute; an open file is a number. Safe from several threads.

    Every call may raise OSError, with the number and the class that POSIX gives it: FileNotFoundError where a name is
    not there, FileExistsError where it must not be. A call that raised may have taken effect only where it says so.

    What is written is seen by everybody at once, and lasts when `fsync` of its file has returned; a name (created,
    renamed, linked, removed) lasts when `sync_folder` of its folder has. A power cut may lose anything else.
    """

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """Give the number of a file, opened (or made) as the flags of `os` say; always binary.

        Source: POSIX, `open`.
        """
        ...

    def read(self, file: int, size: int) -> bytes:
        """Give up to `size` bytes from where the file stands; none at its end."""
        ...

    def write(self, file: int, piece: bytes | memoryview) -> int:
        """Write where the file stands (at its end, with O_APPEND), and give how many bytes that was: a full disk takes fewer."""
        ...

    def lseek(self, file: int, offset: int, whence: int) -> int:
        """Stand elsewhere in the file, and give where that is."""
        ...

    def ftruncate(self, file: int, size: int) -> None:
        """Cut or extend the file to `size` bytes."""
        ...

    def fstat(self, file: int) -> Stat:
        """Look at an open file."""
        ...

    def fsync(self, file: int) -> None:
        """Make the file's bytes and size last. After an error nobody knows what lasts, and asking again tells nothing."""
        ...

    def write_behind(self, file: int, size: int) -> None:
        """Have the disk begin to write the first `size` bytes, so that a later fsync has less to wait for. A hint."""
        ...

    def close(self, file: int) -> None:
        """End an open file or a lock. The bytes of it do not last by that."""
        ...

    def stat(self, path: Path) -> Stat:
        """Look at what a path leads to."""
        ...

    def lstat(self, path: Path) -> Stat:
        """Look at a name; at a link itself, where it is one."""
        ...

    def listdir(self, folder: Path) -> list[str]:
        """Give the names in a folder, in any order."""
        ...

    def mkdir(self, folder: Path) -> None:
        """Make one folder."""
        ...

    def utime(self, path: Path) -> None:
        """Set the file's times to now."""
        ...

    def chmod(self, path: Path, mode: int) -> None:
        """Set the file's mode."""
        ...

    def rename(self, path: Path, target: Path) -> None:
        """Give a file another name on the same volume, in one step, in place of whatever has that name."""
        ...

    def rename_new(self, path: Path, target: Path) -> None:
        """Do so in one step if nothing has that name.

        Raises:
            FileExistsError: something has; nothing was touched.
            OSError: EINVAL, ENOSYS or EOPNOTSUPP where the file system cannot do so (NFS); then `link` and `unlink`.
        """
        ...

    def link(self, path: Path, target: Path) -> None:
        """Give a file a further name, if nothing has it.

        Raises:
            FileExistsError: something has; nothing was touched.
        """
        ...

    def unlink(self, path: Path) -> None:
        """Take a name from a file."""
        ...

    def rmdir(self, folder: Path) -> None:
        """Take an empty folder away.

        Raises:
            NotADirectoryError: it is a file; nothing was touched.
        """
        ...

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder last. A folder that is gone, as when the consumer takes it away, has none to keep."""
        ...

    def lock(self, path: Path) -> int | None:
        """Hold `path`, made when needed, until the number is closed or the process ends; None where there are no locks.

        Raises:
            BlockingIOError: another process holds it.
        """
        ...


@contextmanager
def opened(disk: Disk, path: Path, flags: int, mode: int = 0o666) -> Iterator[int]:
    """Open a file for the block."""
    file = disk.open(path, flags, mode)
    try:
        yield file
    finally:
        disk.close(file)


def pieces(disk: Disk, file: int) -> Iterator[bytes]:
    """Read from where the file stands to its end."""
    while piece := disk.read(file, PIECE):
        yield piece


def read_whole(disk: Disk, path: Path) -> bytes:
    """Give all bytes of a small file."""
    with opened(disk, path, os.O_RDONLY) as file:
        return b"".join(pieces(disk, file))


def write_whole(disk: Disk, file: int, body: bytes | bytearray | memoryview) -> None:
    """Write all of it, however many calls the disk takes for that."""
    rest = memoryview(body)
    while rest:
        rest = rest[disk.write(file, rest) :]


def is_there(disk: Disk, path: Path) -> bool:
    """Tell whether the name is there; a disk that cannot tell is an error, never a no."""
    try:
        disk.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def is_folder(disk: Disk, path: Path) -> bool:
    """Tell whether the path leads to a folder; a disk that cannot tell is an error, never a no."""
    try:
        return stat.S_ISDIR(disk.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def make_folder(disk: Disk, folder: Path) -> None:
    """Make a folder, unless it is there. Not those above it: what is missing there may be the mount."""
    if is_folder(
        disk, folder
    ):  # as nearly always: one question to the server instead of a refusal and a question
        return
    try:
        disk.mkdir(folder)
    except OSError:
        # Somebody else may have made it meanwhile; and some systems refuse to make one before they look.
        if not is_folder(disk, folder):
            raise


def make_folders(disk: Disk, folder: Path) -> None:
    """Make a folder and those above it, unless they are there."""
    try:
        make_folder(disk, folder)
    except FileNotFoundError:
        make_folders(disk, folder.parent)
        make_folder(disk, folder)


def touch(disk: Disk, path: Path) -> None:
    """Set the file's times to now; it is made when needed."""
    try:
        disk.utime(path)
    except (FileNotFoundError, PermissionError):  # some mounts let nobody set times
        disk.close(disk.open(path, os.O_CREAT | os.O_WRONLY))


def remove(disk: Disk, path: Path) -> None:
    """Take a name away that may have gone before."""
    with suppress(FileNotFoundError):
        disk.unlink(path)
