"""Which environment, feed and slot does a command mean?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from landbridge.declare import load
from landbridge.errors import UsageError
from landbridge.wiring import choice

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "eidv"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DECLARATION = load(EXAMPLE, now=NOW)
FEED = DECLARATION.feeds["verifications"]


def test_with_several_environments_one_has_to_be_named() -> None:
    with pytest.raises(UsageError, match="which environment") as raised:
        choice.environment_of(DECLARATION, "")
    assert "DEV, PRD" in raised.value.expected
    assert choice.environment_of(DECLARATION, "prd") == "PRD"


def test_an_unknown_word_gets_the_nearest_known_one() -> None:
    with pytest.raises(UsageError) as raised:
        choice.feed_of(DECLARATION, "verification", "DEV")
    assert "`verifications`?" in raised.value.expected


def test_a_slot_is_never_guessed_from_the_clock() -> None:
    with pytest.raises(UsageError, match="which slot") as raised:
        choice.slot_of(DECLARATION, FEED, "", now=NOW)
    assert "2026-11-19" in raised.value.hint


def test_latest_is_the_slot_that_was_due_last() -> None:
    assert choice.slot_of(DECLARATION, FEED, "latest", now=NOW).occurrence == "2026-11-19"


def test_a_pod_takes_its_slot_from_the_name_of_its_job() -> None:
    minutes = int(datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()) // 60
    slot = choice.slot_of(DECLARATION, FEED, "", now=NOW, job_name=f"verifications-{minutes}")
    assert slot.occurrence == "2026-11-19"


@pytest.mark.parametrize("name", ["verifications", "x-²", "x-99999999999999999999", "x-29376001", "x-"])
def test_a_job_whose_name_does_not_fit_the_schedule_is_asked_for_its_date(name: str) -> None:
    with pytest.raises(UsageError):
        choice.slot_of(DECLARATION, FEED, "", now=NOW, job_name=name)


def test_a_slot_in_the_future_is_not_run_by_a_slip_of_the_finger() -> None:
    slot = choice.slot_of(DECLARATION, FEED, "2027-11-19", now=NOW)
    with pytest.raises(UsageError, match="not due before 2027-11-20"):
        choice.due(slot, NOW, early=False)
    assert choice.due(slot, NOW, early=True) is slot


@pytest.mark.parametrize("date", ["9999-12-31", "0001-01-01", "2026-13-01", "yesterday"])
def test_a_date_that_cannot_be_is_a_usage_error(date: str) -> None:
    with pytest.raises(UsageError):
        choice.slot_of(DECLARATION, FEED, date, now=NOW)


def _minutes(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) // 60  # type: ignore[arg-type,misc] # year, month, day, hour, minute


@pytest.mark.parametrize(
    ("schedule", "moment", "why"),
    [
        ({"starts": date(2026, 1, 1)}, (2025, 12, 31, 6), "its slots start on 2026-01-01"),
        ({"ends": date(2026, 1, 1)}, (2026, 1, 2, 6), "its slots ended on 2026-01-01"),
        ({"calendar": "england", "on_holiday": "skip"}, (2026, 12, 25, 6), "2026-12-25 is a holiday"),
        ({"cron": "30 1 * * *"}, (2026, 10, 25, 1, 30), "01:30 comes twice on that day"),
        ({}, (2026, 11, 20, 6), ""),
        ({}, (2026, 11, 20, 7), ""),
        ({"cron": "30 1 * * *"}, (2026, 10, 25, 0, 30), ""),
    ],
)
def test_a_job_that_cron_starts_where_no_slot_is_has_nothing_to_do(
    schedule: dict[str, object], moment: tuple[int, ...], why: str
) -> None:
    feed = FEED.model_copy(update={"schedule": FEED.schedule.model_copy(update=schedule)})
    said = choice.no_slot_because(DECLARATION, feed, f"eidv-dev-verifications-{_minutes(*moment)}")
    assert said.startswith(why)
    assert bool(said) == bool(why)


@pytest.mark.parametrize("name", ["", "by-hand", "verifications-x", "verifications-12"])
def test_a_job_whose_name_tells_no_time_is_not_taken_for_idle(name: str) -> None:
    assert choice.no_slot_because(DECLARATION, FEED, name) == ""


def test_a_job_may_start_a_little_early() -> None:
    slot = choice.slot_of(DECLARATION, FEED, "2026-11-20", now=NOW)
    assert choice.due(slot, slot.scheduled_at - timedelta(seconds=30), early=False) is slot
    with pytest.raises(UsageError):
        choice.due(slot, slot.scheduled_at - timedelta(minutes=5), early=False)


@pytest.mark.parametrize("day", ["2026-11-20", "20261120"])
def test_a_scheduled_day_is_written_in_full(day: str) -> None:
    assert [slot.occurrence for slot in choice.scheduled(DECLARATION, FEED, day, now=NOW)] == ["2026-11-19"]


@pytest.mark.parametrize(
    "short",
    [
        "261120",
        "2026111",
        "2026-11-2",
        "2026-1-20",
        "26-11-20",
        "20261120T600Z",
        "20261120T06Z",
        "+2026-11-20",
        "30001120",
        "19691120",
        "3000-11-20",
        "19691120T0600Z",
        " 20261120",
        "20261120\n",
        "\u0662\u0660261120",
    ],
)
def test_a_scheduled_time_that_is_not_written_in_full_is_none(short: str) -> None:
    with pytest.raises(UsageError, match="no scheduled time"):
        choice.scheduled(DECLARATION, FEED, short, now=NOW)


def test_an_order_date_with_a_year_of_two_digits_tells_the_variable_with_four() -> None:
    with pytest.raises(UsageError) as raised:
        choice.scheduled(DECLARATION, FEED, "261120", now=NOW)
    assert raised.value.hint.startswith("use `%%$ODATE`")


@pytest.mark.parametrize("short", ["2026-11-1", "2026-1-19", "261119", "20261120T600Z", "2026-11-19 "])
def test_a_slot_whose_name_is_not_written_in_full_is_none(short: str) -> None:
    with pytest.raises(UsageError, match="names no slot"):
        choice.slot_of(DECLARATION, FEED, short, now=NOW)


def test_a_node_whose_clock_is_behind_its_clusters_runs_what_the_cluster_has_started() -> None:
    slot = choice.slot_of(DECLARATION, FEED, "2026-11-19", now=NOW)
    behind = slot.scheduled_at - timedelta(minutes=10)
    assert choice.due(slot, behind, early=False, apart=choice.CLOCKS_OF_A_CLUSTER) is slot
    with pytest.raises(UsageError, match="not due"):
        choice.due(slot, behind, early=False)
    with pytest.raises(UsageError, match="not due"):
        choice.due(slot, behind - timedelta(hours=1), early=False, apart=choice.CLOCKS_OF_A_CLUSTER)
