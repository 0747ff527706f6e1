"""Does a correction, a release from quarantine or the reaper lose, double or tear a file? People and reapers among pods and collectors.

First the slots are run and collected, and people decide while that goes on; weeks later, when all that landed has had its
time, reapers are at work while pods come again, people correct, and collectors collect. Anybody may be killed anywhere.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from landbridge.decisions import redrive, release
from landbridge.errors import NotFound, UsageError
from landbridge.ledger import Ledger
from reliability.checker import judge
from reliability.figures import Figure
from reliability.histories import Broken, recover
from reliability.kinds import CHANGING, ENVIRONMENT, Kind
from reliability.memory_s3 import MemoryStore, Removed
from reliability.spread import spread
from reliability.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.actors import Actor

ROUNDS = 500
"""Histories that CI plays."""
_CHUNK = 50
_WEEKS = 40 * 86_400.0
"""Longer than released files are kept."""
_MONTHS = 100 * 86_400.0
"""Longer than quarantined files are kept."""

_KINDS = (
    Kind("a correction of what landed", collectors=2, rows=CHANGING),
    Kind("a correction of the same bytes, with a done-file", done=True),
    Kind("a correction in parts", large=True, rows=CHANGING),
    Kind("a release from quarantine", rows=("a", "bad")),
)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A history that has come to rest."""

    problems: list[str]
    removed: int
    revisions: int


def corrected(seed: int, tell: Callable[[str, str], None] | None = None) -> Corrected:
    """Play the history of a seed, and judge it."""
    random = Random(seed)
    world = World(_KINDS[seed % len(_KINDS)], random, tell=tell)
    _act(world, random, reapers=0)
    world.consume()
    world.stage.time += random.choice((_WEEKS, _MONTHS))
    _act(world, random, reapers=2)
    stuck = recover(world)
    for _ in range(2):
        world.stage.time += _MONTHS
        world.reaper(9)
        world.stage.play()
    stuck = stuck or recover(world)
    problems = judge(world)
    if stuck and not problems:
        problems = [f"stuck: {stuck}"]
    gone = sum(isinstance(one, Removed) for one in world.history)
    decided = Ledger(MemoryStore(world.s3, "ledger"), ENVIRONMENT).history(world.feeds[0][1])
    return Corrected(problems, gone, len(decided))


def _act(world: World, random: Random, reapers: int) -> None:
    """Let everybody act at once, in an order of chance, and some of them die."""
    ((feed, slot),) = world.feeds
    decide = release if "bad" in world.kind.rows else redrive
    actors = [
        world.pod(number, feed, slot, after=random.random() * 0.1) for number in range(random.randint(1, 2))
    ]
    actors += [
        world.operator(
            number,
            partial(decide, feed, slot),
            random.choice(("ticket 1", "ticket 2")),
            after=random.random() * 0.5,
        )
        for number in range(random.randint(0, 2))
    ]
    actors += [
        world.collector(number * 10 + 2, after=random.random() * 0.5)[0]
        for number in range(world.kind.collectors)
    ]
    actors += [world.reaper(number, after=random.random() * 0.6) for number in range(reapers)]
    last = world.stage.calls + random.randint(1, 200)

    def before(actor: Actor, _call: str) -> None:
        if world.stage.calls == last and not actor.ended:
            world.kill(actor)

    world.stage.before = before
    world.stage.play()
    world.stage.before = None
    for actor in actors:
        if actor.name.startswith("person") and not isinstance(actor.error, UsageError | NotFound | None):
            raise Broken(f"{actor.name} was told {actor.error}")


def stretch(first: int, runs: int) -> Corrected:
    """Play the histories of so many seeds in a row; give what was removed, and in how many of them revised.

    Raises:
        Broken: a promise was broken.
    """
    removed = revised = 0
    for seed in range(first, first + runs):
        played = corrected(seed)
        if played.problems:
            raise Broken.of(f"corrections-{seed}", played.problems)
        removed += played.removed
        revised += played.revisions > 1
    return Corrected([], removed, revised)


def corrections() -> Figure:
    """Play as many as CI does, on all processors.

    Raises:
        Broken: a promise was broken.
    """
    began = time.monotonic()
    done = list(spread(partial(stretch, runs=_CHUNK), range(0, ROUNDS, _CHUNK)))
    return Figure(
        "people and reapers among them, simulated",
        ROUNDS,
        ROUNDS,
        time.monotonic() - began,
        0,
        f"{sum(one.removed for one in done):,} objects reaped, {sum(one.revisions for one in done):,} slots of several "
        "revisions; nothing before its receipt",
    )
