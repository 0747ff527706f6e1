"""Does any single fault at any single call of the job that lands from holding lose, double or tear a file?"""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from reliability.faults import FAULTS, Nth
from reliability.figures import Figure
from reliability.histories import Broken
from reliability.holding import WHOLE, Yard
from reliability.landings import KINDS, at_rest
from reliability.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.actors import Actor
    from reliability.faults import Fault
    from reliability.through import Call

_TWO_FILES = KINDS[2]


def befallen(
    fault: Fault, number: int, tell: Callable[[str, str], None] | None = None
) -> tuple[str, list[str]]:
    """Let `fault` befall the job's call of that number that it can befall; give the call, if there was one, and what is wrong."""
    nth = Nth(fault, number)

    def meddle(actor: Actor, call: Call, make: Callable[..., Any]) -> Any:  # noqa: ANN401 # whatever the call gives
        return nth(actor, call, make) if actor.name.endswith(".land") else make()

    world = World(_TWO_FILES, Random(number), meddle, tell=tell)
    yard = Yard(world, [])
    yard.prepare()
    for at, (feed, slot) in enumerate(world.feeds):
        world.pod(at, feed, slot)
        world.stage.play()
    yard.mover(1, WHOLE)
    world.stage.play()
    yard.lander(1)
    world.stage.play()
    if number % 2:
        world.consume()
    return nth.fired, at_rest(world, yard)


def every_call() -> Figure:
    """Do so for every fault of disk and line at every call, until none fires.

    Raises:
        Broken: a promise was broken.
    """
    began, count = time.monotonic(), Counter[str]()
    for which, fault in enumerate(FAULTS):
        if fault.port not in {"disk", "sftp"}:
            continue
        number = 1
        while True:
            fired, problems = befallen(fault, number)
            if problems:
                raise Broken.of(f"jobfault-{which}.{number}", problems)
            if not fired:
                break
            count[fault.port] += 1
            number += 1
    ports = ", ".join(f"{port} {calls:,}" for port, calls in sorted(count.items()))
    return Figure(
        "every fault at every call of a job that lands from holding, until none fires",
        count.total(),
        count.total(),
        time.monotonic() - began,
        1,
        f"calls that failed: {ports}",
    )
