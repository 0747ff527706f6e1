"""Is this folder really the share, and is this its journal? A marker on the volume says so; a mount point has none.

The marker is made once, by a person (`landbridge collect --adopt-share`), never by itself: the empty folder of a mount
that is away looks exactly like a new share.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations when the program runs
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from landbridge.disk import is_folder, is_there, make_folders, opened, read_whole, write_whole
from landbridge.errors import IntegrityBroken, ShareRefused, disk_refused

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.ports import Clock
    from landbridge.share.machine import Machine

_T = TypeVar("_T")
_MARKER = "volume.json"
_MARK = "identity.json"
_ADOPT = "if this really is the share, run `landbridge collect --adopt-share` once"


@dataclass(frozen=True, slots=True)
class Volume:
    """The marker in our private folder on the share."""

    volume: str
    journal: str
    """Identity of the one journal that tells what landed here."""
    journal_at: str
    """Where it was when it was made; for a person."""
    made_at: datetime
    lost_before: datetime | None = None
    """Set when a journal was lost: what was released before may or may not have landed."""


@dataclass(frozen=True, slots=True)
class JournalMark:
    """The same in the journal's folder, which may be on another disk."""

    volume: str
    journal: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """A share whose marker and journal were seen to belong together."""

    disk: Disk
    private: Path
    journal: Path
    marker: Volume
    marker_seen: bytes
    """The very bytes that were recognised."""
    mark_seen: bytes

    def still_there(self) -> None:
        """See that marker and journal are the same as when the share was recognised; cheap enough for every group of files.

        Raises:
            ShareRefused, IntegrityBroken, DiskFailed: they are not; see `recognise`.
        """
        if (
            _bytes(self.disk, self.private / _MARKER) != self.marker_seen
            or _bytes(self.disk, self.journal / _MARK) != self.mark_seen
        ):
            recognise(self.disk, self.private, self.journal)
            raise ShareRefused(
                f"the share {self.private.parent.parent} was adopted anew meanwhile",
                hint="run the command again",
                whole=True,
            )


def recognise(disk: Disk, private: Path, journal: Path) -> Recognised:
    """See that the share is there and that the journal belongs to it.

    Raises:
        ShareRefused: no marker (not the share, not mounted, or never adopted), or not its journal.
        IntegrityBroken: a marker that cannot be read.
        DiskFailed: the disk failed.
    """
    volume, marker_seen = _read(disk, private / _MARKER, _volumes())
    if volume is None:
        raise ShareRefused(
            f"{private.parent.parent} is not a share that was adopted",
            expected=f"the marker {private / _MARKER}",
            seen="no marker: the share is not mounted, is another one, or is new",
            hint=f"mount the share; {_ADOPT}",
            whole=True,
        )
    mark, mark_seen = _read(disk, journal / _MARK, _marks())
    if mark is None or (mark.volume, mark.journal) != (volume.volume, volume.journal):
        raise ShareRefused(
            f"the journal in {journal} is not the one of the share {private.parent.parent}",
            expected=f"journal {volume.journal} (made in {volume.journal_at})",
            seen=f"journal {mark.journal}" if mark else "no journal",
            hint="correct `share.path` or `share.journal`; if the journal is lost, run `landbridge collect --adopt-share`: "
            "a new one is rebuilt from the receipts, and what neither of them tells is asked",
            whole=True,
        )
    return Recognised(disk, private, journal, volume, marker_seen, mark_seen)


def adopt(machine: Machine, private: Path, journal: Path, clock: Clock) -> None:
    """Mark the share and begin its journal; a share that has both is left as it is.

    Raises:
        ShareRefused, DiskFailed: the share is away or does not take it.
    """
    disk, root = machine.disk, private.parent.parent
    if not _is_root(disk, root):
        raise ShareRefused(f"{root} is not there", hint="mount the share, or correct `share.path`")
    try:
        recognise(disk, private, journal)
    except (ShareRefused, IntegrityBroken):
        known, lost = _known(disk, private)
    else:
        return
    volume = Volume(
        volume=known or _fresh(machine),
        journal=_fresh(machine),
        journal_at=str(journal),
        made_at=clock.now(),
        lost_before=clock.now() if lost else None,
    )
    try:
        above = [one.parent for folder in (private, journal) for one in _missing(disk, folder)]
        for folder in (private, journal):
            make_folders(disk, folder)
        # The journal first: a crash between the two leaves a share that is not adopted, and adopting again mends it.
        _write(disk, journal / _MARK, _marks().dump_json(JournalMark(volume.volume, volume.journal)))
        _write(disk, private / _MARKER, _volumes().dump_json(volume, indent=2))
        for folder in dict.fromkeys((journal, journal.parent, private, private.parent, root, *above)):
            disk.sync_folder(folder)
    except OSError as error:
        raise disk_refused(error, f"adopting {root}", whole=True) from error


def _missing(disk: Disk, folder: Path) -> list[Path]:
    """Give the folder and those above it that are still to be made."""
    found = []
    while not is_there(disk, folder):
        found.append(folder)
        folder = folder.parent
    return found


def _bytes(disk: Disk, path: Path) -> bytes | None:
    """Give what is there; None for nothing."""
    try:
        return read_whole(disk, path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise disk_refused(error, f"reading {path}", whole=True) from error


def _is_root(disk: Disk, root: Path) -> bool:
    try:
        return is_folder(disk, root)
    except OSError as error:
        raise disk_refused(error, f"looking at {root}", whole=True) from error


def _fresh(machine: Machine) -> str:
    """Give an identity that nothing else has."""
    return str(UUID(hex=machine.token() + machine.token(), version=4))


def _known(disk: Disk, private: Path) -> tuple[str, bool]:
    """Give the volume's identity, if it has one, and whether it had a journal that is lost now."""
    try:
        volume, _ = _read(disk, private / _MARKER, _volumes())
    except IntegrityBroken:
        return "", True
    return (volume.volume, True) if volume else ("", False)


def _write(disk: Disk, path: Path, body: bytes) -> None:
    fresh = path.with_suffix(".new")
    with opened(disk, fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        write_whole(disk, file, body)
        disk.fsync(file)
    disk.rename(fresh, path)


def _read(disk: Disk, path: Path, adapter: TypeAdapter[_T]) -> tuple[_T, bytes] | tuple[None, bytes]:
    """Give what is there, and the very bytes of it; None for nothing."""
    body = _bytes(disk, path)
    if body is None:
        return None, b""
    try:
        return adapter.validate_json(body), body
    except ValidationError as error:
        raise IntegrityBroken(
            f"{path} is damaged",
            hint="restore it from a backup; without one see 'Adopting a share' and 'A journal that was lost' in docs/operating.md",
        ) from error


@cache
def _volumes() -> TypeAdapter[Volume]:
    return TypeAdapter(Volume)


@cache
def _marks() -> TypeAdapter[JournalMark]:
    return TypeAdapter(JournalMark)
