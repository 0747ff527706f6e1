"""Does a schedule give slots that make sense: does it ever fire, is each about its own day, is the deadline after it?"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.errors import UsageError
from landbridge.schedule import is_frequent, same_business_date, slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.declare.text import Document
    from landbridge.errors import Problem
    from landbridge.facts import Slot
    from landbridge.feed import Feed, Schedule
    from landbridge.schedule import Calendar

_AHEAD = timedelta(days=400)
_EVER = timedelta(days=366 * 51)
_MOST_SLOTS = 400
_RARE = 13
_CRON = ("schedule", "cron")
_FREQUENT_SAMPLE = 100
_LATER = tuple(timedelta(days=days) for days in (1, 7, 28, 29, 30, 31, 365, 366))
"""Distances at which a forgotten part of a date repeats: an hour of the day, a day of the month or year."""


def check(feed: Feed, document: Document, calendar: Calendar, now: datetime) -> tuple[Slot, ...]:
    """Note what is wrong with the feed's schedule, and give slots that show all of its kinds; none if it is wrong."""
    before = len(document.problems)
    try:
        sample = _check(feed, document, calendar, now)
    except UsageError as error:
        document.problems.append(document.problem(_CRON, error.what, expected=error.expected))
        return ()
    return tuple(sample) if len(document.problems) == before else ()


def _check(feed: Feed, document: Document, calendar: Calendar, now: datetime) -> list[Slot]:
    schedule = feed.schedule
    if schedule.starts and schedule.ends and schedule.ends < schedule.starts:
        document.problems.append(
            document.problem(
                ("schedule", "ends"), f"`ends` {schedule.ends} is before `starts` {schedule.starts}"
            )
        )
        return []
    if schedule.on_holiday == "skip" and schedule.calendar is None:
        document.problems.append(
            document.problem(
                ("schedule", "on_holiday"), "`on_holiday: skip` needs a calendar", hint="add `calendar: NAME`"
            )
        )
        return []
    since = _since(schedule, now)
    sample = _sample(feed, calendar, since)
    if not sample:
        limits = " between `starts` and `ends`" if schedule.starts or schedule.ends else ""
        document.problems.append(
            document.problem(_CRON, f"the schedule never fires{limits}", seen=schedule.cron)
        )
        return []
    _check_days(feed, document, calendar, since)
    _check_deadline(document, sample)
    _check_readiness(feed, document, sample)
    document.warnings += _clock_changes(feed, document, sample)
    return sample


def _since(schedule: Schedule, now: datetime) -> datetime:
    """Look from now on, or at the last stretch of a schedule that has ended."""
    day = now.astimezone(UTC).date()
    if schedule.ends and schedule.ends < day:
        day = schedule.ends - _AHEAD
    if schedule.starts:
        day = max(day, schedule.starts)
    return datetime.combine(day, time(), tzinfo=UTC) - timedelta(days=1)


def _sample(feed: Feed, calendar: Calendar, since: datetime) -> list[Slot]:
    if not is_frequent(feed.schedule):
        near = list(islice(slots(feed, calendar, since, since + _AHEAD), _MOST_SLOTS))
        return (
            near if len(near) >= _RARE else list(islice(slots(feed, calendar, since, since + _EVER), _RARE))
        )
    near = list(islice(slots(feed, calendar, since, since + _EVER), _FREQUENT_SAMPLE))
    if near:
        first, last = near[0].scheduled_at, near[-1].scheduled_at
        for distance in _LATER:
            begin = max(first + distance, near[-1].scheduled_at + timedelta(seconds=1))
            near += islice(slots(feed, calendar, begin, last + distance), _FREQUENT_SAMPLE)
    return near


def _check_days(feed: Feed, document: Document, calendar: Calendar, since: datetime) -> None:
    if feed.schedule.business_date != "previous_business_day":
        return  # at most one run a day, so each has a day of its own
    twins = same_business_date(feed, calendar, since, since + _AHEAD)
    if twins is None:
        return
    zone = ZoneInfo(feed.schedule.time_zone)
    first, second = (f"{slot.scheduled_at.astimezone(zone):%A %Y-%m-%d}" for slot in twins)
    what = f"the runs of {first} and {second} would both be about {twins[0].business_date}"
    hint = next(
        (
            f"write {words}"
            for words, other in _remedies(feed.schedule)
            if not _still_shared(feed, other, calendar, since)
        ),
        "choose another rule for `business_date`",
    )
    document.problems.append(
        document.problem(
            _CRON, what, expected="one run for each business date", seen=feed.schedule.cron, hint=hint
        )
    )


def _remedies(schedule: Schedule) -> Iterator[tuple[str, Schedule]]:
    minute, hour, day, month, _ = schedule.cron.split()
    weekdays = f"{minute} {hour} {day} {month} 1-5"
    if schedule.calendar:
        yield "`on_holiday: skip`", schedule.model_copy(update={"on_holiday": "skip"})
    yield f'`cron: "{weekdays}"`', schedule.model_copy(update={"cron": weekdays})
    if schedule.calendar:
        yield (
            f'`cron: "{weekdays}"` and `on_holiday: skip`',
            schedule.model_copy(update={"cron": weekdays, "on_holiday": "skip"}),
        )


def _still_shared(feed: Feed, schedule: Schedule, calendar: Calendar, since: datetime) -> bool:
    other = feed.model_copy(update={"schedule": schedule})
    return same_business_date(other, calendar, since, since + _AHEAD) is not None


def _check_deadline(document: Document, sample: list[Slot]) -> None:
    for slot in sample:
        if slot.deadline is not None and slot.deadline <= slot.scheduled_at:
            document.problems.append(
                document.problem(
                    ("schedule", "deadline"),
                    "the deadline is not after the scheduled time",
                    seen=f"deadline {slot.deadline:%Y-%m-%d %H:%M} UTC of the run at {slot.scheduled_at:%Y-%m-%d %H:%M} UTC",
                    hint="add `days: 1` if the next day is meant",
                )
            )
            return


def _check_readiness(feed: Feed, document: Document, sample: list[Slot]) -> None:
    ready = feed.schedule.ready
    if ready is None:
        return
    if not ready.every:
        document.problems.append(
            document.problem(("schedule", "ready", "every"), "`every` must be longer than 0s")
        )
    if ready.until is None:
        return
    zone = ZoneInfo(feed.schedule.time_zone)
    latest = max(f"{slot.scheduled_at.astimezone(zone):%H:%M}" for slot in sample)
    if ready.until <= latest:
        document.problems.append(
            document.problem(
                ("schedule", "ready", "until"),
                "waiting would end before it begins",
                expected=f"a time of day after {latest}, when the feed is scheduled",
                seen=ready.until,
                hint="or use `limit: 2h`",
            )
        )


def _clock_changes(feed: Feed, document: Document, sample: list[Slot]) -> Iterator[Problem]:
    """Warn of a daily time that some day does not exist, or exists twice."""
    schedule = feed.schedule
    if is_frequent(schedule):
        return
    zone = ZoneInfo(schedule.time_zone)
    fired = [slot.scheduled_at.astimezone(zone) for slot in sample]
    times = [at.time() for at in fired]
    usual = max(set(times), key=times.count)
    for at in fired:
        if at.time() != usual:
            what = f"{usual:%H:%M} does not exist on {at:%Y-%m-%d} in {schedule.time_zone}; it runs at {at:%H:%M} that day"
        elif at.utcoffset() != at.replace(fold=1).utcoffset():
            what = f"{usual:%H:%M} comes twice on {at:%Y-%m-%d} in {schedule.time_zone}; it runs at the first"
        else:
            continue
        yield document.problem(_CRON, what, hint="choose an hour outside the clock change if that matters")
