"""How does a finished file get its final name, once and durably, on the different file systems of a share?"""

from __future__ import annotations

import errno
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.disk import opened, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.share.machine import Machine

_NOT_HERE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


class Way(StrEnum):
    """How a finished file gets its final name without ever replacing another one."""

    RENAME = "rename"
    """One atomic step: renameat2(RENAME_NOREPLACE) on ext4, XFS, Btrfs, tmpfs, SMB; MoveFileEx on Windows."""
    LINK = "link"
    """Two steps, link and unlink, for NFS: after a crash between them the part is still there, and its link count or its
    change time tells that the file was delivered (see `was_linked`). `Claims.through` sees to it that nobody whose claim is
    gone takes the first step."""


def way_of(machine: Machine, folder: Path) -> Way:
    """Find out, with two files of our own in `folder`, how its file system places.

    Raises:
        OSError: it can do neither, or refused the trial.

    Source: renameat2(2) and link(2), Linux; fs/nfs/dir.c refuses flags with EINVAL.
    """
    if sys.platform == "win32":
        return Way.RENAME
    disk = machine.disk
    one, two = folder / f"trial-{machine.token()}", folder / f"trial-{machine.token()}"
    disk.close(disk.open(one, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        for way in (Way.RENAME, Way.LINK):
            try:
                place(disk, one, two, way, lambda _: None)
            except OSError as error:
                if way is Way.RENAME and error.errno in _NOT_HERE:
                    continue
                raise
            return way
        raise AssertionError(folder)  # the loop returns or raises
    finally:
        remove(disk, one)
        remove(disk, two)


def place(disk: Disk, part: Path, final: Path, way: Way, sync: Callable[[Path], None]) -> None:
    """Give the finished file `part` the name `final` on the same volume; both folders are durable afterwards.

    Raises:
        FileExistsError: `final` is there; nothing was touched.
        FileNotFoundError: `part` is not there (any more).
        OSError: the share refused. `part` has its old name, its new one, or (LINK) both.
    """
    give_name(disk, part, final, way)
    make_durable(disk, [(part, final)], way, sync)


def give_name(disk: Disk, part: Path, final: Path, way: Way) -> None:
    """Do the first half of `place`: from here on `final` can be seen. `make_durable` must follow.

    Raises:
        FileExistsError, FileNotFoundError, OSError: as `place`.
    """
    if way is Way.LINK:
        disk.link(part, final)
    else:
        disk.rename_new(part, final)


def make_durable(
    disk: Disk, placed: Sequence[tuple[Path, Path]], way: Way, sync: Callable[[Path], None]
) -> None:
    """Do the second half for any number of files together: every folder concerned is synced once.

    Raises:
        OSError: the share refused.
    """
    for folder in dict.fromkeys(final.parent for _, final in placed):
        sync(folder)
    let_go(disk, [part for part, _ in placed], way, sync)


def let_go(disk: Disk, parts: Sequence[Path], way: Way, sync: Callable[[Path], None]) -> None:
    """End `make_durable`: the old names of links go, which they may only when the new ones have reached the disk.

    Raises:
        OSError: the share refused.
    """
    if way is Way.LINK:
        for part in parts:
            remove(disk, part)  # or somebody took over, saw the link, and removed it
    for folder in dict.fromkeys(part.parent for part in parts):
        sync(folder)


def was_linked(disk: Disk, part: Path, changed: int) -> bool:
    """Tell whether a part that waits under its old name was given its final name as well; `changed` is from `changed_at`.

    A link that still exists shows in the link count, wherever the consumer moved the file; one that the consumer has
    deleted since shows in the change time, which link and unlink set and nothing of ours does while it has this name. It is
    opened first, since a mount may answer a look from its memory, but asks the server when a file is opened (nfs(5),
    close-to-open); and looked at by its name, since what somebody moves meanwhile has another change time.
    """
    with opened(disk, part, os.O_RDONLY):
        state = disk.lstat(part)
    return state.st_nlink > 1 or state.st_ctime_ns != changed


def changed_at(disk: Disk, part: Path) -> int:
    """Give the instant (ns, of the share's own clock) of the last change to the file or its names."""
    return disk.lstat(part).st_ctime_ns
