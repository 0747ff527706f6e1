"""When do the clocks of a time zone change, in the years that a rendering is made for?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

YEARS = range(2026, 2037)
"""Whose changes of the clocks are looked at: fixed, so that the same declaration renders the same files on any day."""
_MINUTE = timedelta(minutes=1)


@cache
def changes_of(time_zone: str) -> tuple[datetime, ...]:
    """Give the instants at which the clocks of a zone change, to the minute."""
    zone = ZoneInfo(time_zone)
    day = timedelta(days=1)

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(zone).utcoffset()

    found = []
    at, end = datetime(YEARS.start, 1, 1, tzinfo=UTC), datetime(YEARS.stop, 1, 1, tzinfo=UTC)
    while at < end:
        if offset(at) != offset(at + day):
            low, high = at, at + day
            while high - low > _MINUTE:
                middle = low + ((high - low) // 2 // _MINUTE) * _MINUTE
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            found.append(high)
        at += day
    return tuple(found)


@cache
def offsets_of(time_zone: str) -> tuple[timedelta, ...]:
    """Give the differences to UTC that a zone has in those years, the smallest first."""
    zone = ZoneInfo(time_zone)
    instants = (datetime(YEARS.start, 1, 1, tzinfo=UTC), *changes_of(time_zone))
    return tuple(sorted({at.astimezone(zone).utcoffset() or timedelta() for at in instants}))
