"""Does a CronJob fire at the times of our slots, or is its expression refused?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.deploy.kubernetes import cron
from landbridge.errors import UsageError
from landbridge.feed import Schedule
from landbridge.schedule import firings

LONDON, NEW_YORK = "Europe/London", "America/New_York"


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("0 6 * * *", "0 6 * * *"),
        ("0  6 * * 1-5", "0 6 * * 1-5"),
        ("0 6 * JAN mon-fri", "0 6 * JAN mon-fri"),
        ("*/60 6 * * *", "*/60 6 * * *"),
        ("5 * * * *", "5 * * * *"),
        ("0 6 1 * 1", "0 6 1 * 1"),  # either day: both readers agree
        ("0 6 1-31 * 1", "0 6 1-31 * 1"),
        ("0 6 */2 * *", "0 6 */2 * *"),
        ("0 6 * * 7", "0 6 * * 0"),  # Kubernetes knows no 7
        ("0 6 * * 5-7", "0 6 * * 0,5,6"),
        ("0 6 * * 1/2", "0 6 * * 0,1,3,5"),  # ours goes on to 7, which is Sunday
    ],
)
def test_an_expression_is_written_so_that_it_means_the_same(expression: str, written: str) -> None:
    assert cron.expression_for(Schedule(cron=expression)) == written


@pytest.mark.parametrize(
    "expression",
    [
        "0 6 L * *",
        "0 6 LW * *",
        "0 6 * * 5L",
        "0 6 * * 1#2",
        "0 6 */2 * 1",  # both, by Debian's cron; either, by Kubernetes
        "0 6 13 * */2",
    ],
)
def test_what_a_cron_job_cannot_say_is_refused(expression: str) -> None:
    with pytest.raises(UsageError, match="cannot be scheduled"):
        cron.expression_for(Schedule(cron=expression))


@pytest.mark.parametrize(
    ("expression", "zone", "lost"),
    [
        ("30 1 * * *", LONDON, "2026-03-29: the clocks skip 01:00 to 02:00"),
        ("0 1,13 * * *", LONDON, "2026-03-29"),
        ("30 2 * * *", NEW_YORK, "2026-03-08: the clocks skip 02:00 to 03:00"),
        ("0 0 * * *", "Africa/Cairo", "the clocks skip 00:00 to 01:00"),
    ],
)
def test_a_time_that_some_day_does_not_have_is_refused(expression: str, zone: str, lost: str) -> None:
    with pytest.raises(UsageError, match=lost):
        cron.expression_for(Schedule(cron=expression, time_zone=zone))


@pytest.mark.parametrize(
    ("expression", "zone", "twice"),
    [
        ("30 1 * * *", NEW_YORK, "2026-11-01T01:30:00-05:00"),
        ("0 0-6 * * *", LONDON, "2026-10-25T01:00:00+00:00"),
        ("5 * * * *", LONDON, None),
        ("30 1 * * 1-5", LONDON, None),  # the clocks change on Sundays
        ("0 6 * * *", LONDON, None),
    ],
)
def test_a_time_that_comes_twice_is_told(expression: str, zone: str, twice: str | None) -> None:
    found = cron.fires_twice(Schedule(cron=expression, time_zone=zone))
    assert (found.isoformat() if found else None) == twice


_MINUTES = st.sampled_from(["0", "*/15", "5,35", "10-20/5", "59"])
_HOURS = st.sampled_from(["3", "*/6", "8-18", "23", "7,19"])
_DAYS = st.sampled_from(["*", "1", "1-7", "*/5", "15,31", "1-31"])
_MONTHS = st.sampled_from(["*", "1", "feb-apr", "*/3"])
_WEEKDAYS = st.sampled_from(["*", "0", "7", "1-5", "sat,sun", "*/2", "2/2"])


@given(_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEKDAYS, st.integers(0, 3000))
def test_what_is_not_refused_fires_at_the_same_minutes(
    minutes: str, hours: str, days: str, months: str, weekdays: str, later: int
) -> None:
    schedule = Schedule(cron=f"{minutes} {hours} {days} {months} {weekdays}", time_zone=LONDON)
    try:
        written = cron.expression_for(schedule)
    except UsageError:
        return
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=later)
    until = since + timedelta(days=2)
    ours = {at.astimezone(UTC) for at in firings(schedule, since, until)}
    theirs = {
        at
        for at in (since + timedelta(minutes=n) for n in range(2 * 24 * 60))
        if cron.fires_at(written, LONDON, at)
    }
    assert ours <= theirs
    assert all(at.astimezone(ZoneInfo(LONDON)).fold for at in theirs - ours)


@pytest.mark.parametrize(
    ("every", "written"),
    [
        (timedelta(minutes=5), "*/5 * * * *"),
        (timedelta(hours=1), "0 */1 * * *"),
        (timedelta(hours=6), "0 */6 * * *"),
        (timedelta(days=1), "0 0 * * *"),
    ],
)
def test_an_interval_becomes_an_expression(every: timedelta, written: str) -> None:
    assert cron.every(every) == written


@pytest.mark.parametrize(
    "every", [timedelta(minutes=7), timedelta(seconds=30), timedelta(hours=5), timedelta(days=2)]
)
def test_an_interval_that_drifts_is_refused(every: timedelta) -> None:
    with pytest.raises(UsageError, match="cannot fire every"):
        cron.every(every)
