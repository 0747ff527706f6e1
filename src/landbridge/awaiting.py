"""How long does a collection go on, when a scheduler starts it at the time of a slot?

Until nothing is awaited any more: every slot of the feeds that is due has landed, was refused, or is waived or skipped, or its window
has ended (deadline), or the scheduler is about to start the next run, which takes over what is still open. Started with nothing due, on a holiday
or an hour early, it collects once and ends: whoever cannot tell when a slot is due may start it too often. What such a pass met and
may pass is tried again for a quarter of an hour: so a code that may pass, at the end of a run, has stayed, and can be told at once.

A scheduler that has a job for each slot (Control-M) names the slot: its run waits for that one alone, hands over to nobody, and its
code tells whether that one has landed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.collect import collect
from landbridge.errors import Exit, IntegrityBroken, LandbridgeError
from landbridge.facts import OWES_NOTHING
from landbridge.held import ENDED_AS
from landbridge.released import Outcome, State
from landbridge.schedule import next_slots, open_slots, window_end

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from landbridge.facts import Absence, Commitment, Slot
    from landbridge.feed import Feed
    from landbridge.held import Decided
    from landbridge.schedule import Calendar
    from landbridge.world import Ground

CLOCKS_DIFFER = timedelta(minutes=1)
"""A scheduler on another machine may start a run a little before this machine's clock has come so far."""
PATIENCE = timedelta(minutes=15)
"""A run goes on for at least so long before it ends with a code that may pass."""
_MAY_PASS = frozenset({Exit.UNAVAILABLE, Exit.CANNOT_CREATE, Exit.IO, Exit.TRY_AGAIN})


@dataclass(frozen=True, slots=True)
class Awaited:
    """The feeds whose files a run waits for."""

    feeds: tuple[tuple[Feed, Calendar], ...]
    overdue_after: timedelta
    """A slot without a deadline is awaited so long after its time."""
    decided: Decided
    """What is on record of a slot: a file that a person waived, or that was skipped, is not awaited."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one pass of a waiting collection is made and told."""

    back: timedelta
    """Business dates from so long ago are looked at."""
    pause: timedelta
    """Between two passes."""
    tell: Callable[[Sequence[Outcome]], int]
    """Tells what a pass did, and gives its exit code."""
    refused: Callable[[LandbridgeError], None]
    """Tells a mistake that the next pass may mend."""
    no_file: Callable[[Outcome], None]
    """Tells of a slot that is not awaited: its file will not come, or what says so cannot be trusted; may be told of the same one again."""


def collect_until_deadline(ground: Ground, awaited: Awaited, look: Look) -> int:
    """Collect again and again until nothing is awaited; give the exit code of the last pass.

    What is refused and is not awaited is told and keeps its code; it keeps nobody from waiting. An awaited slot that is
    refused is not waited for any longer. After a last pass that failed as a whole, what the pass before it refused counts.
    A code that may pass is the end only of a run that has lasted `PATIENCE`, or whose next one is about to start.

    Between two passes the share is given back, so that other collections of this host get their turn.

    Raises:
        LandbridgeError: what no later pass can mend.
    """
    started = ground.clock.now()
    refused = _Refused()
    while True:
        code = _pass(ground, awaited, look, refused)
        now = ground.clock.now()
        due_by = max(now, started + CLOCKS_DIFFER)
        left = _left(ground, awaited, due_by, now, look, refused)
        if not left and code in _MAY_PASS and not _taken_over(awaited, due_by, now, look.pause):
            left = tuple(rest for rest in (started + PATIENCE - now,) if rest > timedelta())
        if not left:
            return code or refused.code
        ground.share.close()
        ground.clock.sleep(min(look.pause, *left).total_seconds())


def collect_slots(ground: Ground, awaited: Awaited, slots: Sequence[Slot], look: Look) -> int:
    """Collect again and again until each of these slots has landed, was refused or its window has ended; with no slots, once.

    Gives 0 when they have landed, or none is owed, whoever landed them and whatever else was refused on the way; TRY_AGAIN when nothing
    came. Started after the end of its window a slot is awaited as long again, so that a job that
    is run again ends well with a file that comes late. However old it is, its own day is looked at, and none between. Between two passes the share is given back.

    Raises:
        LandbridgeError: what no later pass can mend.
    """
    started = ground.clock.now()
    days = {slot.business_date for slot in slots}
    ends = {slot: _end_of_wait(slot, awaited.overdue_after, started) for slot in slots}
    refused = _Refused()
    troubled: datetime | None = None
    while True:
        since = (ground.clock.now() - look.back).date()
        try:
            outcomes = collect(ground, since, [feed.feed for feed, _ in awaited.feeds], days)
        except LandbridgeError as error:
            if not error.retry:
                raise
            look.refused(error)
            code = own = int(error.exit)
        else:
            code = look.tell(outcomes)
            errors = [(one.what, one.error) for one in outcomes if one.error]
            refused = _Refused(tuple(what for what, error in errors if not error.retry))
            named = _Refused(tuple(what for what, _ in errors))
            own = code if not slots or any(named.has(slot) for slot in slots) else int(Exit.DONE)
        now = ground.clock.now()
        away = [slot for slot in slots if not _over(ground, awaited, slot, look, refused)]
        left = [ends[slot] - now for slot in away if not refused.has(slot)]
        if (
            not away and own in _MAY_PASS
        ):  # its receipt may not be sent yet, or another run of this host is at it
            troubled = troubled or now
            left = [troubled + PATIENCE - now]
        left = [one for one in left if one > timedelta()]
        if not left:
            return (code or refused.code or int(Exit.TRY_AGAIN)) if away else own
        ground.share.close()
        ground.clock.sleep(min(look.pause, *left).total_seconds())


def _end_of_wait(slot: Slot, overdue_after: timedelta, started: datetime) -> datetime:
    end = window_end(slot, overdue_after)
    return end if end > started else started + (end - slot.scheduled_at)


@dataclass(slots=True)
class _Refused:
    """What the last pass that could look has met and no later pass can mend; a person may."""

    names: tuple[str, ...] = ()
    code: int = Exit.DONE

    def add(self, slot: Slot, error: LandbridgeError) -> None:
        """Note that what is on record of a slot is not to be trusted."""
        self.names = (*self.names, str(slot))
        self.code = self.code or int(error.exit)

    def has(self, slot: Slot) -> bool:
        """Tell whether it is this slot's file, or a manifest of it that is not to be trusted."""
        own, of_manifest = f"{slot.feed}/{slot.occurrence}", f"{slot.feed}.{slot.occurrence}."
        return any(name == own or name.startswith(of_manifest) for name in self.names)


def _pass(ground: Ground, awaited: Awaited, look: Look, refused: _Refused) -> int:
    """Collect once, and renew what is refused."""
    since = (ground.clock.now() - look.back).date()
    try:
        outcomes = collect(ground, since, [feed.feed for feed, _ in awaited.feeds])
    except LandbridgeError as error:
        if not error.retry:
            raise
        look.refused(error)
        return refused.code or error.exit
    code = look.tell(outcomes)
    refused.names = tuple(one.what for one in outcomes if one.error and not one.error.retry)
    refused.code = code if refused.names else Exit.DONE
    return code


def _left(
    ground: Ground, awaited: Awaited, due_by: datetime, now: datetime, look: Look, refused: _Refused
) -> tuple[timedelta, ...]:
    """Give the time that each slot that this run still waits for has left."""
    left = []
    for feed, calendar in awaited.feeds:
        if _next_run_starts(feed, calendar, due_by, now, look.pause):
            continue  # it takes over what is open
        left += [
            window_end(slot, awaited.overdue_after) - now
            for slot in open_slots(feed, calendar, awaited.overdue_after, due_by)
            if not refused.has(slot)
            and not _over(ground, awaited, slot, look, refused)
            and not refused.has(slot)  # what was said of it just now may not be believed
        ]
    return tuple(left)


def _taken_over(awaited: Awaited, due_by: datetime, now: datetime, pause: timedelta) -> bool:
    """Tell whether a scheduler is about to start the next run: it starts none beside one that still goes on."""
    return any(_next_run_starts(feed, calendar, due_by, now, pause) for feed, calendar in awaited.feeds)


def _next_run_starts(
    feed: Feed, calendar: Calendar, due_by: datetime, now: datetime, pause: timedelta
) -> bool:
    following = next(next_slots(feed, calendar, due_by + timedelta(seconds=1)), None)
    return following is not None and following.scheduled_at - now <= pause


def _over(ground: Ground, awaited: Awaited, slot: Slot, look: Look, refused: _Refused) -> bool:
    """Ask the share whether a slot's file has landed, and the record whether one is owed; who cannot tell now is asked at the next pass."""
    try:
        if ground.share.landed(slot.feed, slot.occurrence, slot.business_date) is not None:
            return True
        known = _asked(awaited, slot)
    except LandbridgeError as error:
        if not error.retry:
            raise
        return False
    if isinstance(known, IntegrityBroken):
        refused.add(slot, known)
        look.no_file(Outcome(str(slot), 0, State.REFUSED, error=known))
        return False
    if known is None or known.verdict not in OWES_NOTHING:
        return False
    look.no_file(Outcome(str(slot), known.revision, ENDED_AS[known.verdict]))
    return True


def _asked(awaited: Awaited, slot: Slot) -> Commitment | Absence | IntegrityBroken | None:
    try:
        return awaited.decided(slot)
    except IntegrityBroken as error:  # of this slot alone: the others are awaited as ever
        return error
