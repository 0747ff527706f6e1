"""Which rule of Control-M gives a set of order dates? And which order dates does a rule give?

A rule is used only if it gives exactly the order dates of the schedule, over all years that are looked at; a regular
calendar names them one by one otherwise.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, get_args

from landbridge.deploy.controlm.documents import Confirmed, Days, Month, RegularCalendar, WeekDay, Year, Years

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_WEEK: tuple[WeekDay, ...] = get_args(WeekDay)
"""Sunday first, as Control-M counts."""
_MONTHS: tuple[Month, ...] = get_args(Month)
_DESCRIBED = re.compile(r"Order dates of .+, \d{4} to (\d{4})")
EVERY_DAY = Days(week_days=("NONE",), month_days=("ALL",))


def rule_for(days: Collection[date], first: date, last: date) -> Days | None:
    """Give the rule that has exactly `days` of all days from `first` to `last`; None when no plain rule has."""
    wanted = set(days)
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if not wanted.issubset(span):
        return None
    # Most rules are wrong about one of the first days already.
    return next(
        (rule for rule in _candidates(wanted) if all(has(rule, d) == (d in wanted) for d in span)), None
    )


def _candidates(days: Collection[date]) -> list[Days]:
    week = tuple(name for number, name in enumerate(_WEEK) if any(_weekday(day) == number for day in days))
    numbers = sorted({day.day for day in days})
    months = tuple(name for number, name in enumerate(_MONTHS, 1) if any(d.month == number for d in days))
    month_days = tuple(map(str, numbers))
    return [
        EVERY_DAY,
        Days(week_days=week, month_days=("NONE",)),
        Days(week_days=("NONE",), month_days=month_days),
        Days(week_days=("NONE",), months=months, month_days=month_days),
        Days(week_days=week, months=months, month_days=("NONE",)),
    ]


def has(rule: Days, day: date, calendars: Mapping[str, Collection[date]] | None = None) -> bool:
    """Tell whether a rule orders on a day, as we read the documentation; `calendars` are the days of each regular one."""
    if rule.months is not None and _MONTHS[day.month - 1] not in rule.months:
        return False
    named = rule.week_days == ("ALL",) or _WEEK[_weekday(day)] in rule.week_days
    numbered = day.day in _numbers(rule.month_days)
    if rule.confirmation_calendars is not None:
        confirmed = (calendars or {})[rule.confirmation_calendars.calendar]
        return (named or numbered) and day in confirmed
    return named or numbered


def one_by_one(name: str) -> Days:
    """Give the rule that orders on the days of a regular calendar, and on no other."""
    return EVERY_DAY.model_copy(update={"confirmation_calendars": Confirmed(calendar=name)})


def described(of: str, first: date, last: date) -> str:
    """Write a calendar's description, which tells how far it was written out: some name few days, and the last of them says little."""
    return f"Order dates of {of}, {first.year} to {last.year}"


def written_until(description: str) -> date | None:
    """Read the last day of the span that `described` wrote; None in any other description."""
    found = _DESCRIBED.fullmatch(description)
    return date(int(found[1]), 12, 31) if found else None


def regular(days: Iterable[date], *, server: str, description: str) -> RegularCalendar:
    """Name days one by one."""
    years = []
    for year, of_year in groupby(sorted(days), key=lambda day: day.year):
        months = {
            _MONTHS[month - 1]: tuple(_ranges([day.day for day in of_month]))
            for month, of_month in groupby(of_year, key=lambda day: day.month)
        }
        years.append(Year.model_validate({"Year": str(year), **months}))
    return RegularCalendar(description=description, server=server, when=Years(years=tuple(years)))


def dates_of(calendar: RegularCalendar) -> frozenset[date]:
    """Give the days that a regular calendar names."""
    return frozenset(
        date(int(year.year), number, day)
        for year in calendar.when.years
        for number, month in enumerate(_MONTHS, 1)
        for day in _numbers(getattr(year, month.lower()) or ())
    )


def name_of(rule: Days) -> str:
    """Say a rule in a name: `EVERY_DAY`, `TUE_WED_THU`, `DAY_1`."""
    if rule.month_days == ("ALL",):
        return "EVERY_DAY"
    days: list[str] = [one for one in rule.week_days if one != "NONE"] or ["DAY", *rule.month_days]
    return "_".join([*days, *(rule.months or ())])


def _weekday(day: date) -> int:
    return day.isoweekday() % 7


@cache
def _numbers(month_days: tuple[str, ...]) -> frozenset[int]:
    """Read days of a month. Kept: the few lists of a rule are asked about each day of many years."""
    if month_days == ("ALL",):
        return frozenset(range(1, 32))
    numbers: set[int] = set()
    for one in month_days:
        if one != "NONE":
            first, _, last = one.partition("-")
            numbers |= set(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


def _ranges(numbers: list[int]) -> list[str]:
    written = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        days = [day for _, day in run]
        written.append(f"{days[0]}-{days[-1]}" if len(days) > 1 else str(days[0]))
    return written
