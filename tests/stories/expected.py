"""What must have happened at the end of a simulated span? From the declaration and our own schedule, not from what was emitted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.facts import SlotState
from landbridge.schedule import slots
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from landbridge.facts import Slot
    from landbridge.project import Declaration
    from landbridge.twin.chronicle import Happening

LONDON = ZoneInfo("Europe/London")
NO_VERIFICATIONS = (1, 2, 3)
"""Hours (UTC) in which the example's service has nothing: the slot is skipped."""
BROKEN = "screening"
NEWS = frozenset({"late", "service late", "service complete", "alert", "mail", "ended not ok"})
"""What the operators of Control-M see beside jobs that end well."""

News = tuple[str, str, str, str]
"""Feed, step of its jobs, order date, what."""


@dataclass(frozen=True)
class Span:
    """From when to when, and what was late: slots by feed and occurrence."""

    declaration: Declaration
    since: datetime
    until: datetime
    late: Collection[tuple[str, str]]

    def slots(self) -> Iterator[Slot]:
        """Give every slot that was due in it."""
        for feed in choice.feeds_in(self.declaration, "DEV"):
            yield from slots(feed, choice.calendar(self.declaration, feed), self.since, self.until)

    def is_late(self, slot: Slot) -> bool:
        return (slot.feed, slot.occurrence) in self.late

    def is_skipped(self, slot: Slot) -> bool:
        return slot.feed == "summary" and slot.scheduled_at.hour in NO_VERIFICATIONS

    def states(self) -> dict[tuple[str, str], tuple[SlotState, bool]]:
        """Give each slot's end state, and whether it is late."""
        return {(slot.feed, slot.occurrence): self._state(slot) for slot in self.slots()}

    def _state(self, slot: Slot) -> tuple[SlotState, bool]:
        if slot.feed == BROKEN:
            return SlotState.QUARANTINED, False
        if self.is_skipped(slot):
            return SlotState.SKIPPED, False
        return SlotState.DELIVERED, self.is_late(slot)

    def news(self) -> set[News]:
        """Give what Control-M must have told of each slot, and nothing else."""
        found: set[News] = set()
        for slot in self.slots():
            on = f"{_order_date(slot):%Y%m%d}"
            for at, step, whats in self._news(slot):
                if at <= self.until:
                    found |= {(slot.feed, step, on, what) for what in whats}
        return found

    def _news(self, slot: Slot) -> Iterator[tuple[datetime, str, tuple[str, ...]]]:
        feed = self.declaration.feeds[slot.feed]
        if feed.empty == "skip":
            if (self.is_skipped(slot) or self.is_late(slot)) and slot.deadline:
                yield slot.deadline, "WATCH", ("alert",)
        elif slot.feed == BROKEN:
            yield slot.scheduled_at + timedelta(days=1), "WATCH", ("alert", "mail", "ended not ok")
        elif slot.deadline:
            # Delivered twenty minutes after it was due at the latest, or at the next hour after its deadline.
            end = slot.deadline + timedelta(hours=1) if self.is_late(slot) else slot.scheduled_at
            yield end + timedelta(minutes=20), "SLA", ("service complete",)
            if self.is_late(slot):
                yield slot.deadline, "WATCH", ("alert", "mail", "ended not ok")
                yield slot.deadline, "LAND", ("late", "alert")
                yield slot.deadline, "SLA", ("service late", "alert")

    def failed_jobs(self) -> set[tuple[str, datetime]]:
        """Give CronJobs by feed whose Jobs must have failed, by their scheduled time."""
        return {
            (slot.feed, slot.scheduled_at)
            for slot in self.slots()
            if slot.feed == BROKEN or self.is_late(slot)
        }


def news(happened: Iterable[Happening], feeds: Iterable[str]) -> set[News]:
    """Give what Control-M told, in the same words."""
    stems = {feed.upper(): feed for feed in feeds}
    found: set[News] = set()
    for one in happened:
        if one.what in NEWS and one.order_date:
            parts = re.fullmatch(rf"({'|'.join(stems)})_(WATCH|MOVE|LAND|SLA).*", one.who)
            feed, step = (stems[parts[1]], parts[2]) if parts else ("", one.who)
            found.add((feed, step, one.order_date, one.what))
    return found


def failed_jobs(happened: Iterable[Happening], prefix: str) -> set[tuple[str, datetime]]:
    """Give the Jobs of the cluster that failed: their feed, and the time that their name ends in."""
    return {
        (
            one.who.removeprefix(prefix).rpartition("-")[0],
            datetime.fromtimestamp(int(one.who.rpartition("-")[2]) * 60, UTC),
        )
        for one in happened
        if one.what == "job failed"
    }


def _order_date(slot: Slot) -> datetime:
    """Give the working day of a slot: by London's clock, or by Greenwich's where names hold an instant."""
    return slot.scheduled_at if slot.feed == "summary" else slot.scheduled_at.astimezone(LONDON)
