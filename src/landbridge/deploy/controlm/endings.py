"""Which regular calendars end soon? After the last day that one names, the jobs that follow it are no longer ordered, without an alarm.

One rule for what is rendered, for a file that is linted, and for what Control-M has (`status`): each brings its calendars
and its day, and nothing here looks at a clock.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, get_args

from landbridge.deploy.controlm.calendars import written_until
from landbridge.deploy.controlm.documents import Month

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Years = Sequence[tuple[str, Mapping[str, Sequence[str]]]]
    """Days by year and month: `2026`, `JAN`, `1-5` and `9`."""

SOON = 6
"""Months. Long enough for a change that goes through an approval, and for somebody who looks at it once a quarter."""
_MONTHS: tuple[Month, ...] = get_args(Month)
_ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Ending:
    """A calendar that ends soon, or has ended."""

    calendar: str
    last: date
    """The last day that it names, or is described to reach."""
    over: bool
    """Whether that day has passed."""

    @property
    def what(self) -> str:
        """Say what happens, in one line."""
        ends = "ended with" if self.over else "ends with"
        return f"the calendar {ends} {self.last}: after it the jobs that follow it are no longer ordered, and nothing alarms"


EXPECTED = (
    f"days for {SOON} more months; where it was rendered: raise `controlm.last_year`, render and deploy again"
)


def endings(definitions: Mapping[str, Mapping[str, Any]], today: date) -> tuple[Ending, ...]:
    """Give the regular calendars among definitions (as JSON, by name) that end less than SOON months after `today`."""
    found = (
        ending(name, str(one.get("Description") or ""), _years(one), today)
        for name, one in definitions.items()
        if one.get("Type") == "Calendar:Regular"
    )
    return tuple(one for one in found if one is not None)


def ending(name: str, description: str, years: Years, today: date) -> Ending | None:
    """Tell whether a calendar ends soon: with the span that its description tells, or else with the last day that it names.

    A calendar that was rendered may have few days (the Fridays before a bank holiday) and go on for years all the same.
    None when it goes on for long enough, and when it names no day that can be read.
    """
    named = max((day for year, months in years for day in _last_days(year, months)), default=None)
    last = written_until(description) or named
    if last is None or last >= _months_later(today, SOON):
        return None
    return Ending(name, last, over=last < today)


def _years(definition: Mapping[str, Any]) -> Years:
    """Read what a server gave, in whose releases a list may also be missing, or empty."""
    when = definition.get("When")
    years = when.get("Years") if isinstance(when, dict) else None
    return [
        (str(year.get("Year")), {key: one for key, one in year.items() if isinstance(one, list)})
        for year in years or ()
        if isinstance(year, dict)
    ]


def _last_days(year: str, months: Mapping[str, Sequence[str]]) -> Iterator[date]:
    """Give the last day of each month; a number that is no day of it does not count."""
    for number, month in enumerate(_MONTHS, 1):
        if not (year.isdigit() and 1 <= int(year) <= date.max.year):
            return
        most = monthrange(int(year), number)[1]
        days = [
            most if one == _ALL else int(one.rpartition("-")[2])
            for one in months.get(month, ())
            if _read(one)
        ]
        if any(1 <= day <= most for day in days):
            yield date(int(year), number, max(day for day in days if 1 <= day <= most))


def _read(one: str) -> bool:
    return one == _ALL or one.rpartition("-")[2].isdigit()


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    return date(day.year + year, month + 1, min(day.day, monthrange(day.year + year, month + 1)[1]))
