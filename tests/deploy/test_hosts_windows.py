"""Are the tasks what the Task Scheduler's schema allows, and do they start everything in time?

The firing is computed by an evaluator of our own, and nothing was run on Windows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from landbridge.deploy.hosts import powershell, windows
from landbridge.deploy.hosts.endings import ENDINGS, Ending
from tests.deploy import hosts

if TYPE_CHECKING:
    from landbridge.deploy.hosts.jobs import Timed
    from landbridge.errors import Exit

SCHEMA = Path(__file__).with_name("task.xsd")
NAMESPACE = f"{{{windows.NAMESPACE}}}"
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def rendered(**host: object) -> dict[str, str]:
    return windows.files(hosts.on(**{"os": "windows", "account": "CORP\\svc-land$", **host}))


FILES = rendered()
JOBS = hosts.timed()


def _fires(task: str, at: datetime) -> bool:
    """Tell whether a task starts at an instant, as the documentation says: boundaries in UTC, days counted there."""
    for trigger in ET.fromstring(task).iter(f"{NAMESPACE}CalendarTrigger"):  # noqa: S314 - our own text
        boundary = datetime.fromisoformat(trigger.findtext(f"{NAMESPACE}StartBoundary", ""))
        assert boundary.tzinfo is not None
        first = datetime.combine(at.date(), boundary.timetz())
        interval = trigger.findtext(f"{NAMESPACE}Repetition/{NAMESPACE}Interval", "")
        if _on_day(trigger, first):
            if interval:
                if (at - first) % _duration(interval) == timedelta(0) and at >= first:
                    return True
            elif at == first:
                return True
        before = first - timedelta(days=1)
        if interval and _on_day(trigger, before) and (at - before) % _duration(interval) == timedelta(0):
            return True
    return False


def _on_day(trigger: ET.Element, day: datetime) -> bool:
    week = trigger.find(f"{NAMESPACE}ScheduleByWeek/{NAMESPACE}DaysOfWeek")
    month = trigger.find(f"{NAMESPACE}ScheduleByMonth")
    if week is not None:
        return week.find(f"{NAMESPACE}{_WEEKDAYS[day.isoweekday() % 7]}") is not None
    if month is not None:
        numbers = {one.text for one in month.iter(f"{NAMESPACE}Day")}
        return str(day.day) in numbers and month.find(f"{NAMESPACE}Months/{NAMESPACE}{day:%B}") is not None
    return trigger.find(f"{NAMESPACE}ScheduleByDay") is not None


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text)
    assert found, text
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_everything_that_is_due_in_a_year_is_started(job: Timed) -> None:
    due = hosts.due(job)
    changing = [at for at in due if at.month in {3, 4, 9, 10, 11} or at.day in {1, 30, 31}]
    for at in [*changing, *due[::29]]:
        assert _fires(FILES[f"{job.name}.xml"], at), at


def test_a_plain_feed_is_started_twice_a_day_at_most() -> None:
    day = datetime(2026, 7, 1, tzinfo=UTC)
    fired = [
        at.time()
        for n in range(24 * 60)
        if _fires(FILES["collect-daily.xml"], at := day + timedelta(minutes=n))
    ]
    assert fired == [time(5, 0), time(6, 0)]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".xml")])
def test_a_task_is_what_the_schema_allows(name: str) -> None:
    etree = pytest.importorskip("lxml.etree", reason="no lxml")
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    schema.assertValid(etree.fromstring(FILES[name].encode()))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("IgnoreNew", "Ignore"),
        ("<Count>3</Count>", "<Count>0</Count>"),
        ("PT5M", "5 minutes"),
        ("<DaysInterval>1</DaysInterval>", "<DaysInterval>0</DaysInterval>"),
        ("2026-01-01T00:00:00Z", "every day"),
    ],
)
def test_the_schema_notices_what_is_wrong(was: str, becomes: str) -> None:
    etree = pytest.importorskip("lxml.etree", reason="no lxml")
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    text = FILES["sweep.xml"]
    assert was in text
    assert schema.validate(etree.fromstring(text.replace(was, becomes).encode())) is False


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".xml")])
def test_a_task_has_what_every_task_needs(name: str) -> None:
    task = ET.fromstring(FILES[name])  # noqa: S314 - our own text
    assert 1 <= len(list(task.iter(f"{NAMESPACE}CalendarTrigger"))) <= windows.MOST_TRIGGERS
    assert task.findtext(f".//{NAMESPACE}MultipleInstancesPolicy") == "IgnoreNew"
    assert task.findtext(f".//{NAMESPACE}UserId") == "CORP\\svc-land$"
    # Without a password typed: a managed account has none, and S4U would not reach a share.
    assert task.findtext(f".//{NAMESPACE}LogonType") == "Password"
    assert _duration(task.findtext(f".//{NAMESPACE}ExecutionTimeLimit", "")) >= timedelta(minutes=35)


def test_the_program_is_called_through_the_script() -> None:
    arguments = ET.fromstring(FILES["collect-daily.xml"]).findtext(f".//{NAMESPACE}Arguments", "")  # noqa: S314
    assert arguments.endswith(
        '-File "C:\\Program Files\\Landbridge\\schedule\\acme-prd\\Invoke-LandbridgeJob.ps1" collect-daily '
        '"C:\\Program Files\\Landbridge\\landbridge.exe" "collect" "--feed" "daily" "--until-deadline" "--every" "1m" '
        '"--environment" "PRD" "--project" "C:\\ProgramData\\Landbridge\\acme"'
    )


def test_a_folder_that_ends_in_a_backslash_does_not_swallow_the_quote() -> None:
    text = windows.files(hosts.on(os="windows", folder="D:\\"))["sweep.xml"]
    assert '"--project" "D:\\\\"' in text


_LIST = re.compile(r"(?m)^\$(\w+) = @\(([\d, ]+)\)$")
_STOPS = "if (($again -notcontains $code) -or ($job -like 'late-*') -or $long -or ($try -ge 4)) { break }"


def _told_after(job: str, code: int, *, long: bool) -> int | None:
    """Read from the script how many tries come before a code is told; None where it never is."""
    script = FILES[powershell.RUN]
    lists = {name: {int(one) for one in numbers.split(",")} for name, numbers in _LIST.findall(script)}
    assert _STOPS in script
    assert "if ($done -contains $code) { Remove-Item -LiteralPath $mark; exit $code }" in script
    if code in lists["done"]:
        return None
    return 1 if code not in lists["again"] or job.startswith("late-") or long else 4


@pytest.mark.parametrize("code", ENDINGS)
def test_every_exit_code_is_done_tried_again_or_told(code: Exit) -> None:
    wanted = {Ending.DONE: None, Ending.AGAIN: 4, Ending.TELL: 1}[ENDINGS[code]]
    assert _told_after("sweep", code, long=False) == wanted
    at_once = None if wanted is None else 1
    assert _told_after("collect-daily", code, long=True) == at_once
    assert _told_after("late-daily", code, long=False) == at_once


def test_a_run_that_was_ended_from_outside_is_told_at_the_next_start() -> None:
    script = FILES[powershell.RUN]
    looked, marked = (
        script.index("Test-Path -LiteralPath $mark"),
        script.index("Set-Content -LiteralPath $mark"),
    )
    tried, cleared = script.index("for ($try"), script.rindex("Remove-Item -LiteralPath $mark")
    assert (
        looked
        < script.index("Write-Told 'Error' 75")
        < marked
        < tried
        < cleared
        < script.rindex("exit $code")
    )
    assert script.count("exit $code") == script.count("Remove-Item -LiteralPath $mark") == 2


@pytest.mark.parametrize(
    "account", ["CORP\\svc land", "NT AUTHORITY\\SYSTEM", "svc@corp.example", "CORP\\g$"]
)
def test_an_account_of_windows_may_hold_a_space(account: str) -> None:
    task = ET.fromstring(rendered(account=account)["sweep.xml"])  # noqa: S314 - our own text
    assert task.findtext(f".//{NAMESPACE}UserId") == account


@pytest.mark.parametrize(
    ("os", "account"),
    [("linux", "-r"), ("linux", "two words"), ("windows", "-r"), ("windows", " svc"), ("windows", "svc ")],
)
def test_an_option_or_a_stray_space_is_no_account(os: str, account: str) -> None:
    with pytest.raises(ValueError, match="account"):
        hosts.on(os=os, account=account)


@pytest.mark.parametrize("name", [powershell.RUN, powershell.INSTALL, powershell.UNINSTALL])
def test_a_script_is_balanced_and_holds_no_password(name: str) -> None:
    script = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|#[^\n]*", "", FILES[name])
    for opening, closing in ("()", "{}", "[]"):
        assert script.count(opening) == script.count(closing), name
    assert "ConvertTo-SecureString" not in FILES[name]


def test_every_task_is_registered_and_removed() -> None:
    names = [name.removesuffix(".xml") for name in FILES if name.endswith(".xml")]
    for script in (powershell.INSTALL, powershell.UNINSTALL):
        assert ", ".join(f"'{name}'" for name in names) in FILES[script]
