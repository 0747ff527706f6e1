"""`landbridge check`: all mistakes of the declaration at once, or what it declares."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge import wiring
from landbridge.cli.deployable import CHECKS
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, print_problem, print_table
from landbridge.counted import counted
from landbridge.declare import examine
from landbridge.errors import Exit
from landbridge.schedule import next_slots
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from landbridge.cli.deployable import Checked
    from landbridge.declare import Examination
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration


def check(
    project: ProjectFolder = HERE, environment: EnvironmentOption = "", as_json: JsonOption = False
) -> int:
    """Check the declaration: all mistakes at once, with file and line.

    Reads landbridge.yaml, feeds/*.yaml and their contracts; connects to nothing. Warnings do not fail the check.
    With an environment, also what would be deployed for it.
    Exit code 78 means mistakes.

    Example: landbridge check --project examples/eidv
    """
    now = wiring.now()
    found = examine(project, now=now)
    deployed: list[Checked] = []
    if environment and found.declaration:
        name = choice.environment_of(found.declaration, environment)
        deployed = [look(found.declaration, name) for look in CHECKS]
        found = replace(found, problems=tuple(one for each in deployed for one in each.problems))
    well = found.declaration is not None and not found.problems
    if as_json:
        print_json({**_document(found, now), "ok": well, "deployed": deployed})
    else:
        _print(found, now, deployed)
    return Exit.DONE if well else Exit.DECLARATION


def _document(found: Examination, now: datetime) -> dict[str, object]:
    document: dict[str, object] = {
        "problems": [asdict(problem) for problem in found.problems],
        "warnings": [asdict(warning) for warning in found.warnings],
    }
    if found.declaration:
        document |= {
            "project": found.declaration.project.project,
            "environments": list(found.declaration.project.environments),
            "digest": found.declaration.digest,
            "feeds": [
                {"feed": feed.feed, "environments": environments, "next_slot": slot}
                for feed, environments, slot in _feeds(found.declaration, now)
            ],
        }
    return document


def _print(found: Examination, now: datetime, deployed: Sequence[Checked]) -> None:
    console = err()
    for problem in found.problems:
        print_problem(console, problem)
    for warning in found.warnings:
        console.print("[yellow]warning[/] ", end="")
        print_problem(console, warning)
    for text in (text for each in deployed for text in each.warnings):
        console.print("[yellow]warning[/] ", end="")
        console.print(text, markup=False, highlight=False)
    if found.declaration is None or found.problems:
        count = len(found.problems)
        console.print(f"[bold red]error[/]: the declaration has {counted(count, 'mistake')}")
        return
    declared = found.declaration
    rows = [_row(feed, environments, slot) for feed, environments, slot in _feeds(declared, now)]
    if rows:
        print_table("", ("feed", "environments", "next slot", "scheduled", "deadline"), rows)
    environments = ", ".join(declared.project.environments)
    feeds = counted(len(rows), "feed")
    for each in deployed:
        if each.said:
            out().print(each.said)
    out().print(
        f"OK: project {declared.project.project}, {feeds}, environments {environments}", style="green"
    )


def _feeds(declared: Declaration, now: datetime) -> list[tuple[Feed, list[str], Slot | None]]:
    return [
        (
            feed,
            list(feed.environments or declared.project.environments),
            next(next_slots(feed, choice.calendar(declared, feed), now), None),
        )
        for feed in sorted(declared.feeds.values(), key=lambda each: each.feed)
    ]


def _row(feed: Feed, environments: list[str], slot: Slot | None) -> tuple[str, ...]:
    where = ", ".join(environments)
    if slot is None:
        return feed.feed, where, "none: it has ended", "", ""
    zone = ZoneInfo(feed.schedule.time_zone)
    deadline = f"{slot.deadline.astimezone(zone):%a %d %b %H:%M}" if slot.deadline else ""
    return (
        feed.feed,
        where,
        slot.occurrence,
        f"{slot.scheduled_at.astimezone(zone):%a %d %b %H:%M %Z}",
        deadline,
    )
