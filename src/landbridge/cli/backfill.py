"""`landbridge backfill`: run many slots of a feed that were never run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import backfill as story
from landbridge import wiring
from landbridge.cli.deciding import ActorOption, actor_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption, day_of
from landbridge.cli.outcomes import worst
from landbridge.cli.output import Silent, out, print_error, print_json, print_table, progress
from landbridge.cli.pasted import pasted
from landbridge.counted import counted
from landbridge.decisions import reasoned
from landbridge.errors import Exit, UsageError
from landbridge.survey import survey
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from landbridge.backfill import Backfill, Filled
    from landbridge.facts import Slot
    from landbridge.world import Cloud

_MOST_DAYS = 3700
"""Ten years: what is more is a mistyped year."""


def backfill(
    feed: Annotated[str, typer.Argument(help="Name of the feed.")],
    since: Annotated[str, typer.Option("--from", help="First business date. Required.")] = "",
    until: Annotated[str, typer.Option("--to", help="Last business date. Required.")] = "",
    parallel: Annotated[
        int,
        typer.Option("--parallel", min=1, max=16, help="Slots run at once; each takes the feed's memory."),
    ] = 2,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which slots would be run, and run none.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    actor: ActorOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Run the slots of a feed that are due and have no verdict, a few at a time.

    What has its verdict is left as it is; a release that is not released yet is carried on. Ctrl-C lets no further slot
    begin and waits for those under way; the same command goes on with what is left. The exit code is that of the worst slot.

    Example: landbridge backfill flights --from 2026-11-01 --to 2026-11-20 --dry-run --twin
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    declared = choice.feed_of(declaration, feed, place)
    first, last = _days(since, until)
    why = reasoned(reason) if reason else ""
    wiring.log(verbose=False, feed=feed, environment=place)
    with progress(quiet=as_json) as bars:
        evidence, now = wiring.evidence(declaration, place, twin=twin), wiring.now()
        bars.start("reading the ledger", None, "")
        seen = survey(declaration.project, [declared], first, last, evidence, now)
        bars.finish("reading the ledger")
        slots = story.open_slots(seen, now)
        if dry_run or not slots:
            return _plan(slots, len(seen), as_json=as_json, dry=dry_run)
        cloud = wiring.cloud(declaration, place, twin=twin, progress=bars)
        cloud = replace(cloud, actor=actor_of(actor) or cloud.actor, reason=why)
        done = story.backfill(declared, slots, cloud, parallel, _silent)
    return _say(done, as_json=as_json)


def _days(since: str, until: str) -> tuple[date, date]:
    if not (since and until):
        raise UsageError(
            "which days?", expected="`--from` and `--to`, each a business date, for instance 2026-11-01"
        )
    first, last = day_of(since, "--from"), day_of(until, "--to")
    if first > last:
        raise UsageError(f"`--from {first}` is after `--to {last}`")
    if (last - first).days > _MOST_DAYS:
        raise UsageError(
            f"from {first} to {last} are {counted((last - first).days, 'day')}",
            expected=f"at most {_MOST_DAYS} at a time",
        )
    return first, last


def _silent(cloud: Cloud) -> Cloud:
    return replace(cloud, progress=Silent())


def _plan(slots: Sequence[Slot], known: int, *, as_json: bool, dry: bool) -> int:
    if as_json:
        document = {"dry_run": dry, "slots": [str(slot) for slot in slots], "decided": known - len(slots)}
        print_json({**document, "exit": int(Exit.DONE)})
        return Exit.DONE
    for slot in slots:
        out().print(f"would run {slot}, due {slot.scheduled_at:%Y-%m-%d %H:%M} UTC", highlight=False)
    left = (
        f"{counted(known - len(slots), 'has its verdict, or is', 'have their verdict, or are')} not due yet"
    )
    out().print(f"{len(slots)} of {counted(known, 'slot')} to run; {left}", highlight=False)
    return Exit.DONE


def _say(done: Backfill, *, as_json: bool) -> int:
    code = Exit.INTERRUPTED if done.interrupted else _code(done.slots)
    if as_json:
        print_json(
            {
                "slots": [_plain(one) for one in done.slots],
                "interrupted": done.interrupted,
                "exit": int(code),
            }
        )
        return code
    print_table(
        "",
        ("slot", "ended", "rows", "file"),
        (
            (str(one.slot), one.ended.value, f"{one.rows:,}" if one.rows else "", one.file)
            for one in done.slots
        ),
    )
    said: set[str] = set()
    for one in done.slots:
        if one.error is not None and str(one.error) not in said:
            said.add(str(one.error))
            print_error(one.error)
    return code


def _code(slots: Sequence[Filled]) -> Exit:
    broken = {story.Ended.QUARANTINED, story.Ended.REJECTED}
    codes = {one.error.exit for one in slots if one.error}
    return worst(codes | {Exit.DATA for one in slots if one.ended in broken})


def _plain(one: Filled) -> dict[str, object]:
    return {
        "slot": str(one.slot),
        "ended": one.ended,
        "rows": one.rows,
        "file": one.file or None,
        "error": pasted(str(one.error)) if one.error else None,
    }
