"""`landbridge status`: where every slot stands."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from landbridge import wiring
from landbridge.cli.options import (
    HERE,
    EnvironmentOption,
    JsonOption,
    ProjectFolder,
    TwinOption,
    day_of,
    duration_of,
)
from landbridge.cli.output import STATE_STYLES, err, out, print_json, print_table, progress, tip
from landbridge.counted import counted
from landbridge.errors import Exit, UsageError
from landbridge.facts import SlotState, Verdict
from landbridge.schedule import ended_slots
from landbridge.standing import why_not
from landbridge.survey import survey
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration
    from landbridge.standing import Standing

_GLYPHS = {
    SlotState.UPCOMING: "·",
    SlotState.DUE: "…",
    SlotState.COMMITTED: "◐",
    SlotState.RELEASED: "◑",
    SlotState.DELIVERED: "●",
    SlotState.SKIPPED: "-",
    SlotState.QUARANTINED: "✖",
    SlotState.WAIVED: "~",
    SlotState.MISSING: "○",
}
_WIDEST = 31
"""Days that are drawn; a longer period has only the table."""
_TOGETHER = 4
"""So many slots of a feed in one state, or fewer, get a line each."""


def status(
    feed: Annotated[str, typer.Option("--feed", "-f", help="Only this feed.")] = "",
    since: Annotated[str, typer.Option(help="First business date; a week ago without it.")] = "",
    until: Annotated[str, typer.Option(help="Last business date; today without it.")] = "",
    recorded: Annotated[bool, typer.Option("--recorded", help="Only slots that have a verdict.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 65 when a slot is late, missing or quarantined.")
    ] = False,
    passed: Annotated[
        str,
        typer.Option(
            help="Only slots whose deadline passed within this time: `24h`. For a check at deadlines."
        ),
    ] = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Show the slots by feed and business date, with state and deadline.

    Example: landbridge status --since 2026-11-01 --check
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    now = wiring.now()
    first = day_of(since, "--since") if since else now.date() - timedelta(days=7)
    last = day_of(until, "--until") if until else now.date()
    if first > last:
        raise UsageError(f"`--since {first}` is after `--until {last}`")
    feeds = choice.feeds_in(declaration, place)
    feeds = [choice.feed_of(declaration, feed, place)] if feed else feeds
    judged: set[str] | None = None
    if passed:
        if since or until:
            raise UsageError("`--passed` chooses the days itself", hint="leave out `--since` and `--until`")
        ended = _ended(declaration, feeds, now, duration_of(passed))
        if not ended:
            return _none_ended(passed, as_json=as_json)
        first, last = min(one.business_date for one in ended), max(one.business_date for one in ended)
        judged = {str(one) for one in ended}
    with progress(quiet=as_json) as bars:
        bars.start("reading the ledger", None, "")
        seen = survey(
            declaration.project, feeds, first, last, wiring.evidence(declaration, place, twin=twin), now
        )
        bars.finish("reading the ledger")
    shown = [one for one in seen if one.known.commitment or not recorded]
    if judged is not None:
        seen = shown = [one for one in shown if str(one.slot) in judged]
    if as_json:
        print_json([_plain(one) for one in shown])
    else:
        _draw(shown, first, last)
        _table(declaration, place, shown)
        _say_next(shown)
    return Exit.DATA if check and any(one.alarming for one in seen) else Exit.DONE


def _ended(declaration: Declaration, feeds: Sequence[Feed], now: datetime, within: timedelta) -> list[Slot]:
    """Give the slots whose window ended within the last whole minutes: checks at deadlines see each one once."""
    until = now.replace(second=0, microsecond=0)
    project = declaration.project
    return [
        slot
        for feed in feeds
        for slot in ended_slots(
            feed, choice.calendar(declaration, feed), project.overdue_after, until - within, until
        )
    ]


def _none_ended(passed: str, *, as_json: bool) -> int:
    if as_json:
        print_json([])
    else:
        err().print(f"no deadline passed within {passed}", style="dim")
    return Exit.DONE


def _draw(seen: Sequence[Standing], first: date, last: date) -> None:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    days = [day for day in days if any(one.slot.business_date == day for one in seen)]
    if not days or len(days) > _WIDEST:
        return
    cells = {(one.slot.feed, day): Text() for one in seen for day in days}
    for (feed, day), cell in cells.items():
        there = [one for one in seen if (one.slot.feed, one.slot.business_date) == (feed, day)]
        counts = Counter((one.state, one.late) for one in there)
        for (state, late), count in counts.items():
            number = str(count) if len(there) > 1 else ""
            cell.append(f"{number}{_GLYPHS[state]}{'!' if late else ''} ", STATE_STYLES[state])
    feeds = sorted({one.slot.feed for one in seen})
    print_table(
        "",
        ("", *(f"{day:%d %b}" for day in days)),
        ([feed, *(cells.get((feed, day), Text()) for day in days)] for feed in feeds),
    )
    legend = Text("  ".join(f"{glyph} {state}" for state, glyph in _GLYPHS.items()))
    out().print(legend.append("  ! late"), style="dim")
    out().print()


def _table(declaration: Declaration, environment: str, seen: Sequence[Standing]) -> None:
    print_table(
        f"{declaration.project.project} {environment}",
        ("feed", "slot", "state", "deadline", "landed", "rows", "file"),
        [_row(run, ZoneInfo(declaration.feeds[run[0].slot.feed].schedule.time_zone)) for run in _runs(seen)],
    )


def _say_next(seen: Sequence[Standing]) -> None:
    """Say what to look at first, where somebody has to look."""
    first = next((one for one in seen if one.alarming), None)
    if first is None:
        return
    slot, known = first.slot, first.known
    if first.verdict is Verdict.QUARANTINE and not known.doubt:
        tip(f"next: landbridge quarantine show {slot}")
    elif known.commitment is None and known.failed is None and not known.doubt:  # there is nothing to trace
        tip(f"next: landbridge run {slot.feed} --date {slot.occurrence}")
    else:
        tip(f"next: landbridge trace {slot}")


def _runs(seen: Sequence[Standing]) -> list[list[Standing]]:
    """Put slots of one feed that follow each other in the same state together: a quiet hourly feed is one line."""
    by_feed = sorted(seen, key=lambda one: (one.slot.feed, one.slot.scheduled_at))
    runs = [
        list(alike)
        for _, alike in groupby(
            by_feed,
            key=lambda one: (one.slot.feed, one.state, one.late, one.scheduled, one.known.doubt, _note(one)),
        )
    ]
    shown = [part for run in runs for part in ([run] if len(run) > _TOGETHER else [[one] for one in run])]
    return sorted(
        shown, key=lambda run: (run[0].slot.business_date, run[0].slot.feed, run[0].slot.scheduled_at)
    )


def _row(run: Sequence[Standing], zone: ZoneInfo) -> Sequence[str | Text]:
    one = run[-1]
    state = Text(one.state, STATE_STYLES[one.state])
    if one.late:
        state.append(" late", "bold yellow")
    if note := _note(one):
        state.append(f" ({note})", "dim")
    if one.known.doubt:
        state.append(" (what is on record cannot be believed)", "bold red")
    if not one.scheduled:
        state.append(" (not in today's schedule)", "dim")
    if len(run) > 1:
        return (
            one.slot.feed,
            f"{run[0].slot.occurrence} .. {one.slot.occurrence}",
            state,
            counted(len(run), "slot"),
            "",
            "",
            "",
        )
    file = one.file
    return (
        one.slot.feed,
        one.slot.occurrence,
        state,
        _local(one.slot.deadline, zone),
        _local(one.landed.landed_at if one.landed else None, zone),
        f"{file.rows:,}" if file and file.rows is not None else "",
        file.name if file else "",
    )


def _note(one: Standing) -> str:
    """Say why no run came to its end, or what a person decided, and which revision it is if not the first."""
    if failed := one.known.failed:
        return why_not(failed)
    match one.known.commitment:
        case None:
            return ""
        case decided if decided.verdict is Verdict.WAIVE:
            return f"{decided.reason}; {decided.actor}"
        case decided if decided.verdict is Verdict.REJECT:
            return f"rejected: {decided.reason}; {decided.actor}"
        case decided if decided.verdict is Verdict.RELEASE and not decided.report.passed:
            return f"released from quarantine: {decided.reason}; {decided.actor}"
        case decided:
            return f"revision {decided.revision}" if decided.revision > 1 else ""


def _local(instant: datetime | None, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%d %b %H:%M}" if instant else ""


def _plain(one: Standing) -> dict[str, object]:
    commitment, receipt, file = one.known.commitment, one.landed, one.file
    failed = one.known.failed
    has_file = commitment is not None and commitment.verdict is not Verdict.WAIVE
    return {
        "slot": str(one.slot),
        "feed": one.slot.feed,
        "business_date": one.slot.business_date,
        "scheduled_at": one.slot.scheduled_at,
        "deadline": one.slot.deadline,
        "state": one.state,
        "late": one.late,
        "scheduled": one.scheduled,
        "revision": commitment.revision if commitment else None,
        "verdict": one.verdict,
        "actor": commitment.actor if commitment else None,
        "reason": (commitment.reason or None) if commitment else None,
        "contract_met": commitment.report.passed if commitment and has_file else None,
        "rows": file.rows if file else None,
        "size": file.size if file else None,
        "sha256": file.sha256 if file else None,
        "file": file.name if file else None,
        "landed_at": receipt.landed_at if receipt else None,
        "failed": {
            "at": failed.failed_at,
            "step": failed.step,
            "exit": failed.exit,
            "reason": failed.reason,
            "actor": failed.actor,
            "run_id": failed.run_id,
        }
        if failed
        else None,
        "doubt": one.known.doubt or None,
    }
