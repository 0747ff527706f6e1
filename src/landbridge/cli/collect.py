"""`landbridge collect`: bring what is released to the share, and send the receipts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import collect as story
from landbridge import wiring
from landbridge.cli.options import (
    HERE,
    LOOK_BACK,
    EnvironmentOption,
    JsonOption,
    ProjectFolder,
    TwinOption,
    day_of,
    duration_of,
)
from landbridge.cli.outcomes import exit_of, plain, print_outcomes
from landbridge.cli.output import err, print_error, print_json, progress, tip
from landbridge.errors import Exit, LandbridgeError, NotYet, UsageError
from landbridge.released import State, offered
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from landbridge.awaiting import Awaited
    from landbridge.facts import Slot
    from landbridge.project import Declaration
    from landbridge.released import Outcome
    from landbridge.world import Ground


def collect(
    feed: Annotated[
        list[str] | None,
        typer.Option("--feed", "-f", metavar="FEED", help="Only this feed; may be given several times."),
    ] = None,
    since: Annotated[str, typer.Option(help="First business date looked at; 45 days ago without it.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Go on collecting until interrupted.")] = False,
    until_deadline: Annotated[
        bool,
        typer.Option(
            "--until-deadline",
            help="Go on while a slot is due and its deadline is not past, until it has landed, or is waived or skipped. For schedulers.",
        ),
    ] = False,
    scheduled: Annotated[
        str,
        typer.Option(
            help="With --until-deadline: wait for this slot alone, by the time of its schedule (20261120, or an instant); 75 when its file does not come."
        ),
    ] = "",
    ask_ledger: Annotated[
        bool,
        typer.Option(
            "--ask-ledger",
            help="With --until-deadline: ask the ledger, and not the SFTP server, whether a slot was waived or skipped; this host needs AWS credentials that may read it.",
        ),
    ] = False,
    every: Annotated[str, typer.Option(help="How often to look with --watch and --until-deadline.")] = "30s",
    adopt_share: Annotated[
        bool,
        typer.Option(
            "--adopt-share",
            help="Mark the share as ours, once; or begin a new journal when the old one is lost. Collects nothing.",
        ),
    ] = False,
    deliver: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SLOT",
            help="FEED/OCCURRENCE: it was not delivered before the journal was lost; deliver it.",
        ),
    ] = None,
    delivered: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SLOT",
            help="FEED/OCCURRENCE: it was delivered before the journal was lost; do not deliver it.",
        ),
    ] = None,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Bring what is released to the share, check it, and send the receipts.

    Safe to run twice, on several hosts, and to interrupt: the next run goes on. A new share is adopted once with
    --adopt-share. Exit code 76 means that something is not what the evidence says: it was not landed.

    Example: landbridge collect --feed verifications --since 2026-11-01
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    if watch and until_deadline:
        raise UsageError("`--watch` never ends", expected="either `--watch` or `--until-deadline`")
    if ask_ledger and not until_deadline:
        raise UsageError(
            "`--ask-ledger` is about what a collection waits for", expected="`--until-deadline` with it"
        )
    named = [choice.feed_of(declaration, name, place) for name in feed or ()]
    if scheduled and not (until_deadline and len(named) == 1):
        raise UsageError(
            "`--scheduled` names one slot that is waited for", expected="one `--feed`, and `--until-deadline`"
        )
    slots = choice.scheduled(declaration, named[0], scheduled, now=wiring.now()) if scheduled else None
    wanted = [one.feed for one in named]
    first = day_of(since, "--since") if since else (wiring.now() - LOOK_BACK).date()
    pause = duration_of(every)
    wiring.log(verbose=False, environment=place)
    if adopt_share:
        return _adopt(declaration, place, twin=twin)
    with progress(quiet=as_json) as bars:
        ground = wiring.ground(declaration, place, twin=twin, progress=bars)
        try:
            _answer(ground, first, deliver or (), deliver=True)
            _answer(ground, first, delivered or (), deliver=False)
            if until_deadline:
                from landbridge.absent import absent
                from landbridge.awaiting import Awaited

                feeds = named or choice.feeds_in(declaration, place)
                decided = (
                    wiring.evidence(declaration, place, twin=twin).ledger.expected
                    if ask_ledger
                    else partial(absent, ground)
                )
                awaited = Awaited(
                    tuple((one, choice.calendar(declaration, one)) for one in feeds),
                    declaration.project.overdue_after,
                    decided,
                )
                return _until_deadline(ground, awaited, slots, pause, as_json=as_json)
            if not watch:
                return _say(story.collect(ground, first, wanted), first, as_json=as_json)
            warned: set[str] = set()
            while True:
                since_now = first if since else (wiring.now() - LOOK_BACK).date()
                _pass(ground, since_now, wanted, warned, as_json=as_json)
                ground.clock.sleep(pause.total_seconds())
        finally:
            ground.remote.close()
            ground.share.close()


def _until_deadline(
    ground: Ground,
    awaited: Awaited,
    slots: Sequence[Slot] | None,
    pause: timedelta,
    *,
    as_json: bool,
) -> int:
    from landbridge.awaiting import Look, collect_slots, collect_until_deadline

    said: set[tuple[str, int, str]] = set()

    def tell(outcomes: Sequence[Outcome]) -> int:
        """Say what a pass did; what it refused as the pass before did is in every document, and but once among the lines."""
        refused = {
            (one.what, one.revision, f"{one.error}")
            for one in outcomes
            if one.warning or (one.error and not one.error.retry)
        }
        fresh = [one for one in outcomes if as_json or (one.what, one.revision, f"{one.error}") not in said]
        said.clear()
        said.update(refused)
        if fresh:
            _say(fresh, (wiring.now() - LOOK_BACK).date(), as_json=as_json)
        return exit_of(outcomes)

    def refused(error: LandbridgeError) -> None:
        print_error(error, as_json=as_json)

    without: set[str] = set()

    def no_file(outcome: Outcome) -> None:
        if outcome.what not in without:
            without.add(outcome.what)
            _say([outcome], (wiring.now() - LOOK_BACK).date(), as_json=as_json)

    look = Look(LOOK_BACK, pause, tell, refused, no_file)
    if slots is None:
        return collect_until_deadline(ground, awaited, look)
    code = collect_slots(ground, awaited, slots, look)
    if code == Exit.TRY_AGAIN:
        names = ", ".join(str(slot) for slot in slots)
        hint = (
            "a later run collects it; where the ledger can be read, `landbridge status` tells why it is late"
        )
        refused(NotYet(f"{names}: no file has landed by the deadline", hint=hint))
    return code


def _adopt(declaration: Declaration, place: str, *, twin: bool) -> int:
    with progress(quiet=True) as bars:
        wiring.share(declaration, place, twin=twin, progress=bars).adopt()
    err().print(f"the share of {place} is adopted")
    tip(f"next: landbridge collect --environment {place}")
    return Exit.DONE


def _pass(ground: Ground, since: date, feeds: Sequence[str], warned: set[str], *, as_json: bool) -> None:
    """Collect once while watching: what a later pass may mend is said and not raised, and a warning is said once."""
    try:
        outcomes = [
            one for one in story.collect(ground, since, feeds) if not one.warning or one.warning not in warned
        ]
        warned.update(one.warning for one in outcomes if one.warning)
        if outcomes:
            _say(outcomes, since, as_json=as_json)
        if any(outcome.state in {State.FAILED, State.UNRECEIPTED} for outcome in outcomes):
            ground.share.close()
    except LandbridgeError as error:
        if not error.retry:
            raise
        print_error(error, as_json=as_json)
        ground.share.close()


def _answer(ground: Ground, since: date, slots: Sequence[str], *, deliver: bool) -> None:
    if not slots:
        return
    known = {f"{one.feed}/{one.occurrence}": one for one in offered(ground, since).manifests}
    for slot in slots:
        if slot not in known:
            raise UsageError(
                f"{slot} does not wait for an answer",
                expected=f"one of {', '.join(sorted(known)) or 'no slots: everything is on record'}",
                hint="give `--since` when it is older than 45 days",
            )
        ground.share.answer(known[slot], deliver=deliver)


def _say(outcomes: Sequence[Outcome], since: date, *, as_json: bool) -> int:
    code = exit_of(outcomes)
    if as_json:
        print_json({"outcomes": [plain(outcome) for outcome in outcomes], "exit": int(code)})
        return code
    if not outcomes:
        err().print(
            f"nothing to collect: everything released for business dates from {since} is on the share",
            style="dim",
        )
        return code
    print_outcomes(outcomes)
    return code
