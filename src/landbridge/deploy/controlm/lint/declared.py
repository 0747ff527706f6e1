"""Do folder and profiles fit the declaration that they are to carry: runs, deadlines, endpoint, feeds?

Skipped without a declaration. A job belongs to the feed whose name, in capitals and with `_`, its own name begins with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.deploy.controlm.lint.finding import Seen
from landbridge.deploy.controlm.lint.reading import Spot
from landbridge.deploy.controlm.lint.sheet import ends, parts, seen, setting, text
from landbridge.deploy.controlm.lint.times import DAY, minutes
from landbridge.schedule import Calendar, slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.reading import Node
    from landbridge.deploy.controlm.lint.sheet import Job, Sheet
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration, Place

_LOOK = timedelta(days=370)
"""Both changes of the clock, and every day of the year."""
_GREENWICH = ("GMT", "UTC")


@dataclass(frozen=True, slots=True)
class Declared:
    """What the files are held against."""

    declaration: Declaration
    place: Place
    since: datetime
    """From when on slots are looked at."""

    def zone_of(self, label: str) -> ZoneInfo:
        """Give the zone that a label of the Control-M/Server stands for; the server's own without one."""
        controlm = self.place.controlm
        if controlm is None or label in _GREENWICH:
            return ZoneInfo("UTC")
        known = {mine: iana for iana, mine in controlm.time_zones.items()}
        return ZoneInfo(known.get(label, controlm.server_time_zone))

    def slots_of(self, feed: Feed) -> Iterator[Slot]:
        """Give the slots of the year that follows."""
        calendar = Calendar(self.declaration.project.calendars.get(feed.schedule.calendar or ""))
        since = self.since
        if feed.schedule.starts is not None:
            since = max(since, datetime.combine(feed.schedule.starts, datetime.min.time(), tzinfo=UTC))
        return slots(feed, calendar, since, since + _LOOK)


def _jobs_of_feeds(sheet: Sheet) -> Iterator[tuple[Job, Feed]]:
    if sheet.declared is None:
        return
    feeds = sheet.declared.declaration.feeds
    names = {name.upper().replace("-", "_"): feed for name, feed in feeds.items()}
    for job in sheet.jobs:
        own = job.name.upper().replace("-", "_")
        mine = [name for name in names if own == name or own.startswith(name + "_")]
        if mine:
            yield job, names[max(mine, key=len)]


def _at_work(sheet: Sheet) -> Iterator[tuple[Feed, list[Job]]]:
    """Give the jobs of each feed that move its files, or the commands of one that has no transfers.

    A feed may have several that do for different days (summer and winter): one that fits is enough for a slot.
    """
    by_feed: dict[str, tuple[Feed, list[Job]]] = {}
    for job, feed in _jobs_of_feeds(sheet):
        by_feed.setdefault(feed.feed, (feed, []))[1].append(job)
    for feed, jobs in by_feed.values():
        moving = [job for job in jobs if job.type == "Job:FileTransfer"]
        yield feed, moving or [job for job in jobs if job.type == "Job:Command"]


def _window(job: Job) -> tuple[int, int] | None:
    """Give when a job's window opens, and for how long, in minutes; None when it never closes."""
    when = setting(job, "When")
    start, end = minutes(text(when, "FromTime")) or 0, minutes(text(when, "ToTime"))
    return None if end is None else (start, (end - start) % DAY)


def window_misses_run(sheet: Sheet) -> Iterator[Seen]:
    """Every window is closed when the feed's run has only begun."""
    declared = sheet.declared
    for feed, jobs in _at_work(sheet):
        windows = [(job, window) for job in jobs if (window := _window(job)) is not None]
        if declared is None or not jobs or len(windows) < len(jobs):
            continue
        missed = [
            slot.scheduled_at
            for slot in declared.slots_of(feed)
            if all(_misses(declared, job, window, slot.scheduled_at) for job, window in windows)
        ]
        if not missed:
            continue
        job = max(windows, key=lambda one: sum(one[1]))[0]
        when = setting(job, "When") or job.node
        zone = declared.zone_of(text(setting(job, "TimeZone")))
        latest = max(one.astimezone(zone).time() for one in missed)
        what = f"the window closes at {text(when, 'ToTime')}, and the feed `{feed.feed}` runs as late as {latest:%H:%M}: that file is never taken"
        yield seen(when, job.title, what, "a `ToTime` after the feed's deadline", key="ToTime")


def _misses(declared: Declared, job: Job, window: tuple[int, int], scheduled: datetime) -> bool:
    """Tell whether a run is nearer to the closing before it than to the next opening."""
    start, length = window
    local = scheduled.astimezone(declared.zone_of(text(setting(job, "TimeZone"))))
    after = (local.hour * 60 + local.minute - start) % DAY
    return after >= length and after - length < DAY - after


def window_after_deadline(sheet: Sheet) -> Iterator[Seen]:
    """Every window opens when the feed's deadline is past."""
    declared = sheet.declared
    for feed, jobs in _at_work(sheet):
        opening = [job for job in jobs if minutes(text(setting(job, "When"), "FromTime")) is not None]
        if declared is None or not jobs or len(opening) < len(jobs):
            continue
        for slot in declared.slots_of(feed):
            if slot.deadline is None:
                break
            taking = [job for job in opening if not _closed(declared, job, slot)]
            if taking and all(_opens(declared, job, slot) >= slot.deadline for job in taking):
                job = taking[0]
                when = setting(job, "When") or job.node
                local = slot.deadline.astimezone(declared.zone_of(text(setting(job, "TimeZone"))))
                what = f"the file of `{feed.feed}` must be on the share by {local:%H:%M}, and the window opens at {text(when, 'FromTime')}"
                yield seen(when, job.title, what, "a `FromTime` no later than the feed's run", key="FromTime")
                break


def _closed(declared: Declared, job: Job, slot: Slot) -> bool:
    """Tell whether a window misses the slot's run altogether: `window-misses-run` says so."""
    window = _window(job)
    return window is not None and _misses(declared, job, window, slot.scheduled_at)


def _opens(declared: Declared, job: Job, slot: Slot) -> datetime:
    """Give when a job may first take a slot's file: when it was made, if the window is open then."""
    scheduled = slot.scheduled_at.astimezone(declared.zone_of(text(setting(job, "TimeZone"))))
    start, length = _window(job) or (minutes(text(setting(job, "When"), "FromTime")) or 0, DAY)
    midnight = scheduled.replace(hour=0, minute=0, second=0, microsecond=0)
    for days in (-1, 0, 1):
        opens = midnight + timedelta(days=days, minutes=start)
        if opens + timedelta(minutes=length) > scheduled:
            return max(opens, scheduled)
    return scheduled


def alarm_after_deadline(sheet: Sheet) -> Iterator[Seen]:
    """Every alarm of a feed comes after its deadline."""
    declared = sheet.declared
    if declared is None:
        return
    alarms: dict[str, tuple[Feed, list[tuple[Job, Node]]]] = {}
    for job, feed in _jobs_of_feeds(sheet):
        held = alarms.setdefault(feed.feed, (feed, []))[1]
        held += [(job, late) for late in parts(job, "Notify:DoesNotEnd", folders=False)]
    for feed, held in alarms.values():
        for slot in declared.slots_of(feed) if held else ():
            if slot.deadline is None:
                break
            if all(_beyond(declared, job, late, slot.deadline) for job, late in held):
                job, late = held[0]
                deadline = slot.deadline.astimezone(declared.zone_of(text(setting(job, "TimeZone"))))
                what = f"the alarm comes at {text(late, 'By')}, and the file of `{feed.feed}` is late from {deadline:%H:%M} on"
                yield seen(late, job.title, what, "the deadline, or before it", key="By")
                break


def _beyond(declared: Declared, job: Job, late: Node, deadline: datetime) -> bool:
    by = minutes(text(late, "By"))
    if by is None:
        return False
    local = deadline.astimezone(declared.zone_of(text(setting(job, "TimeZone"))))
    return 0 < (by - local.hour * 60 - local.minute) % DAY < DAY // 2


def host_differs(sheet: Sheet) -> Iterator[Seen]:
    """The profile goes to another server than the declaration."""
    if sheet.declared is None or ":" in sheet.declared.place.sftp.host:
        return  # a reference is resolved where it is used
    host = sheet.declared.place.sftp.host
    wanted = sheet.declared.place.controlm.source_profile if sheet.declared.place.controlm else None
    for profile in sheet.profiles:
        for protocol, node in ends(profile):
            name = text(node, "HostName")
            if (
                protocol == "SFTP"
                and (wanted is None or profile.name == wanted)
                and name.lower() != host.lower()
            ):
                what = f"the profile goes to `{name}`, and the declaration says `{host}`"
                yield seen(node, profile.name, what, f"`{host}`", key="HostName")


def feed_without_job(sheet: Sheet) -> Iterator[Seen]:
    """A feed that nobody collects."""
    if sheet.declared is None or not sheet.folders:
        return
    carried = {feed.feed for _, feed in _jobs_of_feeds(sheet)}
    top = sheet.folders[0]
    for name in sheet.declared.declaration.feeds:
        if name not in carried:
            what = f"no job of these folders carries the feed `{name}`"
            expected = f"a job whose name begins with `{name.upper().replace('-', '_')}_`"
            yield Seen(Spot(top.node.spot.file, 1, 1), "", top.name, what, expected)
