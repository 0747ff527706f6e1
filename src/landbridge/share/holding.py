"""What did somebody else's mover put into the holding folder, and how does it come out of his reach?

The file is copied, never renamed: a mover that still has it open, or has another name for it, could change it after it
was verified, and it would land with the mover's owner and rights. So this may also be another volume than the share.
"""

from __future__ import annotations

import hashlib
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from landbridge.disk import PIECE, is_there, remove
from landbridge.disk.local import LOCAL
from landbridge.errors import (
    IntegrityBroken,
    LandbridgeError,
    NotPermitted,
    NotYet,
    ShareRefused,
    disk_refused,
)
from landbridge.facts import Content
from landbridge.naming import manifest_name
from landbridge.share.copied import copy
from landbridge.share.room import Room, open_room

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from landbridge.disk import Disk, Stat
    from landbridge.facts import Manifest
    from landbridge.ports import Clock

PATIENCE = timedelta(minutes=1)
"""A file that has been changed since may be changed again, unless the mover's manifest says that he is through."""
_PREPARE = "if the folder has never been made, run `landbridge land --prepare` once; else mount it"


def usual_place(root: Path, environment: str) -> Path:
    """Give where the holding folder is when nobody declares another place: beside our own folders on the share at `root`."""
    return root / ".landbridge" / environment.lower() / "holding"


@dataclass(frozen=True, slots=True)
class Reach:
    """How holding and share are reached. Whoever simulates a disk decides what happens there."""

    disk: Disk = LOCAL
    rooms: Callable[[Path], AbstractContextManager[Room]] = open_room
    copy: Callable[[int, Path, int, Callable[[int], None] | None], str] = copy
    """See `copied.copy`."""


THIS: Final = Reach()
"""As this system reaches them."""


class HoldingFolder:
    """The holding folder of one environment; obeys ports.Holding."""

    def __init__(
        self, root: Path, share: Path, clock: Clock, *, patience: timedelta = PATIENCE, reach: Reach = THIS
    ) -> None:
        """Remember; nothing is touched before the first call. `share` is the root of the share that files land on."""
        self._reach = reach
        self._root = root
        self._share = share
        self._clock = clock
        self._patience = patience
        self._taken: dict[tuple[str, str], tuple[int, ...]] = {}

    def prepare(self, feeds: Collection[str]) -> None:
        """See ports.Holding."""
        try:
            self._root.mkdir(exist_ok=True)
            for feed in feeds:
                (self._root / feed).mkdir(exist_ok=True)
        except OSError as error:
            raise disk_refused(error, f"preparing {self._root}", whole=True) from error

    def feeds(self) -> list[str]:
        """See ports.Holding."""
        try:
            return sorted(entry.name for entry in self._root.iterdir() if entry.name[0] != ".")
        except FileNotFoundError as error:
            raise _not_there(self._root) from error
        except OSError as error:
            raise disk_refused(error, f"listing {self._root}", whole=True) from error

    def names(self, feed: str) -> list[str]:
        """See ports.Holding."""
        with self._room(feed) as room:
            return sorted(name for name in room.names() if not name.startswith("."))

    def take(self, manifest: Manifest, into: Path, watch: Callable[[int], None] | None = None) -> Content:
        """See ports.Holding."""
        name = _name(manifest)
        with self._room(manifest.feed) as room:
            self._expected(room, manifest, room.look(name))
            with room.opened(name) as file:
                before = room.state(file)
                sha256 = self._reach.copy(file, into, manifest.size, watch)
                after = room.state(file)
            if (sha256, after.st_size) != (manifest.sha256, manifest.size):
                with suppress(OSError):
                    remove(self._reach.disk, into)
                raise self._wrong(room, manifest, after, sha256)
        self._taken[manifest.feed, name] = _identity(before)
        return Content(manifest.size, sha256, 0)

    def where(self, manifest: Manifest) -> str:
        """See ports.Holding."""
        return str(self._root / manifest.feed / _name(manifest))

    def clear(self, manifest: Manifest) -> None:
        """See ports.Holding."""
        with suppress(LandbridgeError), self._room(manifest.feed) as room:
            with suppress(OSError, LandbridgeError):
                self._remove(room, manifest)
            announced = manifest_name(manifest.feed, manifest.occurrence, manifest.revision)
            if room.has(announced):
                room.remove(announced)

    def _remove(self, room: Room, manifest: Manifest) -> None:
        name = _name(manifest)
        seen = room.look(name)
        with suppress(FileNotFoundError, NotADirectoryError):
            final = self._reach.disk.lstat(self._share / manifest.landed_name)
            if (final.st_dev, final.st_ino) == (seen.st_dev, seen.st_ino):
                return  # declared so that a feed lands where it is held: this is the consumer's file
        if self._taken.get((manifest.feed, name)) != _identity(seen):
            if not stat.S_ISREG(seen.st_mode) or seen.st_size != manifest.size:
                return
            digest = hashlib.sha256()
            with room.opened(name) as file:
                while piece := room.read(file, PIECE):
                    digest.update(piece)
            if digest.hexdigest() != manifest.sha256:
                return
        room.remove(name)

    def _expected(self, room: Room, manifest: Manifest, seen: Stat) -> None:
        if not stat.S_ISREG(seen.st_mode):
            raise IntegrityBroken(
                f"{room.path / _name(manifest)} is not a plain file",
                expected="a file that the mover wrote",
                seen=_kind(seen.st_mode),
                hint="nothing was read; find out who put it there, and remove it",
            )
        if seen.st_size != manifest.size:
            raise self._wrong(room, manifest, seen)

    def _wrong(self, room: Room, manifest: Manifest, seen: Stat, sha256: str = "") -> LandbridgeError:
        """Say that these are not the bytes; whether they may still become them depends on the mover."""
        where = room.path / _name(manifest)
        seems = f"{seen.st_size} bytes" + (f", sha256 {sha256}" if sha256 else "")
        announced = manifest_name(manifest.feed, manifest.occurrence, manifest.revision)
        through = room.has(announced)
        # Of the times of a file the mover can set one, and the share sets the other.
        rests = (
            self._clock.now().timestamp() - max(seen.st_mtime, seen.st_ctime_ns / 1e9)
            > self._patience.total_seconds()
        )
        if not through and (seen.st_size < manifest.size or not rests):
            return NotYet(
                f"{where} is not whole yet",
                expected=f"{manifest.size} bytes",
                seen=f"{seems}, and no {announced} beside it, which the mover writes last",
                hint="run it again when the mover has ended",
            )
        return IntegrityBroken(
            f"{where} is not what was released as {manifest.feed}/{manifest.occurrence} revision {manifest.revision}",
            expected=f"{manifest.size} bytes, sha256 {manifest.sha256}",
            seen=seems,
            hint="nothing was landed; remove it and have it transferred again, in binary mode and without encryption by the mover",
        )

    @contextmanager
    def _room(self, feed: str) -> Iterator[Room]:
        path = self._root / feed
        try:
            with self._reach.rooms(path) as room:
                yield room
        except FileNotFoundError as error:
            if not is_there(self._reach.disk, path):
                raise _not_there(path) from error
            raise NotYet(
                f"{path / str(error.filename)} is not there",
                hint="run it again when the mover has brought it",
            ) from error
        except PermissionError as error:
            if getattr(error, "winerror", None) == _SHARING_VIOLATION:
                raise NotYet(f"{path / str(error.filename)} is held open by the mover") from error
            raise NotPermitted(
                f"reading {path / str(error.filename or '')} was refused",
                seen=error.strerror or str(error),
                hint="let the mover's files be readable for the account of landbridge: a common group, and a umask that lets it read",
            ) from error
        except OSError as error:
            raise disk_refused(error, f"reading {path}") from error


_SHARING_VIOLATION = 32
"""ERROR_SHARING_VIOLATION, Win32: another process has the file open and lets nobody read it."""


def _name(manifest: Manifest) -> str:
    return manifest.remote_path.rsplit("/", 1)[-1]


def _identity(seen: Stat) -> tuple[int, ...]:
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _not_there(path: Path) -> ShareRefused:
    return ShareRefused(f"the holding folder {path} is not there", hint=_PREPARE, whole=True)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
