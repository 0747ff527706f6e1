"""Are folders held against the declaration: runs, deadlines, alarms, endpoint, feeds?"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from landbridge.deploy.controlm.lint import Declared, lint
from tests.deploy.controlm_lint.clean import TODAY, clean, documents
from tests.deploy.controlm_lint.declaring import declared

OTHERS = ("DISPUTES", "MONTHLY", "SCREENING", "SUMMARY")
HOST = "sftp.eidv.prd.example.internal"


@cache
def _declared() -> Declared:
    return declared()


def _fitting() -> tuple[Any, Any]:
    folder, profiles = clean()
    for name in OTHERS:
        folder["EIDV_PRD"][f"{name}_COLLECT"] = {"Type": "Job:Dummy"}
    profiles["EIDV_PRD_SFTP"]["HostName"] = HOST
    return folder, profiles


def _found(folder: object, profiles: object, against: Declared | None = None) -> list[str]:
    return [one.rule for one in lint(documents(folder, profiles), TODAY, against or _declared()).findings]


def _move(folder: Any) -> Any:
    return folder["EIDV_PRD"]["VERIFICATIONS_MOVE"]


def test_nothing_is_found_in_a_folder_that_fits() -> None:
    result = lint(documents(*_fitting()), TODAY, _declared())
    assert ([str(one) for one in result.findings], result.skipped) == ([], ())


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("0500", "0600", ["window-misses-run"]),
        ("0500", "0601", []),
        ("0630", "0900", []),
        ("0730", "0900", ["window-after-deadline"]),
        ("2200", "0559", ["window-misses-run"]),
        ("2200", "0900", []),
    ],
)
def test_a_window_is_held_against_run_and_deadline(start: str, end: str, found: list[str]) -> None:
    folder, profiles = _fitting()
    job = _move(folder)
    job["When"].update(FromTime=start, ToTime=end)
    del job["LATE"]
    job["FileTransfers"][0]["FileWatcherOptions"].update(TimeLimitPolicy="MinutesToWait", TimeLimitValue="45")
    assert _found(folder, profiles) == found


def test_summer_time_counts_where_the_job_has_another_zone() -> None:
    """06:00 of London is 05:00 GMT in summer and 06:00 GMT in winter."""
    folder, profiles = _fitting()
    folder["EIDV_PRD"]["TimeZone"] = "GMT"
    _move(folder)["When"].update(FromTime="0430", ToTime="0600")
    _move(folder)["LATE"]["By"] = "0545"
    _move(folder)["FileTransfers"][0]["FileWatcherOptions"]["TimeLimitValue"] = "0545"
    (one,) = lint(documents(folder, profiles), TODAY, _declared()).findings
    assert one.rule == "window-misses-run"
    assert "as late as 06:00" in one.what


def test_jobs_for_summer_and_winter_do_together() -> None:
    folder, profiles = _fitting()
    folder["EIDV_PRD"]["TimeZone"] = "GMT"
    held = folder["EIDV_PRD"]
    winter = held["VERIFICATIONS_MOVE"]
    for job in (winter,):
        job["LATE"]["By"] = "0545"
        job["FileTransfers"][0]["FileWatcherOptions"]["TimeLimitValue"] = "0630"
        job["When"].update(FromTime="0530", ToTime="0900")
    held["VERIFICATIONS_MOVE_SUMMER"] = {
        **winter,
        "When": {**winter["When"], "FromTime": "0430", "ToTime": "0545"},
    }
    held["VERIFICATIONS_MOVE_SUMMER"]["FileTransfers"] = [
        one for one in winter["FileTransfers"] if one["TransferOption"] == "SrcToDest"
    ]
    held["VERIFICATIONS_MOVE_SUMMER"]["LATE"] = {**winter["LATE"], "By": "0545"}
    assert _found(folder, profiles) == []


def test_an_alarm_after_the_deadline_is_found_and_one_before_it_is_enough() -> None:
    folder, profiles = _fitting()
    _move(folder)["LATE"]["By"] = "0730"
    assert _found(folder, profiles) == ["alarm-after-deadline"]
    _move(folder)["EARLY"] = {**_move(folder)["LATE"], "By": "0645"}
    assert _found(folder, profiles) == []


def test_another_host_is_found_of_the_declared_profile_alone() -> None:
    folder, profiles = _fitting()
    profiles["EIDV_PRD_SFTP"]["HostName"] = "sftp.eidv.dev.example.internal"
    assert _found(folder, profiles) == ["host-differs"]
    assert _found(folder, profiles, declared(source_profile="EIDV_PRD_SFTP")) == ["host-differs"]
    assert _found(folder, profiles, declared(source_profile="ANOTHER")) == []


def test_a_feed_without_a_job_is_found_by_its_name() -> None:
    folder, profiles = _fitting()
    del folder["EIDV_PRD"]["MONTHLY_COLLECT"]
    (one,) = lint(documents(folder, profiles), TODAY, _declared()).findings
    assert (one.rule, one.severity) == ("feed-without-job", "error")
    assert "`monthly`" in one.what
    folder["EIDV_PRD"]["MONTHLYX_COLLECT"] = {"Type": "Job:Dummy"}
    assert _found(folder, profiles) == ["feed-without-job"]


def test_profiles_alone_are_not_asked_for_feeds() -> None:
    _, profiles = _fitting()
    assert _found({}, profiles) == ["nothing-to-check"]
