"""Which regular calendars end soon, seen from which day?"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from landbridge.deploy.controlm import calendars
from landbridge.deploy.controlm.endings import endings
from landbridge.deploy.controlm.render import render
from tests.deploy.controlm.declared import declared

YEARS = [{"Year": "2027", "JAN": ["4-8"], "AUG": ["2", "30-31"]}, {"Year": "2026", "DEC": ["1"]}]


def _told(today: date, years: Any = YEARS) -> list[tuple[str, date, bool]]:
    definitions = {
        "DAYS": {"Type": "Calendar:Regular", "When": {"Years": years}},
        "EIDV": {"Type": "Folder", "When": {"Years": years}},
    }
    return [(one.calendar, one.last, one.over) for one in endings(definitions, today)]


@pytest.mark.parametrize(
    ("today", "over"),
    [
        (date(2027, 2, 28), None),  # six months later is 28 August
        (date(2027, 3, 1), False),
        (date(2027, 8, 31), False),
        (date(2027, 9, 1), True),
        (date(2031, 8, 31), True),
    ],
)
def test_a_calendar_ends_less_than_six_months_before_its_last_day(today: date, over: bool | None) -> None:
    assert _told(today) == ([] if over is None else [("DAYS", date(2027, 8, 31), over)])


def test_six_months_after_a_long_month_is_the_end_of_a_short_one() -> None:
    february = [{"Year": "2027", "FEB": ["27", "28"]}]
    assert _told(date(2026, 8, 31), february) == []
    assert _told(date(2026, 9, 1), february) == [("DAYS", date(2027, 2, 28), False)]


@pytest.mark.parametrize(
    ("years", "last"),
    [
        ([{"Year": "2026", "FEB": ["ALL"]}], date(2026, 2, 28)),
        ([{"Year": "2026", "FEB": ["20-31"]}, {"Year": "2025", "DEC": ["31"]}], date(2025, 12, 31)),
        ([{"Year": "2026", "JAN": ["NONE"]}], None),
        ([{"Year": "x", "JAN": ["1"]}], None),
        ([{"JAN": ["1"]}, "2026", {"Year": "2026", "JAN": "1"}], None),
        ([], None),
        (None, None),
    ],
)
def test_days_that_are_none_do_not_count(years: Any, last: date | None) -> None:
    assert [one[1] for one in _told(date(2026, 6, 1), years)] == ([] if last is None else [last])


def test_a_rendered_calendar_of_few_days_ends_with_its_span() -> None:
    few = {
        "Type": "Calendar:Regular",
        "Description": calendars.described("report_2D", date(2026, 1, 1), date(2030, 12, 31)),
        "When": {"Years": [{"Year": "2026", "JAN": ["2"]}]},
    }
    assert endings({"DAYS": few}, date(2030, 6, 30)) == ()
    assert [one.last for one in endings({"DAYS": few}, date(2030, 7, 1))] == [date(2030, 12, 31)]
    by_hand = {**few, "Description": "Bank holidays, 2026 to 2030"}
    assert [one.last for one in endings({"DAYS": by_hand}, date(2026, 6, 30))] == [date(2026, 1, 2)]


def test_what_is_rendered_ends_with_its_last_year() -> None:
    holidays = {"calendar": "england", "on_holiday": "skip"}
    made = render(declared(holidays, controlm={"first_year": 2026, "last_year": 2027}), "PRD")
    assert made.warnings == ()
    assert endings(made.folders, date(2027, 6, 30)) == ()
    (one,) = endings(made.folders, date(2027, 7, 1))
    assert one.last == date(2027, 12, 31)
    assert "ends with 2027-12-31" in one.what
    assert endings(render(declared(), "PRD").folders, date(2099, 1, 1)) == ()
