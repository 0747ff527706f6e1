"""How does another mover bring files to the share's machine, and what of it can a landing see? A holding folder on the simulated disk.

The holding folder is the product's own, over a disk that loses what was not fsynced; the mover never makes anything durable.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import orjson

from landbridge.absent import absent
from landbridge.disk import is_there, make_folder, opened, read_whole, remove, write_whole
from landbridge.errors import IntegrityBroken, disk_refused
from landbridge.held import Wanted
from landbridge.land import land
from landbridge.naming import MANIFESTS
from landbridge.share.holding import HoldingFolder, Reach, usual_place
from reliability.collectors import ROOT
from reliability.kinds import ENVIRONMENT
from reliability.through import Through
from reliability.world import Excused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from landbridge.disk import Disk, Stat
    from landbridge.facts import Absence, Slot
    from landbridge.released import Outcome
    from landbridge.world import Ground
    from reliability.actors import Actor
    from reliability.mount import Mount
    from reliability.through import Passing
    from reliability.world import World

HOLDING = usual_place(ROOT, ENVIRONMENT)
_PIECE = 16
"""Bytes that the mover writes, and a copy takes, at once."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """A landing removed a file from holding."""

    path: Path
    bodies: tuple[bytes, ...]
    """What lay there since it looked, in order: a mover may write again until the very moment."""
    at: int
    """How many events were on the history before."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the mover goes about one transfer."""

    hidden: bool = True
    """Whether the file grows under a name that begins with a dot."""
    manifest: Literal["first", "last", "never"] = "last"
    torn: bool = False
    """It stops in the middle, and believes that it is through."""
    wrong: bool = False
    """It converts line ends, as a transfer in text mode does; to others of the same length."""
    times: int = 1
    """How often it brings what is released by then, a second apart."""
    newest: bool = True
    """Whether that is the newest revision, or the oldest one."""


WHOLE = Manner()


@dataclass(slots=True)
class Yard:
    """The holding folder of one world, with what was removed from it."""

    world: World
    cleared: list[Cleared]

    def prepare(self) -> None:
        """Make the folders, as a person has it done once."""
        bare = self.world.disk.mount()
        for folder in (HOLDING, *(HOLDING / feed.feed for feed, _ in self.world.feeds)):
            make_folder(bare, folder)
        self.world.disk.settle()

    def lander(self, number: int, *, after: float = 0.0, named: bool = False) -> tuple[Actor, list[Outcome]]:
        """Let the job after the transfer land what is there; `named`: of the slots by name, so that it asks whether a file is owed at all."""
        return self.world.grounded(f"edge{number}.land", partial(self._land, named), after)

    def asker(self, number: int, *, after: float = 0.0) -> tuple[Actor, list[Outcome]]:
        """Let somebody who waits ask now and then whether a file is owed, as a collection does between two passes."""

        def asks(ground: Ground, _mount: Mount, _passing: Passing) -> list[Outcome]:
            for _ in range(4):
                for _, slot in self.world.feeds:
                    self._asks(ground, slot)
                ground.clock.sleep(0.7)
            return []

        return self.world.grounded(f"edge{number}.asks", asks, after)

    def mover(self, number: int, manner: Manner, *, after: float = 0.0) -> Actor:
        """Let the mover bring what is released of every feed, as soon as it is."""
        return self.world.stage.enter(f"mover{number}", partial(self._bring, manner), after=after)

    def _land(self, named: bool, ground: Ground, mount: Mount, passing: Passing) -> list[Outcome]:  # noqa: FBT001 # bound by name alone
        disk = cast("Disk", Through(_Recording(mount, self), "disk", passing))
        reach = Reach(disk=disk, rooms=partial(_room, disk), copy=partial(_copy, disk))
        holding = HoldingFolder(HOLDING, ROOT, ground.clock, reach=reach)
        feeds = tuple(feed.feed for feed, _ in self.world.feeds)
        slots = tuple(slot for _, slot in self.world.feeds) if named else ()
        return land(ground, holding, Wanted(feeds, self.world.since, slots), partial(self._asks, ground))

    def _asks(self, ground: Ground, slot: Slot) -> Absence | None:
        """Ask the server whether a file is owed, and put on the history what was heard."""
        asked = len(self.world.history)
        found = absent(ground, slot)
        if found is not None:
            self.world.history.append(Excused(slot, found.revision, asked))
        return found

    def _bring(self, manner: Manner, actor: Actor) -> None:
        waiting = dict.fromkeys(range(len(self.world.feeds)), 0)
        for _ in range(60):
            for number in list(waiting):
                if (found := self._released(number, newest=manner.newest)) is not None:
                    waiting[number] += 1
                    self._transfer(actor, number, manner, *found)
                    if waiting[number] == manner.times:
                        del waiting[number]
            if not waiting:
                return
            actor.sleep(0.05 if not any(waiting.values()) else 1.0)

    def _released(self, number: int, *, newest: bool) -> tuple[str, bytes, str, bytes] | None:
        """Give name and bytes of a released file, and of its manifest; None as long as nothing is released."""
        feed, slot = self.world.feeds[number]
        folder = f"{MANIFESTS}/{slot.business_date}/"
        manifests = [
            (key.removeprefix(folder), kept.body)
            for key, kept in self.world.s3.list("reports", folder)
            if key.startswith(f"{folder}{feed.feed}.")
        ]
        if not manifests:
            return None
        announced, manifest = manifests[-1 if newest else 0]
        key = str(orjson.loads(manifest)["remote_path"]).strip("/")
        return key.rpartition("/")[2], self.world.s3.versions("reports", key)[-1].body, announced, manifest

    def _transfer(
        self,
        actor: Actor,
        number: int,
        manner: Manner,
        name: str,
        body: bytes,
        announced: str,
        manifest: bytes,
    ) -> None:
        folder = HOLDING / self.world.feeds[number][0].feed
        if manner.wrong:
            body = body.replace(b"\n", b"\r")
        if manner.manifest == "first":
            self._write(actor, folder / announced, manifest)
        growing = folder / (f".part_{name}" if manner.hidden else name)
        self._write(actor, growing, body[: len(body) // 2] if manner.torn else body)
        if manner.hidden:
            actor.step("mover.rename")
            with suppress(FileNotFoundError):  # a power cut took it
                self.world.disk.mount().rename(growing, folder / name)
        if manner.manifest == "last":
            self._write(actor, folder / announced, manifest)

    def _write(self, actor: Actor, path: Path, body: bytes) -> None:
        """Write in pieces; the machine may lose power between two of them, and the mover, on another one, goes on."""
        piece = max(_PIECE, len(body) // 4)
        for at in range(0, max(1, len(body)), piece):
            actor.step("mover.write")
            mount = self.world.disk.mount()
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if at == 0 else 0)
            with suppress(OSError), opened(mount, path, flags) as file:
                mount.lseek(file, at, os.SEEK_SET)
                mount.write(file, body[at : at + piece])


class _Recording:
    """A process's view of the disk that notes what it removes from holding, and which bytes it can have seen there before."""

    def __init__(self, mount: Mount, yard: Yard) -> None:
        self._mount = mount
        self._yard = yard
        self._seen: dict[Path, list[bytes]] = {}
        self._open: dict[int, Path] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever a disk has
        return getattr(self._mount, name)

    def lstat(self, path: Path) -> Stat:
        """See disk.Disk. With a look at the name begins what may end with its removal."""
        found = self._mount.lstat(path)
        self._seen.pop(path, None)
        self._note(path)
        return found

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """See disk.Disk."""
        file = self._mount.open(path, flags, mode)
        self._open[file] = path
        self._note(path)
        return file

    def read(self, file: int, size: int) -> bytes:
        """See disk.Disk."""
        self._note(self._open.get(file, ROOT))
        return self._mount.read(file, size)

    def unlink(self, path: Path) -> None:
        """See disk.Disk."""
        self._note(path)
        self._mount.unlink(path)
        if path.parent.parent == HOLDING:
            bodies = tuple(self._seen.pop(path))
            self._yard.cleared.append(Cleared(path, bodies, len(self._yard.world.history)))

    def _note(self, path: Path) -> None:
        if path.parent.parent == HOLDING and is_there(self._mount, path):
            self._seen.setdefault(path, []).append(read_whole(self._mount, path))


@dataclass(frozen=True, slots=True)
class _Room:
    """A folder of the simulated disk; obeys share.room.Room."""

    path: Path
    disk: Disk

    def names(self) -> list[str]:
        """See Room."""
        return self.disk.listdir(self.path)

    def look(self, name: str) -> Stat:
        """See Room."""
        return self.disk.lstat(self.path / name)

    def has(self, name: str) -> bool:
        """See Room."""
        try:
            return stat.S_ISREG(self.look(name).st_mode)
        except OSError:
            return False

    @contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """See Room; nobody puts links here."""
        with opened(self.disk, self.path / name, os.O_RDONLY) as file:
            yield file

    def state(self, file: int) -> Stat:
        """See Room."""
        return self.disk.fstat(file)

    def read(self, file: int, size: int) -> bytes:
        """See Room."""
        return self.disk.read(file, size)

    def remove(self, name: str) -> None:
        """See Room."""
        self.disk.unlink(self.path / name)


@contextmanager
def _room(disk: Disk, path: Path) -> Iterator[_Room]:
    if not stat.S_ISDIR(disk.lstat(path).st_mode):
        raise IntegrityBroken(f"{path} is not a folder")
    yield _Room(path, disk)


def _copy(disk: Disk, source: int, into: Path, size: int, watch: Callable[[int], None] | None) -> str:
    """Do what `copied.copy` promises, in small pieces."""
    digest, left = hashlib.sha256(), size
    try:
        remove(disk, into)
        target = disk.open(into, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            while left and (piece := disk.read(source, min(left, _PIECE))):
                digest.update(piece)
                write_whole(disk, target, piece)
                left -= len(piece)
                if watch is not None:
                    watch(len(piece))
            disk.fsync(target)
        finally:
            disk.close(target)
    except OSError as error:
        with suppress(OSError):
            remove(disk, into)
        raise disk_refused(error, f"copying to {into}") from error
    return digest.hexdigest()
