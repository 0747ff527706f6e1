"""`landbridge reap`: remove what has landed and has had its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import reap as story
from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.outcomes import worst
from landbridge.cli.output import err, out, print_error, print_json, print_table, progress
from landbridge.errors import Exit

if TYPE_CHECKING:
    from landbridge.reap import Due, Harvest, Reaped


def reap(
    apply: Annotated[
        bool, typer.Option("--apply", help="Remove it. Without this only what would go is said.")
    ] = False,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every event.")] = False,
) -> int:
    """Say what has had its time, and with `--apply` remove it for good.

    A released file goes when a valid receipt proves that it landed, `retention.outbound_days` ago; a quarantined one
    `retention.quarantine_days` after somebody decided about it; a draft that the bucket has not forgotten by itself after
    `staging_days`. Verdicts, manifests and receipts stay, so what is removed is never released again.
    Exit code 76 means that something is not what was committed: it was not touched.

    Example: landbridge reap --twin
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    wiring.log(verbose=verbose, environment=place)
    with progress(quiet=as_json) as bars:
        world = wiring.reaping(declaration, place, twin=twin, progress=bars)
        bars.start("looking", None, "")
        found = story.harvest(world)
        bars.finish("looking")
        done = story.reap(world, found) if apply else None
    code = _code(found, done)
    if as_json:
        print_json({**_plain(found, done), "applied": apply, "exit": int(code)})
        return code
    _print(found, done)
    if not apply and found.due:
        err().print("nothing was removed; with `--apply` it is", style="dim")
    for error in {str(error): error for _, error in (done.failed if done else ())}.values():
        print_error(error)
    return code


def _code(found: Harvest, done: Reaped | None) -> Exit:
    doubts = {Exit.INTEGRITY for one in found.kept if one.why in story.DOUBTS}
    return worst(doubts | {error.exit for _, error in (done.failed if done else ())})


def _print(found: Harvest, done: Reaped | None) -> None:
    gone = found.due if done is None else done.removed
    rows = [
        (kind.value, f"{count:,}", f"{size:,}", "to be removed" if done is None else "removed")
        for (kind, _), (count, size) in story.sums(gone).items()
    ]
    rows += [
        (kind.value, f"{count:,}", f"{size:,}", f"kept: {why}")
        for (kind, why), (count, size) in story.sums(found.kept).items()
    ]
    if rows:
        print_table("", ("what", "files", "bytes", ""), rows)
    else:
        out().print("nothing is old enough")
    for one in found.kept:
        if one.why in story.DOUBTS:
            err().print(f"{one.blob.at}: {one.why}", highlight=False)


def _plain(found: Harvest, done: Reaped | None) -> dict[str, object]:
    return {
        "due": [_due(one) for one in found.due],
        "kept": [
            {"kind": one.kind, "at": str(one.blob.at), "size": one.blob.size, "why": one.why}
            for one in found.kept
        ],
        "removed": [str(one.blob.at) for one in done.removed] if done else [],
        "failed": [{"at": str(one.blob.at), "error": str(error)} for one, error in done.failed]
        if done
        else [],
    }


def _due(one: Due) -> dict[str, object]:
    return {
        "kind": one.kind,
        "slot": one.slot,
        "at": str(one.blob.at),
        "size": one.blob.size,
        "since": one.since,
    }
