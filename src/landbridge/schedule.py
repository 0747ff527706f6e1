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

from landbridge import cron
from landbridge.errors import UsageError
from landbridge.facts import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.feed import Feed, Schedule
    from landbridge.project import Holidays

INSTANT = "%Y%m%dT%H%MZ"
_SATURDAY = 5
_MOST_NEAR = 3
_ONE_MINUTE = timedelta(minutes=1)
_ONE_HOUR = timedelta(hours=1)
_ONE_DAY = timedelta(days=1)
_EVER = 50 * timedelta(days=366)
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

    def check(self) -> None:
        """Make sure that the country and its subdivision are known.

        Raises:
            UsageError: they are not.
        """
        _ = self._public

    def is_holiday(self, day: date) -> bool:
        """Tell whether `day` is a holiday; weekends are not holidays."""
        if self.declared is None or day in self.declared.remove:
            return False
        return day in self.declared.add or day in self._public  # type: ignore[operator] # HolidayBase is a dict

    def holiday_name(self, day: date) -> str:
        """Say which holiday `day` is; empty when it is none."""
        if not self.is_holiday(day):
            return ""
        public = self._public
        return str(public.get(day) or "holiday") if isinstance(public, dict) else "holiday"

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
    return cron.fired(schedule.cron, ZoneInfo(schedule.time_zone), since, until)


def is_frequent(schedule: Schedule) -> bool:
    """Tell whether the feed can fire more than once a local day; its slots are then named by instant, else by business date.

    Raises:
        UsageError: the expression cannot be read.
    """
    return cron.is_frequent(schedule.cron)


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


def window_end(slot: Slot, overdue_after: timedelta) -> datetime:
    """Give the end of the time in which a slot's file is awaited: its deadline, or `overdue_after` its time without one."""
    return slot.deadline or slot.scheduled_at + overdue_after


def open_slots(feed: Feed, calendar: Calendar, overdue_after: timedelta, now: datetime) -> list[Slot]:
    """Give the slots that are due at `now` and whose window has not ended, in order."""
    due = slots(feed, calendar, now - _longest(feed.schedule, overdue_after), now + timedelta(seconds=1))
    return [slot for slot in due if slot.scheduled_at <= now < window_end(slot, overdue_after)]


def ended_slots(
    feed: Feed, calendar: Calendar, overdue_after: timedelta, since: datetime, until: datetime
) -> list[Slot]:
    """Give the slots whose window ended in (since, until], in order."""
    due = slots(feed, calendar, since - _longest(feed.schedule, overdue_after), until)
    return [slot for slot in due if since < window_end(slot, overdue_after) <= until]


def _longest(schedule: Schedule, overdue_after: timedelta) -> timedelta:
    """Give a time that no window of the schedule outlasts."""
    match schedule.deadline:
        case None:
            return overdue_after + _ONE_DAY
        case timedelta() as after:
            return after + _ONE_DAY
        case deadline:
            return (deadline.days + 2) * _ONE_DAY


def next_slots(feed: Feed, calendar: Calendar, since: datetime) -> Iterator[Slot]:
    """Give the slots from `since` on, in order, as long as the schedule has any in the next fifty years.

    Raises:
        UsageError: the schedule cannot be read.
    """
    last = since + _EVER
    if feed.schedule.ends:
        end = datetime.combine(feed.schedule.ends + 2 * _ONE_DAY, time(), tzinfo=UTC)
        last = min(last, end)
    return slots(feed, calendar, since, last)


def slot_named(feed: Feed, calendar: Calendar, occurrence: str) -> Slot:
    """Give the slot with this occurrence: a business date, or the instant of a frequent feed.

    A frequent feed also takes a business date if only one slot has it; a daily one also the instant.

    Raises:
        UsageError: the schedule has no such slot; the message names the nearest ones.
    """
    named = _named(occurrence)
    if isinstance(named, datetime):
        found = [s for s in slots(feed, calendar, named, named + _ONE_MINUTE) if s.scheduled_at == named]
        near = found or _near(feed, calendar, named.date())
    else:
        near = _near(feed, calendar, named)
        found = [slot for slot in near if slot.business_date == named]
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
        + (
            ", ".join(slot.occurrence for slot in near[:_MOST_NEAR]) or "none: it does not fire near that day"
        ),
        hint=f"see `landbridge explain {feed.feed}`",
    )


def _near(feed: Feed, calendar: Calendar, day: date) -> list[Slot]:
    """Give the slots around a business date, at least all that are about it: business dates never go back."""
    around = datetime.combine(day, time(), tzinfo=UTC)
    near: list[Slot] = []
    for slot in slots(feed, calendar, around - _ONE_DAY, around + _LOOK_AROUND):
        near.append(slot)
        if slot.business_date > day and len(near) >= _MOST_NEAR:
            break
    return near


def slot_at(feed: Feed, calendar: Calendar, instant: datetime) -> Slot:
    """Give the slot scheduled at exactly this instant.

    Raises:
        UsageError: the schedule does not fire then.
    """
    for slot in slots(feed, calendar, instant, instant + _ONE_MINUTE):
        if slot.scheduled_at == instant:
            return slot
    raise UsageError(
        f"`{feed.feed}` is not scheduled at {instant.astimezone(UTC):{INSTANT}}",
        expected=f"an instant of `{feed.schedule.cron}` in {feed.schedule.time_zone}",
        hint="name the slot with `--date`",
    )


def slots_on(feed: Feed, calendar: Calendar, day: date) -> list[Slot]:
    """Give the slots that are scheduled on `day`, from midnight to midnight where the schedule is at home.

    Raises:
        UsageError: the schedule cannot be read.
    """
    zone = ZoneInfo(feed.schedule.time_zone)
    begin, end = (datetime.combine(one, time(), tzinfo=zone) for one in (day, day + _ONE_DAY))
    return list(slots(feed, calendar, begin, end))


def unused(feed: Feed, calendar: Calendar, instant: datetime) -> str:
    """Say why there is no slot at an instant at which cron fires all the same; empty when cron does not fire then.

    A scheduler that knows only the expression starts jobs before `starts`, after `ends`, on holidays that are skipped,
    and twice in an hour that comes twice.
    """
    schedule = feed.schedule
    zone = ZoneInfo(schedule.time_zone)
    local = instant.astimezone(zone)
    fired = {at.astimezone(UTC) for at in firings(schedule, instant - 4 * _ONE_HOUR, instant + _ONE_MINUTE)}
    if instant not in fired:
        first = local.replace(fold=0).astimezone(UTC)
        return f"{local:%H:%M} comes twice on that day" if local.fold and first in fired else ""
    if schedule.starts and local.date() < schedule.starts:
        return f"its slots start on {schedule.starts}"
    if schedule.ends and local.date() > schedule.ends:
        return f"its slots ended on {schedule.ends}"
    if schedule.on_holiday == "skip" and calendar.is_holiday(local.date()):
        return f"{local.date()} is a holiday ({calendar.holiday_name(local.date())})"
    return ""


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


_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def moment_written(text: str, form: str) -> datetime | None:
    """Read a day or an instant of UTC that is written in full as `form` has it, in a year that can be meant; else None.

    strptime alone takes fewer digits than it writes: six of them (`261214`) are a day in the year 2612 to it.
    """
    try:
        named = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return named if _FIRST_YEAR <= named.year <= _LAST_YEAR and named.strftime(form) == text else None


def _named(occurrence: str) -> date | datetime:
    """Read what an operator types: an aware instant in UTC, or a business date."""
    for form in ("%Y-%m-%d", INSTANT):
        if named := moment_written(occurrence, form):
            return named if form == INSTANT else named.date()
    raise UsageError(
        f"`{occurrence}` names no slot",
        expected="a business date `2026-11-20`, or an instant `20261120T1000Z`, between 1970 and 2999",
    )
