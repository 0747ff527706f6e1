"""`landbridge land`: verify and land what Control-M or another mover has put into the holding folder."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import land as story
from landbridge import wiring
from landbridge.absent import absent
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
from landbridge.cli.outcomes import exit_of, plain, print_errors
from landbridge.cli.output import Silent, err, print_json
from landbridge.counted import counted
from landbridge.errors import Exit, LandbridgeError, UsageError
from landbridge.held import Wanted
from landbridge.released import Outcome, State
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.feed import Feed
    from landbridge.held import Decided
    from landbridge.ports import Holding
    from landbridge.project import Declaration
    from landbridge.world import Ground

_EACH = 3
"""Up to so many slots are told one by one on the line of summary, more of them by their number."""
_UNASKED = " (late or quarantined: only the ledger tells, --ask-ledger)"
"""Behind a slot without a manifest: a quarantine shows nothing of its file on the SFTP server."""
_PAUSE = timedelta(seconds=10)
"""Between two looks of `--wait`."""


def land(
    feed: Annotated[
        list[str] | None,
        typer.Option("--feed", "-f", metavar="FEED", help="Only this feed; may be given several times."),
    ] = None,
    date: Annotated[
        str,
        typer.Option(
            "--date", "-d", help="The slot of each feed that must land: a business date, or an instant."
        ),
    ] = "",
    scheduled: Annotated[
        str,
        typer.Option(
            help="The same by the time of the schedule: a day (20261120, as Control-M's order date), or an instant."
        ),
    ] = "",
    since: Annotated[str, typer.Option(help="First business date looked at; 45 days ago without it.")] = "",
    wait: Annotated[
        str, typer.Option(help="Look again for so long while the file is not there or whole.")
    ] = "",
    ask_ledger: Annotated[
        bool,
        typer.Option(
            "--ask-ledger",
            help="Tell a slot that is in quarantine from one that is late; this host needs AWS credentials that may read the ledger.",
        ),
    ] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the holding folder of each feed, once. Lands nothing.")
    ] = False,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Verify what a mover has put into the holding folder against the server's manifest, land it, and send the receipt.

    Safe to run twice, on several hosts, beside `collect`, and to interrupt. Of a slot that is named nothing less
    than its landing is 0, unless it was waived or skipped; exit code 75 means that its file is not there yet, 76 that it is not what was released.

    Example: landbridge land --environment PRD --feed flights --scheduled 20261120 --wait 5m
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    feeds = [choice.feed_of(declaration, name, place) for name in dict.fromkeys(feed or ())]
    wiring.log(verbose=False, environment=place)
    holding = wiring.holding(declaration, place, twin=twin, progress=Silent())
    if prepare:
        return _prepare(holding, [one.feed for one in feeds or choice.feeds_in(declaration, place)], place)
    try:
        wanted, skipped = _wanted(declaration, feeds, holding, date=date, scheduled=scheduled, since=since)
        part = f"land.{feeds[0].feed}" if len(feeds) == 1 else "land"
        outcomes = list(skipped)
        if wanted.feeds:
            ground = wiring.ground(declaration, place, twin=twin, progress=Silent(), part=part)
            try:
                asked = _ledger(declaration, place, twin=twin) if ask_ledger else partial(absent, ground)
                patience = duration_of(wait) if wait else timedelta()
                outcomes += _landed(ground, holding, wanted, asked, patience)
            finally:
                ground.remote.close()
                ground.share.close()
    except LandbridgeError as error:
        _print_line(place, f"failed: {error}", error.exit, as_json=as_json)
        raise
    except KeyboardInterrupt:  # SIGTERM as well
        _say_interrupted(place, as_json=as_json)
        raise
    return _say(outcomes, _left(holding, wanted), place, asked=ask_ledger, as_json=as_json)


def _prepare(holding: Holding, feeds: Sequence[str], place: str) -> int:
    holding.prepare(feeds)
    err().print(
        f"the holding folder of {place} has a folder for each of {', '.join(feeds)}\n"
        "next: let the mover's account write there, and landbridge's remove what landed"
    )
    return Exit.DONE


def _wanted(
    declaration: Declaration,
    feeds: Sequence[Feed],
    holding: Holding,
    *,
    date: str,
    scheduled: str,
    since: str,
) -> tuple[Wanted, list[Outcome]]:
    """Give what is to land, and what the schedule says there is nothing of."""
    now = wiring.now()
    first = day_of(since, "--since") if since else (now - LOOK_BACK).date()
    if not date and not scheduled:
        names = tuple(one.feed for one in feeds) or tuple(
            name for name in holding.feeds() if name in declaration.feeds
        )
        return Wanted(names, first), []
    if not feeds or (date and scheduled):
        raise UsageError(
            "which slot of which feed?", expected="`--feed`, and either `--date` or `--scheduled`"
        )
    slots, skipped = [], []
    for feed in feeds:
        found = (
            [choice.slot_of(declaration, feed, date, now=now)]
            if date
            else choice.scheduled(declaration, feed, scheduled, now=now)
        )
        slots += found
        if not found:
            skipped.append(Outcome(f"{feed.feed} at {scheduled}", 0, State.SKIPPED))
    names = tuple(dict.fromkeys(slot.feed for slot in slots))
    return Wanted(names, min([first, *(slot.business_date for slot in slots)]), tuple(slots)), skipped


def _ledger(declaration: Declaration, place: str, *, twin: bool) -> Decided:
    return wiring.evidence(declaration, place, twin=twin).ledger.expected


def _landed(
    ground: Ground, holding: Holding, wanted: Wanted, decided: Decided, patience: timedelta
) -> list[Outcome]:
    """Land, and again as long as `patience` lasts and more may come of it."""
    until = ground.clock.now() + patience
    while True:
        left = until - ground.clock.now()
        try:
            outcomes = story.land(ground, holding, wanted, decided)
        except LandbridgeError as error:
            if not error.retry or left <= timedelta():
                raise
        else:
            if left <= timedelta() or not any(one.error and one.error.retry for one in outcomes):
                return outcomes
        ground.share.close()
        ground.clock.sleep(min(_PAUSE, max(left, timedelta())).total_seconds())


def _left(holding: Holding, wanted: Wanted) -> list[str]:
    try:
        return [f"{feed}/{name}" for feed in wanted.feeds for name in holding.names(feed)]
    except LandbridgeError:
        return []  # said before, if it mattered


def _say(outcomes: Sequence[Outcome], left: Sequence[str], place: str, *, asked: bool, as_json: bool) -> int:
    code = exit_of(outcomes)
    told = _told([one for one in outcomes if one.state is not State.STRANGE])
    if not asked and any(one.state is State.NOT_RELEASED for one in outcomes):
        told += _UNASKED
    told += "".join(f"; strange: {one.what}" for one in outcomes if one.state is State.STRANGE)
    if left:
        told += f"; left in holding: {_some(left)}"
    if as_json:
        document = {"outcomes": [plain(outcome) for outcome in outcomes], "left": list(left)}
        print_json({**document, "summary": _line(place, told, code), "exit": int(code)})
        return code
    print_errors(outcomes)
    _print_line(place, told, code, as_json=False)
    return code


def _say_interrupted(place: str, *, as_json: bool) -> None:
    told = "interrupted; the same command carries on where it stopped"
    if as_json:
        line = _line(place, told, Exit.INTERRUPTED)
        print_json({"outcomes": [], "left": [], "summary": line, "exit": int(Exit.INTERRUPTED)})
    _print_line(place, told, Exit.INTERRUPTED, as_json=as_json)


def _told(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "nothing in holding that waits to be landed"
    if len(outcomes) > _EACH:
        return ", ".join(f"{n} {state.value}" for state, n in Counter(one.state for one in outcomes).items())
    return ", ".join(
        one.what
        + (f" revision {one.revision}" if one.revision else "")
        + f" {one.state.value}"
        + (f" ({one.path}, {counted(one.size, 'byte')})" if one.path else "")
        for one in outcomes
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _EACH} more" if len(names) > _EACH else ""
    return ", ".join(f"{name!r:.120}" for name in names[:_EACH]) + more


def _print_line(place: str, told: str, code: Exit, *, as_json: bool) -> None:
    if not as_json:
        typer.echo(_line(place, told, code))


def _line(place: str, told: str, code: Exit) -> str:
    """Give the one line for a scheduler's log; nothing that came from elsewhere can break it in two."""
    return " ".join(f"landbridge land {place}: {told}; exit {int(code)}".split())
