"""Does the twin's Control-M, which shares nothing with the emitter, meet every slot at its time, by its names and deadline?

The rendered JSON is read, ordered and filled by the executor's own code: rules and calendars, working days, variables. Our
own plan and schedule give what must come of it, once for each slot.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from landbridge.deploy.controlm.render import render
from landbridge.naming import manifest_key, target
from landbridge.schedule import Calendar, slots
from landbridge.twin.controlm.definitions import Mft, Os, Sla
from landbridge.twin.controlm.reading import deployed
from landbridge.twin.controlm.server import Server
from landbridge.twin.controlm.variables import own, resolved, system
from tests.deploy.controlm.declared import declared, stands_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.facts import Slot
    from landbridge.project import Declaration
    from landbridge.twin.controlm.definitions import Folder, Job

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONES = ("Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Sydney")
ENGLAND = {"calendar": "england"}
BUSINESS = {"business_date": "previous_business_day", **ENGLAND}
SCHEDULES: dict[str, dict[str, Any]] = {
    "daily": {"cron": "0 7 * * *", "deadline": {"at": "09:00"}},
    "until the next morning": {"cron": "0 7 * * *", "deadline": {"at": "06:00", "days": 1}},
    "for a day": {"cron": "0 7 * * *", "deadline": {"at": "07:00", "days": 1}},
    "early": {"cron": "0 5 * * *", "deadline": {"at": "06:00"}, "business_date": "previous_day"},
    "over the new day": {"cron": "0 6 * * *", "deadline": "1h"},
    "for two days": {"cron": "0 5 * * 1-5", "deadline": {"at": "05:30", "days": 2}},
    "business days": {"cron": "15 6 * * 1-5", **BUSINESS, "on_holiday": "skip", "deadline": "90m"},
    "monthly": {"cron": "30 4 1 * *", "business_date": "previous_day", "deadline": "12h"},
    "no deadline": {"cron": "45 5 * * 2-6", "business_date": "previous_day"},
    "at night": {"cron": "30 1 * * *", "business_date": "previous_day", "deadline": "2h"},
}
FREQUENT = {"cron": "5 0,5,6,7,12,23 * * *", "deadline": "90m"}
NAME = "{ENVIRONMENT}_{business_date:%y-%m.%d}.{business_date:%Y%m%d}_{revision:03d}.csv"
INSTANT = "REPORT_{scheduled_at}_{scheduled_at:%d-%H%M%S}_{revision}.csv"


@dataclass(frozen=True)
class Met:
    """What jobs of one order date do."""

    opens: datetime
    manifest: str
    file: str
    landed: str
    deadlines: tuple[datetime, ...]
    """Of the notice, and of the service."""


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("new_day", ["00:00", "06:30", "18:00"])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_in_the_zone_of_the_schedule(kind: str, new_day: str, zone: str) -> None:
    every_slot_is_met({"time_zone": zone, **SCHEDULES[kind]}, NAME, zone, new_day)


@pytest.mark.parametrize("new_day", ["00:00", "06:30"])
@pytest.mark.parametrize("zone", ZONES)
def test_with_an_instant_in_the_name(zone: str, new_day: str) -> None:
    every_slot_is_met({"time_zone": zone, **FREQUENT}, INSTANT, "Etc/UTC", new_day)


def every_slot_is_met(schedule: dict[str, Any], name: str, zone: str, new_day: str) -> None:
    labels = {zone: "ZON"}
    years = {"first_year": FIRST.year, "last_year": LAST.year}
    declaration = declared(schedule, name, {"time_zones": labels, "new_day": new_day, **years})
    rendered = render(declaration, "PRD")
    zones = {"ZON": ZoneInfo(zone), "GMT": ZoneInfo("Etc/GMT")}
    server = Server("ctm", ZoneInfo("Europe/London"), time.fromisoformat(new_day), zones, {})
    met = _met(deployed(rendered.profiles, rendered.folders, "ctm").folders, server)
    for slot in _slots(declaration, server):
        here = slot.scheduled_at if slot.scheduled_at in met else _skipped_time(slot, met)
        _is(slot, declaration, met.pop(here), ZoneInfo(zone))
    assert not met, "jobs for which there is no slot"


def _met(folders: tuple[Folder, ...], server: Server) -> dict[datetime, Met]:
    found: dict[datetime, Met] = {}
    jobs = {job.name: (folder, job) for folder in folders for job in folder.jobs}
    for name in [name for name in jobs if name.startswith("REPORT_WATCH")]:
        folder, watch = jobs[name]
        day = FIRST
        while day <= LAST:
            if any(rule.fits(day) for rule in folder.days) and any(rule.fits(day) for rule in watch.days):
                move, land = (jobs[name.replace("WATCH", step)][1] for step in ("MOVE", "LAND"))
                sla = jobs.get(name.replace("WATCH", "SLA"))
                one = _one(watch, move, land, sla[1] if sla else None, day, server)
                assert one.opens not in found, "two jobs for one slot"
                found[one.opens] = one
            day += DAY
    return found


def _one(watch: Job, move: Job, land: Job, sla: Job | None, day: date, server: Server) -> Met:
    assert isinstance(watch.work, Mft)
    assert isinstance(move.work, Mft)
    assert isinstance(land.work, Os)
    words = shlex.split(_filled(land, land.work.command, day))
    late = [(notice.by, land.zone, notice.days) for notice in land.notices]
    if sla is not None:
        assert isinstance(sla.work, Sla)
        late.append((sla.work.by, sla.zone, sla.work.days))
    return Met(
        opens=server.instant(day, watch.window.begins or "", watch.zone),
        manifest=_filled(watch, watch.work.transfers[0].source, day),
        file=_filled(move, move.work.transfers[0].source, day),
        landed=words[words.index("--scheduled") + 1],
        deadlines=tuple(server.instant(day, *one) for one in late),
    )


def _filled(job: Job, text: str, day: date) -> str:
    return resolved(text, own(job.variables, system(job.name, day)))


def _slots(declaration: Declaration, server: Server) -> Iterator[Slot]:
    """Give every slot whose working day is in the years that are rendered."""
    feed = declaration.feeds["report"]
    calendar = Calendar(declaration.project.calendars["england"]) if feed.schedule.calendar else Calendar()
    since = datetime(FIRST.year, 1, 1, tzinfo=UTC) - 3 * DAY
    for slot in slots(feed, calendar, since, datetime(LAST.year + 1, 1, 4, tzinfo=UTC)):
        if FIRST <= server.order_date(slot.scheduled_at, "ZON") <= LAST:
            yield slot


def _skipped_time(slot: Slot, met: dict[datetime, Met]) -> datetime:
    """Find the job of a day whose clocks skip the time: it starts up to an hour away."""
    (near,) = [at for at in met if abs(at - slot.scheduled_at) <= HOUR]
    return near


def _is(slot: Slot, declaration: Declaration, met: Met, zone: ZoneInfo) -> None:
    feed = declaration.feeds["report"]
    for revision in (1, 27):
        assert stands_for(met.file, f"/{target(feed, slot, 'PRD', revision, {}).key}")
        assert stands_for(met.manifest, f"/{manifest_key(slot, revision)}")
    local = slot.scheduled_at.astimezone(ZoneInfo(feed.schedule.time_zone))
    assert met.landed in {f"{local:%Y%m%d}", f"{slot.scheduled_at:%Y%m%dT%H%MZ}"}
    assert len(met.deadlines) == (2 if slot.deadline else 0)
    if slot.deadline:
        # A length of time over a change of the clocks is an hour off on the clock, and Control-M knows the clock alone.
        ends = (slot.scheduled_at, slot.deadline)
        changed = len({at.astimezone(zone).utcoffset() for at in ends}) > 1 or met.opens != slot.scheduled_at
        for deadline in met.deadlines:
            assert abs(deadline - slot.deadline) <= (HOUR if changed else timedelta()), slot
