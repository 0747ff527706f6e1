"""At which moments must a scheduler start something, so that no slot and no deadline of a feed goes without?

Schedulers differ in what they can say, and the collection ends at once when nothing is due. So the moments of a feed are
times of day and days that hold at least all that are needed; each kind says them exactly, or says more, and never less.
What a change of the clocks moves is found by walking through the changes of the next years with our own schedule.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from landbridge.deploy.clocks import YEARS, changes_of, offsets_of
from landbridge.schedule import Calendar, slots, window_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from landbridge.facts import Slot
    from landbridge.feed import Feed

EVERY_WEEKDAY, EVERY_DAY, EVERY_MONTH = frozenset(range(7)), frozenset(range(1, 32)), frozenset(range(1, 13))
_LAST_DAYS = frozenset(range(26, 32))
"""The last day of a month and its last weekday are among these."""
_AROUND = timedelta(hours=4)
"""Farther from a change of the clocks than any time that it moves."""
_MANY = 400
"""Slots that show how long a run may last; one year of them at most."""
_DAY = timedelta(days=1)
_SOME_DAY = date(2026, 1, 15)


@dataclass(frozen=True, slots=True)
class Days:
    """Days that fit all three; weekdays count from Sunday, 0."""

    weekdays: frozenset[int] = EVERY_WEEKDAY
    days: frozenset[int] = EVERY_DAY
    months: frozenset[int] = EVERY_MONTH

    @property
    def any(self) -> bool:
        """Tell whether every day fits."""
        return self == Days()

    def fits(self, local: datetime) -> bool:
        """Tell whether a local day fits."""
        return (
            local.isoweekday() % 7 in self.weekdays and local.day in self.days and local.month in self.months
        )


@dataclass(frozen=True, slots=True)
class Moments:
    """Times of day on days, both in one zone; what a kind says must hold all of them."""

    zone: str
    times: tuple[time, ...]
    """Local, in order."""
    days: tuple[Days, ...]
    """A day that fits one of them fits."""
    again: tuple[time, ...] = ()
    """In UTC: what lies in an hour that comes a second time, which some schedulers leave out."""

    @property
    def any_day(self) -> bool:
        """Tell whether every day fits."""
        return any(one.any for one in self.days)

    @property
    def every_hour(self) -> tuple[int, ...]:
        """Give the minutes of a schedule that is the same in every hour; nothing when it is not."""
        minutes = tuple(sorted({one.minute for one in self.times}))
        return minutes if len(self.times) == 24 * len(minutes) else ()

    @property
    def gap(self) -> timedelta:
        """Give a time no longer than that between any two moments, however the clocks are set."""
        offsets = offsets_of(self.zone)
        return shortest_gap({*self.times, *(shifted(one, by) for one in self.again for by in offsets)})

    @property
    def moved(self) -> bool:
        """Tell whether a change of the clocks skips or repeats one of the times: schedulers differ in what they do then."""
        zone = ZoneInfo(self.zone)
        for change in changes_of(self.zone):
            before = (change - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) + timedelta(
                minutes=1
            )
            after = change.astimezone(zone).replace(tzinfo=None)
            first, last = min(before, after), max(before, after)
            if any(first <= at < last for at in _around(first, self.times)):
                return True
        return False

    def utc(self) -> Moments:
        """Give moments in UTC that hold all of these: each time at every difference that the zone has to UTC.

        Where UTC puts a day of the month on another one, every day is meant.
        """
        offsets = offsets_of(self.zone)
        times = sorted({shifted(one, -by) for one in self.times for by in offsets})
        later = {(datetime.combine(_SOME_DAY, one) - by).date() for one in self.times for by in offsets}
        days = tuple(_later(one, {(day - _SOME_DAY).days for day in later}) for one in self.days)
        return Moments("UTC", tuple(times), days)


def _around(day: datetime, times: Iterable[time]) -> list[datetime]:
    return [datetime.combine(day.date() + n * _DAY, one) for one in times for n in (0, 1)]


def shifted(at: time, by: timedelta) -> time:
    """Give a time of day that is so much later, around the clock."""
    return (datetime.combine(_SOME_DAY, at) + by).time()


def starts(feed: Feed) -> Moments:
    """Give the moments at which a collection is started: the slots' own, when a file may first be released."""
    cron, days = _read(feed.schedule.cron)
    times = {time(hour, minute) for hour in cron.hours for minute in cron.minutes}
    return _with_changes(feed, Moments(feed.schedule.time_zone, tuple(sorted(times)), days), _scheduled)


def ends(feed: Feed, overdue_after: timedelta) -> Moments:
    """Give the moments at which windows end: the deadlines; without one, when a slot is missing."""
    begun = starts(feed)
    match feed.schedule.deadline:
        case None:
            moved = _moved(begun, overdue_after)
        case timedelta() as after:
            moved = _moved(begun, after)
        case deadline:
            at = time.fromisoformat(deadline.at)
            moved = Moments(begun.zone, (at,), tuple(_later(one, {deadline.days}) for one in begun.days))
    return _with_changes(feed, replace(moved, again=()), lambda slot: window_end(slot, overdue_after))


def longest_run(feed: Feed, overdue_after: timedelta) -> timedelta:
    """Give the longest time that a collection waits: to the end of a slot's window, or to the run of the next slot."""
    since = datetime(YEARS.start, 1, 1, tzinfo=UTC)
    some = []
    for slot in slots(_plain(feed), Calendar(), since, since + 366 * _DAY):
        some.append(slot)
        if len(some) > _MANY:
            break
    waits = [
        min(window_end(one, overdue_after), following.scheduled_at) - one.scheduled_at
        for one, following in itertools.pairwise(some)
    ]
    return max(waits, default=window_end(some[0], overdue_after) - some[0].scheduled_at if some else _DAY)


def shortest_gap(times: Iterable[time]) -> timedelta:
    """Give a time no longer than that between two times of a day, over midnight too, and when clocks change."""
    minutes = sorted({60 * one.hour + one.minute for one in times})
    gaps = [after - before for before, after in itertools.pairwise(minutes)]
    gap = min([*gaps, 24 * 60 - minutes[-1] + minutes[0]])
    return timedelta(minutes=gap - 120 if gap > 240 else gap)  # noqa: PLR2004 - no clock moves more than two hours


def _plain(feed: Feed) -> Feed:
    """Give the feed with slots on all days that its cron expression fits."""
    schedule = feed.schedule.model_copy(update={"starts": None, "ends": None, "on_holiday": "run"})
    return feed.model_copy(update={"schedule": schedule})


def _read(expression: str) -> tuple[CronSim, tuple[Days, ...]]:
    """Read an expression as our schedule does; words about the end of a month become all days that may be meant."""
    cron = CronSim(expression, datetime(YEARS.start, 1, 1, tzinfo=UTC))
    days = (
        frozenset(cron.days) if min(cron.days) > 0 else frozenset(d for d in cron.days if d > 0) | _LAST_DAYS
    )
    weekdays = frozenset((one if isinstance(one, int) else one[0]) % 7 for one in cron.weekdays)
    months = frozenset(cron.months)
    if cron.day_and:
        return cron, (Days(weekdays, days, months),)
    return cron, (Days(weekdays, months=months), Days(days=days, months=months))


def _scheduled(slot: Slot) -> datetime:
    return slot.scheduled_at


def _moved(begun: Moments, after: timedelta) -> Moments:
    """Move times by a duration, with the days that they then fall on."""
    moved, later = set[time](), set[int]()
    for one in begun.times:
        at = datetime.combine(_SOME_DAY, one) + after
        at = at if not at.second else at + timedelta(minutes=1)
        moved.add(time(at.hour, at.minute))
        later.add((at.date() - _SOME_DAY).days)
    return Moments(begun.zone, tuple(sorted(moved)), tuple(_later(one, later) for one in begun.days))


def _later(days: Days, later: set[int]) -> Days:
    """Give the days that come so many days after some (before them, when negative)."""
    if later == {0}:
        return days
    beside = {1 if n > 0 else -1 for n in later if n}
    months = days.months | {(month - 1 + n) % 12 + 1 for month in days.months for n in beside}
    weekdays = frozenset((weekday + n) % 7 for weekday in days.weekdays for n in later)
    return Days(weekdays, EVERY_DAY, frozenset(months))


def _with_changes(feed: Feed, moments: Moments, instant: Callable[[Slot], datetime]) -> Moments:
    """Add what lies elsewhere when the clocks change, and mark what lies in an hour that comes twice."""
    zone = ZoneInfo(moments.zone)
    plain = _plain(feed)
    times, again, days = set(moments.times), set[time](), moments.days
    reach = _reach(feed, instant)
    for change in changes_of(moments.zone):
        for slot in slots(plain, Calendar(), change - reach - _AROUND, change + _AROUND):
            at = instant(slot)
            if not change - _AROUND <= at <= change + reach + _AROUND:
                continue
            at += timedelta(minutes=1) if at.second else timedelta()
            local = at.astimezone(zone).replace(second=0)
            times.add(local.time().replace(fold=0))
            if local.fold:
                again.add(at.astimezone(UTC).time().replace(second=0))
            if not any(one.fits(local) for one in days):
                days = (Days(),)
    return replace(moments, times=tuple(sorted(times)), again=tuple(sorted(again)), days=days)


def _reach(feed: Feed, instant: Callable[[Slot], datetime]) -> timedelta:
    """Give how long before an instant its slot may be."""
    since = datetime(YEARS.start, 1, 1, tzinfo=UTC)
    first = next(slots(_plain(feed), Calendar(), since, since + 5 * 366 * _DAY), None)
    return instant(first) - first.scheduled_at + _DAY if first else _DAY
