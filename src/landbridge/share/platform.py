"""What differs between the operating systems and file systems of a share's host?

Run here: Linux with ext4 and tmpfs, both ways of placing. Not run here: NFS, SMB, Windows; for them this follows the
sources named at each function, and the contract suite in tests/contract is to be run on such a host before it is trusted.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_MOVE_WRITE_THROUGH = 8
_NOT_HERE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


class Way(StrEnum):
    """How a finished file gets its final name without ever replacing another one."""

    RENAME = "rename"
    """One atomic step: renameat2(RENAME_NOREPLACE) on ext4, XFS, Btrfs, tmpfs, SMB; MoveFileEx on Windows."""
    LINK = "link"
    """Two steps, link and unlink, for NFS: after a crash between them the part is still there, and its link count or its
    change time tells that the file was delivered (see `was_linked`)."""


def way_of(folder: Path) -> Way:
    """Find out, with two files of our own in `folder`, how its file system places.

    Raises:
        OSError: it can do neither, or refused the trial.

    Source: renameat2(2) and link(2), Linux; fs/nfs/dir.c refuses flags with EINVAL.
    """
    if sys.platform == "win32":
        return Way.RENAME
    one, two = folder / f"trial-{os.urandom(8).hex()}", folder / f"trial-{os.urandom(8).hex()}"
    os.close(os.open(one, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        for way in (Way.RENAME, Way.LINK):
            try:
                place(one, two, way, lambda _: None)
            except OSError as error:
                if way is Way.RENAME and error.errno in _NOT_HERE:
                    continue
                raise
            return way
        raise AssertionError(folder)  # the loop returns or raises
    finally:
        one.unlink(missing_ok=True)
        two.unlink(missing_ok=True)


def place(part: Path, final: Path, way: Way, sync: Callable[[Path], None]) -> None:
    """Give the finished file `part` the name `final` on the same volume; both folders are durable afterwards.

    Raises:
        FileExistsError: `final` is there; nothing was touched.
        FileNotFoundError: `part` is not there (any more).
        OSError: the share refused. `part` has its old name, its new one, or (LINK) both.
    """
    give_name(part, final, way)
    make_durable([(part, final)], way, sync)


def give_name(part: Path, final: Path, way: Way) -> None:
    """Do the first half of `place`: from here on `final` can be seen. `make_durable` must follow.

    Raises:
        FileExistsError, FileNotFoundError, OSError: as `place`.

    Source: rename(2), renameat2(2), link(2); MoveFileExW, Win32: without MOVEFILE_REPLACE_EXISTING it never replaces,
    with MOVEFILE_WRITE_THROUGH it returns when the move is on disk.
    """
    if sys.platform == "win32":
        if not ctypes.windll.kernel32.MoveFileExW(str(part), str(final), _MOVE_WRITE_THROUGH):
            raise ctypes.WinError()
    elif way is Way.LINK:
        os.link(part, final, follow_symlinks=False)
    else:
        _rename(part, final)


def make_durable(placed: Sequence[tuple[Path, Path]], way: Way, sync: Callable[[Path], None]) -> None:
    """Do the second half for any number of files together: every folder concerned is synced once.

    Raises:
        OSError: the share refused.
    """
    for folder in dict.fromkeys(final.parent for _, final in placed):
        sync(folder)
    let_go([part for part, _ in placed], way, sync)


def let_go(parts: Sequence[Path], way: Way, sync: Callable[[Path], None]) -> None:
    """End `make_durable`: the old names of links go, which they may only when the new ones have reached the disk.

    Raises:
        OSError: the share refused.
    """
    if way is Way.LINK:
        for part in parts:
            part.unlink(missing_ok=True)  # or somebody took over, saw the link, and removed it
    for folder in dict.fromkeys(part.parent for part in parts):
        sync(folder)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _rename(part: Path, final: Path) -> None:
    libc = _libc()
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(final))
    if libc.renameat2(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(final), _RENAME_NOREPLACE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(final))


def was_linked(part: Path, changed: int) -> bool:
    """Tell whether a part that waits under its old name was given its final name as well; `changed` is from `changed_at`.

    A link that still exists shows in the link count, wherever the consumer moved the file; one that the consumer has
    deleted since shows in the change time, which link and unlink set and nothing of ours does in between.
    """
    state = part.lstat()
    return state.st_nlink > 1 or state.st_ctime_ns != changed


def changed_at(part: Path) -> int:
    """Give the instant (ns, of the share's own clock) of the last change to the file or its names."""
    return part.lstat().st_ctime_ns


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. NTFS does so by its own journal, and `place` writes through.

    A folder that is gone, as when the consumer takes it away with the file, has no names to keep.

    Raises:
        OSError: the share refused.

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
        if (
            error.errno not in _NOT_HERE
        ):  # some SMB mounts know no fsync of a folder; their server keeps names itself
            raise
    finally:
        os.close(number)


def lock(path: Path) -> int | None:
    """Hold `path` until the descriptor is closed or the process ends, however it ends; None where there are no locks.

    Raises:
        BlockingIOError: another process holds it.

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


def _lock(number: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
