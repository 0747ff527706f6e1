"""When does a cron expression fire in a time zone?

As cronsim says, which takes days hour by hour. On a day without a change of the clocks the times of day are simply what
the expression names, so that only days with one are left to cronsim: a year of a daily feed is read ten times as fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

_FIELDS = 5
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_ANY = datetime(2024, 1, 1, tzinfo=UTC)
"""An instant, where it does not matter which."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an expression names: local times on local days."""

    times: tuple[time, ...]
    """In order."""
    months: frozenset[int]
    fits: Callable[[date], bool]
    """Tells whether a day of these months is one of the expression's."""


def _cron(expression: str, before: datetime) -> CronSim:
    """Walk through all firings after an instant, in its own time zone; ends after fifty years without any.

    Raises:
        UsageError: the expression cannot be read.
    """
    expected = "five fields: minute hour day month weekday"
    if len(expression.split()) != _FIELDS:
        raise UsageError(
            f"the cron expression `{expression}` cannot be read: wrong number of fields", expected=expected
        )
    try:
        return CronSim(expression, before)
    except CronSimError as error:
        raise UsageError(
            f"the cron expression `{expression}` cannot be read: {error}", expected=expected
        ) from error


def check_cron(expression: str) -> None:
    """See that a cron expression can be read, and fires at all.

    Raises:
        UsageError: it does not.
    """
    if next(_cron(expression, _ANY), None) is None:
        raise UsageError(
            f"the cron expression `{expression}` never fires", expected="a day that some year has"
        )


def fired_before(expression: str, now: datetime) -> datetime:
    """Give the last time before `now` at which an expression fired, in `now`'s own time zone.

    Raises:
        UsageError: it cannot be read.
    """
    _named(expression)
    return next(CronSim(expression, now, reverse=True))


def is_frequent(expression: str) -> bool:
    """Tell whether it can fire more than once a local day.

    Raises:
        UsageError: the expression cannot be read.
    """
    return len(_named(expression).times) > 1


@lru_cache(maxsize=1_024)
def _named(expression: str) -> Named:
    """Read an expression. Kept, as whoever looks at all slots asks for the same few thousands of times.

    Raises:
        UsageError: it cannot be read.
    """
    read = _cron(expression, _ANY)
    times = tuple(time(hour, minute) for hour in sorted(read.hours) for minute in sorted(read.minutes))
    return Named(times, frozenset(read.months), read.match_day)


def fired(expression: str, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Give the instants in [since, until) at which an expression fires, each in `zone`, in order.

    What names one time a day fires once on each of its days, however it is written: `*/60 2 * * *` is a daily time too,
    but cronsim would fire it twice when the hour repeats, and not at all when it is skipped.

    Raises:
        UsageError: the expression cannot be read.
    """
    begin, end = since.astimezone(UTC), until.astimezone(UTC)
    for at in _walked(expression, zone, begin, end):
        instant = at.astimezone(UTC)
        if instant >= end:
            return
        if instant >= begin:
            yield at


def _walked(expression: str, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Give all firings in [begin, end) and some around."""
    named = _named(expression)
    # A second earlier in UTC, not on the wall clock: on the day the clocks change these are an hour apart.
    before = (begin - _SECOND).astimezone(zone)
    day, last = before.date(), end.astimezone(zone).date()
    while day <= last:
        if day.month not in named.months:
            day = (day.replace(day=1) + 32 * _DAY).replace(day=1)
        elif not named.fits(day):
            day += _DAY
        elif _has_no_change(day, zone):
            yield from (datetime.combine(day, one, zone) for one in named.times)
            day += _DAY
        else:
            following = day + _DAY
            while not _has_no_change(following, zone):
                following += _DAY
            # From the day before, as a walk that came by: it may name a midnight that the clocks leave out.
            midnight = datetime.combine(day, time(), zone).astimezone(UTC)
            for at in _cron(_plain(expression), max(before, (midnight - _DAY).astimezone(zone))):
                if at.date() >= following:
                    break
                if at.astimezone(UTC) >= midnight:
                    yield at
            day = following


def _plain(expression: str) -> str:
    """Give the expression with one time of a day written as such."""
    times = _named(expression).times
    if len(times) > 1:
        return expression
    return " ".join([str(times[0].minute), str(times[0].hour), *expression.split()[2:]])


def _has_no_change(day: date, zone: ZoneInfo) -> bool:
    """Tell whether the clocks change neither on a day nor on the one before it, on which cronsim may start askew."""
    before, begin, end = (datetime.combine(day + n * _DAY, time(), zone) for n in (-1, 0, 1))
    # Of an end that comes twice the second one: the clocks may go back from just after midnight into this day.
    return before.utcoffset() == begin.utcoffset() == end.replace(fold=1).utcoffset()
