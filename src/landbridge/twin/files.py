"""How does a file that only its owner may read appear, whole or not at all?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


def write_private(path: Path, body: bytes | str) -> None:
    """Write `path` with mode 0600; a reader sees the old bytes or the new ones."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body.encode() if isinstance(body, str) else body)
    part.replace(path)


def append_private(path: Path) -> BinaryIO:
    """Open a log for appending, made with mode 0600."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def private_folder(path: Path) -> Path:
    """Make `path` (and what lies above it) if it is not there, and keep everybody else out of it (0700)."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
