"""Does a power cut of the share's machine lose, double or tear a file? Cuts while files are on their way and land."""

from __future__ import annotations

import time
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from reliability.crashes import usual_calls
from reliability.figures import Figure
from reliability.histories import Broken, Trouble, play
from reliability.kinds import KINDS
from reliability.spread import spread

if TYPE_CHECKING:
    from reliability.kinds import Kind

CI = 2_000
"""Histories that CI plays."""
_CHUNK = 100
_LANDING = tuple(kind for kind in KINDS if kind.rows and "bad" not in kind.rows)
_IN_PARTS = tuple(kind for kind in _LANDING if kind.large)


def power(seed: int) -> tuple[Kind, int, Trouble]:
    """Give the history of a seed: one to three cuts; every other one where files travel in parts, half of these while one does."""
    random = Random(seed)
    kind = random.choice(_IN_PARTS if seed % 2 else _LANDING)
    calls = usual_calls(kind)
    cuts = tuple(random.randint(1, calls) for _ in range(random.randint(1, 3)))
    if seed % 4 == 1:
        return kind, seed, Trouble(pieces=(random.randint(3, 5),), replaced=0.9)
    return kind, seed, Trouble(cuts=cuts, replaced=0.9)


def cut(first: int, runs: int) -> int:
    """Play the histories of so many seeds in a row; give how often the power was cut.

    Raises:
        Broken: a promise was broken.
    """
    cuts = 0
    for seed in range(first, first + runs):
        played = play(*power(seed))
        if played.problems:
            raise Broken.of(f"power-{seed}", played.problems)
        cuts += len(played.reached)
    return cuts


def power_cuts() -> Figure:
    """Play as many as CI does, on all processors.

    Raises:
        Broken: a promise was broken.
    """
    began = time.monotonic()
    cuts = sum(spread(partial(cut, runs=_CHUNK), range(0, CI, _CHUNK)))
    return Figure("power cuts, simulated", CI, CI, time.monotonic() - began, 0, f"{cuts:,} cuts")
