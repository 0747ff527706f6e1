"""When does a slot's window end, and which are open or have just ended?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from landbridge.schedule import Calendar, ended_slots, open_slots, slots, window_end
from tests.servers.declared import feed

DAY = timedelta(hours=24)
DAILY = feed(
    schedule={"cron": "0 6 * * *", "time_zone": "Europe/London", "deadline": {"at": "07:00", "days": 1}}
)
HOURLY = feed(schedule={"cron": "5 * * * *", "time_zone": "Europe/London", "deadline": "90m"})
PLAIN = feed(schedule={"cron": "0 6 * * *", "time_zone": "Europe/London"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_a_deadline_a_window_ends_when_the_slot_is_missing() -> None:
    (slot,) = slots(PLAIN, Calendar(), at("2026-07-01"), at("2026-07-02"))
    assert window_end(slot, DAY) == at("2026-07-02 05:00")


def test_yesterdays_window_is_open_until_its_deadline_of_today() -> None:
    names = [one.occurrence for one in open_slots(DAILY, Calendar(), DAY, at("2026-07-02 05:59"))]
    assert names == ["2026-07-01", "2026-07-02"]
    names = [one.occurrence for one in open_slots(DAILY, Calendar(), DAY, at("2026-07-02 06:00"))]
    assert names == ["2026-07-02"]


def test_a_slot_is_open_from_its_very_instant() -> None:
    assert open_slots(HOURLY, Calendar(), DAY, at("2026-07-01 09:05"))[-1].occurrence == "20260701T0905Z"
    assert open_slots(HOURLY, Calendar(), DAY, at("2026-07-01 09:04"))[-1].occurrence == "20260701T0805Z"


def test_checks_at_every_deadline_see_every_slot_once() -> None:
    first = at("2026-10-24 00:35")
    seen = [
        slot.occurrence
        for n in range(72)  # over the night when an hour repeats
        for slot in ended_slots(
            HOURLY, Calendar(), DAY, first + timedelta(hours=n - 1), first + timedelta(hours=n)
        )
    ]
    since = first - timedelta(hours=1, minutes=30)
    expected = [one.occurrence for one in slots(HOURLY, Calendar(), since, since + timedelta(hours=72))]
    assert seen == expected
    assert len(seen) == 72
