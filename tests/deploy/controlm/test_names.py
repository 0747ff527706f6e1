"""Is the name that Control-M makes from an order date the name that our own plan gives, for every slot of seven years?

Every job that is rendered is evaluated on every order date that its calendar gives. Every slot must be met exactly once,
and nothing but a slot.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from landbridge.deploy.controlm.calendars import dates_of, has
from landbridge.deploy.controlm.documents import Folder, Folders, RegularCalendar
from landbridge.deploy.controlm.expressions import filled
from landbridge.deploy.controlm.render import render
from landbridge.naming import manifest_key, target
from landbridge.schedule import Calendar, slots
from tests.deploy.controlm.declared import declared, stands_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration

FIRST, LAST = date(2024, 1, 1), date(2030, 12, 31)
ZONES = ("Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "America/St_Johns")
ENGLAND = {"calendar": "england"}
PREVIOUS = {"business_date": "previous_day"}
BUSINESS = {"business_date": "previous_business_day", **ENGLAND}
SCHEDULES: dict[str, dict[str, Any]] = {
    "daily": {"cron": "0 6 * * *"},
    "daily, at night": {"cron": "30 1 * * *", **PREVIOUS},
    "weekdays": {"cron": "45 5 * * 2-6", **PREVIOUS},
    "business days": {"cron": "0 7 * * 1-5", **BUSINESS, "on_holiday": "skip"},
    "the business day before Monday": {"cron": "15 22 * * 1", **BUSINESS},
    "not on holidays": {"cron": "0 6 * * *", **ENGLAND, "on_holiday": "skip"},
    "weekly": {"cron": "0 5 * * 1", **PREVIOUS},
    "monthly": {"cron": "30 4 1 * *", **PREVIOUS},
    "quarterly": {"cron": "30 4 1 1,4,7,10 *"},
    "last day of the month": {"cron": "0 3 L * *"},
    "first or Monday": {"cron": "0 3 1 * 1"},
    "for a while": {"cron": "0 6 * * *", "starts": "2026-05-04", "ends": "2028-02-29"},
}
FREQUENT: dict[str, dict[str, Any]] = {
    "hourly": {"cron": "5 * * * *"},
    "office hours": {"cron": "0 8,12,18 * * 1-5", **BUSINESS},
}
NAME = "{ENVIRONMENT}_{business_date:%y-%m.%d}.{business_date:%Y%m%d}_{revision:03d}.csv"
INSTANT = "REPORT_{scheduled_at}_{scheduled_at:%d-%H%M%S}_{revision}.csv"
Met = tuple[str, str, str]
"""Manifest that is watched for, file that is moved, slot that is landed."""


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", SCHEDULES)
def test_in_the_zone_of_the_schedule(kind: str, zone: str) -> None:
    every_slot_is_met({"time_zone": zone, **SCHEDULES[kind]}, NAME, labels={zone: "ZON"})


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", ["daily, at night", "monthly"])
def test_before_the_new_day(kind: str, zone: str) -> None:
    schedule = {"time_zone": zone, **SCHEDULES[kind]}
    every_slot_is_met(schedule, NAME, labels={zone: "ZON"}, new_day="05:30")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", ["daily, at night", "business days", "weekly"])
def test_in_a_zone_that_control_m_does_not_know(kind: str, zone: str) -> None:
    every_slot_is_met({"time_zone": zone, **SCHEDULES[kind]}, NAME)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", [*FREQUENT, "daily"])
def test_with_an_instant_in_the_name(kind: str, zone: str) -> None:
    schedule = {"time_zone": zone, **(FREQUENT | SCHEDULES)[kind]}
    # An hour is an hour in every year: seven years of them in one zone, two elsewhere.
    last = LAST.year if kind != "hourly" or zone == "Europe/London" else FIRST.year + 1
    every_slot_is_met(schedule, INSTANT, labels={zone: "ZON"}, last=last)


@pytest.mark.parametrize("kind", FREQUENT)
def test_with_an_instant_and_a_late_new_day(kind: str) -> None:
    last = LAST.year if kind != "hourly" else FIRST.year + 1
    every_slot_is_met({"time_zone": "Europe/London", **FREQUENT[kind]}, INSTANT, new_day="07:00", last=last)


def every_slot_is_met(
    schedule: dict[str, Any],
    name: str,
    *,
    labels: dict[str, str] | None = None,
    new_day: str = "00:00",
    last: int = LAST.year,
) -> None:
    years = {"first_year": FIRST.year, "last_year": last}
    declaration = declared(schedule, name, {"time_zones": labels or {}, "new_day": new_day, **years})
    documents = Folders.model_validate(render(declaration, "PRD").folders).root
    zones = {label: zone for zone, label in (labels or {}).items()} | {"GMT": "UTC"}
    (folder,) = (one for one in documents.values() if _has_report(one))
    assert isinstance(folder, Folder)
    zone = ZoneInfo(zones[folder.time_zone or ""])
    met: dict[datetime, Met] = {}
    end = date(last, 12, 31)
    for order_date, starts, at in _orders(folder, documents, end):
        clock = f"{starts[:2]}:{starts[2:]}"
        day = order_date + timedelta(days=int(clock < new_day))
        instant = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone).astimezone(UTC)
        assert instant not in met, "two jobs for one slot"
        met[instant] = at
    for number, slot in enumerate(_slots(declaration, zone, new_day, end)):
        # A revision stands where no day does: of some slots, the first among them, another one tells the same as of all.
        _is(slot, declaration.feeds["report"], met, (1,) if number % 12 else (1, 27))
    assert not met, "jobs for which there is no slot"


def _has_report(one: object) -> bool:
    return isinstance(one, Folder) and any(name.startswith("REPORT_") for name in one.parts)


def _orders(folder: Folder, documents: dict[str, Any], end: date) -> Iterator[tuple[date, str, Met]]:
    regular = {name: dates_of(one) for name, one in documents.items() if isinstance(one, RegularCalendar)}
    rules = folder.when.rule_based_calendars.parts
    for name in [name for name in folder.parts if name.startswith("REPORT_WATCH")]:
        when = folder.parts[name].when
        (rule,) = when.rule_based_calendars.included
        evaluated = [_text(folder, name.replace("WATCH", step)) for step in ("WATCH", "MOVE", "LAND")]
        for n in range((end - FIRST).days + 1):
            day = FIRST + timedelta(days=n)
            if has(rules[rule].when, day, regular):
                watched, moved, command = (text(day) for text in evaluated)
                words = command.split()
                yield day, when.from_time or "", (watched, moved, words[words.index("--scheduled") + 1])


def _text(folder: Folder, name: str) -> Callable[[date], str]:
    job = folder.parts[name].model_dump(by_alias=True, mode="json")
    variables = {key: value for one in job["Variables"] or () for key, value in one.items()}
    text = job["Command"] if "Command" in job else job["FileTransfers"][0]["Src"]
    return lambda day: filled(text, variables, day, name)


def _slots(declaration: Declaration, zone: ZoneInfo, new_day: str, end: date) -> Iterator[Slot]:
    feed = declaration.feeds["report"]
    calendar = Calendar(declaration.project.calendars["england"]) if feed.schedule.calendar else Calendar()
    since = datetime(FIRST.year, 1, 1, tzinfo=UTC) - timedelta(days=3)
    for slot in slots(feed, calendar, since, datetime(end.year + 1, 1, 4, tzinfo=UTC)):
        local = slot.scheduled_at.astimezone(zone)
        order_date = local.date() - timedelta(days=int(f"{local:%H:%M}" < new_day))
        if FIRST <= order_date <= end:
            yield slot


def _is(slot: Slot, feed: Feed, met: dict[datetime, Met], revisions: tuple[int, ...]) -> None:
    # A time that a jump of the clocks leaves out: the job of that day starts up to an hour before or after it.
    hour = timedelta(hours=1)
    near = [at for at in (slot.scheduled_at, slot.scheduled_at - hour, slot.scheduled_at + hour) if at in met]
    near = near or [at for at in met if abs(at - slot.scheduled_at) < hour]
    manifest, file, landed = met.pop(near[0])
    for revision in revisions:
        assert stands_for(file, f"/{target(feed, slot, 'PRD', revision, {}).key}")
        assert stands_for(manifest, f"/{manifest_key(slot, revision)}")
    local = slot.scheduled_at.astimezone(ZoneInfo(feed.schedule.time_zone))
    assert landed in {f"{local:%Y%m%d}", f"{slot.scheduled_at:%Y%m%dT%H%MZ}"}
