"""`landbridge run`: take one slot of a feed all the way on the cloud side."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from landbridge import jobs, wiring
from landbridge import run as story
from landbridge.cli.options import HERE, DateOption, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import out, print_json, print_pairs, progress, tip
from landbridge.cli.report import print_breach
from landbridge.counted import counted
from landbridge.errors import Exit
from landbridge.facts import Attempt, Commitment, Released, Verdict
from landbridge.wiring import choice

if TYPE_CHECKING:
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.world import Cloud


class Step(StrEnum):
    """Part of a run, for teams that schedule the halves as jobs of their own."""

    ALL = "all"
    GENERATE = "generate"
    VALIDATE = "validate"
    PROMOTE = "promote"


def run(
    feed: Annotated[str, typer.Argument(help="Name of the feed.")],
    date: DateOption = "",
    environment: EnvironmentOption = "",
    early: Annotated[bool, typer.Option("--early", help="Run a slot before its scheduled time.")] = False,
    step: Annotated[Step, typer.Option("--step", help="Run only this part, as a job of its own.")] = Step.ALL,
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every event.")] = False,
) -> int:
    """Generate, stage, validate and promote one slot of a feed.

    Safe to run twice, to run twice at once, and to run again after any crash: a slot gets one verdict.
    Exit code 65 means that the data broke its contract: the file is in quarantine, and nothing was released.

    Example: landbridge run verifications --date 2026-11-20 --twin
    """
    declaration = wiring.declaration(project, only=feed)
    place = wiring.environment_of(declaration, environment)
    declared = choice.feed_of(declaration, feed, place)
    if nothing := wiring.no_slot_because(declaration, declared, date):
        return _say_nothing_due(feed, nothing, as_json=as_json)
    slot = wiring.slot_due(declaration, declared, date, early=early)
    wiring.log(verbose=verbose, feed=feed, slot=str(slot), environment=place)
    with progress(quiet=as_json) as bars:
        cloud = wiring.cloud(declaration, place, twin=twin, progress=bars)
        outcome = _do(step, declared, slot, cloud)
    return _say(outcome, as_json=as_json)


def _do(step: Step, feed: Feed, slot: Slot, cloud: Cloud) -> Attempt | Commitment | Released:
    match step:
        case Step.ALL:
            return story.run(feed, slot, cloud)
        case Step.GENERATE:
            return jobs.run_generate(feed, slot, cloud)
        case Step.VALIDATE:
            return jobs.run_validate(feed, slot, cloud)
        case Step.PROMOTE:
            return jobs.run_promote(feed, slot, cloud)
        case _:
            assert_never(step)


def _say(outcome: Attempt | Commitment | Released, *, as_json: bool) -> int:
    if as_json:
        print_json({"outcome": type(outcome).__name__.lower(), **_plain(outcome)})
    else:
        _print(outcome)
    commitment = outcome.commitment if isinstance(outcome, Released) else outcome
    broken = isinstance(commitment, Commitment) and commitment.verdict in {Verdict.QUARANTINE, Verdict.REJECT}
    return Exit.DATA if broken else Exit.DONE


def _say_nothing_due(feed: str, why: str, *, as_json: bool) -> int:
    if as_json:
        print_json({"outcome": "nothing", "feed": feed, "because": why})
    else:
        out().print(f"{feed} has no slot at the time of this job: {why}; nothing to do", highlight=False)
    return Exit.DONE


def _plain(outcome: Attempt | Commitment | Released) -> dict[str, object]:
    match outcome:
        case Attempt(staged, run_id):
            return {
                "slot": str(staged.slot),
                "staged": str(staged.at),
                "content": staged.content,
                "run_id": run_id,
            }
        case Commitment():
            return {"slot": str(outcome.slot), "commitment": outcome}
        case Released(commitment, at, manifest, copies):
            return {
                "slot": str(commitment.slot),
                "at": str(at),
                "manifest": str(manifest),
                "copies": [str(copy) for copy in copies],
                "commitment": commitment,
            }
        case _:
            assert_never(outcome)


def _print(outcome: Attempt | Commitment | Released) -> None:
    match outcome:
        case Attempt(staged):
            print_pairs(
                f"{staged.slot} is staged", {"at": str(staged.at), "rows": f"{staged.content.rows:,}"}
            )
            tip(f"next: landbridge run {staged.slot.feed} --date {staged.slot.occurrence} --step validate")
        case Released(commitment, at, _, copies):
            content = commitment.delivered
            print_pairs(
                f"{commitment.slot} is released",
                {
                    "file": str(at),
                    "rows": f"{content.rows:,}",
                    "size": f"{counted(content.size, 'byte')}",
                    "sha256": content.sha256,
                    **({"copies": ", ".join(map(str, copies))} if copies else {}),
                    "verdict of": f"{commitment.committed_at:%Y-%m-%d %H:%M:%S} UTC by {commitment.actor} ({commitment.run_id})",
                },
            )
            tip("next: landbridge collect")
        case Commitment(verdict=Verdict.QUARANTINE):
            print_breach(outcome)
        case Commitment(verdict=Verdict.REJECT | Verdict.WAIVE):
            waived = outcome.verdict is Verdict.WAIVE
            print_pairs(
                f"{outcome.slot} is {'waived: no file is needed' if waived else 'in quarantine, and rejected'}; nothing to do",
                {"decided by": f"{outcome.actor}: {outcome.reason}"},
            )
            tip(f"to make its file anew: landbridge redrive {outcome.slot} --reason ...")
        case Commitment(verdict=Verdict.SKIP):
            print_pairs(
                f"{outcome.slot} is skipped: its sources gave no rows", {"recorded by": outcome.actor}
            )
        case Commitment():
            print_pairs(
                f"{outcome.slot} is validated",
                {"staged": str(outcome.staged), "rows": f"{outcome.plain.rows:,}"},
            )
            tip(f"next: landbridge run {outcome.slot.feed} --date {outcome.slot.occurrence} --step promote")
