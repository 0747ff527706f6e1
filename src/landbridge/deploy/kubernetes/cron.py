"""Does Kubernetes fire a CronJob at the times of our slots?

Its reader of cron expressions differs from ours (schedule.py) in words and in the night when the clocks change. What means
the same is taken over, or written in words that Kubernetes knows; what cannot be said there is refused.

Source: robfig/cron v3, parser.go and spec.go, with ParseStandard, as the CronJob controller calls it. It fires at each
minute whose wall clock in `timeZone` fits: never at a time that is skipped, twice at one that repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from landbridge.deploy.clocks import changes_of
from landbridge.errors import UsageError
from landbridge.schedule import firings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.feed import Schedule

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = ("minute", "hour", "day", "month", "weekday")
_LOWEST = (0, 0, 1, 1, 0)
_HIGHEST = (59, 23, 31, 12, 6)
_MINUTE = timedelta(minutes=1)
_AROUND = timedelta(hours=4)
"""Farther from a change of the clocks than any time that it moves."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """When an expression fires, whatever it is written like."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    days: frozenset[tuple[int, int]]
    """Pairs of day of the month and weekday (0 is Sunday) that fit."""

    def fits(self, local: datetime) -> bool:
        """Tell whether a minute of the wall clock fits."""
        return (
            local.minute in self.minutes
            and local.hour in self.hours
            and local.month in self.months
            and (local.day, local.isoweekday() % 7) in self.days
        )


def expression_for(schedule: Schedule) -> str:
    """Give the schedule's cron expression as Kubernetes must read it to mean the same.

    Raises:
        UsageError: Kubernetes has no words for it, or would never fire one of its slots.
    """
    ours = _ours(schedule.cron)
    candidates = [" ".join(schedule.cron.split()), _spelled_out(schedule.cron)]
    found = next((each for each in candidates if _means(each, ours)), None)
    if found is None:
        raise UsageError(
            f"a CronJob cannot be scheduled by `{schedule.cron}`",
            expected="numbers, ranges, lists and steps (Kubernetes knows no `L`, `LW` or `#`); where day and weekday are both restricted, either may fit",
            hint="write the days out as a list, or let the feed's source say that there is nothing (`empty: skip`)",
        )
    if lost := _first_lost(schedule.cron, schedule.time_zone):
        raise UsageError(
            f"a CronJob would not fire by `{schedule.cron}` on {lost:%Y-%m-%d}: the clocks skip {_skipped(lost)} in {schedule.time_zone} that day",
            expected="an hour that every day has: not between 01:00 and 02:00 in Europe/London",
            hint="choose another hour, or `time_zone: UTC`",
        )
    return found


@cache
def read(expression: str) -> Meaning:
    """Read an expression as Kubernetes does. Kept: whoever asks minute by minute when it fires asks for the same one.

    Raises:
        ValueError: it would refuse it; the message says why.
    """
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        message = f"expected five fields, seen {len(fields)}"
        raise ValueError(message)
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = (
        _field(index, text) for index, text in enumerate(fields)
    )
    both = any_day or any_weekday
    fitting = frozenset(
        (day, weekday)
        for day, weekday in product(range(1, 32), range(7))
        if ((day in days and weekday in weekdays) if both else (day in days or weekday in weekdays))
    )
    return Meaning(minutes, hours, months, fitting)


def fires_at(expression: str, time_zone: str, instant: datetime) -> bool:
    """Tell whether a CronJob with a readable expression fires at this minute."""
    return read(expression).fits(instant.astimezone(ZoneInfo(time_zone)))


def fires_twice(schedule: Schedule) -> datetime | None:
    """Give the first local instant at which Kubernetes fires although no slot is there: an hour that repeats."""
    for change in changes_of(schedule.time_zone):
        # In UTC: in an hour that repeats, Python takes no local time for equal to one of another zone.
        own = {at.astimezone(UTC) for at in firings(schedule, change - _AROUND, change + _AROUND)}
        for at in _fired(expression_for(schedule), schedule.time_zone, change):
            if at not in own:
                return at.astimezone(ZoneInfo(schedule.time_zone))
    return None


def every(interval: timedelta) -> str:
    """Give the expression (in UTC) that fires at each multiple of `interval` since midnight.

    Raises:
        UsageError: it is no divisor of an hour or of a day in whole hours.
    """
    minutes, rest = divmod(int(interval.total_seconds()), 60)
    if not rest and minutes and minutes < 60 and 60 % minutes == 0:  # noqa: PLR2004 - an hour
        return f"*/{minutes} * * * *"
    hours, rest = divmod(minutes, 60)
    if not rest and hours and 24 % hours == 0:
        return f"0 */{hours} * * *" if hours < 24 else "0 0 * * *"  # noqa: PLR2004 - a day
    raise UsageError(
        f"a CronJob cannot fire every {interval}",
        expected="`watch.every`: a divisor of an hour, or of a day in whole hours, such as `15m` or `2h`",
    )


def _field(index: int, text: str) -> tuple[frozenset[int], bool]:
    values: set[int] = set()
    star = False
    parts = [part for part in text.split(",") if part]
    if not parts:
        message = f"the {_FIELDS[index]} `{text}` is empty"
        raise ValueError(message)
    for part in parts:
        some, with_star = _range(index, part)
        values |= set(some)
        star = star or with_star
    return frozenset(values), star


def _range(index: int, text: str) -> tuple[range, bool]:
    ends, slash, step_text = text.partition("/")
    low, dash, high = ends.partition("-")
    step = _number(index, step_text, text) if slash else 1
    if low in {"*", "?"}:
        first, last, star = _LOWEST[index], _HIGHEST[index], step == 1
    else:
        first = _number(index, low, text)
        last = _number(index, high, text) if dash else _HIGHEST[index] if slash else first
        star = False
    if step == 0 or first < _LOWEST[index] or last > _HIGHEST[index] or first > last:
        message = f"the {_FIELDS[index]} `{text}` is not within {_LOWEST[index]} to {_HIGHEST[index]}"
        raise ValueError(message)
    return range(first, last + 1, step), star


def _number(index: int, word: str, text: str) -> int:
    names = {3: _MONTHS, 4: _WEEKDAYS}.get(index, ())
    if word.lower() in names:
        return names.index(word.lower()) + _LOWEST[index]
    if not (word.isascii() and word.isdigit()):
        message = f"the {_FIELDS[index]} `{text}` is not a number, a range or a name that Kubernetes knows"
        raise ValueError(message)
    return int(word)


def _means(expression: str, ours: Meaning | None) -> bool:
    try:
        return ours is not None and read(expression) == ours
    except ValueError:
        return False


@cache
def _ours(expression: str) -> Meaning | None:
    """Give what schedule.py takes an expression for; None for words about the end of a month, which have no fixed days."""
    cron = CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    weekdays = {day for day in cron.weekdays if isinstance(day, int)}
    if min(cron.days) < 1 or len(weekdays) != len(cron.weekdays):
        return None
    weekdays = {day % 7 for day in weekdays}
    fitting = frozenset(
        (day, weekday)
        for day, weekday in product(range(1, 32), range(7))
        if (
            (day in cron.days and weekday in weekdays)
            if cron.day_and
            else (day in cron.days or weekday in weekdays)
        )
    )
    return Meaning(frozenset(cron.minutes), frozenset(cron.hours), frozenset(cron.months), fitting)


def _spelled_out(expression: str) -> str:
    """Write an expression as plain lists, which both readers take for the same."""
    cron = CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    weekdays = {day % 7 for day in cron.weekdays if isinstance(day, int)}
    sets = (cron.minutes, cron.hours, cron.days, cron.months, weekdays)
    return " ".join(
        "*" if values >= set(range(low, high + 1)) else ",".join(map(str, sorted(values)))
        for values, low, high in zip(sets, _LOWEST, _HIGHEST, strict=True)
    )


def _fired(expression: str, time_zone: str, change: datetime) -> Iterator[datetime]:
    meaning, zone = read(expression), ZoneInfo(time_zone)
    at = change - _AROUND
    while at < change + _AROUND:
        if meaning.fits(at.astimezone(zone)):
            yield at
        at += _MINUTE


@cache
def _first_lost(cron: str, time_zone: str) -> datetime | None:
    from landbridge.feed import Schedule

    schedule = Schedule(cron=cron, time_zone=time_zone)
    expression = next(each for each in (cron, _spelled_out(cron)) if _means(each, _ours(cron)))
    for change in changes_of(time_zone):
        fired = set(_fired(expression, time_zone, change))
        for at in firings(schedule, change - _AROUND, change + _AROUND):
            if at.astimezone(UTC) not in fired:
                return at
    return None


def _skipped(lost: datetime) -> str:
    before = (lost.astimezone(UTC) - _MINUTE).astimezone(lost.tzinfo)
    return f"{before.replace(tzinfo=None) + _MINUTE:%H:%M} to {lost:%H:%M}"
