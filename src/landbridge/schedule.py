"""Which slots does a feed have, and which day is each about?

Slots follow from the declaration alone: cron firing twice, early or never does not change how many there are.
Times in between daylight saving's jumps follow Debian's cron (as cronsim does): a daily time that does not exist
that day fires once after the jump, one that exists twice fires once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from landbridge.errors import UsageError
from landbridge.facts import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.feed import Feed, Schedule
    from landbridge.project import Holidays

INSTANT = "%Y%m%dT%H%MZ"
_SATURDAY = 5
_ONE_DAY = timedelta(days=1)
_LOOK_AROUND = timedelta(days=40)
"""Farther than any business date lies from its scheduled day: a month of holidays in a row is refused."""


@dataclass(frozen=True)
class Calendar:
    """Public holidays of one declared calendar; without one, no day is a holiday."""

    declared: Holidays | None = None

    @cached_property
    def _public(self) -> object:
        if self.declared is None or self.declared.country is None:
            return ()
        import holidays

        try:
            return holidays.country_holidays(self.declared.country, subdiv=self.declared.subdivision)
        except NotImplementedError as error:
            raise UsageError(
                f"no holiday calendar for `{self.declared.country}` `{self.declared.subdivision or ''}`",
                expected="an ISO 3166-1 code and a subdivision that the `holidays` library knows",
            ) from error

    def is_holiday(self, day: date) -> bool:
        """Tell whether `day` is a holiday; weekends are not holidays."""
        if self.declared is None or day in self.declared.remove:
            return False
        return day in self.declared.add or day in self._public  # type: ignore[operator] # HolidayBase is a dict

    def is_business_day(self, day: date) -> bool:
        """Tell whether `day` is Monday to Friday and no holiday."""
        return day.weekday() < _SATURDAY and not self.is_holiday(day)

    def previous_business_day(self, day: date) -> date:
        """Give the last business day before `day`.

        Raises:
            UsageError: none in the forty days before; the calendar cannot be right.
        """
        for back in range(1, _LOOK_AROUND.days):
            if self.is_business_day(candidate := day - timedelta(days=back)):
                return candidate
        raise UsageError(f"the calendar has no business day in the forty days before {day}")


def firings(schedule: Schedule, since: datetime, until: datetime) -> Iterator[datetime]:
    """Give the local instants in [since, until) at which the cron expression fires.

    Raises:
        UsageError: the expression cannot be read, or never fires.
    """
    zone = ZoneInfo(schedule.time_zone)
    try:
        cron = CronSim(schedule.cron, since.astimezone(zone) - timedelta(seconds=1))
    except CronSimError as error:
        raise UsageError(
            f"the cron expression `{schedule.cron}` cannot be read: {error}",
            expected="five fields: minute hour day month weekday",
        ) from error
    while True:
        try:
            at = next(cron)
        except StopIteration:
            return  # cronsim gives up after fifty years: it never fires again
        if at >= until:
            return
        yield at


def is_frequent(schedule: Schedule) -> bool:
    """Tell whether the feed can fire more than once a local day; its slots are then named by instant, else by business date.

    Raises:
        UsageError: the expression cannot be read.
    """
    try:
        cron = CronSim(schedule.cron, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise UsageError(
            f"the cron expression `{schedule.cron}` cannot be read: {error}",
            expected="five fields: minute hour day month weekday",
        ) from error
    return len(cron.hours) * len(cron.minutes) > 1


def slots(feed: Feed, calendar: Calendar, since: datetime, until: datetime) -> Iterator[Slot]:
    """Give the slots whose scheduled instant lies in [since, until), in order.

    Raises:
        UsageError: the schedule cannot be read.
    """
    schedule = feed.schedule
    frequent = is_frequent(schedule)
    for at in firings(schedule, since, until):
        day = at.date()
        if (schedule.starts and day < schedule.starts) or (schedule.ends and day > schedule.ends):
            continue
        if schedule.on_holiday == "skip" and calendar.is_holiday(day):
            continue
        business_date = _business_date(schedule, calendar, day)
        instant = at.astimezone(UTC)
        yield Slot(
            feed=feed.feed,
            occurrence=instant.strftime(INSTANT) if frequent else business_date.isoformat(),
            business_date=business_date,
            scheduled_at=instant,
            deadline=_deadline(schedule, at),
        )


def slot_named(feed: Feed, calendar: Calendar, occurrence: str) -> Slot:
    """Give the slot with this occurrence: a business date, or the instant of a frequent feed.

    A frequent feed also takes a business date if only one slot has it.

    Raises:
        UsageError: the schedule has no such slot; the message names the nearest ones.
    """
    day = _day_of(occurrence)
    around = datetime.combine(day, time(), tzinfo=UTC)
    near = list(slots(feed, calendar, around - _ONE_DAY, around + _LOOK_AROUND))
    found = [slot for slot in near if slot.occurrence == occurrence]
    found = found or [slot for slot in near if slot.business_date.isoformat() == occurrence]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"`{feed.feed}` has {len(found)} slots on {occurrence}",
            expected="one of them by its instant: " + ", ".join(slot.occurrence for slot in found[:24]),
        )
    raise UsageError(
        f"`{feed.feed}` has no slot `{occurrence}` by its schedule `{feed.schedule.cron}` ({feed.schedule.time_zone})",
        expected="for instance "
        + (", ".join(slot.occurrence for slot in near[:3]) or "none: it does not fire near that day"),
        hint=f"see `landbridge explain {feed.feed}`",
    )


def slot_at(feed: Feed, calendar: Calendar, instant: datetime) -> Slot:
    """Give the slot scheduled at exactly this instant.

    Raises:
        UsageError: the schedule does not fire then.
    """
    for slot in slots(feed, calendar, instant, instant + timedelta(minutes=1)):
        return slot
    raise UsageError(
        f"`{feed.feed}` is not scheduled at {instant.astimezone(UTC):{INSTANT}}",
        expected=f"an instant of `{feed.schedule.cron}` in {feed.schedule.time_zone}",
        hint="name the slot with `--date`",
    )


def current_slot(feed: Feed, calendar: Calendar, now: datetime) -> Slot:
    """Give the latest slot that is due at `now`: what an operator who names no date most likely means.

    Raises:
        UsageError: none was due in the past year.
    """
    for days in (2, 35, 370):
        due = list(slots(feed, calendar, now - timedelta(days=days), now + timedelta(seconds=1)))
        if due:
            return due[-1]
    raise UsageError(f"`{feed.feed}` had no slot in the past year", hint="name one with `--date`")


def same_business_date(
    feed: Feed, calendar: Calendar, since: datetime, until: datetime
) -> tuple[Slot, Slot] | None:
    """Find two slots of a daily (or rarer) feed that would be about the same day: `check` refuses such a schedule."""
    if is_frequent(feed.schedule):
        return None
    seen: dict[date, Slot] = {}
    for slot in slots(feed, calendar, since, until):
        if slot.business_date in seen:
            return seen[slot.business_date], slot
        seen[slot.business_date] = slot
    return None


def _business_date(schedule: Schedule, calendar: Calendar, day: date) -> date:
    match schedule.business_date:
        case "same_day":
            return day
        case "previous_day":
            return day - _ONE_DAY
        case "previous_business_day":
            return calendar.previous_business_day(day)


def _deadline(schedule: Schedule, at: datetime) -> datetime | None:
    match schedule.deadline:
        case None:
            return None
        case timedelta() as after:
            return at.astimezone(UTC) + after
        case deadline:
            hour, minute = map(int, deadline.at.split(":"))
            local = datetime.combine(
                at.date() + timedelta(days=deadline.days), time(hour, minute), tzinfo=at.tzinfo
            )
            return local.astimezone(UTC)


def _day_of(occurrence: str) -> date:
    for form in ("%Y-%m-%d", INSTANT):
        try:
            return datetime.strptime(occurrence, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise UsageError(
        f"`{occurrence}` names no slot",
        expected="a business date `2026-11-20`, or an instant `20261120T1000Z`",
    )
