"""Does a crash anywhere lose, double or tear a file? Kills and power cuts at every call of every actor."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING

from reliability.histories import Trouble, play
from reliability.kinds import KINDS

if TYPE_CHECKING:
    from reliability.kinds import Kind


def crash(seed: int) -> tuple[Kind, int, Trouble]:
    """Give the history of a seed: each situation in turn, killed before its first call, its second, and so on, and again from the first."""
    kind = KINDS[seed % len(KINDS)]
    calls = usual_calls(kind)
    at = seed // len(KINDS) % calls + 1
    random = Random(seed)
    kills, cuts, naps = [at], [], []
    if random.random() < 0.4:
        kills, cuts = [], [at]
    if random.random() < 0.5:
        (kills if random.random() < 0.7 else cuts).append(random.randint(1, calls * 3 // 2))
    if random.random() < 0.3:
        naps.append((random.randint(1, calls), random.choice((1.0, 30.0, 300.0))))
    return kind, seed, Trouble(tuple(kills), tuple(cuts), tuple(naps))


@cache
def usual_calls(kind: Kind) -> int:
    """Count the calls of a history in which nothing goes wrong."""
    return play(kind, 0, Trouble()).calls
