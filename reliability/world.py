"""What is simulated? Pods, collectors and a greedy consumer around one bucket and one share, and the history of what became visible."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from landbridge.collect import collect
from landbridge.disk import is_there, make_folder, opened, read_whole
from landbridge.errors import LandbridgeError
from landbridge.naming import target
from landbridge.reap import Harvest, harvest, reap
from landbridge.released import State
from landbridge.run import run
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.stores.s3_parts import Sizes
from reliability import collectors, pods
from reliability.actors import START, Actor, Stage
from reliability.disk import SimulatedDisk
from reliability.kinds import ENVIRONMENT, feeds_of
from reliability.memory_s3 import MemoryS3, MemoryStore
from reliability.memory_sftp import MemorySftp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from pathlib import Path

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.released import Outcome
    from landbridge.world import Cloud, Ground
    from reliability.kinds import Kind
    from reliability.memory_s3 import Removed, Wrote
    from reliability.mount import Mount
    from reliability.through import Call, Passing

WHOLE, PARTS = Sizes(), Sizes(copy_limit=4, copy_part=8, part=8)
_PACKET = 8
_NAMING = frozenset({"disk.rename_new", "disk.rename", "disk.link"})
"""Calls whose second argument is a name that a file has from then on."""
_EPOCH = int(START.timestamp()) * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A gate saw a file."""

    sha256: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A file got a name that the consumer sees."""

    path: Path
    body: bytes
    by: str


@dataclass(frozen=True, slots=True)
class Strange:
    """Somebody else put a file there."""

    path: Path
    body: bytes


@dataclass(frozen=True, slots=True)
class Took:
    """The consumer took a file away."""

    path: Path
    body: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """A power cut took back a name that the consumer could see and had not taken."""

    path: Path


@dataclass(frozen=True, slots=True)
class Excused:
    """Somebody on the ground heard that no file of a slot comes, from the server alone."""

    slot: Slot
    revision: int
    asked: int
    """How long the history was when the question was begun."""


class Meddling(Protocol):
    """Whoever stands between every call and its effect."""

    def __call__(self, actor: Actor, call: Call, make: Callable[..., Any], /) -> Any:  # noqa: ANN401 # whatever the call gives
        """Give what the caller gets; `make` has the effect, with other arguments if any are given."""
        ...


def plainly(_actor: Actor, _call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # as above
    """Let a call have its effect; obeys Meddling."""
    return make()


@dataclass(slots=True)
class World:
    """One simulated world. What happens in it follows from its seed, its kind and what is done to it."""

    kind: Kind
    random: Random
    meddle: Meddling = plainly
    """For faults."""
    run: Callable[..., Any] = run
    history: list[Wrote | Removed | Judged | Named | Strange | Took | Lost | Excused] = field(
        default_factory=list
    )
    stage: Stage = field(init=False)
    s3: MemoryS3 = field(init=False)
    disk: SimulatedDisk = field(init=False)
    feeds: list[tuple[Feed, Slot]] = field(init=False)
    greed: float = 1.0
    """How likely the consumer takes what is there, at each call of anybody."""
    tell: Callable[[str, str], None] | None = None
    """Is told of every call, for a replay."""
    visible: set[Path] = field(default_factory=set)
    """What the consumer could take now."""
    _asked: int = 0
    _processes: dict[Actor, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stage = Stage(self.random)
        self.s3 = MemoryS3(self._now, self.history.append)
        self.disk = _adopted().again(self._nanoseconds)
        self.feeds = feeds_of(self.kind)

    # Who plays

    def pod(self, number: int, feed: Feed, slot: Slot, *, after: float = 0.0, skew: float = 0.0) -> Actor:
        """Let a pod run a slot."""
        return self._cloudy(f"pod{number}", partial(self.run, feed, slot), after, skew)

    def operator(
        self, number: int, decide: Callable[[Cloud], object], reason: str, *, after: float = 0.0
    ) -> Actor:
        """Let a person decide about a slot."""
        return self._cloudy(
            f"person{number}", lambda cloud: decide(replace(cloud, reason=reason)), after, 0.0
        )

    def _cloudy(self, name: str, act: Callable[[Cloud], object], after: float, skew: float) -> Actor:
        def play(actor: Actor) -> None:
            cloud = pods.cloud(
                self.s3,
                name,
                self._passing(actor),
                actor,
                source=pods.Rows(self.kind.rows, self._ask, actor),
                gate=pods.Strict(self._judged),
                recipients=(recipient(),) if self.kind.encrypted else (),
                sizes=PARTS if self.kind.large else WHOLE,
            )
            try:
                act(cloud)
            except LandbridgeError as error:
                actor.error = error

        return self.stage.enter(name, play, after=after, skew=skew)

    def reaper(self, number: int, *, after: float = 0.0) -> Actor:
        """Let a reaper look at everything, and remove what is due, piece by piece."""

        def play(actor: Actor) -> None:
            reaping = pods.reaping(
                self.s3, self._passing(actor), actor, tuple(slot for _, slot in self.feeds)
            )
            for due in harvest(reaping).due:
                # Its own threads do not take turns: others move between the look and each removal.
                actor.step("reaper.remove")
                reap(reaping, Harvest((due,), ()))

        return self.stage.enter(f"reaper{number}", play, after=after)

    def collector(self, number: int, *, after: float = 0.0, skew: float = 0.0) -> tuple[Actor, list[Outcome]]:
        """Let a collector collect; gives what it will have done, once it has ended."""
        since = self.since
        return self.grounded(f"edge{number}", lambda ground, *_: collect(ground, since), after, skew)

    @property
    def since(self) -> date:
        """The first business date that the ground side looks at."""
        return min(slot.business_date for _, slot in self.feeds) - timedelta(days=3)

    def grounded(
        self,
        name: str,
        act: Callable[[Ground, Mount, Passing], list[Outcome]],
        after: float = 0.0,
        skew: float = 0.0,
    ) -> tuple[Actor, list[Outcome]]:
        """Let somebody act on the ground side; gives what it will have done, once it has ended.

        Of the disk `act` gets the process's own view, and what each call there must pass.
        """
        outcomes: list[Outcome] = []

        def play(actor: Actor) -> None:
            disk = self.disk.mount()
            self._processes[actor] = disk
            ground = collectors.ground(
                MemorySftp(self.s3, "reports"),
                disk,
                actor,
                self._passing(actor),
                collector=name,
                way=self.kind.way,
                random=self.random,
                packet=_PACKET if self.kind.large else 1 << 15,
            )
            try:
                outcomes.extend(act(ground, disk, self._passing(actor)))
                errors = [one.error for one in outcomes if one.error and one.state is not State.BUSY]
                actor.error = errors[0] if errors else None
            except LandbridgeError as error:
                actor.error = error
            finally:
                ground.share.close()
                disk.end()

        return self.stage.enter(name, play, after=after, skew=skew), outcomes

    # What is done to them

    def kill(self, actor: Actor) -> None:
        """Kill a process where it is."""
        if process := self._processes.pop(actor, None):
            process.end()
        actor.kill()

    def power_cut(self, strictly: float = 0.5) -> None:
        """Let the machine of the share lose power, and everybody on it; `strictly` is how likely nothing unsynced survives."""
        for actor in self.stage.actors:
            if actor in self._processes:
                self.kill(actor)
        self.disk = self.disk.power_cut(self.random, strict=self.random.random() < strictly)
        bare = self.disk.mount()
        for path in sorted(self.visible):
            if not is_there(bare, path):
                self.visible.discard(path)
                self.history.append(Lost(path))

    def consume(self) -> None:
        """Let the consumer take everything that is there, for good."""
        if not self.visible:
            return
        consumer = self.disk.mount()
        for path in sorted(self.visible):
            self.history.append(Took(path, read_whole(consumer, path)))
            consumer.unlink(path)
        self.disk.settle()
        self.visible.clear()

    def intrude(self) -> None:
        """Put somebody else's file under the name of the first slot's, unless something is there."""
        feed, slot = self.feeds[0]
        path = collectors.ROOT / target(feed, slot, ENVIRONMENT, 1, {}).landed_name
        stranger = self.disk.mount()
        if is_there(stranger, path):
            return
        make_folder(stranger, path.parent)
        with opened(stranger, path, os.O_CREAT | os.O_WRONLY) as file:
            stranger.write(file, b"somebody else's")
        self.disk.settle()
        self.history.append(Strange(path, b"somebody else's"))
        self.visible.add(path)

    @property
    def reports(self) -> MemoryStore:
        """The reports bucket, for whoever judges."""
        return MemoryStore(self.s3, "reports")

    def _passing(self, actor: Actor) -> Callable[[Call, Callable[..., Any]], Any]:
        """Give what every call of an actor passes: its turn, whoever meddles, and the history."""
        meddle = None if self.meddle is plainly else self.meddle

        def passing(call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # whatever the call gives
            if call.port != "clock" or actor.dead:
                actor.step(call.name)
            if self.tell is not None:
                self.tell(actor.name, str(call))
            if meddle is None:
                given = make(*call.arguments, **call.options)
                if call.name in _NAMING:
                    self._named(actor, call.arguments[1])
                return given

            def effect(*others: Any) -> Any:  # noqa: ANN401 # as above
                given = make(*(others or call.arguments), **call.options)
                if call.name in _NAMING:
                    self._named(actor, call.arguments[1])
                return given

            return meddle(actor, call, effect)

        return passing

    def _named(self, actor: Actor, path: Path) -> None:
        if collectors.PRIVATE in path.parents:
            return
        self.history.append(Named(path, read_whole(self.disk.mount(), path), actor.name))
        self.visible.add(path)

    def _judged(self, body: bytes, passed: bool) -> None:  # noqa: FBT001 # the gate's word
        self.history.append(Judged(hashlib.sha256(body).hexdigest(), passed))

    def _ask(self) -> int:
        self._asked += 1
        return self._asked

    def _now(self) -> datetime:
        return START + timedelta(seconds=self.stage.time)

    def _nanoseconds(self) -> int:
        return _EPOCH + int(self.stage.time * 1_000_000_000)


@cache
def _adopted() -> SimulatedDisk:
    """Give the disk of a share that was adopted long ago, for every history to begin with; none changes it."""
    disk = SimulatedDisk(lambda: _EPOCH)
    bare = disk.mount()
    bare.mkdir(collectors.ROOT)
    machine = Machine(disk=bare, token=lambda: f"{0:016x}")
    clock: Any = Actor("adopter", Stage(Random(0)), lambda _actor: None)
    FolderShare(collectors.ROOT, ENVIRONMENT, "adopter", clock, machine=machine).adopt()
    disk.settle()
    return disk


@cache
def _key() -> Any:  # noqa: ANN401 # pysequoia's own
    import pysequoia

    return pysequoia.Tsk.generate("Consumer <consumer@example.org>")


def recipient() -> str:
    """Give the consumer's public key, armoured."""
    return str(_key().extract_certificate())


def deciphered(body: bytes) -> bytes | None:
    """Read what was encrypted to the consumer; None for anything else."""
    import pysequoia

    if not body or not body[0] & 0x80:  # no packet of OpenPGP begins so (RFC 9580, 4.2)
        return None
    return bytes(pysequoia.decrypt(body, decryptor=_key().decryptor()).bytes or b"")
