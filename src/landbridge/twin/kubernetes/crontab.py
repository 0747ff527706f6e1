"""When does the twin's cluster fire a CronJob? A second reading of the expression, apart from the one that renders it.

Source: Kubernetes, "CronJob", schedule syntax and time zones: a Job is made in each minute whose wall clock in `timeZone`
fits all fields, except that day and weekday are alternatives when both are restricted. An hour that the clocks skip
does not come, one that they repeat comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from landbridge.errors import UsageError

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=366)
"""The twin looks no farther for the next time."""


@dataclass(frozen=True, slots=True)
class Crontab:
    """An expression that has been read, in its time zone."""

    zone: ZoneInfo
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool
    """Day and weekday are both restricted: one of them is enough."""

    def fits(self, instant: datetime) -> bool:
        """Tell whether a Job is made at this minute."""
        local = instant.astimezone(self.zone)
        if local.minute not in self.minutes or local.hour not in self.hours:
            return False
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return local.month in self.months and ((day or weekday) if self.either else (day and weekday))

    def after(self, instant: datetime) -> datetime | None:
        """Give the first minute after `instant` at which a Job is made; None when none comes within a year."""
        at = instant.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        last = at + _LONGEST
        while at < last:
            if self.fits(at):
                return at
            local = at.astimezone(self.zone)
            # Whole hours cannot be left out: a zone may change its clocks by half an hour.
            skip = 1 if local.hour in self.hours else (60 - local.minute if local.minute < 30 else 1)  # noqa: PLR2004
            at += min(skip, 30) * _MINUTE
        return None


def crontab(expression: str, time_zone: str) -> Crontab:
    """Read an expression.

    Raises:
        UsageError: it cannot be read, or the zone is not known.
    """
    fields = expression.split()
    if len(fields) != len(_BOUNDS):
        raise UsageError(f"the CronJob schedule `{expression}` has {len(fields)} fields", expected="five")
    try:
        zone = ZoneInfo(time_zone)
        minutes, hours, days, months, weekdays = (_field(text, at) for at, text in enumerate(fields))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise UsageError(
            f"the CronJob schedule `{expression}` ({time_zone}) cannot be read: {error}"
        ) from error
    either = not (fields[2].startswith("*") or fields[4].startswith("*"))
    return Crontab(zone, minutes, hours, days, months, weekdays, either)


def _field(text: str, at: int) -> frozenset[int]:
    low, high = _BOUNDS[at]
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _value(start, at)
            last = _value(end, at) if dash else (high if step else first)
        if not low <= first <= last <= high:
            message = f"`{part}` is not within {low} to {high}"
            raise ValueError(message)
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _value(word: str, at: int) -> int:
    names, base = ((), 0) if at < 3 else (_MONTHS, 1) if at == 3 else (_DAYS, 0)  # noqa: PLR2004 - months, weekdays
    return names.index(word.upper()) + base if word.upper() in names else int(word)
