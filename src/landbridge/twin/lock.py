"""Who owns a twin's folder now?"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from landbridge.errors import TryAgain
from landbridge.twin.child import Identity, identity, is_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Own `folder` for the length of the `with`; the system releases it whatever becomes of this process.

    Raises:
        TryAgain: another process owns it.
    """
    with _path(folder).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner_now = owner(folder)
            raise TryAgain(
                f"a twin is already running, or starting, in {folder}",
                seen=f"process {owner_now.pid}" if owner_now else "",
                hint="see `landbridge twin status`",
            ) from error
        file.truncate(0)
        file.write(json.dumps(asdict(identity(os.getpid()))))
        file.flush()
        yield
        file.truncate(0)


def owner(folder: Path) -> Identity | None:
    """Tell which running process owns `folder`."""
    try:
        text = _path(folder).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    who = Identity(**json.loads(text)) if text else None
    return who if who and is_running(who) else None


def _path(folder: Path) -> Path:
    return folder / "owner.lock"
