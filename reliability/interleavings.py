"""Is there any order of two collectors, a consumer and deaths in which a file lands twice, or not? All of them are played, not some.

Chance hardly ever finds an order of which each step must come at one call. So here one slot is delivered in every order
that a few switches allow: one collector makes so many calls and falls asleep for longer than its lease, another one takes over
and makes so many, the first one wakes up and makes so many, and falls asleep or dies, and the other goes on. Whoever is left
goes to its end, then a third one comes, and then it is judged.

Two calls of which neither changes what the other sees or changes may change places, and nobody can tell. So a collector
is stopped only before a call that gets in the way of one that the other makes meanwhile: all other orders come to the same as one of
these. Power cuts are for `power`; without them an fsync gets in nobody's way.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from greenlet import getcurrent, greenlet

from landbridge.disk import opened, read_whole, write_whole
from landbridge.errors import LandbridgeError
from landbridge.facts import Download, Manifest, Receipt, Server
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from reliability.actors import Killed
from reliability.disk import SimulatedDisk
from reliability.figures import Figure
from reliability.histories import Broken
from reliability.spread import spread
from reliability.through import Through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from landbridge.disk import Disk
    from landbridge.ports import Claim
    from reliability.mount import Mount
    from reliability.through import Call

ROOT, PRIVATE = Path("/share"), Path("/share/.landbridge/dev")
LEASE = timedelta(minutes=2)
_ASLEEP = 200
"""Seconds; longer than a lease."""
_BEGAN = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
_BODY = b"id,amount\n1,2.50\n"
_DAY = date(2026, 11, 20)
WANTED = Manifest(
    feed="flights",
    occurrence="2026-11-20",
    business_date=_DAY,
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
_CAME = Download(
    server=Server("sftp.example.org", 22, "SHA256:" + "s" * 43, "collector"),
    remote_path=WANTED.remote_path,
    resumed_from=0,
    size=WANTED.size,
    sha256=WANTED.sha256,
    attempts=1,
    began_at=_BEGAN,
    ended_at=_BEGAN,
    collector="edge1",
    commitment=WANTED.commitment,
)
_OF_FILES = frozenset({"read", "write", "fstat"})
_OF_TWO = frozenset({"rename", "rename_new", "link"})
_OF_ONE = frozenset({"open", "create", "lstat", "listdir", "mkdir", "rmdir", "unlink"})
_NOBODYS = frozenset({"fsync", "sync_folder", "close", "lseek", "stat", "chmod", "utime"})
_NAMING = frozenset({"rename_new", "link"})
_MEETING = tuple(
    f"{place}" for place in (PRIVATE / "parts", PRIVATE / "claims", PRIVATE / "journal", ROOT / "in")
)
"""Where collectors meet; signs of life are not looked at while their owner is awake."""

Then = Literal["sleeps", "dies"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One collector makes so many calls that count (all it has left, without a number), and then sleeps or dies."""

    who: int
    calls: int | None = None
    then: Then = "sleeps"

    def __str__(self) -> str:
        """Give it for a person."""
        return f"{'AB'[self.who]} {'goes on' if self.calls is None else f'{self.calls} calls, {self.then}'}"


@dataclass(frozen=True, slots=True)
class Order:
    """Who does how much, one after the other; and when the consumer takes what is there."""

    way: Way
    stretches: tuple[Stretch, ...]
    greedy: bool = True
    """Whether he takes it at once; or when all is over."""
    left: str = ""
    """The name that a collector before the two was about to give, or had given, when it was killed; none, and there was no such one."""

    def __str__(self) -> str:
        """Give it for a person."""
        taken = "at once" if self.greedy else "late"
        before = f"one died {self.left}; " if self.left else ""
        return f"{before}{self.way}, taken {taken}: {'; '.join(map(str, self.stretches))}"


class Touch(NamedTuple):
    """What a call sees and changes of what others may change and see."""

    sees: frozenset[str]
    changes: frozenset[str]
    lists: str = ""
    """The folder whose names it sees."""
    renames: frozenset[str] = frozenset()
    """Folders whose names it changes: two that do so are in nobody's way for that alone."""

    def meets(self, other: Touch) -> bool:
        """Tell whether it matters which of the two comes first."""
        return bool(
            self.changes & (other.sees | other.changes)
            or other.changes & self.sees
            or self.lists in other.renames
            or other.lists in self.renames
        )


def _noted(call: Call, opened_files: Mapping[int, str]) -> tuple[str, ...]:
    """Give what is needed to say what a call touches; nothing if it is in nobody's way."""
    operation, arguments = call.operation, call.arguments
    if operation in _OF_FILES:
        path = opened_files[arguments[0]]
        return (operation, path) if path.startswith(_MEETING) else ()
    if operation == "open" and arguments[1] & os.O_CREAT:
        operation = "create"
    if operation in _OF_TWO:
        paths = f"{arguments[0]}", f"{arguments[1]}"
        return (operation, *paths) if any(path.startswith(_MEETING) for path in paths) else ()
    path = f"{arguments[0]}"
    return (operation, path) if operation in _OF_ONE and path.startswith(_MEETING) else ()


@lru_cache(maxsize=10_000)
def _touch(noted: tuple[str, ...]) -> Touch:
    operation, *paths = noted
    names = frozenset(os.path.normpath(one) for one in paths)
    match operation:
        case "read" | "fstat" | "lstat" | "open":
            return Touch(names, frozenset())
        case "write":
            return Touch(frozenset(), names)
        case "listdir":
            return Touch(frozenset(), frozenset(), paths[0])
        case _:
            through = frozenset(one[: one.index("/..")] for one in paths if "/.." in one)
            return Touch(through, names, "", frozenset(one.rpartition("/")[0] for one in names))


class _Collector:
    """A process that delivers the slot, and stops before each call that counts."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.answer: Receipt | LandbridgeError | None = None
        self.made: list[tuple[str, ...]] = []
        self.coming: tuple[str, ...] = ()
        """The one that it stands before."""
        self.ended = False
        self._scene = scene
        self._name = name
        self._dead = False
        self._open: dict[int, str] = {}
        self._disk: Mount = scene.disk.mount()
        self._thread = greenlet(self._run)

    def go(self, calls: int | None) -> None:
        """Make so many calls that count, or all that are left."""
        upto = None if calls is None else len(self.made) + calls
        while not self.ended and (upto is None or len(self.made) < upto):
            self._thread.switch()
        # It stands before its next one, so what follows the last one and does not count is done.

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
            with share.claim(WANTED) as claim:
                self.answer = claim.landed or claim.land(_bring(disk, claim))
        except LandbridgeError as error:
            self.answer = error
        except Killed:
            return
        finally:
            if not self._dead:
                share.close()
                self._disk.end()
            self.ended = True

    def _passing(self, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # whatever the call gives
        if self._dead:
            raise Killed
        if call.operation in _NOBODYS:
            return make(*call.arguments)
        noted = _noted(call, self._open)
        if noted:
            self.coming = noted
            if getcurrent() is self._thread:
                self._thread.parent.switch()
            if self._dead:
                raise Killed
            self.made.append(noted)
        given = make(*call.arguments, **call.options)
        if call.operation == "open":
            self._open[given] = f"{call.arguments[0]}"
        if call.operation in _NAMING and ROOT / "in" in call.arguments[1].parents:
            self._scene.named(call.arguments[1])
        return given


def _bring(disk: Disk, claim: Claim) -> Download:
    """Bring what is lacking of the part, over a line that is cut once: whoever goes on takes what he finds."""
    if claim.there() != WANTED.size:
        for upto in (WANTED.size // 2, WANTED.size):
            with opened(disk, claim.part, os.O_RDWR | os.O_CREAT) as file:
                there = disk.lseek(file, 0, os.SEEK_END)
                write_whole(disk, file, _BODY[there:upto])
                disk.fsync(file)
    return _CAME


def _nothing() -> None:
    pass


class Scene:
    """One share, and what the consumer saw."""

    def __init__(self, way: Way, *, greedy: bool) -> None:
        self.way = way
        self.time = 0.0
        self.names: list[tuple[str, bytes]] = []
        self.disk: SimulatedDisk = _adopted().again(
            lambda: int((_BEGAN.timestamp() + self.time) * 1_000_000_000)
        )
        self._greedy = greedy
        self._tokens = 0

    def share(self, disk: Disk, collector: str) -> FolderShare:
        """Give the share as a collector sees it."""
        machine = Machine(disk, self._token, lambda: 0.5, self.sleep, lambda _beat, _seconds: _nothing)
        clock: Any = self
        return FolderShare(ROOT, "DEV", collector, clock, lease=LEASE, way=self.way, machine=machine)

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
        self.names.append((path.name, read_whole(self.disk.mount(), path)))
        if self._greedy:
            self.disk.mount().unlink(path)


@dataclass(slots=True)
class Played:
    """An order that has come to its end."""

    problems: list[str]
    made: list[list[tuple[str, ...]]]
    """The calls that count, by stretch."""


def play(order: Order) -> Played:
    """Play one order, let a third collector come, and judge."""
    scene = Scene(order.way, greedy=order.greedy)
    if order.left:
        _leave(scene, order)
    both = [_Collector(scene, name) for name in ("edge1", "edge2")]
    problems: list[str] = []
    made = []
    for stretch in order.stretches:
        scene.time += _ASLEEP
        one = both[stretch.who]
        before = len(one.made)
        one.go(stretch.calls)
        made.append(one.made[before:])
        if stretch.then == "dies":
            one.die()
        if isinstance(one.answer, Receipt) and not scene.names:
            problems.append("untrue: a receipt before the file was there")
    for one in both:
        one.die()
    last: Receipt | LandbridgeError | None = None
    for name in ("edge3", "edge1"):
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
    share = scene.share(cast("Disk", disk), "edge4")
    share.tidy()
    share.close()
    if left := disk.listdir(PRIVATE / "parts"):
        yield f"left over: {', '.join(left)}"
    disk.end()


def _leave(scene: Scene, order: Order) -> None:
    """Let somebody die before, or after, it gives a name."""
    when, _, name = order.left.partition(" ")
    first = _Collector(scene, "edge0")
    while not (first.coming[:1] and first.coming[0] in _NAMING and first.coming[-1] == f"{ROOT}/in/{name}"):
        first.go(1)
    if when == "after":
        first.go(1)
    first.die()


def _judged(scene: Scene) -> Iterator[str]:
    seen = Counter(name for name, _ in scene.names)
    for name, body in (("report.csv", _BODY), ("report.done", b"")):
        if seen[name] != 1:
            yield f"{'twice' if seen[name] else 'lost'}: {name} was there {seen[name]} times"
        if any(of == name and what != body for of, what in scene.names):
            yield f"torn: {name}"
    if [name for name, _ in scene.names][:1] == ["report.done"]:
        yield "the done-file was there before its file"


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


@dataclass(frozen=True, slots=True)
class Situation:
    """In which the two collectors meet."""

    way: Way
    left: str = ""
    """See Order."""
    greedy: bool = True

    def play(self, *stretches: Stretch) -> tuple[Order, Played]:
        """Give the order of these stretches, with what came of it."""
        order = Order(self.way, stretches, self.greedy, self.left)
        return order, play(order)

    def stops(self) -> range:
        """Give after how many of its calls the first collector may be stopped: from its claim on, or while it settles what is left.

        Whoever sleeps before it has a claim is the second one of another order.
        """
        (calls,) = self.play(Stretch(0))[1].made
        claims, journal = f"{PRIVATE / 'claims'}", f"{PRIVATE / 'journal'}"
        claimed = next(at for at, one in enumerate(calls, start=1) if claims in _touch(one).renames)
        lines = [
            at for at, one in enumerate(calls, start=1) if one[0] == "write" and one[1].startswith(journal)
        ]
        return range(claimed, (lines[:2][-1] if self.left else len(calls)) + 1)


def orders(at: Situation, mine: int) -> Iterator[tuple[Order, Played]]:
    """Play all orders that differ in which the first collector is stopped there first; give each with what came of it."""
    yield (alone := at.play(Stretch(0)))
    yield (whole := at.play(Stretch(0, mine), Stretch(1), Stretch(0)))
    theirs, rest = whole[1].made[1:]
    if not _meet(alone[1].made[0][mine : mine + 1], theirs):
        return  # as after its next call
    yield at.play(Stretch(0, mine, "dies"), Stretch(1))
    for other in reversed(range(len(theirs))):
        if _changes(theirs[other - 1]):
            yield at.play(Stretch(0, mine, "dies"), Stretch(1, other, "dies"))
        if not _meet(theirs[other : other + 1], rest):
            continue  # as after its next call
        yield (through := at.play(Stretch(0, mine), Stretch(1, other, "dies"), Stretch(0)))
        rest, after = through[1].made[2], theirs
        for more in range(1, len(rest) + 1):
            if not _meet(theirs[other : other + 1], rest[:more]):
                continue  # as when the other one had made one call more
            if _changes(rest[more - 1]):  # else as if it had died before
                yield at.play(Stretch(0, mine), Stretch(1, other), Stretch(0, more, "dies"), Stretch(1))
            if _meet(rest[more - 1 : more], after):  # else as if it came when the other one has ended
                yield (asleep := at.play(*_twice(mine, other, more)))
                after = asleep[1].made[3]


def _twice(mine: int, other: int, more: int) -> tuple[Stretch, ...]:
    return Stretch(0, mine), Stretch(1, other), Stretch(0, more), Stretch(1), Stretch(0)


def _changes(noted: tuple[str, ...]) -> bool:
    """Tell whether it is more than a look."""
    return bool(_touch(noted).changes)


def _meet(ones: Sequence[tuple[str, ...]], others: Sequence[tuple[str, ...]]) -> bool:
    return any(_touch(one).meets(_touch(other)) for one in ones for other in others)


LEFT = ("", "before report.csv", "after report.csv", "before report.done")
GREEDY = tuple(Situation(way, left) for left in LEFT for way in Way)
"""A consumer who takes everything at once hides most; CI plays of these."""
SITUATIONS = (*GREEDY, *(replace(one, greedy=False) for one in GREEDY))
LEAST = 50_000
"""Orders that differ, in all situations; how many there are follows from the calls that the product makes."""


def pieces(of: Sequence[Situation]) -> list[tuple[Situation, int]]:
    """Give where the first collector is stopped first, in each of these situations."""
    return [(one, mine) for one in of for mine in one.stops()]


def orders_from(piece: tuple[Situation, int]) -> int:
    """Play the orders of one piece, and give how many.

    Raises:
        Broken: a promise was not kept; says which, and the order.
    """
    count = 0
    for count, (order, played) in enumerate(orders(*piece), start=1):  # noqa: B007 - the last is what is asked for
        if played.problems:
            raise Broken(f"{'; '.join(played.problems)}\nin the order: {order}")
    return count


def interleavings() -> Figure:
    """Play all orders in all situations, on all processors.

    Raises:
        Broken: a promise was not kept.
    """
    began = time.monotonic()
    reached = sum(spread(orders_from, pieces(SITUATIONS)))
    return Figure(
        "every order of two collectors, a consumer and their deaths",
        LEAST,
        reached,
        time.monotonic() - began,
        0,
        f"{len(SITUATIONS)} situations, at most three falls asleep or deaths; one file and one done-file each, after it",
    )
