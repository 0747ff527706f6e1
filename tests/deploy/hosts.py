"""Which feeds try the calendars of schedulers, and when must each of them be started?"""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from landbridge.deploy.clocks import changes_of
from landbridge.deploy.hosts.jobs import Checking, Collecting, Sweeping, Timed, ground
from landbridge.schedule import Calendar, slots, window_end
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.deploy.hosts.jobs import Ground
    from landbridge.feed import Feed
    from landbridge.project import Declaration

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
OVERDUE_AFTER = timedelta(hours=24)
LONDON, NEW_YORK = "Europe/London", "America/New_York"


def _feed(name: str, cron: str, zone: str = LONDON, deadline: object = None) -> Feed:
    schedule: dict[str, object] = {"cron": cron, "time_zone": zone, "business_date": "previous_day"}
    return feed(feed=name, schedule=schedule | ({"deadline": deadline} if deadline else {}))


FEEDS = (
    _feed("daily", "0 6 * * *", deadline={"at": "07:00", "days": 1}),
    _feed("weekdays", "45 5 * * 2-6"),
    _feed("monthly", "30 4 1 * *"),
    _feed("hourly", "5 * * * *", deadline="90m"),
    _feed(
        "skipped", "30 1 * * *", deadline="45m"
    ),  # the hour that London's spring skips and its autumn repeats
    _feed("skipped-there", "30 2 * * *", NEW_YORK, {"at": "02:45"}),
    _feed("repeated-there", "15 1 * * 0", NEW_YORK, "2h"),
    _feed("midnight", "0 0 * * *", "Africa/Cairo", "30m"),  # a change at midnight
    _feed("halves", "45 1 * * *", "Australia/Lord_Howe", "1h"),  # a change of half an hour
    _feed("quarters", "*/20 8-18 * * 1-5", "Asia/Kathmandu", "15m"),
    _feed("late-evening", "50 23 * * 5", "America/St_Johns", {"at": "06:30", "days": 3}),
    _feed("last-day", "0 6 L * *", deadline={"at": "12:00"}),
    _feed("last-friday", "0 6 * * 5L", "Asia/Tokyo", "3h"),
    _feed("either", "0 6 1 * 1", deadline="1h"),
    _feed("both", "0 6 1-7 * */2", NEW_YORK, "30h"),
    _feed("thirtieth", "30 23 30,31 * *", "Pacific/Kiritimati", {"at": "05:00", "days": 1}),
)
"""By name, what each is hard about."""


def project(**host: object) -> Declaration:
    """Give a project of these feeds with one environment `PRD`."""
    return declaration(*FEEDS, project={"environments": {"PRD": {}}, "host": host})


def on(**host: object) -> Ground:
    """Give the jobs of its hosts, the same ones for the same words: each look at the changes of the clocks takes time."""
    return _on(json.dumps(host, sort_keys=True))


@cache
def _on(host: str) -> Ground:
    return ground(project(**json.loads(host)), "PRD")


def collecting(of: Ground) -> list[Collecting]:
    return [job for job in of.jobs if isinstance(job, Collecting)]


def timed() -> list[Timed]:
    """Give every job of these feeds that starts at moments of its own."""
    return [*collecting(on()), *checking(on())]


def checking(of: Ground) -> list[Checking]:
    return [job for job in of.jobs if isinstance(job, Checking)]


def sweeping(of: Ground) -> Sweeping:
    return next(job for job in of.jobs if isinstance(job, Sweeping))


@cache
def due(job: Collecting | Checking) -> tuple[datetime, ...]:
    """Give the instants of a year at which a job must be started: slots of a collection, deadlines of a check."""
    one = next(each for each in FEEDS if each.feed == job.feed)
    since, until = YEAR
    found = slots(one, Calendar(), since - timedelta(days=5), until)
    instants = {
        slot.scheduled_at if isinstance(job, Collecting) else window_end(slot, OVERDUE_AFTER)
        for slot in found
    }
    return tuple(sorted(at for at in instants if since <= at < until))


def hard_days(job: Timed) -> tuple[date, ...]:
    """Give the days of UTC in the year on which a calendar may go wrong, and some that chance picks.

    The days around each change of the clocks, the first and the last of each month, the last of February among them.
    """
    first, last = YEAR[0].date(), YEAR[1].date()
    year = [first + timedelta(days=n) for n in range((last - first).days)]
    changes = [change.date() for change in changes_of(job.starts.zone)]
    around = {change + timedelta(days=n) for change in changes for n in (-2, -1, 0, 1, 2)}
    ends = {day for day in year if 1 in {day.day, (day + timedelta(days=1)).day}}
    some = set(random.Random(job.name).sample(year, 14))
    return tuple(day for day in year if day in around | ends | some)
