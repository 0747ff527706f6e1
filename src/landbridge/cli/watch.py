"""`landbridge watch`: one look at all slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from landbridge import watch as story
from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import err, out, print_error, print_json, print_table, progress
from landbridge.counted import counted
from landbridge.errors import Exit, LandbridgeError, UsageError
from landbridge.feed.words import Duration
from landbridge.telling import document
from landbridge.wiring import choice

if TYPE_CHECKING:
    from datetime import timedelta

    from landbridge.feed import Feed
    from landbridge.project import Declaration
    from landbridge.watch import Look
    from landbridge.world import Watching


def watch(
    check: Annotated[
        bool, typer.Option("--check", help="Exit 65 when somebody has to look at a slot, told before or not.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be told and run, and do nothing of it.")
    ] = False,
    every: Annotated[
        str, typer.Option("--every", help="Stay, and look again after this pause: 5m, 1h.")
    ] = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every event.")] = False,
) -> int:
    """Look at all slots once: tell what is late, missing, quarantined or stuck, and run what was missed.

    Who is told, and how far back what was missed is run, is declared under `watch`. Each slot is told once for each
    state, again as a reminder, and once when all is clear. Safe beside the jobs themselves, and to run twice.
    Exit code 0 means that the look was taken and what there was to tell was told.

    Example: landbridge watch --environment PRD --dry-run
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    pause = _pause(every) if every else None
    wiring.log(verbose=verbose, environment=place)
    feeds = choice.feeds_in(declaration, place)
    with progress(quiet=as_json) as bars:
        watching = wiring.watching(declaration, place, twin=twin, progress=bars)
        if pause is None:
            seen = story.look(declaration.project, feeds, watching, dry=dry_run)
            return _say(seen, as_json=as_json, dry=dry_run, check=check)
        while True:
            _pass(declaration, feeds, watching, as_json=as_json, dry=dry_run)
            watching.clock.sleep(pause.total_seconds())


def _pass(
    declaration: Declaration, feeds: list[Feed], watching: Watching, *, as_json: bool, dry: bool
) -> None:
    """Look once while staying: what a later look may mend is said and not raised."""
    try:
        _say(story.look(declaration.project, feeds, watching, dry=dry), as_json=as_json, dry=dry, check=False)
    except LandbridgeError as error:
        if not error.retry:
            raise
        print_error(error, as_json=as_json)


def _say(seen: Look, *, as_json: bool, dry: bool, check: bool) -> int:
    code = max((one.error.exit for one in seen.failures), default=Exit.DONE)
    if check and code == Exit.DONE and seen.open:
        code = Exit.DATA
    if as_json:
        print_json(_plain(seen, dry=dry) | {"exit": int(code)})
        return code
    if seen.open:
        print_table(
            "",
            ("slot", "state", "what"),
            ((one.name, one.kind.value, one.says) for one in seen.open),
        )
    readers = ", ".join(name for name, _ in seen.notices) or "nobody"
    out().print(
        f"{counted(seen.slots, 'slot')}, {counted(len(seen.open), 'needs', 'need')} somebody; {'would tell' if dry else 'told'} {readers}",
        highlight=False,
    )
    if dry and seen.missed:
        out().print("would run " + ", ".join(map(str, seen.missed)), highlight=False)
    for one in seen.caught_up:
        out().print(f"caught up {one.slot}: {one.came_to}", highlight=False)
        if one.error:
            print_error(one.error)
    for failure in seen.failures:
        err().print(f"{failure.what} was not told:", highlight=False)
        print_error(failure.error)
    return code


def _plain(seen: Look, *, dry: bool) -> dict[str, object]:
    return {
        "at": seen.at,
        "dry_run": dry,
        "slots": seen.slots,
        "late": seen.late,
        "open": [{"slot": one.name, "kind": one.kind, "says": one.says} for one in seen.open],
        "told": {name: document(notice) for name, notice in seen.notices},
        "missed": [str(slot) for slot in seen.missed],
        "caught_up": [
            {
                "slot": str(one.slot),
                "came_to": one.came_to,
                "error": str(one.error) if one.error else None,
            }
            for one in seen.caught_up
        ],
        "failures": [{"what": one.what, "error": str(one.error)} for one in seen.failures],
    }


def _pause(text: str) -> timedelta:
    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError as error:
        raise UsageError(f"`--every {text}` is not a duration", expected="`30s`, `5m` or `1h`") from error
