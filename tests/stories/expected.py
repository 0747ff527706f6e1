"""What must have happened at the end of a simulated span? From the declaration and our own schedule, not from what was emitted."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.facts import SlotState
from landbridge.project import place
from landbridge.schedule import slots, window_end
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landbridge.controlm import ControlM
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
"""Feed, step of its jobs (of an hourly feed with the time), order date, what."""
Bounds = tuple[datetime, datetime]
"""Between which instants something must be told, both included."""
WORK = timedelta(minutes=2)
"""Longer takes nothing of a slot, beside waiting for the next look: a run, two transfers and a landing of 20 seconds each."""
WATCHED = timedelta(hours=25)
"""So long is waited for the example's daily file that has a deadline; on a change of the clocks that is not the deadline."""
GAP = timedelta(days=1)
"""So long is waited for a file without a deadline: the least time between two slots of the example's one such feed."""
KEPT = timedelta(days=3)
"""From the beginning of such a feed's order date until nothing more of it is run: its own day, and two."""


@dataclass(frozen=True)
class Span:
    """From when to when, and what was late: when the file came after all, by feed and occurrence."""

    declaration: Declaration
    since: datetime
    until: datetime
    late: Mapping[tuple[str, str], datetime]
    look_every: timedelta
    style: str

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
        came = self.late.get((slot.feed, slot.occurrence))
        return SlotState.DELIVERED, bool(came and slot.deadline and came > slot.deadline)

    def news(self) -> dict[News, list[Bounds]]:
        """Give what Control-M must have told of each slot, as often as it must, and nothing else."""
        found: dict[News, list[Bounds]] = defaultdict(list)
        for slot in self.slots():
            on = f"{_order_date(slot):%Y%m%d}"
            told = self._news(slot) if self.style == "native" else self._news_of_agents(slot)
            for first, last, step, whats in told:
                if last <= self.until:
                    for what in whats:
                        found[slot.feed, step, on, what].append((first, last))
        return dict(found)

    def _news(self, slot: Slot) -> Iterator[tuple[datetime, datetime, str, tuple[str, ...]]]:
        feed, deadline = self.declaration.feeds[slot.feed], slot.deadline
        gave_up = ("alert", "mail", "ended not ok")
        soon = self.look_every + WORK
        if feed.empty == "skip" and deadline:
            if self.is_skipped(slot) or self.is_late(slot):
                yield deadline, deadline, f"WATCH_{slot.scheduled_at:%H%M}Z", ("alert",)
        elif slot.feed == BROKEN:
            for end in self._give_ups(slot):
                yield end, end, "WATCH", gave_up
        elif deadline and self.is_late(slot):
            came = self.late[slot.feed, slot.occurrence]
            yield slot.scheduled_at + WATCHED, slot.scheduled_at + WATCHED, "WATCH", gave_up
            yield deadline, deadline, "LAND", ("late", "alert")
            yield deadline, deadline, "SLA", ("service late", "alert")
            yield came, came + soon, "SLA", ("service complete",)
        elif deadline:
            yield slot.scheduled_at, slot.scheduled_at + soon, "SLA", ("service complete",)

    def _news_of_agents(self, slot: Slot) -> Iterator[tuple[datetime, datetime, str, tuple[str, ...]]]:
        """Where landbridge collects: each job waits for its own slot until the deadline, and run again for as long again.

        Of a slot that is skipped the server says so: its job ends well, and nobody is called.
        """
        ends, came = self._window_end(slot), self.late.get((slot.feed, slot.occurrence))
        nothing = slot.feed == BROKEN or (came is not None and came > ends)
        if self.declaration.feeds[slot.feed].empty == "skip":
            if nothing:
                yield ends, ends + WORK, f"COLLECT_{slot.scheduled_at:%H%M}Z", ("alert",)
            return
        if nothing:
            for end in self._give_ups(slot) if slot.feed == BROKEN else (ends,):
                yield end, end + WORK, "COLLECT", ("alert", "mail", "ended not ok")
        if slot.deadline and nothing:
            yield slot.deadline, slot.deadline, "SLA", ("service late", "alert")
        if slot.deadline and slot.feed != BROKEN:
            done = came or slot.scheduled_at
            yield done, done + self.look_every + WORK, "SLA", ("service complete",)

    def _window_end(self, slot: Slot) -> datetime:
        return window_end(slot, self.declaration.project.overdue_after)

    @property
    def _controlm(self) -> ControlM:
        declared = place(self.declaration.project, "DEV").controlm
        assert declared is not None
        return declared

    def _give_ups(self, slot: Slot) -> Iterator[datetime]:
        """Give when a watcher gives up: at the end of each run, and it is run again while its jobs are kept."""
        declared = self._controlm
        midnight = slot.scheduled_at.astimezone(LONDON).replace(hour=0, minute=0)
        begins, kept = slot.scheduled_at, (midnight + KEPT).astimezone(UTC)
        for _ in range(1 + declared.retries):
            if begins < kept:
                yield begins + GAP
            begins += GAP + declared.retry_every

    def failed_jobs(self) -> set[tuple[str, datetime]]:
        """Give CronJobs by feed whose Jobs must have failed, by their scheduled time."""
        return {
            (slot.feed, slot.scheduled_at)
            for slot in self.slots()
            if slot.feed == BROKEN or self.is_late(slot)
        }


def news(happened: Iterable[Happening], feeds: Iterable[str]) -> dict[News, list[datetime]]:
    """Give what Control-M told, in the same words, each time that it did."""
    stems = {feed.upper(): feed for feed in feeds}
    found: dict[News, list[datetime]] = defaultdict(list)
    for one in happened:
        if one.what in NEWS and one.order_date:
            parts = re.fullmatch(
                rf"({'|'.join(stems)})_((?:WATCH|MOVE|COLLECT|LAND|SLA)(?:_\d{{4}}Z)?).*", one.who
            )
            feed, step = (stems[parts[1]], parts[2]) if parts else ("", one.who)
            found[feed, step, one.order_date, one.what].append(one.at)
    return dict(found)


def differences(
    told: Mapping[News, list[datetime]], due: Mapping[News, list[Bounds]]
) -> list[tuple[News, datetime | None, Bounds | None]]:
    """Give what was told too often, not at all, or at another time than it must."""
    wrong: list[tuple[News, datetime | None, Bounds | None]] = []
    for key in sorted({*told, *due}):
        for at, bounds in zip_longest(sorted(told.get(key, ())), sorted(due.get(key, ()))):
            if at is None or bounds is None or not bounds[0] <= at <= bounds[1]:
                wrong.append((key, at, bounds))
    return wrong


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
