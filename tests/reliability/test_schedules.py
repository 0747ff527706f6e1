"""Are there exactly the declared slots, whatever cron and the clocks do?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from landbridge.twin.scheduler import due
from reliability import schedules
from reliability.schedules import KINDS, ZONES, changes, check_missed, check_scheduler, check_slots, declared

pytestmark = pytest.mark.reliability
NEW_YORK = "America/New_York"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("zone", ZONES)
def test_there_are_exactly_the_declared_slots_whatever_cron_and_the_clocks_do(zone: str) -> None:
    assert schedules.judge(zone).days == 5 * 2_557


def test_what_is_declared_is_known_for_a_few_nights_without_working_it_out() -> None:
    daily, early = ({one.occurrence: one.at for one in declared(kind, NEW_YORK)} for kind in KINDS[1:3])
    assert f"{daily['2024-03-10']:%H:%M}" == "07:00"  # 02:15 is skipped; the clocks jump to 03:00 EDT
    assert f"{early['2024-11-03']:%H:%M}" == "05:30"  # 01:30 comes twice; the first is EDT
    assert changes("Asia/Kolkata") == []
    assert changes("Australia/Lord_Howe")[:2] == [date(2024, 4, 7), date(2024, 10, 6)]
    assert len(changes("Europe/London")) == 14


@pytest.mark.parametrize("wrong", ["16 2 * * *", "15 2 * * 1-6", "15 2,3 * * *"])
def test_a_schedule_that_means_other_slots_is_found_out(wrong: str) -> None:
    kind = replace(KINDS[1], cron=wrong)
    with pytest.raises(AssertionError, match="daily in America/New_York"):
        check_slots(kind, NEW_YORK)
    with pytest.raises(AssertionError, match="daily in America/New_York"):
        check_missed(kind, NEW_YORK, [date(2024, 3, 10)])


def test_a_scheduler_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "due", lambda *given: due(*given)[1:])
    with pytest.raises(AssertionError, match="around 2024-03-10"):
        check_scheduler(NEW_YORK, [date(2024, 3, 10)])
