"""Do a feed's moments hold every slot and every deadline, also when the clocks change?"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from landbridge.deploy.hosts.endings import ENDINGS, Ending
from landbridge.deploy.hosts.jobs import Collecting, Timed, ground
from landbridge.deploy.hosts.moments import longest_run, shortest_gap, starts
from landbridge.errors import Exit, LandbridgeError, UsageError
from tests.deploy import hosts
from tests.servers.declared import declaration, feed

JOBS = hosts.timed()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_moments_hold_all_that_is_due_in_their_own_zone_and_in_utc(
    job: Timed,
) -> None:
    due = hosts.due(job)
    assert due
    zone, in_utc = ZoneInfo(job.starts.zone), job.starts.utc()
    for at in due:
        local = at.astimezone(zone)
        assert local.time() in job.starts.times, at
        assert any(day.fits(local) for day in job.starts.days), at
        assert not local.fold or at.time() in job.starts.again, at
        assert at.time() in in_utc.times, at
        assert any(day.fits(at) for day in in_utc.days), at


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_no_two_moments_are_nearer_than_the_gap(job: Timed) -> None:
    zone = ZoneInfo(job.starts.zone)
    first = datetime(2026, 10, 23, tzinfo=UTC)
    minutes = [first + timedelta(minutes=n) for n in range(10 * 24 * 60)]
    fired = [
        at
        for at in minutes
        if at.time() in job.starts.again
        or (
            (local := at.astimezone(zone)).time().replace(fold=0) in job.starts.times
            and any(d.fits(local) for d in job.starts.days)
        )
    ]
    gaps = [after - before for before, after in itertools.pairwise(fired)]
    assert min(gaps, default=job.starts.gap) >= min(job.starts.gap, timedelta(minutes=30)), (
        "a late slot would be told twice"
    )


def test_a_plain_daily_feed_has_one_moment_a_day() -> None:
    moments = starts(feed(schedule={"cron": "0 6 * * 1-5", "time_zone": "Europe/London"}))
    assert moments.times == (time(6, 0),)
    assert [sorted(one.weekdays) for one in moments.days] == [[1, 2, 3, 4, 5]]
    assert moments.again == ()
    assert not moments.moved
    assert moments.utc().times == (time(5, 0), time(6, 0))


def test_a_run_lasts_until_its_deadline_or_the_next_slot() -> None:
    day = timedelta(hours=24)
    daily = feed(schedule={"cron": "0 6 * * *", "time_zone": "UTC", "deadline": {"at": "07:00", "days": 1}})
    assert longest_run(daily, day) == timedelta(hours=24)
    assert longest_run(
        feed(schedule={"cron": "0 6 * * *", "time_zone": "UTC", "deadline": "90m"}), day
    ) == timedelta(minutes=90)
    assert longest_run(feed(schedule={"cron": "0 6 * * 1", "time_zone": "UTC"}), day) == timedelta(hours=24)


def test_the_gap_of_times_goes_over_midnight() -> None:
    assert shortest_gap([time(23, 50), time(0, 5)]) == timedelta(minutes=15)
    assert shortest_gap([time(7, 0)]) == timedelta(hours=22)  # a day that loses two hours


def test_exit_codes_that_may_pass_are_those_of_errors_that_may_be_retried() -> None:
    def classes(of: type[LandbridgeError]) -> list[type[LandbridgeError]]:
        return [of, *(each for one in of.__subclasses__() for each in classes(one))]

    assert set(ENDINGS) == set(Exit)
    may_pass = {one.exit for one in classes(LandbridgeError) if one.retry} | {Exit.INTERRUPTED}
    assert {code for code, ending in ENDINGS.items() if ending is Ending.AGAIN} == may_pass


def test_an_environment_has_a_collection_and_a_check_a_feed_and_one_sweep() -> None:
    declared = declaration(feed(), feed(feed="elsewhere", environments=["DEV"]))
    assert [job.name for job in ground(declared, "PRD").jobs] == ["collect-orders", "late-orders", "sweep"]
    assert [job.name for job in ground(declared, "PRD", checks=False).jobs] == ["collect-orders", "sweep"]
    with pytest.raises(UsageError, match="no feed exists in PRD"):
        ground(declaration(feed(environments=["DEV"])), "PRD")


def test_folders_that_are_written_to_are_absolute_or_left_to_the_host() -> None:
    share = {
        "path": "/srv/share",
        "journal": "journal",
        "receipt_key": "file:keys/receipts.pem",
        "receipt_public_keys": ["file:keys/receipts.pub"],
    }
    assert ground(declaration(project={"share": share}), "PRD").writable == (
        "/srv/share",
        "/etc/landbridge/acme/journal",
    )
    assert ground(declaration(project={"share": share | {"path": "env:SHARE"}}), "PRD").writable == ()


@pytest.mark.parametrize(("every", "beat"), [("7m", 6), ("1h", 60), ("5h", 240), ("3d", 1440), ("30s", 1)])
def test_the_sweep_divides_the_day(every: str, beat: int) -> None:
    assert hosts.sweeping(hosts.on(every=every)).every == timedelta(minutes=beat)


def test_only_what_the_program_understands_is_called() -> None:
    of = hosts.on()
    for job in of.jobs:
        words = of.words(job)
        assert words[:2] == (
            "/opt/landbridge/bin/landbridge",
            "status" if "late" in job.name and not isinstance(job, Collecting) else "collect",
        )
        assert words[-4:] == ("--environment", "PRD", "--project", "/etc/landbridge/acme")
