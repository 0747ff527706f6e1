"""Where may a run keep bytes of its own, and who removes them when it was killed?

Each folder has a lock that its owner holds while it lives, so whoever makes the next one on this disk can tell, and removes, what is nobody's.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.disk.local import LOCAL
from landbridge.errors import DiskFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "landbridge-"
_LOCK = ".landbridge-scratch"
_OLD = timedelta(hours=1)
"""What is younger may be of somebody who has made its folder, and not yet its lock."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a private folder (mode 0700) that is gone afterwards; TMPDIR says on which disk.

    Of this user's folders there, those are removed whose owner was killed.

    Raises:
        DiskFailed: no folder can be made.
    """
    sweep(Path(tempfile.gettempdir()), time.time())
    try:
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        held = _held(folder)
    except OSError as error:
        raise DiskFailed(
            f"no scratch folder can be made: {error.strerror}", hint="free some disk, or set TMPDIR"
        ) from error
    with folder as name:
        try:
            yield Path(name)
        finally:
            if held is not None:
                os.close(held)


def _held(folder: tempfile.TemporaryDirectory[str]) -> int | None:
    try:
        held = LOCAL.lock(Path(folder.name) / _LOCK)
        if held is not None:
            os.write(held, _host())
    except OSError:
        folder.cleanup()
        raise
    return held


def _host() -> bytes:
    return socket.gethostname().encode()


def sweep(place: Path, now: float) -> None:
    """Remove the scratch folders in `place` that are old at `now` (seconds since 1970), of this user and host, and whose owner is gone.

    Of another host nothing is, should they share the disk: its locks may not be seen here (nfs(5), `local_lock`).
    Only what has a lock is one of ours; where the disk has no locks nothing is removed. What cannot be removed is left: it is in nobody's way.
    """
    with suppress(OSError):
        for found in [one for one in os.scandir(place) if one.name.startswith(_PREFIX)]:
            with suppress(OSError):  # gone meanwhile, or somebody holds it
                if _is_ours(found, now):
                    _remove(Path(found.path))


def _is_ours(found: os.DirEntry[str], now: float) -> bool:
    # A disk of many may hold thousands of such names, so what most of them lack is asked first, and without a Path. A link
    # is not followed: it may lead to where nothing answers. What the folder's listing says of it costs nothing.
    if not found.is_dir(follow_symlinks=False):
        return False
    if now - os.lstat(f"{found.path}/{_LOCK}").st_mtime <= _OLD.total_seconds():
        return False
    about = found.stat(follow_symlinks=False)
    ours = not hasattr(os, "getuid") or about.st_uid == os.getuid()
    return ours and Path(found.path, _LOCK).read_bytes() == _host()


def _remove(folder: Path) -> None:
    held = LOCAL.lock(folder / _LOCK)
    if held is None:
        return
    # Windows removes no open file. Who comes between finds a folder that nobody owns, as we did.
    os.close(held)
    shutil.rmtree(folder, ignore_errors=True)
