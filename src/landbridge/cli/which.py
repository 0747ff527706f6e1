"""Which commitments does `flights/2026-11-20`, `flights` or a file's name mean, and which one of them is it about?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.facts import Verdict
from landbridge.schedule import slot_named
from landbridge.survey import in_force
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from landbridge.facts import Commitment, Slot
    from landbridge.project import Declaration
    from landbridge.world import Evidence

_LOOK_BACK = 400
"""Days that a feed's newest slot or a file's name is looked for, newest first."""
_AT_ONCE = 16
"""Days looked at together; each is one listing."""


def commitments_of(
    what: str, declaration: Declaration, environment: str, evidence: Evidence, now: datetime
) -> Sequence[Commitment]:
    """Give all revisions of what was meant, the first first.

    Raises:
        UsageError: nothing is on record under this name.
    """
    if slot := slot_meant(what, declaration, environment):
        if found := evidence.ledger.history(slot):
            return found
        raise UsageError(
            f"nothing is decided of {what}", hint=f"landbridge run {slot.feed} --date {slot.occurrence}"
        )
    feed = what
    if feed in declaration.feeds:
        newest = _search(evidence, _days(declaration, feed, now), lambda one: one.slot.feed == feed)
    else:
        newest = _search(evidence, _days(declaration, "", now), lambda one: what in _names(one))
    if newest is None:
        raise UsageError(
            f"nothing is on record for `{what}` in the last {_LOOK_BACK} days",
            expected="a slot `feed/occurrence`, a feed, or a file's name as released or landed",
            hint="see `landbridge status --recorded`; an older slot is found as `feed/occurrence`",
        )
    return evidence.ledger.history(newest.slot)


def slot_meant(what: str, declaration: Declaration, environment: str) -> Slot | None:
    """Give the slot that is named as `feed/occurrence`; None when it is something else that was named."""
    feed, _, occurrence = what.partition("/")
    if not occurrence or feed not in declaration.feeds:
        return None
    declared = choice.feed_of(declaration, feed, environment)
    return slot_named(declared, choice.calendar(declaration, declared), occurrence)


def chosen(what: str, history: Sequence[Commitment], revision: int | None, evidence: Evidence) -> Commitment:
    """Give the revision that was meant: by its number, by its own file's name, else the one in force.

    Raises:
        UsageError: there is no such revision.
        IntegrityBroken: which one is in force cannot be told.
    """
    if revision is not None:
        if revision > len(history):
            raise UsageError(
                f"there is no revision {revision} of {history[-1].slot}",
                expected=f"1 to {len(history)}" if len(history) > 1 else "revision 1, the only one",
            )
        return history[revision - 1]
    named = [one for one in history if one.verdict is Verdict.RELEASE and what in _names(one)]
    return named[0] if len(named) == 1 else in_force(history, evidence)


def beside(about: Commitment, history: Sequence[Commitment]) -> list[str]:
    """Say what was decided after the revision that a command is about."""
    return [
        f"revision {one.revision}: {one.verdict} by {one.actor} at {one.committed_at:%Y-%m-%d %H:%M:%S} UTC"
        + (f": {one.reason}" if one.reason else "")
        for one in history[about.revision :]
    ]


def _names(commitment: Commitment) -> set[str]:
    target = commitment.target
    return {
        target.key,
        target.key.rsplit("/", 1)[-1],
        target.landed_name,
        target.landed_name.rsplit("/", 1)[-1],
    }


def _days(declaration: Declaration, feed: str, now: datetime) -> list[date]:
    ends = [one.schedule.ends for name, one in declaration.feeds.items() if not feed or name == feed]
    last = now.date() if None in ends else min(now.date(), max(end for end in ends if end))
    return [last - timedelta(days=n) for n in range(-1, _LOOK_BACK)]


def _search(
    evidence: Evidence, days: Sequence[date], wanted: Callable[[Commitment], bool]
) -> Commitment | None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for first in range(0, len(days), _AT_ONCE):
            some = pool.map(evidence.ledger.day, days[first : first + _AT_ONCE])
            if found := [one for day in some for entry in day for one in entry.commitments if wanted(one)]:
                return max(found, key=lambda one: one.slot.scheduled_at)
    return None
