"""Does an expression fire as cronsim says, though most days are read without it?"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from landbridge.cron import fired

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGES = {
    "Europe/London": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "America/New_York": ("2026-03-08T07:00Z", "2026-11-01T06:00Z"),
    "America/Santiago": ("2026-04-05T03:00Z", "2026-09-06T04:00Z"),  # a day that begins at 01:00
    "Africa/Cairo": ("2026-04-23T22:00Z", "2026-10-29T21:00Z"),
    "America/Asuncion": ("2012-04-08T03:00Z", "2012-10-07T04:00Z"),
    "Australia/Lord_Howe": ("2026-04-04T15:00Z", "2026-10-03T15:30Z"),  # half an hour
    "Pacific/Apia": ("2011-09-24T14:00Z", "2011-12-30T10:00Z"),  # a day that never was
    "Asia/Kolkata": ("2024-02-29T12:00Z", "2026-12-31T18:30Z"),  # none
    "UTC": ("2024-02-29T12:00Z", "2027-01-01T00:00Z"),
}
DAILY = ("30 1 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * *", "45 5 * * 2-6", "0 3 1 * 1", "10 0 LW * *")
RARE = (
    "0 0 1 * *",
    "0 9 L * *",
    "0 6 * * 5L",
    "0 0 29 2 *",
    "30 23 30,31 * *",
    "0 0 * 2 MON#5",
    "0 6 1-7 * */2",
)
OFTEN = (
    "5 * * * *",
    "*/20 * * * *",
    "*/10 2 * * *",
    "0,30 0-4 * * *",
    "*/7 23,0 * * *",
    "15 */6 * * 0",
    "*/15 * * * 0",
)


def as_cronsim_says(expression: str, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    for at in CronSim(expression, (since - timedelta(seconds=1)).astimezone(zone)):
        if at.astimezone(UTC) >= until:
            return
        if at.astimezone(UTC) >= since:
            yield at


def said(found: Iterator[datetime]) -> list[tuple[datetime, datetime]]:
    """Give instants and what the clock shows: two datetimes of one zone are equal whatever `fold` says."""
    return [(at.astimezone(UTC), at.replace(tzinfo=None)) for at in found]


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("expression", [*DAILY, *RARE, *OFTEN])
def test_it_fires_as_cronsim_says_around_a_change_of_the_clocks(expression: str, zone: str) -> None:
    chance = random.Random(f"{expression} {zone}")
    there = ZoneInfo(zone)
    for change in CHANGES[zone]:
        at = datetime.fromisoformat(change)
        some = [
            timedelta(minutes=chance.randrange(-2880, 2880)),
            timedelta(seconds=chance.randrange(-7200, 7200)),
        ]
        for begin in (timedelta(days=-2), timedelta(0), *some):
            window = (at + begin, at + timedelta(days=40 if expression in RARE else 2))
            assert said(fired(expression, there, *window)) == said(
                as_cronsim_says(expression, there, *window)
            )


@pytest.mark.parametrize("zone", ["Europe/London"])
@pytest.mark.parametrize("expression", [*DAILY, *RARE])
def test_it_fires_as_cronsim_says_for_years(expression: str, zone: str) -> None:
    window = (datetime(2024, 2, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
    assert said(fired(expression, ZoneInfo(zone), *window)) == said(
        as_cronsim_says(expression, ZoneInfo(zone), *window)
    )


def test_a_day_into_which_the_clocks_go_back_from_after_its_midnight_has_its_hour_twice() -> None:
    """As in Newfoundland until 2011, at 00:01."""
    window = (datetime(2009, 10, 30, tzinfo=UTC), datetime(2009, 11, 2, tzinfo=UTC))
    found = said(fired("30 * * * 6", ZoneInfo("America/St_Johns"), *window))
    assert found == said(as_cronsim_says("30 * * * 6", ZoneInfo("America/St_Johns"), *window))
    assert [clock.hour for _, clock in found].count(23) == 2


def test_a_window_holds_its_first_instant_and_not_its_last() -> None:
    first, last = datetime(2026, 5, 1, 6, tzinfo=UTC), datetime(2026, 5, 3, 6, tzinfo=UTC)
    assert [at.day for at in fired("0 6 * * *", ZoneInfo("UTC"), first, last)] == [1, 2]
    assert list(fired("0 6 * * *", ZoneInfo("UTC"), first, first)) == []


def test_one_time_of_a_day_is_one_firing_however_it_is_written() -> None:
    for change in ("2026-03-29", "2026-10-25"):
        since = datetime.fromisoformat(f"{change}T00:00+00:00") - timedelta(hours=1)
        found = list(fired("*/60 1 * * *", ZoneInfo("Europe/London"), since, since + timedelta(days=1)))
        assert len(found) == 1
