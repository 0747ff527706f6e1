"""Where do all slots of some days stand? Expected by the schedule, known from the ledger and the receipts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken
from landbridge.facts import Verdict
from landbridge.ledger import manifest_for, receipt_in
from landbridge.naming import manifest_key
from landbridge.schedule import Calendar, slots
from landbridge.standing import Known, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from landbridge.facts import Commitment, Failure, Receipt, Slot
    from landbridge.feed import Feed
    from landbridge.ledger.book import SlotEntries
    from landbridge.project import Project
    from landbridge.world import Evidence

_AROUND = timedelta(days=40)
"""A business date lies at most this far before its scheduled day (schedule.py)."""
_AT_ONCE = 16
"""Small reads under way together; each is one round trip."""


def survey(
    project: Project, feeds: Iterable[Feed], since: date, until: date, evidence: Evidence, now: datetime
) -> list[Standing]:
    """Judge every slot with a business date in [since, until], by date, feed and time."""
    wanted = {feed.feed: feed for feed in feeds}
    expected = {
        (slot.feed, slot.occurrence): slot
        for feed in wanted.values()
        for slot in _expected(project, feed, since, until)
    }
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        entries = [one for day in pool.map(evidence.ledger.day, days) for one in day if one.feed in wanted]
        newest = [one.newest for one in entries if one.newest]
        before = [one.commitments[:-1] for one in entries if one.newest]
        found = pool.map(lambda last, others: known_of(last, evidence, others), newest, before)
        known = {_name(one.slot): seen for one, seen in zip(newest, found, strict=True)}
        stopped = [one for one in entries if one.failures and _is_open(known.get((one.feed, one.occurrence)))]
        for one, failed in zip(stopped, pool.map(lambda one: _failed(one, evidence), stopped), strict=True):
            name = (one.feed, one.occurrence)
            known[name] = _with(known.get(name, Known()), failed)
    for one in entries:
        if one.unreadable:
            name = (one.feed, one.occurrence)
            known[name] = replace(known.get(name, Known()), doubt=one.unreadable[0])
    unexpected = {_name(c.slot): c.slot for c in newest if _name(c.slot) not in expected}
    judged = [
        standing(
            slot,
            known.get(name, Known()),
            now=now,
            missing_after=project.overdue_after,
            scheduled=name in expected,
        )
        for name, slot in {**expected, **unexpected}.items()
    ]
    return sorted(judged, key=lambda one: (one.slot.business_date, one.slot.feed, one.slot.scheduled_at))


def known_of(commitment: Commitment, evidence: Evidence, before: Sequence[Commitment] = ()) -> Known:
    """Look up how far a committed revision came, and which of those `before` it have landed."""
    slot, revision = commitment.slot, commitment.revision
    released = evidence.reports.head(manifest_key(slot, revision)) is not None
    known = Known(commitment, released=released)
    try:
        earlier = [receipt_of(one, evidence) for one in before if one.verdict is Verdict.RELEASE]
        known = replace(known, earlier=tuple(receipt for receipt in earlier if receipt))
        return replace(known, receipt=receipt_of(commitment, evidence)) if released else known
    except IntegrityBroken as error:
        return replace(known, doubt=error.what)


def in_force(history: Sequence[Commitment], evidence: Evidence) -> Commitment:
    """Give the revision of a slot that one means who names no other: whose file the consumer has and is to go by, else the newest.

    Raises:
        IntegrityBroken: a receipt that would tell does not hold.
    """
    *before, newest = history
    if newest.verdict is Verdict.RELEASE:
        return newest
    known = known_of(newest, evidence, before)
    if known.doubt:
        raise IntegrityBroken(
            f"what is on record of {newest.slot} cannot be believed",
            seen=known.doubt,
            hint=f"`landbridge trace {newest.slot}` shows every hop; `--revision` names a revision",
        )
    landed = known.in_force
    return next((one for one in history if landed and one.revision == landed.revision), newest)


def receipt_of(commitment: Commitment, evidence: Evidence) -> Receipt | None:
    """Give the first receipt that holds for a revision: signed by a known collector, about these very bytes.

    Raises:
        IntegrityBroken: something was sent, and nothing of it holds.
    """
    manifest = manifest_for(commitment, evidence.ledger.digest(commitment))
    return receipt_in(evidence.reports, manifest, evidence.receipt_keys)


def _is_open(known: Known | None) -> bool:
    """Tell whether a run of the slot has something left to do."""
    if known is None or known.commitment is None:
        return True
    return known.commitment.verdict is Verdict.RELEASE and not known.released


def _failed(entry: SlotEntries, evidence: Evidence) -> Failure | str:
    """Give the last attempt that failed, or why its record cannot be believed."""
    try:
        return evidence.ledger.failure(entry.failures[-1])
    except IntegrityBroken as error:
        return error.what


def _with(known: Known, failed: Failure | str) -> Known:
    if isinstance(failed, str):
        return replace(known, doubt=known.doubt or failed)
    since = known.commitment.committed_at if known.commitment else failed.failed_at
    return replace(known, failed=failed) if failed.failed_at >= since else known


def _expected(project: Project, feed: Feed, since: date, until: date) -> list[Slot]:
    name = feed.schedule.calendar
    calendar = Calendar(project.calendars[name] if name else None)
    begin = datetime.combine(since, time(), UTC) - timedelta(days=1)
    end = datetime.combine(until, time(), UTC) + _AROUND
    return [slot for slot in slots(feed, calendar, begin, end) if since <= slot.business_date <= until]


def _name(slot: Slot) -> tuple[str, str]:
    return slot.feed, slot.occurrence
