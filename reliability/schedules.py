"""Does every feed come to exactly its declared slots, however badly its cron fires? Judged by time zones alone.

What is declared is worked out anew here from `zoneinfo`, without a line of the product's own reading of schedules. Times
that the clocks skip count as the instant of the jump, times that they repeat count once.
"""

from __future__ import annotations

import random
import tempfile
import time as stopwatch
from collections import Counter
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.declare import load
from landbridge.errors import UsageError
from landbridge.schedule import Calendar, slots
from landbridge.standing import Known, standing
from landbridge.telling import missed
from landbridge.twin.scheduler import Dispatcher, due, watch
from landbridge.wiring import choice
from reliability.figures import Figure
from reliability.spread import spread
from tests.core.feeds import feed as declared_feed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration
    from landbridge.twin.scheduler import Fired

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns")
"""Clocks change at 01:00 UTC, at 02:00 local, by half an hour, never, and half an hour off the others."""
FIRST, LAST = date(2024, 1, 1), date(2030, 12, 31)
SKEW = timedelta(minutes=10)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_HALF_HOUR = timedelta(minutes=30)
"""The offset of each of the zones is a multiple of it, in these years."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How often a feed comes."""

    name: str
    cron: str
    minute: int
    hour: int | None
    """None: every hour."""
    weekday: int | None = None
    """As `date.weekday` counts."""
    day: int | None = None

    def fits(self, day: date) -> bool:
        """Tell whether it comes on `day`."""
        return self.weekday in {None, day.weekday()} and self.day in {None, day.day}


KINDS = (
    Kind("hourly", "10 * * * *", 10, None),
    Kind("daily", "15 2 * * *", 15, 2),  # skipped in New York, St. John's and on Lord Howe Island
    Kind("daily-early", "30 1 * * *", 30, 1),  # repeated there, and skipped in London
    Kind("weekly", "40 1 * * 0", 40, 1, weekday=6),  # clocks change on Sundays
    Kind("monthly", "30 1 1 * *", 30, 1, day=1),  # the first of a month is such a Sunday, some years
)


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A slot as the declaration has it."""

    at: datetime
    """UTC."""
    business_date: date
    occurrence: str


@cache
def declared(kind: Kind, zone: str) -> tuple[Due, ...]:
    """Give what a feed of this kind must come to in the years of the suite, in order."""
    if kind.hour is None:
        found = [at for at in walls(kind, zone) if FIRST <= at.astimezone(ZoneInfo(zone)).date() <= LAST]
        return tuple(
            Due(at, at.astimezone(ZoneInfo(zone)).date(), f"{at:%Y%m%dT%H%MZ}") for at in sorted(found)
        )
    days = [FIRST + n * _DAY for n in range((LAST - FIRST).days + 1)]
    return tuple(
        Due(_instant(day, time(kind.hour, kind.minute), zone), day, f"{day}")
        for day in days
        if kind.fits(day)
    )


def walls(kind: Kind, zone: str) -> Iterator[datetime]:
    """Give every instant at which the wall clock shows a time of `kind`: where a plain cron would fire."""
    there = ZoneInfo(zone)
    at = datetime.combine(FIRST - _DAY, time(0, kind.minute % 30), UTC)
    last = datetime.combine(LAST + 2 * _DAY, time(), UTC)
    while at < last:
        local = at.astimezone(there)
        if local.minute == kind.minute and kind.hour in {None, local.hour} and kind.fits(local.date()):
            yield at
        at += _HALF_HOUR


def _instant(day: date, wall: time, zone: str) -> datetime:
    there = ZoneInfo(zone)
    first = datetime.combine(day, wall, there).astimezone(UTC)
    if first.astimezone(there).replace(tzinfo=None) == datetime.combine(day, wall):
        return first
    at = datetime.combine(day, time(), there).astimezone(UTC)  # skipped: the minute in which the clocks jump
    while at.astimezone(there).time() < wall:
        at += _MINUTE
    return at


def changes(zone: str) -> list[date]:
    """Give the days on which the clocks change."""
    there = ZoneInfo(zone)
    noons = [datetime.combine(FIRST + n * _DAY, time(12), there) for n in range((LAST - FIRST).days + 1)]
    return [noon.date() for before, noon in pairwise(noons) if before.utcoffset() != noon.utcoffset()]


def _declaration(*feeds: Feed) -> Declaration:
    return replace(_example(), feeds={feed.feed: feed for feed in feeds})


@cache
def _example() -> Declaration:
    return load(Path(__file__).parents[1] / "examples" / "eidv", now=datetime(2026, 11, 20, tzinfo=UTC))


def feed_of(kind: Kind, zone: str) -> Feed:
    """Declare the feed."""
    made = declared_feed({"cron": kind.cron, "time_zone": zone, "business_date": "same_day"})
    return made.model_copy(update={"feed": kind.name})


def _came(slot: Slot) -> Due:
    return Due(slot.scheduled_at, slot.business_date, slot.occurrence)


def check_slots(kind: Kind, zone: str, seed: int = 3) -> int:
    """Compare the slots of all the years, looked at in pieces of any length; give how many there are."""
    drawn, feed, found = random.Random(seed), feed_of(kind, zone), list[Due]()
    begin = datetime.combine(FIRST, time(), ZoneInfo(zone)).astimezone(UTC)
    end = datetime.combine(LAST + _DAY, time(), ZoneInfo(zone)).astimezone(UTC)
    while begin < end:
        until = min(end, begin + drawn.randrange(1, 400_000) * _MINUTE)
        found += [_came(slot) for slot in slots(feed, Calendar(), begin, until)]
        begin = until
    assert tuple(found) == declared(kind, zone), f"{kind.name} in {zone}: other slots than declared"
    return len(found)


def check_jobs(kind: Kind, zone: str, every: int = 1) -> int:
    """Fire as a plain cron does, twice, early and late, on clocks ten minutes apart; give how many firings were judged.

    Every slot whose time the clocks show must come of its own firing, once, and nothing but slots.
    """
    feed, wanted = feed_of(kind, zone), {one.at: one for one in declared(kind, zone)}
    declaration = _declaration(feed)
    near = {day + n * _DAY for day in changes(zone) for n in (-1, 0, 1)}
    there, judged, came = ZoneInfo(zone), 0, set[datetime]()
    for number, at in enumerate(walls(kind, zone)):
        day = at.astimezone(there).date()
        if not FIRST <= day <= LAST or (number % every and day not in near):
            continue
        judged += 1
        job = f"cron-{int(at.timestamp()) // 60}"
        if choice.no_slot_because(declaration, feed, job):
            assert at not in wanted, f"{kind.name} in {zone}: nothing to do at {at}, where a slot is"
            continue
        for now in (at, at - SKEW, at + SKEW, at + _DAY):  # in time, twice, on clocks that differ, and late
            slot = choice.slot_of(declaration, feed, "", now=now, job_name=job)
            assert choice.due(slot, now, early=False, apart=choice.CLOCKS_OF_A_CLUSTER) == slot
            assert _came(slot) == wanted[at], f"{kind.name} in {zone}: fired at {at}, came to {slot}"
        came.add(at)
        with suppress(UsageError):  # a minute early is no time of the schedule, whoever fires then
            early = choice.slot_of(
                declaration, feed, "", now=at, job_name=f"cron-{int(at.timestamp()) // 60 - 1}"
            )
            raise AssertionError(f"{kind.name} in {zone}: fired before {at}, came to {early}")
        day_form = choice.scheduled(declaration, feed, f"{day}", now=at - SKEW)
        form = f"{at:%Y%m%dT%H%MZ}" if kind.hour is None else f"{day:%Y%m%d}"
        assert [_came(one) for one in choice.scheduled(declaration, feed, form, now=at - SKEW)] == [
            wanted[at]
        ]
        assert day_form, f"{kind.name} in {zone}: nothing on {day}"
    if every == 1:
        never = set(wanted) - came
        skipped = {one for one in never if one.astimezone(there).time() != time(kind.hour or 0, kind.minute)}
        assert never == skipped, f"{kind.name} in {zone}: never came {sorted(never - skipped)[:3]}"
    return judged


def check_missed(kind: Kind, zone: str, days: Sequence[date], seed: int = 5) -> int:
    """Let cron be dead around `days`, and look at all slots every three hours or so; give how many slots were caught up.

    Each look's clock is up to ten minutes off. What cron brought is left alone.
    """
    drawn, feed, wanted, total = random.Random(seed), feed_of(kind, zone), declared(kind, zone), 0
    for day in days:
        first, last = (datetime.combine(day + n * _DAY, time(), UTC) for n in (-1, 2))
        lost = [one for one in wanted if first <= one.at < last]
        by_cron = {one.at for one in wanted if not first <= one.at < last}
        caught: Counter[Due] = Counter()
        now = first
        while now < last + timedelta(hours=8):
            clock = now + drawn.uniform(-1, 1) * SKEW
            seen = [
                standing(slot, Known(), now=clock, missing_after=_DAY)
                for slot in slots(feed, Calendar(), clock - 3 * _DAY, clock + _DAY)
                if slot.scheduled_at not in by_cron and _came(slot) not in caught
            ]
            found = missed(seen, clock, after=timedelta(hours=1), within=2 * _DAY)
            caught.update(map(_came, found))
            now += timedelta(minutes=drawn.randrange(150, 210))
        assert caught == Counter(lost), f"{kind.name} in {zone} around {day}: caught up other slots"
        total += len(lost)
    return total


@dataclass
class _Jumping:
    """A clock that is set now and then, by up to ten minutes; obeys ports.Clock."""

    moment: datetime
    drawn: random.Random
    step: timedelta = timedelta(minutes=47)
    off: timedelta = timedelta()

    def now(self) -> datetime:
        return self.moment + self.off

    def sleep(self, seconds: float) -> None:
        """Let some time pass, whatever was asked for, and set the clock."""
        self.moment += self.step * self.drawn.uniform(0.02, 1.5) + timedelta(seconds=seconds)
        self.off = SKEW * self.drawn.choice((-1, 0, 0, 1))


@dataclass(slots=True)
class _Counting(Dispatcher):
    """Keeps what it is given to start, and starts nothing."""

    given: Counter[tuple[str, Due]] = field(default_factory=Counter)

    def add(self, due_now: Sequence[Slot]) -> None:
        """Count."""
        self.given.update((slot.feed, _came(slot)) for slot in due_now)

    def step(self) -> list[Fired]:
        """Do nothing."""
        return []

    def stop(self) -> None:
        """Do nothing."""


def check_scheduler(zone: str, days: Sequence[date], seed: int = 9) -> int:
    """Let the twin's scheduler live through `days`, stopped and started again, its clock set to and fro; give the slots that came."""
    drawn, total = random.Random(seed), 0
    declaration = _declaration(*(feed_of(kind, zone) for kind in KINDS))
    for day in days:
        clock = _Jumping(datetime.combine(day - 2 * _DAY, time(), UTC), drawn)
        begin, last = clock.moment, clock.moment + 4 * _DAY
        work = _Counting(lambda _: (), Path(), clock)
        with (
            tempfile.TemporaryDirectory(prefix="landbridge-schedule-") as folder,
            redirect_stdout(StringIO()),
        ):
            while clock.moment < last + _DAY:
                stop = clock.moment + drawn.randrange(1, 48) * timedelta(hours=1)
                watch(
                    work,
                    lambda since, until: due(declaration, "UAT", since, until),
                    Path(folder) / "memory.json",
                    over=lambda stop=stop, clock=clock: clock.moment >= stop,  # type: ignore[misc] # bound now
                )
                clock.sleep(drawn.randrange(1, 40_000))  # nobody there, for less than a day
        twice = [one for one, times in work.given.items() if times > 1]
        assert not twice, f"{zone} around {day}: twice {twice[:3]}"
        sure = (begin + SKEW, last)
        for kind in KINDS:
            wanted = {one for one in declared(kind, zone) if sure[0] < one.at < sure[1]}
            came = {one for name, one in work.given if name == kind.name and sure[0] < one.at < sure[1]}
            assert came == wanted, f"{kind.name} in {zone} around {day}: {sorted(came ^ wanted)[:3]}"
            total += len(wanted)
    return total


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged of one zone."""

    days: int
    jobs: int
    caught: int
    lived: int


def judge(zone: str, seed: int = 3) -> Judged:
    """Judge every day of the years for every kind of feed.

    Raises:
        AssertionError: a feed came to other slots than it declares.
    """
    days = [*changes(zone), date(2025, 6, 18), date(2028, 2, 29), date(2029, 12, 31)]
    jobs = caught = 0
    for kind in KINDS:
        check_slots(kind, zone, seed)
        jobs += check_jobs(kind, zone, every=48 if kind.hour is None else 1)
        caught += check_missed(kind, zone, days, seed)
    return Judged(len(KINDS) * ((LAST - FIRST).days + 1), jobs, caught, check_scheduler(zone, days, seed))


def schedules(seed: int = 3) -> Figure:
    """Judge every zone, on all processors.

    Raises:
        AssertionError: a feed came to other slots than it declares.
    """
    began = stopwatch.monotonic()
    done = list(spread(partial(judge, seed=seed), ZONES))
    return Figure(
        "cron twice, early, late, never; clock changes of 2024-2030; clocks ten minutes apart: exactly the declared slots",
        len(ZONES) * len(KINDS) * ((LAST - FIRST).days + 1),
        sum(one.days for one in done),
        round(stopwatch.monotonic() - began, 1),
        seed,
        f"days of {len(KINDS)} feeds in {len(ZONES)} zones; {sum(one.jobs for one in done)} firings by name of Job and by day, "
        f"{sum(one.caught for one in done)} slots that cron missed, {sum(one.lived for one in done)} of a scheduler that is "
        "stopped and whose clock is set",
    )
