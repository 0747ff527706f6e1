"""Are the consumer's folders there, below the share's root and for good?"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from landbridge.disk import make_folder
from landbridge.errors import IntegrityBroken
from landbridge.share.room import JUNCTION

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.share.session import Session


def make_folders(session: Session, folder: Path) -> None:
    """Make a folder below the share's root, durable with all above it.

    One that is there may be another thread's, or a killed run's, that never came to its fsync: so each is made durable
    once a session, whoever made it.

    Raises:
        IntegrityBroken: one of them is a link: whoever can write to the share would choose where files land.
        OSError: the share refused.
    """
    unsure = []
    while folder != session.settings.root:
        if folder not in session.kept or not _is_folder(session.disk, folder):
            unsure.append(folder)
        folder = folder.parent
    for one in reversed(unsure):
        if not _is_folder(session.disk, one):
            make_folder(session.disk, one)
        session.folders.sync(one.parent)
        session.kept.add(one)


def _is_folder(disk: Disk, path: Path) -> bool:
    try:
        seen = disk.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(seen.st_mode) or getattr(seen, "st_reparse_tag", 0) == JUNCTION:
        raise IntegrityBroken(
            f"{path} is a link, and may lead out of the share",
            expected="a folder",
            hint="nothing was landed there; put a folder in its place, or declare the folder that it leads to",
        )
    return stat.S_ISDIR(seen.st_mode)
