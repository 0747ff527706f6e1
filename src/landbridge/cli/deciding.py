"""What do all commands with which a person decides about a slot ask, and how is the decision told?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.output import err, print_json, print_pairs, progress, tip
from landbridge.counted import counted
from landbridge.decisions import LONGEST_REASON, reasoned
from landbridge.errors import Exit, UsageError
from landbridge.facts import Released, Verdict
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.decisions import Decided
    from landbridge.facts import Commitment, Slot
    from landbridge.feed import Feed
    from landbridge.world import Cloud

SlotArgument = Annotated[str, typer.Argument(metavar="SLOT", help="The slot: flights/2026-11-20.")]
ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason",
        help=f"Why, for the record: a sentence of at most {LONGEST_REASON} characters. Required.",
        show_default=False,
    ),
]
ActorOption = Annotated[
    str,
    typer.Option(
        "--actor", help="Who decides, for the record; LANDBRIDGE_ACTOR, or the user and host, without it."
    ),
]
_LONGEST_ACTOR = 200


@contextmanager
def deciding(
    what: str,
    reason: str,
    actor: str,
    *,
    early: bool = True,
    project: Path,
    environment: str,
    twin: bool,
    quiet: bool,
) -> Iterator[tuple[Feed, Slot, Cloud]]:
    """Lend what a decision about the slot `what` stands on, in the name of `actor`.

    Not `early`: only about a slot whose time has come. What was decided about any other is known to exist.

    Raises:
        UsageError: no such slot (says the nearest one), its time has not come, or no reason.
    """
    why = reasoned(reason)
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    name, _, occurrence = what.partition("/")
    if not occurrence:
        raise UsageError(
            f"which slot is `{what}`?",
            expected="FEED/OCCURRENCE, for instance flights/2026-11-20",
            hint="see `landbridge status`",
        )
    feed = choice.feed_of(declaration, name, place)
    slot = choice.slot_of(declaration, feed, occurrence, now=wiring.now())
    slot = choice.due(slot, wiring.now(), early=early)
    wiring.log(verbose=False, feed=feed.feed, slot=str(slot), environment=place)
    with progress(quiet=quiet) as bars:
        cloud = wiring.cloud(declaration, place, twin=twin, progress=bars)
        yield feed, slot, replace(cloud, actor=actor_of(actor) or cloud.actor, reason=why)


def actor_of(text: str) -> str:
    """Give a name back that goes on record.

    Raises:
        UsageError: it is not one line of at most 200 printable characters.
    """
    name = text.strip()
    if len(name) > _LONGEST_ACTOR or not name.isprintable():
        raise UsageError(
            "`--actor` is no name", expected=f"one line of at most {_LONGEST_ACTOR} printable characters"
        )
    return name


_SAID = {
    Verdict.RELEASE: "is released",
    Verdict.QUARANTINE: "is in quarantine: the data broke its contract",
    Verdict.SKIP: "is skipped: its sources gave no rows",
    Verdict.REJECT: "is rejected: its file in quarantine is never released",
    Verdict.WAIVE: "is waived: no file will come, and none is needed",
}


def say(decided: Decided, reason: str, *, as_json: bool) -> int:
    """Tell how a slot stands after a decision, and give the exit code; `reason` is what was typed now."""
    one = decided.commitment
    if as_json:
        print_json(
            {
                "slot": str(one.slot),
                "revision": one.revision,
                "verdict": one.verdict,
                "ours": decided.ours,
                "actor": one.actor,
                "reason": one.reason,
                "decided_at": one.committed_at,
                "file": str(decided.outcome.at) if isinstance(decided.outcome, Released) else None,
                "commitment": one,
            }
        )
    else:
        _print(decided, one, reason)
    return Exit.DATA if one.verdict is Verdict.QUARANTINE else Exit.DONE


def _print(decided: Decided, one: Commitment, reason: str) -> None:
    by = f"{one.actor} at {one.committed_at:%Y-%m-%d %H:%M:%S} UTC"
    told = {"decided by": by if decided.ours else f"{by}, before this command", "reason": one.reason}
    if one.verdict is Verdict.WAIVE:
        deadline = one.slot.deadline
        told["was due"] = f"{one.slot.scheduled_at:%Y-%m-%d %H:%M} UTC" + (
            f", deadline {deadline:%Y-%m-%d %H:%M} UTC" if deadline else ""
        )
    if isinstance(decided.outcome, Released):
        content = one.delivered
        told |= {
            "file": str(decided.outcome.at),
            "rows": f"{content.rows:,}",
            "size": f"{counted(content.size, 'byte')}",
            "sha256": content.sha256,
        }
    print_pairs(f"{one.slot} revision {one.revision} {_SAID[one.verdict]}", told)
    if not decided.ours and one.reason != reasoned(reason):
        err().print(
            "what was decided before stands: the reason of this command is not on record", style="yellow"
        )
    if isinstance(decided.outcome, Released):
        tip("next: landbridge collect")
    elif one.verdict is Verdict.QUARANTINE:
        tip(f"next: landbridge quarantine show {one.slot}")
