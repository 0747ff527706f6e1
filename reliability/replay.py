"""What happened in the history of a seed, call by call?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.corrections import corrected
from reliability.crashes import crash
from reliability.faults import FAULTS, Nth
from reliability.histories import Trouble, play
from reliability.kinds import KINDS
from reliability.landing_faults import befallen
from reliability.landings import landed
from reliability.power import power
from reliability.races import collectors_race, pods_race, sleepers_race

if TYPE_CHECKING:
    from collections.abc import Callable


_SUITES = {"crash": crash, "collectors": collectors_race, "sleepers": sleepers_race, "power": power}


def replay(seed: str, tell: Callable[[str], None]) -> list[str]:
    """Play it again, telling of every call, and give what was broken.

    Raises:
        LookupError: it is no seed of the suite.
    """

    def call(actor: str, what: str) -> None:
        tell(f"{actor:10} {what}")

    suite, _, number = seed.partition("-")
    match suite:
        case "crash" | "collectors" | "sleepers" | "power":
            kind, chance, trouble = _SUITES[suite](int(number))
            tell(f"{kind.name}: {trouble}")
            return play(kind, chance, trouble, tell=call).problems
        case "corrections":
            return corrected(int(number), call).problems
        case "landings":
            played = landed(int(number), call)
            tell(f"befell: {played.befell or 'nothing'}")
            return played.problems
        case "jobfault":
            fault, at = map(int, number.split("."))
            fired, problems = befallen(FAULTS[fault], at, call)
            tell(f"{FAULTS[fault].port}, {FAULTS[fault].name} at {fired or 'no call'}")
            return problems
        case "pods2" | "pods8":
            return pods_race(int(number), int(suite.removeprefix("pods")), call)
        case "fault":
            at, which, count = map(int, number.split("."))
            nth = Nth(FAULTS[which], count)
            problems = play(KINDS[at], count, Trouble(), meddle=nth, tell=call).problems
            tell(f"{KINDS[at].name}: {nth.fault.port}, {nth.fault.name} at {nth.fired or 'no call'}")
            return problems
        case _:
            raise LookupError(
                f"{seed} is no seed of the suite: crash-N, power-N, collectors-N, sleepers-N, corrections-N, landings-N, jobfault-F.N, pods2-N, pods8-N, fault-K.F.N"
            )
