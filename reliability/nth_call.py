"""Does any single fault at any single call of any port lose, double or tear a file? Each fault at the first call, the second, until none is left."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from reliability.faults import FAULTS, Nth
from reliability.figures import Figure
from reliability.histories import Broken, Trouble, play
from reliability.kinds import KINDS
from reliability.spread import spread

if TYPE_CHECKING:
    from reliability.faults import Fault
    from reliability.kinds import Kind

SITUATIONS = tuple(
    kind
    for kind in KINDS
    if kind.name
    in {
        "one pod, one collector",
        "two files that land together, with done-files",
        "links, two files that land together",
        "in parts, two pods, two collectors",
        "encrypted, two pods",
        "breaks its contract, two pods",
    }
)


def every_call(kind: Kind, fault: Fault) -> int:
    """Let `fault` befall every call it can befall, one history each; give how many those were.

    Raises:
        Broken: a promise was broken.
    """
    number = 1
    while True:
        nth = Nth(fault, number)
        problems = play(kind, number, Trouble(), meddle=nth).problems
        if problems:
            raise Broken.of(f"fault-{KINDS.index(kind)}.{FAULTS.index(fault)}.{number}", problems)
        if not nth.fired:
            return number - 1
        number += 1


def _every_call(piece: tuple[int, int]) -> int:
    situation, fault = piece
    return every_call(SITUATIONS[situation], FAULTS[fault])


def nth_calls() -> Figure:
    """Do so for every fault in a few situations, on all processors.

    Raises:
        Broken: a promise was broken.
    """
    began, count = time.monotonic(), Counter[str]()
    pieces = [(situation, fault) for situation in range(len(SITUATIONS)) for fault in range(len(FAULTS))]
    for (_, fault), befallen in zip(pieces, spread(_every_call, pieces), strict=True):
        count[FAULTS[fault].port] += befallen
    ports = ", ".join(f"{port} {number:,}" for port, number in sorted(count.items()))
    total = count.total()
    return Figure(
        "every fault at every call of every port, until none fires",
        total,
        total,
        time.monotonic() - began,
        1,
        f"{len(FAULTS)} faults in {len(SITUATIONS)} situations; calls that failed: {ports}",
    )
