"""How is a rendering written into a folder without losing what somebody else, or another environment, has there?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.errors import UsageError, disk_refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RECORD = ".landbridge-rendered.json"
"""What was rendered into a folder, and the digest of each file as it was written."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a rendering; paths below the folder."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    """Written by an earlier rendering, and not part of it any more."""


def write(folder: Path, files: Mapping[str, str], *, of: str, overwrite: bool) -> Written:
    """Write `files` into `folder`. Rendering again replaces what was rendered before, and nothing else.

    `of` names what is rendered (`aws eidv PRD`): a folder holds one of it. With `overwrite`, files that were changed
    by hand or belong to something else are replaced, too.

    Raises:
        UsageError: files stand in the way; nothing was written.
        ShareRefused, DiskFailed: the disk refused.
    """
    try:
        recorded_of, recorded = _record(folder)
        there = {name: _read(folder / name) for name in {*files, *recorded}}
        if not overwrite:
            _refuse(folder, files, of, recorded_of, recorded, there)
        changed = tuple(name for name in files if there[name] != files[name].encode())
        stale = tuple(sorted(name for name in recorded if name not in files and there[name] is not None))
        for name in changed:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], encoding="utf-8", newline="\n")
        for name in stale:
            (folder / name).unlink()
        digests = {name: _digest(text.encode()) for name, text in files.items()}
        (folder / RECORD).write_text(
            json.dumps({"of": of, "files": digests}, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise disk_refused(error, f"writing to {folder}") from error
    return Written(changed, tuple(name for name in files if name not in changed), stale)


def _refuse(
    folder: Path,
    files: Mapping[str, str],
    of: str,
    recorded_of: str,
    recorded: Mapping[str, str],
    there: Mapping[str, bytes | None],
) -> None:
    if recorded_of not in {"", of}:
        raise UsageError(
            f"{folder} holds another rendering; nothing was written",
            expected=of,
            seen=recorded_of,
            hint="choose another folder, or add `--overwrite`",
        )
    foreign = sorted(
        name
        for name, content in there.items()
        if content is not None
        and _digest(content) != recorded.get(name)
        and not (name in files and content == files[name].encode())
    )
    if foreign:
        raise UsageError(
            f"{folder} has files that were not rendered, or were changed since; nothing was written",
            seen=", ".join(foreign),
            hint="move them away or choose another folder; `--overwrite` replaces them",
        )


def _record(folder: Path) -> tuple[str, dict[str, str]]:
    content = _read(folder / RECORD)
    if content is None:
        return "", {}
    try:
        document = json.loads(content)
        return str(document["of"]), {str(name): str(digest) for name, digest in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):  # not ours: then no file is, either
        return "", {}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
