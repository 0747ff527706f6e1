"""Is somebody told when the reaper does not do its work?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.cron import fired_before
from landbridge.notices import REAPER, Concern, Kind, Notice, Told
from landbridge.retention import Retention
from landbridge.telling import decide, text
from landbridge.unreaped import expected, unreaped
from tests.core.declared import FILES, examined
from tests.fakes.facts import AT
from tests.fakes.proven import Proven, delivered, stage
from tests.servers.declared import feed

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.project import Project

FLIGHTS = feed(feed="flights", schedule={"cron": "0 6 * * *", "deadline": "90m"})
NIGHTLY = Retention(outbound_days=30, schedule="0 3 * * *")
DUE = datetime(2026, 12, 22, 3, tzinfo=UTC)
"""When the reaper is first due after the file had its 30 days."""
HOUR = timedelta(hours=1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    declared = examined(tmp_path, FILES).declaration
    assert declared is not None
    return declared.project


def found(project: Project, there: Proven, now: datetime, retention: Retention = NIGHTLY) -> list[Concern]:
    """Look, when the reaper has been declared so for long."""
    reaper = expected(retention, None, AT)
    return unreaped(project, [FLIGHTS], reaper, there.evidence, now)


def test_a_file_that_lies_longer_than_it_should_is_told(project: Project) -> None:
    there, decided = delivered()
    assert timedelta(days=31) > DUE - AT > timedelta(days=30)
    (told,) = found(project, there, DUE + 7 * HOUR)
    assert (told.kind, str(told.slot), told.name) == (Kind.UNREAPED, str(decided.slot), REAPER)
    assert told.says == (
        "1 file landed over 30 days ago and still in the reports bucket, flights/2026-11-20 first; "
        "the reaper was due 2026-12-22 03:00 UTC: look at its Job"
    )


def test_the_job_is_left_alone_for_some_hours(project: Project) -> None:
    there, _ = delivered()
    assert found(project, there, DUE + 5 * HOUR) == []


def test_what_was_reaped_is_no_concern(project: Project) -> None:
    there, decided = delivered()
    del there.reports.objects[decided.target.key]
    assert found(project, there, DUE + 7 * HOUR) == []


def test_what_did_not_land_stays_for_ever_and_is_no_concern(project: Project) -> None:
    there = stage()
    there.release(there.decide())
    assert found(project, there, DUE + 7 * HOUR) == []


def test_without_a_schedule_nobody_expects_the_reaper(project: Project) -> None:
    there, _ = delivered()
    assert found(project, there, DUE + 7 * HOUR, Retention(outbound_days=30)) == []


def test_it_is_told_once_and_once_when_all_is_well(project: Project) -> None:
    there, _ = delivered()
    concern = found(project, there, DUE + 7 * HOUR)
    first = decide(concern, [], {}, DUE, timedelta(days=1))
    assert [one.name for one in first.news] == [REAPER]
    assert "next: landbridge reap --environment UAT" in text(Notice("p", "UAT", DUE, first.news))
    again = decide(concern, [], first.told, DUE + HOUR, timedelta(days=1))
    assert (again.news, again.reminders) == ((), ())
    known = {REAPER: Told(Kind.UNREAPED, DUE, DUE)}
    (cleared,) = decide([], [], known, DUE + HOUR, timedelta(days=1)).cleared
    assert (cleared.name, cleared.says) == (REAPER, "nothing that is looked at lies longer than it should")


@pytest.mark.parametrize(
    ("expression", "fired"),
    [("0 3 * * *", DUE), ("0 3 1 * *", datetime(2026, 12, 1, 3, tzinfo=UTC))],
)
def test_when_it_was_due_last(expression: str, fired: datetime | None) -> None:
    assert fired_before(expression, DUE + HOUR) == fired


def test_what_had_piled_up_is_told_once_the_reaper_was_due_since_it_was_declared(project: Project) -> None:
    there, _ = delivered()
    declared = expected(NIGHTLY, None, DUE + 7 * HOUR)
    for after, told in ((7, 0), (24, 0), (29, 0), (31, 1)):
        now = DUE + after * HOUR
        declared = expected(NIGHTLY, declared, now)
        assert len(unreaped(project, [FLIGHTS], declared, there.evidence, now)) == told, after


def test_who_lets_files_go_sooner_gives_the_reaper_its_time() -> None:
    since = expected(NIGHTLY, None, AT)
    assert since is not None
    assert expected(NIGHTLY, since, DUE) == since
    for changed in (
        Retention(outbound_days=7, schedule=NIGHTLY.schedule),
        Retention(outbound_days=30, schedule="0 4 * * *"),
    ):
        again = expected(changed, since, DUE)
        assert again is not None
        assert again.since == DUE
    assert expected(Retention(outbound_days=30), since, DUE) is None
