"""`landbridge check`: all mistakes of the declaration at once, or what it declares."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge import wiring
from landbridge.cli.options import HERE, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, print_problem, print_table
from landbridge.declare import examine
from landbridge.errors import Exit
from landbridge.schedule import next_slots
from landbridge.wiring import choice

if TYPE_CHECKING:
    from datetime import datetime

    from landbridge.declare import Examination
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration


def check(project: ProjectFolder = HERE, as_json: JsonOption = False) -> int:
    """Check the declaration: all mistakes at once, with file and line.

    Reads landbridge.yaml, feeds/*.yaml and their contracts; connects to nothing. Warnings do not fail the check.
    Exit code 78 means mistakes.

    Example: landbridge check --project examples/eidv
    """
    now = wiring.now()
    found = examine(project, now=now)
    if as_json:
        print_json(_document(found, now))
    else:
        _print(found, now)
    return Exit.DONE if found.declaration else Exit.DECLARATION


def _document(found: Examination, now: datetime) -> dict[str, object]:
    document: dict[str, object] = {
        "ok": found.declaration is not None,
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


def _print(found: Examination, now: datetime) -> None:
    console = err()
    for problem in found.problems:
        print_problem(console, problem)
    for warning in found.warnings:
        console.print("[yellow]warning[/] ", end="")
        print_problem(console, warning)
    if found.declaration is None:
        count = len(found.problems)
        console.print(f"[bold red]error[/]: the declaration has {count} mistake{'s' if count > 1 else ''}")
        return
    declared = found.declaration
    rows = [_row(feed, environments, slot) for feed, environments, slot in _feeds(declared, now)]
    if rows:
        print_table("", ("feed", "environments", "next slot", "scheduled", "deadline"), rows)
    environments = ", ".join(declared.project.environments)
    feeds = f"{len(rows)} feed{'' if len(rows) == 1 else 's'}"
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
