"""What comes of one order in which two collectors deliver a slot, sleep, die, or lose the power, while a consumer takes what he finds?"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from greenlet import getcurrent, greenlet

from landbridge.disk import is_there, opened, read_whole, remove, write_whole
from landbridge.errors import LandbridgeError
from landbridge.facts import Download, Manifest, Receipt, Server
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from reliability.actors import Killed
from reliability.disk import SimulatedDisk
from reliability.through import Through
from reliability.touches import NAMING, NOBODYS, PRIVATE, ROOT, Noted, noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.ports import Claim
    from landbridge.share.platform import Way
    from reliability.mount import Mount
    from reliability.through import Call

LEASE = timedelta(minutes=2)
_ASLEEP = 200
"""Seconds; longer than a lease."""
_BEGAN = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
_BODY = b"id,amount\n1,2.50\n"
WANTED = Manifest(
    feed="flights",
    occurrence="2026-11-20",
    business_date=date(2026, 11, 20),
    revision=1,
    environment="DEV",
    remote_path="/outbound/flights/x_1.csv",
    landed_name="in/report.csv",
    done_name="in/report.done",
    size=len(_BODY),
    sha256=hashlib.sha256(_BODY).hexdigest(),
    rows=1,
    committed_at=_BEGAN - timedelta(hours=1),
    deadline=None,
    commitment="c" * 64,
)
CORRECTED = replace(
    WANTED,
    revision=2,
    landed_name="in/report-2.csv",
    done_name="in/report-2.done",
    commitment="d" * 64,
)
"""The next revision of the slot."""
_SERVER = Server("sftp.example.org", 22, "SHA256:" + "s" * 43, "collector")

Then = Literal["sleeps", "dies", "is cut"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One collector makes so many calls that count (all it has left, without a number), and then sleeps or dies, or the power is cut."""

    who: int
    calls: int | None = None
    then: Then = "sleeps"

    def __str__(self) -> str:
        """Give it for a person."""
        return f"{'AB'[self.who]} {'goes on' if self.calls is None else f'{self.calls} calls, {self.then}'}"


class Ways(NamedTuple):
    """How the mounts of the collectors give names."""

    others: Way
    """Of those who come before and after the two."""
    a: Way
    b: Way

    def __str__(self) -> str:
        """Give them for a person: one word if they are all the same."""
        return f"{self.a}" if len({*self}) == 1 else f"others {self.others}, A {self.a}, B {self.b}"

    def of(self, collector: str) -> Way:
        """Give the one of a collector by its name."""
        return {"edge1": self.a, "edge2": self.b}.get(collector, self.others)


def all_by(way: Way) -> Ways:
    """Give mounts that all do it in the same way."""
    return Ways(way, way, way)


FOUND = "found report.csv"


@dataclass(frozen=True, slots=True)
class Situation:
    """In which the two collectors meet."""

    ways: Ways
    left: str = ""
    """The name that a collector before the two was about to give, or had given, when it was killed; none, and there was no such one.
    FOUND: another mover has put the file there, under a name of its own, and nobody knows of it."""
    greedy: bool = True
    """Whether the consumer takes things at once, and for good; or when all is over. What nobody of us has put there he takes with its done-file."""
    corrected: bool = False
    """Whether B, and whoever comes after the two, delivers the next revision."""

    def __str__(self) -> str:
        """Give it for a person."""
        before = f"{self.left}, " if self.left == FOUND else f"one died {self.left}; " if self.left else ""
        two = "A revision 1, B revision 2; " if self.corrected else ""
        return f"{before}{two}{self.ways}, taken {'at once' if self.greedy else 'late'}"

    def wanted(self, collector: str) -> Manifest:
        """Give what a collector is to deliver."""
        if self.corrected and collector not in {"edge0", "edge1"}:
            return CORRECTED
        # Only a file under a name that no other slot has can be told for the slot's own.
        return replace(WANTED, remote_path="/outbound/flights/report.csv") if self.left == FOUND else WANTED


@dataclass(frozen=True, slots=True)
class Order:
    """Who does how much, one after the other."""

    at: Situation
    stretches: tuple[Stretch, ...]
    chance: int | None = None
    """Of a power cut, decides what comes back; nothing that was not synced, without it."""

    def __str__(self) -> str:
        """Give it for a person."""
        chance = "" if self.chance is None else f" by chance {self.chance}"
        return f"{self.at}: {'; '.join(map(str, self.stretches))}{chance}"


class _Collector:
    """A process that delivers the slot, and stops before each call that counts."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.answer: Receipt | LandbridgeError | None = None
        self.made: list[Noted] = []
        self.coming: Noted = ()
        """The one that it stands before."""
        self.ended = False
        self._scene = scene
        self._name = name
        self._wanted = scene.at.wanted(name)
        self._dead = False
        self._last: int | None = None
        self._open: dict[int, str] = {}
        self._disk: Mount = scene.disk.mount()
        self._thread = greenlet(self._run)

    def go(self, calls: int | None, *, short: bool = False) -> None:
        """Make so many calls that count, or all that are left; with what follows the last one and does not count, unless it is `short`."""
        upto = None if calls is None else len(self.made) + calls
        self._last = upto if short else None
        while not self.ended and (upto is None or len(self.made) < upto):
            self._thread.switch()

    def die(self) -> None:
        """End where it is."""
        self._disk.end()
        self._dead = True
        if not self.ended and self._thread:
            self._thread.throw(Killed)
        self.ended = True

    def _run(self) -> None:
        disk = cast("Disk", Through(self._disk, "disk", self._passing))
        share = self._scene.share(disk, self._name)
        try:
            try:
                with share.claim(self._wanted) as claim:
                    self.answer = claim.landed or claim.land(_bring(disk, claim, self._wanted))
            except LandbridgeError as error:
                self.answer = error
            share.close()
        except Killed:
            return
        finally:
            if not self._dead:
                self._disk.end()
            self.ended = True

    def _passing(self, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # whatever the call gives
        if self._dead:
            raise Killed
        if len(self.made) == self._last and getcurrent() is self._thread:
            self._thread.parent.switch()
            raise Killed  # nobody lets it go on
        if call.operation in NOBODYS:
            return make(*call.arguments)
        touched = noted(call, self._open)
        if touched:
            self.coming = touched
            if getcurrent() is self._thread:
                self._thread.parent.switch()
            if self._dead:
                raise Killed
            self.made.append(touched)
        given = make(*call.arguments, **call.options)
        if call.operation == "open":
            self._open[given] = f"{call.arguments[0]}"
        if call.operation in NAMING and ROOT / "in" in call.arguments[1].parents:
            self._scene.named(call.arguments[1])
        return given


def _bring(disk: Disk, claim: Claim, wanted: Manifest) -> Download:
    """Bring what is lacking of the part, over a line that is cut once: whoever goes on takes what he finds."""
    if claim.there() != wanted.size:
        for upto in (wanted.size // 2, wanted.size):
            with opened(disk, claim.part, os.O_RDWR | os.O_CREAT) as file:
                there = disk.lseek(file, 0, os.SEEK_END)
                write_whole(disk, file, _BODY[there:upto])
                disk.fsync(file)
    return Download(
        server=_SERVER,
        remote_path=wanted.remote_path,
        resumed_from=0,
        size=wanted.size,
        sha256=wanted.sha256,
        attempts=1,
        began_at=_BEGAN,
        ended_at=_BEGAN,
        collector="edge1",
        commitment=wanted.commitment,
    )


def _nothing() -> None:
    pass


class Scene:
    """One share, and what the consumer saw."""

    def __init__(self, at: Situation) -> None:
        self.at = at
        self.time = 0.0
        self.names: list[tuple[str, bytes]] = []
        self.disk: SimulatedDisk = _adopted().again(
            lambda: int((_BEGAN.timestamp() + self.time) * 1_000_000_000)
        )
        self._tokens = 0

    def share(self, disk: Disk, collector: str) -> FolderShare:
        """Give the share as a collector sees it."""
        machine = Machine(disk, self._token, lambda: 0.5, self.sleep, lambda _beat, _seconds: _nothing)
        clock: Any = self
        way = self.at.ways.of(collector)
        return FolderShare(ROOT, "DEV", collector, clock, lease=LEASE, way=way, machine=machine)

    def _token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:016x}"

    def now(self) -> datetime:
        """See ports.Clock."""
        return _BEGAN + timedelta(seconds=self.time)

    def sleep(self, seconds: float) -> None:
        """See ports.Clock."""
        self.time += seconds

    def named(self, path: Path) -> None:
        """Note that the consumer sees a file, and let him take it."""
        disk = self.disk.mount()
        self.names.append((path.name, read_whole(disk, path)))
        if self.at.greedy:
            disk.unlink(path)
            if self.at.left == FOUND:
                remove(disk, ROOT / WANTED.landed_name)
            disk.sync_folder(path.parent)

    def put(self) -> None:
        """Let another mover bring the file."""
        disk, path = self.disk.mount(), ROOT / WANTED.landed_name
        with opened(disk, path, os.O_WRONLY | os.O_CREAT) as file:
            write_whole(disk, file, _BODY)
            disk.fsync(file)
        disk.sync_folder(path.parent)
        self.names.append((path.name, _BODY))

    def cut(self, chance: int | None) -> None:
        """Let the power fail. Of what nobody has taken yet, he never had what does not come back."""
        self.disk = self.disk.power_cut(Random(chance), strict=chance is None)
        if not self.at.greedy:
            disk = self.disk.mount()
            self.names = [one for one in self.names if is_there(disk, ROOT / "in" / one[0])]


@dataclass(slots=True)
class Played:
    """An order that has come to its end."""

    problems: list[str]
    made: list[list[Noted]]
    """The calls that count, by stretch."""


def play(order: Order) -> Played:
    """Play one order, let a third collector come, and judge."""
    scene = Scene(order.at)
    if order.at.left:
        _leave(scene)
    both = [_Collector(scene, name) for name in ("edge1", "edge2")]
    problems: list[str] = []
    made = []
    for stretch in order.stretches:
        scene.time += _ASLEEP
        one = both[stretch.who]
        before = len(one.made)
        one.go(stretch.calls, short=stretch.then == "is cut")
        made.append(one.made[before:])
        if stretch.then == "dies":
            one.die()
        if isinstance(one.answer, Receipt) and not scene.names:
            problems.append("untrue: a receipt before the file was there")
    for one in both:
        one.die()
    if order.stretches[-1].then == "is cut":
        scene.cut(order.chance)
    last: Receipt | LandbridgeError | None = None
    for name in ("edge3", "edge2"):
        scene.time += _ASLEEP
        third = _Collector(scene, name)
        third.go(None)
        last = third.answer
        if isinstance(last, Receipt):
            break
    if not isinstance(last, Receipt):
        problems.append(f"stuck: {last}")
    return Played([*problems, *_judged(scene), *_swept(scene)], made)


def _swept(scene: Scene) -> Iterator[str]:
    """Let somebody tidy two days later."""
    scene.time += 2 * 86_400
    disk = scene.disk.mount()
    share = scene.share(cast("Disk", disk), "edge5")
    share.tidy()
    share.close()
    if left := disk.listdir(PRIVATE / "parts"):
        yield f"left over: {', '.join(left)}"
    disk.end()


def _leave(scene: Scene) -> None:
    """Let somebody die before, or after, it gives a name; or bring the file itself."""
    when, _, name = scene.at.left.partition(" ")
    if scene.at.left == FOUND:
        scene.put()
        return
    first = _Collector(scene, "edge0")
    while not (first.coming[:1] and first.coming[0] in NAMING and first.coming[-1] == f"{ROOT}/in/{name}"):
        first.go(1)
    if when == "after":
        first.go(1)
    first.die()


def _judged(scene: Scene) -> Iterator[str]:
    seen = Counter(name for name, _ in scene.names)
    order = [name for name, _ in scene.names]
    last = scene.at.wanted("edge3")
    for manifest in (WANTED, CORRECTED) if scene.at.corrected else (WANTED,):
        file, done = manifest.landed_name.removeprefix("in/"), manifest.done_name.removeprefix("in/")
        for name, body in ((file, _BODY), (done, b"")):
            if seen[name] > 1:
                yield f"twice: {name} was there {seen[name]} times"
            if manifest.revision == last.revision and not seen[name]:
                yield f"lost: {name} was never there"
            if any(of == name and what != body for of, what in scene.names):
                yield f"torn: {name}"
        if seen[file] != seen[done]:
            yield f"{file} was there {seen[file]} times, and {done} {seen[done]} times"
        if [name for name in order if name in {file, done}][:1] == [done]:
            yield f"{done} was there before its file"
    if scene.at.corrected and order[-2:] != [
        name.removeprefix("in/") for name in (CORRECTED.landed_name, CORRECTED.done_name)
    ]:
        yield f"not in the order of their revisions: {', '.join(order)}"


@cache
def _adopted() -> SimulatedDisk:
    disk = SimulatedDisk(lambda: int(_BEGAN.timestamp()) * 1_000_000_000)
    bare = disk.mount()
    for folder in (ROOT, ROOT / "in"):
        bare.mkdir(folder)
    clock: Any = _Clock()
    FolderShare(ROOT, "DEV", "adopter", clock, machine=Machine(disk=bare, token=lambda: f"{0:016x}")).adopt()
    disk.settle()
    return disk


class _Clock:
    def now(self) -> datetime:
        return _BEGAN
