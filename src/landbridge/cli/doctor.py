"""`landbridge doctor`: everything that the feeds rely on, each with a verdict and what mends it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import out, print_json, print_table, progress
from landbridge.cli.pasted import pasted
from landbridge.doctor.finding import Side, Verdict, exit_of
from landbridge.doctor.running import examine
from landbridge.doctor.table import CHECKS
from landbridge.wiring import choice, doctor_side

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.doctor.finding import Examined

_STYLES = {
    Verdict.OK: "green",
    Verdict.WARN: "yellow",
    Verdict.BROKEN: "bold red",
    Verdict.NOT_CHECKED: "dim",
}
_DEFAULT_LIMIT = 30.0


def doctor(
    feed: Annotated[
        list[str] | None,
        typer.Option(
            "--feed", "-f", metavar="FEED", help="Only what this feed relies on; may be given several times."
        ),
    ] = None,
    side: Annotated[
        Side | None, typer.Option("--side", help="Which end; by default what this machine can see.")
    ] = None,
    sources: Annotated[
        bool, typer.Option("--sources", help="Also ask the sources: `select 1`, the first page of an API.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds after which a check that hangs is given up.")
    ] = _DEFAULT_LIMIT,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every event.")] = False,
) -> int:
    """Examine every permission, key, host key, clock, bucket setting, disk and time zone that the feeds rely on.

    Each is ok, warn, broken, or not checked and why, with the command that mends it. Nothing is changed: what is written is
    refused by its checksum, or taken back; one small file stays, below `receipts/_canary`. The exit code is that of the worst:
    76 integrity, 78 declaration, 77 permission, 73 and 74 share, 69 unavailable; warnings are 0.

    Example: landbridge doctor --environment PRD --side ground
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    wiring.log(verbose=verbose, environment=place)
    feeds = [choice.feed_of(declaration, each, place) for each in feed or ()]
    feeds = feeds or choice.feeds_in(declaration, place)
    sides = (side,) if side else doctor_side.sides(declaration, place, twin=twin)
    checks = [check for check in CHECKS if set(check.side) & set(sides)]
    with (
        progress(quiet=as_json) as bars,
        doctor_side.patient(declaration, place, feeds, twin=twin, sources=sources, progress=bars) as patient,
    ):
        found = examine(patient, checks, timeout, bars)
    found = [replace(one, mend=pasted(one.mend)) for one in found]
    code = exit_of(one.finding for one in found)
    if as_json:
        print_json(
            {
                "environment": place,
                "sides": list(sides),
                "findings": [_plain(one) for one in found],
                "exit": int(code),
            }
        )
    else:
        _print(found, place, sides)
    return code


def _plain(one: Examined) -> dict[str, object]:
    return {
        "check": one.check.name,
        "what": one.finding.what,
        "verdict": one.finding.verdict,
        "seen": one.finding.seen,
        "asks": one.check.asks,
        "mend": one.mend or None,
        "exit": int(one.finding.exit),
        "seconds": round(one.seconds, 3),
    }


def _print(found: Sequence[Examined], environment: str, sides: Sequence[Side]) -> None:
    print_table(
        f"{environment}, {' and '.join(sides)} side",
        ("check", "of", "verdict", "seen"),
        (
            (
                one.check.name,
                one.finding.what,
                Text(one.finding.verdict, style=_STYLES[one.finding.verdict]),
                one.finding.seen,
            )
            for one in found
        ),
    )
    for line in _mended(found):
        out().print(line, highlight=False, markup=False)
    counts = Counter(one.finding.verdict for one in found)
    out().print(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict), highlight=False)


def _mended(found: Sequence[Examined]) -> Iterator[str]:
    """Say once what mends each thing that is not as it should be."""
    by_mend: dict[str, list[str]] = {}
    for one in found:
        if one.mend:
            name = f"{one.check.name}: {one.finding.what}" if one.finding.what else one.check.name
            by_mend.setdefault(one.mend, []).append(name)
    for mend, names in by_mend.items():
        yield f"mend {', '.join(dict.fromkeys(names))}:\n    {mend}"
