"""`landbridge trace`: follow one slot or file over the bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import err, out, print_json, print_table, tip
from landbridge.cli.report import print_rules
from landbridge.cli.which import commitments_of, slot_meant
from landbridge.counted import counted
from landbridge.errors import IntegrityBroken
from landbridge.facts import Verdict
from landbridge.hops import failed, hops
from landbridge.survey import in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.facts import Commitment, Failure, Slot
    from landbridge.hops import Hop
    from landbridge.world import Evidence


def trace(
    what: Annotated[
        str, typer.Argument(help="A slot (flights/2026-11-20), a feed (its newest slot) or a file's name.")
    ],
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Follow one slot or file: every hop with time, size, hash and who, of each revision; which one is in force is marked.

    Example: landbridge trace verifications/2026-11-20
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    evidence = wiring.evidence(declaration, place, twin=twin)
    slot = slot_meant(what, declaration, place)
    failures, left_out = evidence.ledger.failures(slot) if slot else ((), 0)
    if slot and failures and not evidence.ledger.history(slot):
        _say_undecided(slot, place, failures, left_out, as_json=as_json)
        return
    found = commitments_of(what, declaration, place, evidence, wiring.now())
    if not failures:
        failures, left_out = evidence.ledger.failures(found[-1].slot)
    stands = _in_force(found, evidence)
    if as_json:
        print_json(
            [
                {"revision": one.revision, "in_force": one is stands, "hops": hops(one, evidence, failures)}
                for one in found
            ]
        )
        return
    for commitment in found:
        mark = " (in force)" if commitment is stands and len(found) > 1 else ""
        title = f"{commitment.slot}  revision {commitment.revision}{mark}  {place}: {commitment.verdict}"
        _print(title, hops(commitment, evidence, failures))
        if not commitment.report.passed and commitment.verdict is not Verdict.REJECT:
            print_rules(commitment.report)
        out().print()
    _say_left_out(left_out)


def _say_undecided(
    slot: Slot, environment: str, failures: Sequence[Failure], left_out: int, *, as_json: bool
) -> None:
    way = [failed(one) for one in failures]
    if as_json:
        print_json([{"revision": 1, "in_force": False, "hops": way}])
        return
    _print(f"{slot}  {environment}: nothing decided", way)
    _say_left_out(left_out)
    tip(f"next, when that is mended: landbridge run {slot.feed} --date {slot.occurrence}")


def _say_left_out(count: int) -> None:
    if count:
        verb = "is" if count == 1 else "are"
        err().print(
            f"{counted(count, 'failure')} after the first one {verb} on record and not shown", style="dim"
        )


def _print(title: str, way: Sequence[Hop]) -> None:
    rows = (
        (
            hop.name,
            f"{hop.at:%Y-%m-%d %H:%M:%S}" if hop.at else "",
            hop.who,
            f"{hop.rows:,}" if hop.rows is not None else "",
            f"{hop.size:,}" if hop.size is not None else "",
            hop.sha256[:12],
            hop.where,
        )
        for hop in way
    )
    print_table(title, ("hop", "UTC", "who", "rows", "bytes", "sha256", "where"), rows)


def _in_force(found: Sequence[Commitment], evidence: Evidence) -> Commitment | None:
    """Tell which revision is in force; nobody can while a receipt does not hold, and the hops say that it does not."""
    try:
        return in_force(found, evidence)
    except IntegrityBroken:
        return None
