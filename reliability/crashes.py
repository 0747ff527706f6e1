"""Does a crash anywhere lose, double or tear a file? Kills and power cuts at every call of every actor."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from random import Random
from typing import TYPE_CHECKING

from reliability.figures import Figure
from reliability.histories import Broken, Trouble, play
from reliability.kinds import KINDS
from reliability.spread import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from reliability.kinds import Kind

    Spread = Callable[[Callable[[int], "Stretch"], Iterable[int]], Iterator["Stretch"]]

CI = 20_000
"""Histories that CI plays."""
SOAK = 1_000_000
"""Histories of `make soak`."""
_CHUNK = 100
"""Histories that a process plays before it tells of them: a second or two."""


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


def broken_by(seed: int) -> list[str]:
    """Play the history of a seed, and give what is wrong with it."""
    return play(*crash(seed)).problems


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the histories of some seeds in a row were."""

    runs: int
    calls: int
    """All calls of all actors before recovery."""
    points: frozenset[str]
    """Who died, or what failed, before which call."""


def stretch(first: int, runs: int) -> Stretch:
    """Play `runs` histories from the seed `first` on.

    Raises:
        Broken: a promise was broken.
    """
    calls, points = 0, set[str]()
    for seed in range(first, first + runs):
        played = play(*crash(seed))
        if played.problems:
            raise Broken.of(f"crash-{seed}", played.problems)
        calls += played.calls
        points.update(played.reached)
    return Stretch(runs, calls, frozenset(points))


def crashes(runs: int = CI) -> Figure:
    """Play as many as CI does, on all processors.

    Raises:
        Broken: a promise was broken.
    """
    began = time.monotonic()
    done = list(spread(partial(stretch, runs=_CHUNK), range(0, runs, _CHUNK)))
    return _figure(done, runs, time.monotonic() - began)


def _figure(done: Sequence[Stretch], asked: int, seconds: float) -> Figure:
    points = frozenset[str]().union(*(one.points for one in done))
    note = (
        f"0 lost, 0 twice, 0 torn in {sum(one.calls for one in done):,} calls of {len(KINDS)} situations; "
        f"ended before {len(points)} kinds of calls"
    )
    reached = sum(one.runs for one in done)
    return Figure("crash at every call, simulated", asked, reached, seconds, 0, note)


@dataclass(frozen=True, slots=True)
class Soaked:
    """How far all soaks together have come."""

    next: int = 0
    """Seed of the first history that was not played."""
    calls: int = 0
    seconds: float = 0.0
    points: tuple[str, ...] = ()
    """Who died, or what failed, before which call."""


def soak(runs: int, state: Path, chunk: int = _CHUNK, spread: Spread = spread) -> Figure:
    """Play `runs` histories on all processors; going on where an earlier soak ended, of which the file `state` tells.

    Ctrl-C ends it after a second or two; what was played until then counts, and is the figure.

    Raises:
        Broken: a promise was broken. The next soak begins with the histories around it.
    """
    before = Soaked(**json.loads(state.read_text())) if state.exists() else Soaked()
    began, done = time.monotonic(), before
    sys.stderr.write(f"{before.next:,} of {runs:,} histories were played before\n")
    try:
        for one in spread(partial(stretch, runs=chunk), range(before.next, runs, chunk)):
            took = time.monotonic() - began
            points = tuple(sorted(one.points.union(done.points)))
            done = Soaked(done.next + one.runs, done.calls + one.calls, before.seconds + took, points)
            _remember(done, state)
            rate = (done.next - before.next) / took
            sys.stderr.write(f"\r{done.next:,} of {runs:,} histories, {rate * 3600:,.0f} an hour ")
            sys.stderr.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; the next soak goes on from here")
    finally:
        sys.stderr.write("\n")
    played = Stretch(done.next, done.calls, frozenset(done.points))
    return replace(_figure([played], runs, done.seconds), part="crash at every call, simulated, soaked")


def _remember(done: Soaked, state: Path) -> None:
    """In one step: a soak may be killed at any moment."""
    fresh = state.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(done)))
    fresh.replace(state)
