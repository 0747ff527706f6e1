"""Do many pods on one slot come to one verdict, and two collectors to one delivery?"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from landbridge.naming import ledger_key
from reliability.figures import Figure
from reliability.histories import Broken, Trouble, play
from reliability.kinds import CHANGING, KINDS, Kind
from reliability.memory_s3 import Wrote
from reliability.spread import spread
from reliability.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

PODS = (2, 8)
"""How many are on one slot at once."""
ROUNDS, COLLECTORS, SLEEPERS = 5_000, 2_000, 2_000
"""Rounds that CI plays: with each number of pods, of collectors, and of collectors that sleep while others die."""
_CHUNK = 100


def pods_race(seed: int, pods: int, tell: Callable[[str, str], None] | None = None) -> list[str]:
    """Let `pods` run one slot at once, each with other rows; give what is wrong with the outcome."""
    world = World(Kind(f"{pods} pods", pods=pods, rows=CHANGING), Random(seed), tell=tell)
    ((feed, slot),) = world.feeds
    actors = [world.pod(number, feed, slot, after=world.random.random() * 0.05) for number in range(pods)]
    world.stage.play()
    final = Counter(
        one.bucket
        for one in world.history
        if isinstance(one, Wrote) and (one.bucket == "reports" or one.key == ledger_key(slot, 1))
    )
    problems = [f"{actor.name} failed: {actor.error}" for actor in actors if actor.error]
    if final != {"ledger": 1, "reports": 2}:
        problems.append(f"not one verdict, one file, one manifest: {dict(final)}")
    return problems


def pods_on_one_slot(piece: tuple[int, int], runs: int = _CHUNK) -> int:
    """Race so often, with so many pods, from a seed on; give how often.

    Raises:
        Broken: a round did not end in one verdict.
    """
    pods, first = piece
    for seed in range(first, first + runs):
        if problems := pods_race(seed, pods):
            raise Broken.of(f"pods{pods}-{seed}", problems)
    return runs


def many_pods() -> Figure:
    """Race as often as CI does, on all processors.

    Raises:
        Broken: a round did not end in one verdict.
    """
    began = time.monotonic()
    pieces = [(pods, first) for pods in PODS for first in range(0, ROUNDS, _CHUNK)]
    return Figure(
        f"{' and '.join(map(str, PODS))} pods on one slot",
        len(PODS) * ROUNDS,
        sum(spread(pods_on_one_slot, pieces)),
        time.monotonic() - began,
        0,
        f"{ROUNDS:,} rounds each, one commit each",
    )


_TWO = tuple(kind for kind in KINDS if kind.collectors > 1)


def collectors_race(seed: int) -> tuple[Kind, int, Trouble]:
    """Give the history of a seed in which two collectors want the same files, and some fall asleep for longer than their lease."""
    random = Random(seed)
    naps = tuple((random.randint(1, 250), random.choice((1.0, 200.0))) for _ in range(random.randint(0, 4)))
    return _TWO[seed % len(_TWO)], seed, Trouble(naps=naps)


def sleepers_race(seed: int) -> tuple[Kind, int, Trouble]:
    """Give one in which some sleep for longer than their lease, and some die: whoever wakes up goes on with what is long over."""
    random = Random(seed)
    naps = tuple((random.randint(1, 250), 200.0) for _ in range(random.randint(1, 3)))
    kills = tuple(random.randint(1, 400) for _ in range(random.randint(1, 3)))
    return _TWO[seed % len(_TWO)], seed, Trouble(kills=kills, naps=naps, replaced=0.9)


def two_collectors(first: int, runs: int) -> int:
    """Race so for so many seeds in a row; give how many.

    Raises:
        Broken: a file landed twice, or not.
    """
    return _two("collectors", collectors_race, first, runs)


def two_sleepers(first: int, runs: int) -> int:
    """Do so with some that sleep and some that die.

    Raises:
        Broken: a file landed twice, or not.
    """
    return _two("sleepers", sleepers_race, first, runs)


def _two(name: str, race: Callable[[int], tuple[Kind, int, Trouble]], first: int, runs: int) -> int:
    for seed in range(first, first + runs):
        if problems := play(*race(seed)).problems:
            raise Broken.of(f"{name}-{seed}", problems)
    return runs


def many_collectors() -> Figure:
    """Race as often as CI does, on all processors.

    Raises:
        Broken: a file landed twice, or not.
    """
    return _raced("2 collectors on one slot", two_collectors, COLLECTORS, "some sleep longer than a lease")


def many_sleepers() -> Figure:
    """Do so with some that sleep and some that die.

    Raises:
        Broken: a file landed twice, or not.
    """
    note = "whoever wakes up goes on with what is long over"
    return _raced("2 collectors, asleep and killed", two_sleepers, SLEEPERS, note)


def _raced(part: str, stretch: Callable[[int, int], int], rounds: int, note: str) -> Figure:
    began = time.monotonic()
    reached = sum(spread(partial(_stretch_of, stretch), range(0, rounds, _CHUNK)))
    return Figure(part, rounds, reached, time.monotonic() - began, 0, note)


def _stretch_of(stretch: Callable[[int, int], int], first: int) -> int:
    return stretch(first, _CHUNK)
