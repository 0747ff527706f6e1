"""On which order dates are a feed's jobs ordered, in which time zone, from when, and what do the dates mean?

The slots of the schedule are laid out over the years that are rendered, and put together where one definition of jobs
does for all of them: the same time of day, the same distance from the order date to the business date. What differs
(another distance after a holiday, another hour in UTC in summer) becomes jobs of their own with a calendar of their own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.deploy.controlm.patterns import Inexpressible, Moment
from landbridge.schedule import firings, is_frequent, slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.controlm import ControlM
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.schedule import Calendar

GREENWICH = "GMT"
"""The label without summer time that every Control-M/Server has. [D] BMC, "Time Zone"."""
MOST_A_DAY = 24
"""Slots of a feed that get jobs of their own; more of them are collected by one cyclic job."""
_DAY = timedelta(days=1)
EXACT = "Etc/UTC"
"""The zone in which an instant has the same name in summer and winter."""
_UTC = frozenset({"UTC", "Etc/UTC", "Etc/GMT", "GMT"})


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone as Control-M/Server calls it, and as we do."""

    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Due:
    """A time of the job's zone, counted from the order date."""

    days: int
    """Working days: a time before the new day belongs to the working day before its date. [D] BMC, "Time Zone"."""
    at: time


@dataclass(frozen=True, slots=True)
class Ordered:
    """Slots of a feed that one definition of jobs does for."""

    zone: Zone
    since: time
    """When its jobs may start, in its zone."""
    moment: Moment
    deadline: Due | None
    wait: timedelta
    """How long the file is waited for."""
    days: frozenset[date]
    """Order dates."""


def zone_of(feed: Feed, declared: ControlM) -> Zone:
    """Choose the zone of a feed's jobs.

    That of its schedule where Control-M/Server knows it; Greenwich where it does not, and where names hold an instant in UTC.
    """
    name = feed.schedule.time_zone
    if is_frequent(feed.schedule) or _names_an_instant(feed) or name not in declared.time_zones:
        utc = next(
            (declared.time_zones[one] for one in sorted(_UTC) if one in declared.time_zones), GREENWICH
        )
        return Zone(utc, EXACT)
    return Zone(declared.time_zones[name], name)


def _names_an_instant(feed: Feed) -> bool:
    return any("{scheduled_at" in one for one in (feed.file.name, feed.file.folder))


def ordered(feed: Feed, calendar: Calendar, declared: ControlM) -> list[Ordered]:
    """Lay out a feed's slots.

    Raises:
        Inexpressible: it has more slots a day than get jobs of their own.
        UsageError: the schedule cannot be read.
    """
    zone = zone_of(feed, declared)
    _few_a_day(feed)
    daily, new_day = None if zone.name == EXACT else _daily_time(feed), _clock(declared.new_day)
    groups: dict[tuple[int, time, Moment, Due | None], list[tuple[date, Slot]]] = defaultdict(list)
    for slot in _slots(feed, calendar, declared):
        order_date, key = _placed(feed, slot, zone, daily, new_day)
        if declared.first_year <= order_date.year <= declared.last_year:
            groups[key].append((order_date, slot))
    gap = _gap(feed, calendar, declared)
    return [
        Ordered(
            zone=zone,
            since=key[1],
            moment=key[2],
            deadline=key[3],
            wait=_wait([slot for _, slot in found], gap),
            days=frozenset(day for day, _ in found),
        )
        for key, found in sorted(
            groups.items(),
            key=lambda group: (group[0][0], group[0][1], -group[0][2].business, group[1][0][0]),
        )
    ]


def span(declared: ControlM) -> tuple[date, date]:
    """Give the first and last order date that is rendered: on each between them a rule orders exactly when there is a slot.

    Also before `starts` and after `ends`: a job that is ordered there waits for a file that nobody makes, and alarms.
    """
    return date(declared.first_year, 1, 1), date(declared.last_year, 12, 31)


def _slots(feed: Feed, calendar: Calendar, declared: ControlM) -> Iterator[Slot]:
    first = datetime(declared.first_year, 1, 1, tzinfo=UTC) - 2 * _DAY
    last = datetime(declared.last_year + 1, 1, 1, tzinfo=UTC) + 2 * _DAY
    return slots(feed, calendar, first, last)


def _placed(
    feed: Feed, slot: Slot, zone: Zone, daily: time | None, new_day: time
) -> tuple[date, tuple[int, time, Moment, Due | None]]:
    local = slot.scheduled_at.astimezone(ZoneInfo(zone.name))
    # On the day the clocks go forward a daily time may not exist; its job is the same as on every other day.
    at = daily or local.time()
    before_new_day = at < new_day
    order_date = local.date() - _DAY if before_new_day else local.date()
    moment = Moment(
        business=(slot.business_date - order_date).days,
        scheduled=int(before_new_day),
        at=at if daily is None else None,
    )
    return order_date, (int(before_new_day), at, moment, _due(feed, slot, order_date, zone, at, new_day))


def _due(feed: Feed, slot: Slot, order_date: date, zone: Zone, at: time, new_day: time) -> Due | None:
    if slot.deadline is None:
        return None
    declared = feed.schedule.deadline
    if zone.name != EXACT and isinstance(declared, timedelta):
        nominal = datetime.combine(slot.scheduled_at.astimezone(ZoneInfo(zone.name)).date(), at, tzinfo=UTC)
        due = nominal + declared
    else:
        due = slot.deadline.astimezone(ZoneInfo(zone.name))
    clock = due.time().replace(second=0, microsecond=0)
    working_day = due.date() - (_DAY if clock < new_day else timedelta())
    return Due((working_day - order_date).days, clock)


def _wait(found: list[Slot], gap: timedelta) -> timedelta:
    """Give the usual wait: when the clocks change, a deadline on the clock is an hour nearer or farther."""
    waits = [slot.deadline - slot.scheduled_at for slot in found if slot.deadline is not None]
    return max(max(set(waits), key=waits.count), timedelta(minutes=1)) if waits else gap


def _gap(feed: Feed, calendar: Calendar, declared: ControlM) -> timedelta:
    """Give the least time between two slots, at most a day: so long a file without a deadline is waited for."""
    instants = []
    for slot in _slots(feed, calendar, declared):
        instants.append(slot.scheduled_at)
        if len(instants) > 3 * MOST_A_DAY:
            break
    gaps = [after - before for before, after in pairwise(instants)]
    return min([*gaps, _DAY])


def _few_a_day(feed: Feed) -> None:
    since = datetime(2024, 1, 1, tzinfo=UTC)
    first = next(firings(feed.schedule, since, since + timedelta(days=400)), None)
    if first is None:
        return
    several = list(firings(feed.schedule, first, first + _DAY))
    if len(several) > MOST_A_DAY:
        message = f"it has {len(several)} slots a day, more than {MOST_A_DAY}"
        raise Inexpressible(message)


def _daily_time(feed: Feed) -> time:
    """Give the one time of day of a daily (or rarer) schedule, as on a day without a jump of the clocks."""
    since = datetime(2024, 6, 1, tzinfo=UTC)
    fired = [at.time() for at in islice(firings(feed.schedule, since, since + timedelta(days=1500)), 9)]
    return max(set(fired), key=fired.count) if fired else time()


def _clock(text: str) -> time:
    hour, minute = map(int, text.split(":"))
    return time(hour, minute)
