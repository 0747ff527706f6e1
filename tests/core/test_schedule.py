"""Do slots follow from the declaration, across clock changes and holidays?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import UsageError
from landbridge.project import Holidays
from landbridge.schedule import (
    Calendar,
    current_slot,
    is_frequent,
    next_slots,
    same_business_date,
    slot_at,
    slot_named,
    slots,
    unused,
)
from tests.core.feeds import LONDON, feed

NO_HOLIDAYS = Calendar()
ENGLAND = Calendar(Holidays(country="GB", subdivision="ENG"))
# Clocks change at 01:00 UTC, at 02:00 local, at midnight (so that a day begins at 01:00), by half an hour, or never.
ZONES = (LONDON, "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def scheduled(cron: str, zone: str, day: str, days: int = 1) -> list[str]:
    since = at(f"{day} 00:00", zone)
    found = slots(feed({"cron": cron, "time_zone": zone}), NO_HOLIDAYS, since, since + timedelta(days=days))
    return [f"{slot.scheduled_at:%d %H:%M}" for slot in found]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "cron", ["30 1 * * *", "30 2 * * *", "0 0 * * *", "*/60 2 * * *", "0 */24 * * *", "45 23 * * *"]
)
def test_a_daily_feed_has_one_slot_for_each_day_whatever_the_clocks_do(zone: str, cron: str) -> None:
    daily = feed({"cron": cron, "time_zone": zone})
    found = list(slots(daily, NO_HOLIDAYS, at("2024-01-01 00:00", zone), at("2031-01-01 00:00", zone)))
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(2557)]
    assert [slot.business_date for slot in found] == days
    assert [slot.occurrence for slot in found] == [day.isoformat() for day in days]


def test_a_time_that_does_not_exist_runs_after_the_jump_and_one_that_comes_twice_runs_at_the_first() -> None:
    assert scheduled("30 1 * * *", LONDON, "2026-03-29") == ["29 01:00"]  # 02:00 BST
    assert scheduled("30 1 * * *", LONDON, "2026-10-25") == ["25 00:30"]  # 01:30 BST


def test_an_hourly_feed_has_as_many_slots_as_the_day_has_hours() -> None:
    assert (
        len(scheduled("5 * * * *", LONDON, "2026-03-29")) == 24
    )  # from midnight GMT, 24 hours later it is 01:00 BST
    in_autumn = scheduled("5 * * * *", LONDON, "2026-10-25")
    assert in_autumn[:3] == ["24 23:05", "25 00:05", "25 01:05"]
    assert len(set(in_autumn)) == 24


# hypothesis takes bounds without a zone, and adds it.
instants = st.datetimes(
    min_value=datetime.fromisoformat("2024-01-01"),
    max_value=datetime.fromisoformat("2030-12-31"),
    timezones=st.just(UTC),
)
CHANGES = ("2026-03-29 01:00", "2026-10-25 01:00", "2026-03-08 07:00", "2026-11-01 06:00", "2026-04-05 03:00")
near_changes = st.builds(
    lambda change, minutes: at(change) + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-9, 9).map(lambda tens: tens * 10),
)
crons = st.sampled_from(
    ["30 1 * * *", "0 6 * * 1-5", "*/20 * * * *", "*/60 2 * * *", "15 1,2 * * *", "0 0 1 * *", "0 9 L * *"]
)


@settings(max_examples=300, deadline=None)
@given(
    cron=crons,
    zone=st.sampled_from(ZONES),
    begin=instants | near_changes,
    split=st.integers(0, 72),
    more=st.integers(0, 72),
)
def test_slots_of_two_adjoining_windows_are_the_slots_of_both(
    cron: str, zone: str, begin: datetime, split: int, more: int
) -> None:
    asked = feed({"cron": cron, "time_zone": zone})
    middle = begin + timedelta(minutes=split * 10)
    end = middle + timedelta(hours=more)
    whole = list(slots(asked, NO_HOLIDAYS, begin, end))
    assert whole == [*slots(asked, NO_HOLIDAYS, begin, middle), *slots(asked, NO_HOLIDAYS, middle, end)]
    assert all(begin <= slot.scheduled_at < end for slot in whole)
    assert len({slot.occurrence for slot in whole}) == len(whole)
    assert [slot.scheduled_at for slot in whole] == sorted(slot.scheduled_at for slot in whole)


@pytest.mark.parametrize(
    "since", ["2026-10-25 00:59:59", "2026-10-25 01:00:00", "2026-10-25 01:30:00", "2026-10-25 02:00"]
)
def test_a_window_that_begins_in_the_repeated_hour_has_nothing_from_before_it(since: str) -> None:
    # These instants are UTC: 01:00 UTC is the second 01:00 in London, where the daily time has passed.
    found = slots(feed({"cron": "30 1 * * *"}), NO_HOLIDAYS, at(since), at("2026-10-26 00:00"))
    assert list(found) == []


def test_a_window_that_begins_at_the_jump_has_the_slot_that_jumped_there() -> None:
    jump = at("2026-03-29 01:00")
    found = slots(feed({"cron": "30 1 * * *"}), NO_HOLIDAYS, jump, jump + timedelta(hours=1))
    assert [slot.scheduled_at for slot in found] == [jump]


def test_a_window_given_in_local_time_is_the_same_window() -> None:
    hourly = feed({"cron": "0 * * * *"})
    since, until = at("2026-10-25 00:00"), at("2026-10-25 02:00")
    local = slots(hourly, NO_HOLIDAYS, since.astimezone(ZoneInfo(LONDON)), until.astimezone(ZoneInfo(LONDON)))
    assert list(local) == list(slots(hourly, NO_HOLIDAYS, since, until))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("same_day", "2026-04-07"), ("previous_day", "2026-04-06"), ("previous_business_day", "2026-04-02")],
)
def test_the_business_date_follows_the_rule(rule: str, expected: str) -> None:
    # Tuesday after Easter 2026: Monday and the Friday before are holidays in England.
    asked = feed({"cron": "0 6 * * 1-5", "business_date": rule, "on_holiday": "skip"})
    slot = slot_at(asked, ENGLAND, at("2026-04-07 06:00", LONDON))
    assert slot.business_date.isoformat() == expected == slot.occurrence


def test_a_holiday_is_skipped_or_run_as_declared() -> None:
    window = at("2026-12-24 00:00"), at("2026-12-30 00:00")
    skipping = feed({"cron": "0 6 * * *", "on_holiday": "skip"})
    assert [s.occurrence[-2:] for s in slots(skipping, ENGLAND, *window)] == ["24", "27", "29"]
    assert len(list(slots(feed(), ENGLAND, *window))) == 6
    assert ENGLAND.holiday_name(date(2026, 12, 25)) == "Christmas Day"
    assert ENGLAND.holiday_name(date(2026, 12, 24)) == ""


def test_days_are_added_to_a_calendar_and_taken_away() -> None:
    own = Calendar(
        Holidays(country="GB", subdivision="ENG", add=(date(2026, 7, 1),), remove=(date(2026, 12, 25),))
    )
    assert own.is_holiday(date(2026, 7, 1))
    assert own.holiday_name(date(2026, 7, 1)) == "holiday"
    assert not own.is_holiday(date(2026, 12, 25))
    assert own.previous_business_day(date(2026, 7, 2)) == date(2026, 6, 30)


def test_an_unknown_country_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(UsageError, match="ZZ"):
        Calendar(Holidays(country="ZZ")).check()


def test_a_calendar_of_holidays_only_is_refused() -> None:
    days = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(60))
    with pytest.raises(UsageError, match="no business day"):
        Calendar(Holidays(add=days)).previous_business_day(date(2026, 2, 20))


def test_starts_and_ends_bound_the_scheduled_day() -> None:
    bounded = feed({"starts": "2026-05-02", "ends": "2026-05-03", "business_date": "previous_day"})
    found = slots(bounded, NO_HOLIDAYS, at("2026-04-01 00:00"), at("2026-06-01 00:00"))
    assert [slot.occurrence for slot in found] == ["2026-05-01", "2026-05-02"]
    assert len(list(next_slots(bounded, NO_HOLIDAYS, at("2026-04-01 00:00")))) == 2
    assert list(next_slots(bounded, NO_HOLIDAYS, at("2026-05-04 00:00"))) == []


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        ({"at": "07:00"}, "2026-03-28 07:00"),
        ({"at": "07:00", "days": 1}, "2026-03-29 06:00"),  # the clocks went forward in between
        ("25h", "2026-03-29 07:00"),
    ],
)
def test_a_deadline_is_local_or_after_so_much_time(deadline: object, expected: str) -> None:
    slot = slot_named(feed({"deadline": deadline}), NO_HOLIDAYS, "2026-03-28")
    assert slot.deadline == at(expected)


@pytest.mark.parametrize(
    ("cron", "frequent"),
    [
        ("0 6 * * *", False),
        ("0 6 1,15 * 1", False),
        ("*/60 6 * * *", False),
        ("0 6,18 * * *", True),
        ("*/30 6 * * *", True),
        ("0 * * * *", True),
    ],
)
def test_more_than_one_time_of_day_makes_a_frequent_feed(cron: str, frequent: bool) -> None:
    assert is_frequent(feed({"cron": cron}).schedule) is frequent


@pytest.mark.parametrize(
    "cron", ["0 6 * * * *", "00 06 * *", "0 24 * * *", "60 6 * * *", "0 6 * * mo", "@daily-ish"]
)
def test_what_is_no_cron_expression_of_five_fields_is_refused(cron: str) -> None:
    wrong = feed({"cron": cron})
    with pytest.raises(UsageError) as caught:
        is_frequent(wrong.schedule)
    assert cron in caught.value.what
    assert "five fields" in caught.value.expected
    with pytest.raises(UsageError):
        list(slots(wrong, NO_HOLIDAYS, at("2026-01-01 00:00"), at("2026-01-02 00:00")))


def test_a_slot_is_found_by_what_an_operator_types() -> None:
    daily = feed({"business_date": "previous_business_day", "cron": "0 6 * * 1-5"})
    monday = slot_named(daily, NO_HOLIDAYS, "2026-11-20")
    assert monday.scheduled_at == at("2026-11-23 06:00")
    assert slot_named(daily, NO_HOLIDAYS, "20261123T0600Z") == monday
    hourly = feed({"cron": "0 10,14 * * *"})
    assert slot_named(hourly, NO_HOLIDAYS, "20261120T1400Z").scheduled_at == at("2026-11-20 14:00")
    once = feed(
        {"cron": "0 10,14 * * *", "starts": "2026-11-20", "ends": "2026-11-20", "time_zone": "Asia/Tokyo"}
    )
    with pytest.raises(UsageError, match="2 slots on 2026-11-20"):
        slot_named(once, NO_HOLIDAYS, "2026-11-20")


@pytest.mark.parametrize("occurrence", ["2026-11-21", "20261120T0601Z", "20261121T0600Z"])
def test_a_slot_that_does_not_exist_is_refused_with_the_nearest_ones(occurrence: str) -> None:
    with pytest.raises(UsageError) as caught:
        slot_named(feed({"cron": "0 6 * * 1-5"}), NO_HOLIDAYS, occurrence)
    assert "has no slot" in caught.value.what
    assert "2026-11-2" in caught.value.expected


@pytest.mark.parametrize("occurrence", ["yesterday", "2026-13-01", "20261120", "", "2026-11-20T06:00"])
def test_what_names_no_slot_is_refused(occurrence: str) -> None:
    with pytest.raises(UsageError, match="names no slot"):
        slot_named(feed(), NO_HOLIDAYS, occurrence)


def test_a_slot_by_its_instant_must_be_exact() -> None:
    with pytest.raises(UsageError, match="not scheduled"):
        slot_at(feed(), NO_HOLIDAYS, at("2026-11-20 05:59:30"))


def test_the_current_slot_is_the_last_that_was_due() -> None:
    assert current_slot(feed(), NO_HOLIDAYS, at("2026-11-20 05:59")).occurrence == "2026-11-19"
    assert current_slot(feed(), NO_HOLIDAYS, at("2026-11-20 06:00")).occurrence == "2026-11-20"
    yearly = feed({"cron": "0 6 1 1 *"})
    assert current_slot(yearly, NO_HOLIDAYS, at("2026-11-20 06:00")).occurrence == "2026-01-01"
    with pytest.raises(UsageError):
        current_slot(feed({"starts": "2027-01-01"}), NO_HOLIDAYS, at("2026-11-20 06:00"))


@pytest.mark.parametrize(
    ("schedule", "calendar", "days"),
    [
        ({"cron": "0 6 * * *"}, NO_HOLIDAYS, ("2026-11-21", "2026-11-22")),
        ({"cron": "0 6 * * 1-5"}, NO_HOLIDAYS, None),
        ({"cron": "0 6 * * 1-5"}, ENGLAND, ("2026-12-25", "2026-12-28")),
        ({"cron": "0 6 * * 1-5", "on_holiday": "skip"}, ENGLAND, None),
        ({"cron": "0 * * * *"}, NO_HOLIDAYS, None),
    ],
)
def test_two_runs_about_one_day_are_found(
    schedule: dict[str, str], calendar: Calendar, days: tuple[str, str] | None
) -> None:
    asked = feed({"business_date": "previous_business_day", **schedule})
    found = same_business_date(asked, calendar, at("2026-11-20 00:00"), at("2027-11-20 00:00"))
    if days is None:
        assert found is None
    else:
        assert found is not None
        assert tuple(f"{slot.scheduled_at:%Y-%m-%d}" for slot in found) == days


@pytest.mark.parametrize(
    ("schedule", "instant", "why"),
    [
        ({}, "2026-11-20 06:00", ""),
        ({}, "2026-11-20 06:01", ""),
        ({"starts": "2026-11-21"}, "2026-11-20 06:00", "its slots start on 2026-11-21"),
        ({"starts": "2026-11-21"}, "2026-11-21 06:00", ""),
        ({"ends": "2026-11-19"}, "2026-11-20 06:00", "its slots ended on 2026-11-19"),
        ({"ends": "2026-11-19"}, "2026-11-19 06:00", ""),
        ({"calendar": "england", "on_holiday": "skip"}, "2026-12-25 06:00", "2026-12-25 is a holiday (Christmas Day)"),
        ({"calendar": "england", "on_holiday": "skip"}, "2026-12-24 06:00", ""),
        ({"calendar": "england"}, "2026-12-25 06:00", ""),
        ({"cron": "30 1 * * *", "time_zone": LONDON}, "2026-10-25 01:30", "01:30 comes twice on that day"),
        ({"cron": "30 1 * * *", "time_zone": LONDON}, "2026-10-25 00:30", ""),
        ({"cron": "30 1 * * *", "time_zone": LONDON}, "2026-10-25 01:45", ""),
        ({"cron": "30 1 * * *", "time_zone": LONDON}, "2026-11-25 01:45", ""),
    ],
)  # fmt: skip
def test_a_job_without_a_slot_has_a_reason_only_where_the_schedule_gives_one(
    schedule: dict[str, object], instant: str, why: str
) -> None:
    """Without one it is a mistake that a person should see, never a quiet end."""
    assert unused(feed(schedule), ENGLAND, at(instant)) == why
