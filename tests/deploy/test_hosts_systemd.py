"""Does systemd take the units, and fire at every slot and deadline of a year?"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.hosts import systemd
from landbridge.deploy.hosts.endings import PAUSE, TRIES
from landbridge.deploy.hosts.jobs import Collecting, Sweeping
from tests.deploy import hosts

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.deploy.hosts.jobs import Job, Timed

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze on PATH (Debian: systemd)")
JOBS = hosts.timed()
SEVERAL = 5
"""Times of a day; with more of them some days stand for the year, each of which is much like the one before."""
_LAPSE = re.compile(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")


def fired(calendar: str, many: int, since: datetime = hosts.YEAR[0]) -> set[datetime]:
    """Ask systemd when a calendar event elapses first, from the beginning of 2026 or later; in a zone it forks for each."""
    assert ANALYZE is not None
    base = f"--base-time={since - timedelta(seconds=1):%Y-%m-%d %H:%M:%S} UTC"
    ended = subprocess.run(
        [ANALYZE, "calendar", f"--iterations={many}", base, calendar],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
    )
    return {datetime.fromisoformat(found).replace(tzinfo=UTC) for found in _LAPSE.findall(ended.stdout)}


def in_a_year(calendar: str) -> int:
    """Give at least how often a calendar elapses in a year."""
    *weekdays, day, clock, _ = calendar.split()
    of_week = len(weekdays[0].split(",")) if weekdays else 7
    of_month = 31 if day == "*-*-*" else len(day.rpartition("-")[2].split(","))
    hours, minutes, _ = clock.split(":")
    times = (24 if hours == "*" else len(hours.split(","))) * len(minutes.split(","))
    return times * math.ceil(1.1 * 366 * of_week / 7 * of_month / 31)


@pytest.mark.slow
@needs_systemd
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_timer_fires_at_everything_that_is_due_in_a_year(job: Timed) -> None:
    due, times = set(hosts.due(job)), len(job.starts.times) + 1
    seen = set[datetime]()
    if times > SEVERAL:
        days = hosts.hard_days(job)
        due = {at for at in due if at.date() in days}
        for day in days:
            begin = datetime.combine(day, time(), UTC)
            seen |= set[datetime]().union(*(fired(one, times, begin) for one in systemd.calendars(job)))
    else:
        seen |= set[datetime]().union(*(fired(one, in_a_year(one)) for one in systemd.calendars(job)))
    assert due
    assert due <= seen, sorted(due - seen)[:5]


@needs_systemd
def test_a_plain_feed_has_no_other_firings() -> None:
    job = next(one for one in JOBS if one.name == "collect-daily")
    assert systemd.calendars(job) == ("*-*-* 06:00:00 Europe/London",)
    seen = fired(systemd.calendars(job)[0], 365)
    assert seen == set(hosts.due(job))


@needs_systemd
def test_systemd_itself_leaves_out_an_hour_that_comes_again() -> None:
    (zone, again) = systemd.calendars(next(one for one in JOBS if one.name == "collect-hourly"))
    repeated = datetime(2026, 10, 25, 1, 5, tzinfo=UTC)
    before = datetime(2026, 10, 24, tzinfo=UTC)
    around = fired(zone, 60, before)
    assert min(around) < repeated < max(around)
    assert repeated not in around
    assert repeated in fired(again, 3, before)


@needs_systemd
def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    assert ANALYZE is not None
    of = hosts.on(command=sys.executable, folder=str(tmp_path), account="root", mail=["ops@example.org"])
    for name, text in systemd.files(of).items():
        (tmp_path / name).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir() if path.suffix in {".service", ".timer"})
    assert len(units) == 2 * len(of.jobs) + 1
    ended = subprocess.run([ANALYZE, "verify", *units], check=False, capture_output=True, text=True)
    about_ours = [
        line
        for line in (ended.stdout + ended.stderr).splitlines()
        if "landbridge" in line or str(tmp_path) in line
    ]
    assert (ended.returncode, about_ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("Restart=on-failure", "Restart=sometimes"),
        ("ProtectSystem=strict", "ProtectSystem=very"),
        ("ExecStart=", "ExecBegin="),
    ],
)
def test_systemd_notices_what_it_does_not_know(tmp_path: Path, was: str, becomes: str) -> None:
    assert ANALYZE is not None
    of = hosts.on(command=sys.executable, folder=str(tmp_path), account="root")
    text = systemd.files(of)["landbridge-acme-prd-sweep.service"]
    (tmp_path / "x.service").write_text(text.replace(was, becomes))
    ended = subprocess.run(
        [ANALYZE, "verify", str(tmp_path / "x.service")], check=False, capture_output=True, text=True
    )
    assert "x.service" in ended.stdout + ended.stderr


@needs_systemd
@pytest.mark.parametrize("every", ["1m", "20m", "1h", "6h", "24h"])
def test_systemd_takes_every_declared_pause(tmp_path: Path, every: str) -> None:
    job = hosts.sweeping(hosts.on(every=every))
    days = {"1m": 1440, "20m": 72, "1h": 24, "6h": 4, "24h": 1}[every]
    day = {at for at in fired(systemd.calendars(job)[0], days + 1) if at.date() == date(2026, 1, 1)}
    assert len(day) == days


@pytest.mark.parametrize("run", [timedelta(0), timedelta(seconds=107), timedelta(minutes=5)])
@pytest.mark.parametrize("job", [*JOBS, hosts.sweeping(hosts.on())], ids=lambda job: getattr(job, "name", ""))
def test_what_stays_away_is_told_however_slowly_it_fails(job: Job, run: timedelta) -> None:
    gap = job.every if isinstance(job, Sweeping) else job.starts.gap
    within = systemd.tried_within(gap, job.limit)
    text = "".join(systemd.files(hosts.on()).values())
    assert f"StartLimitBurst={TRIES}\n" in text
    if within is None or isinstance(job, Collecting):
        return  # not started again by systemd: each failure is told
    assert (run + PAUSE) * TRIES <= within < gap


def test_a_job_that_is_started_often_is_told_at_each_failure() -> None:
    text = systemd.files(hosts.on(every="10m"))["landbridge-acme-prd-sweep.service"]
    assert "Restart=no\n" in text
    assert "StartLimitIntervalSec=0\n" in text


def test_codes_that_need_a_person_do_not_loop_and_are_told() -> None:
    text = systemd.files(hosts.on())["landbridge-acme-prd-collect-daily.service"]
    assert "RestartPreventExitStatus=64 65 70 76 77 78\n" in text
    assert "OnFailure=landbridge-acme-prd-alert@%n.service\n" in text


@pytest.mark.parametrize("job", hosts.collecting(hosts.on()), ids=lambda job: job.name)
def test_each_collection_that_fails_is_told_and_none_is_started_again_by_systemd(job: Job) -> None:
    """Without a restart a unit fails at once, by exit code or time limit, and what is under OnFailure= starts."""
    text = systemd.files(hosts.on())[f"landbridge-acme-prd-{job.name}.service"]
    assert "Restart=no\n" in text
    assert "OnFailure=landbridge-acme-prd-alert@%n.service\n" in text
    assert "StartLimitIntervalSec=0\n" in text  # a refused start would run nothing, and tell nothing new
    assert "RuntimeMaxSec=" in text
    assert "SuccessExitStatus=130\n" in text
    assert "is told by sweep" not in text


def test_keys_are_lent_and_no_secret_is_in_a_unit() -> None:
    files = systemd.files(hosts.on())
    text = files["landbridge-acme-prd-sweep.service"]
    assert "LoadCredential=keys-receipts.pem:/etc/landbridge/acme/keys/receipts.pem\n" in text
    assert "PRIVATE KEY" not in "".join(files.values())


def test_a_unit_may_write_to_the_share_and_nowhere_else() -> None:
    text = systemd.files(hosts.on())["landbridge-acme-prd-sweep.service"]
    assert "ProtectSystem=strict\nReadWritePaths=-/etc/landbridge/acme/share\n" in text


def test_a_path_with_spaces_is_one_word() -> None:
    text = systemd.files(hosts.on(folder="/srv/land bridge"))["landbridge-acme-prd-sweep.service"]
    assert 'collect --environment PRD --project "/srv/land bridge"\n' in text
    assert 'ReadWritePaths="-/srv/land bridge/share"\n' in text
