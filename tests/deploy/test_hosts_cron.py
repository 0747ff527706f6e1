"""Does cron take the table, start everything in time, and does the wrapper tell what must be told?"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cronsim import CronSim

from landbridge.deploy.hosts import cron
from tests.deploy import hosts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.deploy.hosts.jobs import Checking, Timed

JOBS = hosts.timed()
NAME = "landbridge-acme-prd"


def _dry_run() -> str:
    """Name the program that checks a table without installing it: Debian's crontab since bookworm, or cronie's."""
    found = shutil.which("crontab")
    if found is None:
        return ""
    said = subprocess.run([found, "-h"], check=False, capture_output=True, text=True)
    return found if "dry run" in said.stdout + said.stderr else ""


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_line_fires_at_everything_that_is_due_in_any_zone_of_the_host(
    job: Timed,
) -> None:
    minutes = CronSim(cron.expression(job), datetime(2026, 1, 1, tzinfo=UTC)).minutes
    # The hour is open, so a host's zone only moves the minute: by nothing, or by quarters of an hour.
    for at in hosts.due(job):
        for offset in (0, 15, 30, 45):
            assert (at + timedelta(minutes=offset)).minute in minutes, at


@pytest.mark.parametrize("job", hosts.checking(hosts.on()), ids=lambda job: job.name)
def test_a_deadline_is_looked_at_once(job: Checking) -> None:
    fired = CronSim(cron.expression(job), datetime(2026, 1, 1, tzinfo=UTC))
    instants = [next(fired) for _ in range(500)]
    gaps = {after - before for before, after in itertools.pairwise(instants)}
    assert min(gaps) == cron.passed(job)


@pytest.mark.skipif(
    not _dry_run(), reason="no crontab that can check a table without installing it (Debian: cron)"
)
def test_cron_takes_the_table(tmp_path: Path) -> None:
    table = cron.files(hosts.on(mail=["ops@example.org"]))[NAME]
    # A user's own table has no field for the user; everything else is the same.
    lines = [
        line.replace(" landbridge /usr", " /usr", 1) if line[:1].isdigit() or line[:1] == "*" else line
        for line in table.splitlines()
    ]
    (tmp_path / "table").write_text("\n".join(lines) + "\n")
    program = _dry_run()
    assert (
        subprocess.run([program, "-n", tmp_path / "table"], check=False, capture_output=True).returncode == 0
    )
    (tmp_path / "wrong").write_text("61 * * * * true\n")
    assert (
        subprocess.run([program, "-n", tmp_path / "wrong"], check=False, capture_output=True).returncode != 0
    )


def test_words_are_quoted() -> None:
    table = cron.files(hosts.on(folder="/srv/land bridge", mail=["a@example.org", "b@example.org"]))[NAME]
    assert "--project '/srv/land bridge'\n" in table
    assert 'MAILTO="a@example.org,b@example.org"\n' in table


@pytest.mark.parametrize(
    ("every", "expression"),
    [("10m", "*/10 * * * *"), ("1h", "0 * * * *"), ("6h", "0 */6 * * *"), ("24h", "0 0 * * *")],
)
def test_the_sweep_is_as_often_as_declared(every: str, expression: str) -> None:
    assert cron.expression(hosts.sweeping(hosts.on(every=every))) == expression


Ran = tuple[int, str]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ran]:
    """Run the wrapper around a program that ends with a code; the system log is a file, and so is what clocks go forward by."""
    wrapper = tmp_path / "run"
    wrapper.write_text(cron.files(hosts.on())[f"{NAME}-run"])
    (tmp_path / "bin").mkdir()
    logger = tmp_path / "bin" / "logger"
    logger.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/log\n')
    logger.chmod(0o755)
    clock = tmp_path / "bin" / "date"
    clock.write_text(f"#!/bin/sh\ncat {tmp_path}/now 2>/dev/null || echo 0\n")
    clock.chmod(0o755)
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "LANDBRIDGE_STATE": str(tmp_path / "state"),
    }

    def ran(script: str, job: str = "collect-daily") -> Ran:
        words = ["sh", str(wrapper), job, "5", "sh", "-c", script]
        ended = subprocess.run(
            words, check=False, capture_output=True, text=True, env=environment, timeout=30
        )
        return ended.returncode, ended.stdout + ended.stderr

    return ran


def test_nothing_is_said_while_all_is_well(run: Callable[..., Ran], tmp_path: Path) -> None:
    assert run("echo nothing to collect") == (0, "")
    assert "collect-daily ended with 0" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("code", [69, 73, 74, 75])
def test_what_may_pass_is_told_when_it_stays(run: Callable[..., Ran], code: int) -> None:
    assert [run(f"exit {code}") for _ in range(3)] == [(code, "")] * 3
    ended, said = run(f"echo no answer; exit {code}")
    assert ended == code
    assert f"collect-daily failed with {code}" in said
    assert "no answer" in said
    assert run(f"exit {code}") == (code, "")


@pytest.mark.parametrize(("lasted", "told"), [(899, False), (900, True), (5400, True)])
def test_a_run_that_waited_out_its_window_in_vain_is_told_at_once(
    run: Callable[..., Ran], tmp_path: Path, lasted: int, told: bool
) -> None:
    ended, said = run(f"echo no answer; echo {lasted} >{tmp_path}/now; exit 69")
    assert (ended, "collect-daily failed with 69" in said, "no answer" in said) == (69, told, told)
    assert "failed" not in run(f"echo {2 * lasted} >{tmp_path}/now; exit 69")[1]  # once, while it lasts
    run("exit 0" if told else "exit 76")  # the server was reached
    assert "failed with 69" in run(f"echo {9 * lasted} >{tmp_path}/now; exit 69")[1]


def test_a_run_that_hangs_until_its_time_limit_is_told(run: Callable[..., Ran], tmp_path: Path) -> None:
    ended, said = run(f"echo 9000 >{tmp_path}/now; sleep 30")
    assert (ended, "collect-daily failed with 124" in said) == (124, True)


def test_two_codes_that_take_turns_are_told_once_each(run: Callable[..., Ran]) -> None:
    told = [f"failed with {code}" in run(f"exit {code}")[1] for code in (65, 76, 65, 76, 65)]
    assert told == [True, True, False, False, False]


def test_a_percent_sign_reaches_the_program(tmp_path: Path) -> None:
    """Cron ends the command at a bare `%` and takes the backslash away before one that is escaped: crontab(5)."""
    for word in ("50%", "a b%c", "it's %d"):
        line = cron.shell_word(word)
        assert "%" not in line.replace("\\%", "")
        shown = subprocess.run(
            ["sh", "-c", f"printf %s {line.replace(chr(92) + '%', '%')}"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert shown.stdout == word


def test_a_success_forgets_what_passed(run: Callable[..., Ran]) -> None:
    for _ in range(5):
        assert [run("exit 75"), run("exit 75"), run("exit 75"), run("exit 0")][-1] == (0, "")


@pytest.mark.parametrize("code", [64, 65, 70, 76, 77, 78])
def test_what_needs_a_person_is_told_once_a_day_and_goes_on(
    run: Callable[..., Ran], tmp_path: Path, code: int
) -> None:
    ended, said = run(f"echo look; exit {code}")
    assert (ended, "look" in said, "is removed" in said) == (code, True, True)
    assert run(f"touch {tmp_path}/again; exit {code}") == (code, "")
    assert (tmp_path / "again").exists()
    assert "failed with 74" not in run("exit 74")[1]
    other = 64 if code != 64 else 65
    assert f"failed with {other}" in run(f"exit {other}")[1]
    assert run("exit 0") == (0, "")
    assert f"failed with {code}" in run(f"exit {code}")[1]


def test_the_same_is_told_again_after_a_day(run: Callable[..., Ran], tmp_path: Path) -> None:
    run("exit 76")
    held = tmp_path / "state" / "collect-daily.76.held"
    os.utime(held, (held.stat().st_atime, held.stat().st_mtime - 86_460))
    assert "failed with 76" in run("exit 76")[1]


@pytest.mark.parametrize("code", [69, 75])
def test_a_check_that_could_not_look_is_told_at_once(run: Callable[..., Ran], code: int) -> None:
    assert f"late-daily failed with {code}" in run(f"exit {code}", job="late-daily")[1]


def test_a_late_slot_is_told_and_the_check_goes_on(run: Callable[..., Ran]) -> None:
    assert "late-daily failed with 65" in run("exit 65", job="late-daily")[1]
    assert "late-daily failed with 65" in run("exit 65", job="late-daily")[1]


def test_two_runs_never_overlap(run: Callable[..., Ran], tmp_path: Path) -> None:
    with (tmp_path / "state" / "collect-daily.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run(f"touch {tmp_path}/ran") == (0, "")
    assert not (tmp_path / "ran").exists()
    assert run(f"touch {tmp_path}/ran") == (0, "")
    assert (tmp_path / "ran").exists()


def test_a_run_that_hangs_is_ended(run: Callable[..., Ran]) -> None:
    assert run("sleep 30")[0] in {124, 137}


def test_a_state_folder_that_is_not_there_is_told(run: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "state").rmdir()
    ended, said = run("exit 0")
    assert (ended, "is not there" in said) == (73, True)
