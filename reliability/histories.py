"""How is one history played and judged? Faults first, then recovery until everybody is content, then the judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Self

from landbridge.run import run
from reliability.checker import judge
from reliability.world import World, plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from reliability.actors import Actor
    from reliability.kinds import Kind
    from reliability.world import Meddling

_A_DAY = 90_000.0
_ROUNDS = 6
"""Of recovery, without any fault; a world that needs more does not recover."""


class Broken(AssertionError):
    """A promise was broken; says which, and the seed that shows it again."""

    @classmethod
    def of(cls, seed: str, problems: Sequence[str]) -> Self:
        """Say so."""
        return cls(f"{'; '.join(problems)}\nagain: python -m reliability replay {seed}")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls a history, decided before it begins."""

    kills: tuple[int, ...] = ()
    """Before which calls, counted over all actors, whoever is about to make it dies."""
    cuts: tuple[int, ...] = ()
    """Before which calls the machine of the share loses power."""
    naps: tuple[tuple[int, float], ...] = ()
    """Before which calls whoever is about to make it sleeps, for so many seconds."""
    replaced: float = 0.7
    """How likely a killed process is started again while the others still run."""
    pieces: tuple[int, ...] = ()
    """Before which pieces of the files that come over the line the machine of the share loses power, too: a part is half written then."""


@dataclass(slots=True)
class Played:
    """A history that has come to rest."""

    world: World
    problems: list[str]
    calls: int
    """Before recovery."""
    reached: list[str] = field(default_factory=list)
    """The calls before which somebody was killed or the power was cut."""


def play(
    kind: Kind,
    seed: int,
    trouble: Trouble,
    *,
    meddle: Meddling = plainly,
    runs: Callable[..., Any] = run,
    tell: Callable[[str, str], None] | None = None,
) -> Played:
    """Play one history of `kind` from its first pod to rest, and judge it. The same arguments give the same history."""
    random = Random(seed)
    world = World(kind, random, meddle, runs, tell=tell)
    world.greed = random.choice((1.0, 1.0, 0.2, 0.0))
    troubled = _Troubled(world, trouble)
    troubled.begin()
    world.stage.before = troubled.before
    world.stage.play()
    calls = world.stage.calls
    world.stage.before = None
    stuck = recover(world)
    problems = judge(world)
    if stuck and not problems:
        problems = [f"stuck: after {_ROUNDS} rounds without any fault: {stuck}"]
    return Played(world, problems, calls, troubled.reached)


class _Troubled:
    def __init__(self, world: World, trouble: Trouble) -> None:
        self.world = world
        self.reached: list[str] = []
        self._trouble = trouble
        self._naps = dict(trouble.naps)
        self._pieces = -1
        """How many pieces of files were asked for; -1 before the first file is opened."""
        self._pods: dict[Actor, tuple[Feed, Slot]] = {}
        self._collectors: dict[Actor, int] = {}
        self._number = 0
        self._intrudes = world.random.randint(1, 150) if world.kind.stranger else 0
        self._at_the_door = world.kind.stranger and world.random.random() < 0.5

    def begin(self) -> None:
        world, random = self.world, self.world.random
        for feed, slot in world.feeds:
            for _ in range(world.kind.pods):
                self._pod(feed, slot, random.random() * 0.3)
        # Collectors come while pods are at work, or when they are through.
        late = random.choice((0.0, 0.3, 1.0))
        for number in range(world.kind.collectors):
            for turn in range(2):
                self._collector(number * 10 + 1, late * random.random() + turn * (0.4 + random.random()))

    def before(self, actor: Actor, call: str) -> None:
        world, now = self.world, self.world.stage.calls
        if world.visible and (world.greed == 1.0 or world.random.random() < world.greed):
            world.consume()
        if now == self._intrudes or (self._at_the_door and call == "disk.rename_new"):
            self._at_the_door = False
            world.intrude()
        half_written = self._comes_a_piece(call)
        if now in self._trouble.cuts or half_written:
            self.reached.append(f"cut {call}")
            victims = [one for one in world.stage.actors if one in self._collectors and not one.ended]
            world.power_cut(0.0 if half_written else 0.5)  # a part of which nothing is left is no part
            for victim in victims:
                self._again(victim)
        if now in self._trouble.kills and not actor.ended:
            self.reached.append(f"kill {actor.name[:3]} {call}")
            world.kill(actor)
            self._again(actor)
        if now in self._naps:
            actor.wakes = world.stage.time + self._naps[now]

    def _comes_a_piece(self, call: str) -> bool:
        """Tell whether it is one at which the power goes."""
        if call == "sftp.size" and self._pieces < 0:
            self._pieces = 0
        if call != "sftp.read" or self._pieces < 0:
            return False
        self._pieces += 1
        return self._pieces in self._trouble.pieces

    def _again(self, actor: Actor) -> None:
        random = self.world.random
        if random.random() < self._trouble.replaced:
            after = random.random() * 0.5
            if actor in self._pods:
                self._pod(*self._pods[actor], after)
            elif actor in self._collectors:
                self._collector(self._collectors[actor], after)

    def _pod(self, feed: Feed, slot: Slot, after: float) -> None:
        self._number += 1
        self._pods[self.world.pod(self._number, feed, slot, after=after)] = (feed, slot)

    def _collector(self, number: int, after: float) -> None:
        self._collectors[self.world.collector(number, after=after)[0]] = number


def recover(world: World) -> str:
    """Run pods and collectors, alone and unharmed, until they are content twice; say why not, if they never are."""
    content, why = 0, ""
    for _ in range(_ROUNDS):
        world.stage.time += (
            _A_DAY  # longer than the lease of a collector that was killed, and what it left is old
        )
        actors = [world.pod(90 + at, feed, slot) for at, (feed, slot) in enumerate(world.feeds)]
        world.stage.play()
        collector, _ = world.collector(1)
        world.stage.play()
        world.consume()
        errors = [actor.error for actor in (*actors, collector) if actor.error]
        content = 0 if errors else content + 1
        why = "; ".join(str(error) for error in errors)
        if content == 2:
            return ""
    return why
