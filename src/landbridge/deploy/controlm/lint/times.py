"""Is each time one, in a zone that is named, and do window, limit and deadline follow one another?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.endings import EXPECTED, ending
from landbridge.deploy.controlm.lint.finding import Seen
from landbridge.deploy.controlm.lint.sheet import (
    FOLDERS,
    fields,
    get,
    listed,
    parts,
    seen,
    setting,
    text,
    transfers_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.reading import Node
    from landbridge.deploy.controlm.lint.sheet import Job, Sheet

DAY = 24 * 60
"""Minutes."""
_CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d)")
_COLON = re.compile(r"(\d{1,3}):([0-5]\d)")
_LABEL = re.compile(r"[A-Z0-9+_-]{3,}")
_NO_END = ">"
_LATE = ("Notify:DoesNotEnd", "Notify:DoesNotStart", "Notify:LateCyclicSubmit")


def minutes(clock: str) -> int | None:
    """Read `HHMM`; None when it is none."""
    match = _CLOCK.fullmatch(clock)
    return int(match[1]) * 60 + int(match[2]) if match else None


def time_form(sheet: Sheet) -> Iterator[Seen]:
    """A time that Control-M cannot read."""
    for title, node, key in _clocks(sheet):
        value = text(node, key)
        if not value or value.startswith(("%%", "*", "+")) or (key == "ToTime" and value == _NO_END):
            continue
        if minutes(value) is None:
            yield seen(node, title, f"`{key}` is no time: `{value}`", "four digits: `0630`", key=key)
    for job in sheet.jobs:
        for key in ("CompleteBy", "CompleteIn"):
            target = get(job.node, key)
            value = text(target, "Time")
            if target is not None and value and not _COLON.fullmatch(value):
                yield seen(
                    target, job.title, f"`{key}` is no time: `{value}`", "a colon: `06:30`", key="Time"
                )


def _clocks(sheet: Sheet) -> Iterator[tuple[str, Node, str]]:
    """Give title, object and key of each time that is written as four digits."""
    for folder in sheet.folders:
        when = get(folder.node, "When")
        if when is not None:
            yield from ((folder.name, when, key) for key in ("FromTime", "ToTime") if get(when, key))
        for late in fields(folder.node).values():
            if text(late, "Type") in _LATE:
                yield folder.name, late, "By"
    for job in sheet.jobs:
        yield from ((job.title, node, key) for node, key in _own_clocks(job))


def _own_clocks(job: Job) -> Iterator[tuple[Node, str]]:
    when = get(job.node, "When")
    if when is not None:
        yield from ((when, key) for key in ("FromTime", "ToTime") if get(when, key))
    for late in parts(job, *_LATE, folders=False):
        yield late, "By"
    for transfer in transfers_of(job):
        options = get(transfer.node, "FileWatcherOptions")
        if options is not None and text(options, "TimeLimitPolicy") == "WaitUntil":
            yield options, "TimeLimitValue"


def _timed(job: Job) -> Node | None:
    """Give the first object that gives a job a time of day."""
    for node, _ in _own_clocks(job):
        return node
    when = setting(job, "When")
    if when is not None and (get(when, "FromTime") or get(when, "ToTime")):
        return when
    return get(job.node, "CompleteBy")


def zone_missing(sheet: Sheet) -> Iterator[Seen]:
    """Times, and no zone anywhere in the folder."""
    mixed = {folder for folder, _ in _mixed(sheet)}
    for job in sheet.jobs:
        node = _timed(job)
        if node is not None and setting(job, "TimeZone") is None and job.folder not in mixed:
            what = "its times are those of the server, and move with the server and its summer time"
            yield Seen(node.spot, node.path, job.title, what, "`TimeZone`, of the job or its folder")


def zone_mixed(sheet: Sheet) -> Iterator[Seen]:
    """Jobs of one folder in several zones, or some in none."""
    for _, job in _mixed(sheet):
        zone = setting(job, "TimeZone")
        what = (
            "other jobs of the folder name a time zone and this one does not"
            if zone is None
            else f"its time zone is `{text(zone)}`, and that of other jobs of the folder is another"
        )
        yield seen(
            job.node,
            job.title,
            f"{what}: their order dates and windows drift apart",
            "one zone a folder",
            key="TimeZone",
        )


def _mixed(sheet: Sheet) -> Iterator[tuple[str, Job]]:
    """Give the jobs that differ from the first job with a zone of their folder."""
    zones: dict[str, str] = {}
    for job in sheet.jobs:
        zone = setting(job, "TimeZone")
        if zone is not None and job.folder:
            zones.setdefault(job.folder, text(zone))
    for job in sheet.jobs:
        if job.folder not in zones:
            continue
        zone = setting(job, "TimeZone")
        if (zone is None and _timed(job)) or (zone is not None and text(zone) != zones[job.folder]):
            yield job.folder, job


def zone_label(sheet: Sheet) -> Iterator[Seen]:
    """A zone by a name that Control-M/Server has not."""
    holders: list[tuple[str, Node]] = [(one.name, one.node) for one in sheet.folders]
    holders += [(job.title, job.node) for job in sheet.jobs]
    holders += [("Defaults", one) for one in sheet.defaults]
    for title, node in holders:
        zone = text(node, "TimeZone")
        if zone and not zone.startswith("%%") and not _LABEL.fullmatch(zone):
            what = f"`{zone}` is no label of a Control-M/Server"
            yield seen(node, title, what, "a label of its TimeZone.dat: `LON`, `GMT`", key="TimeZone")


def deadline_before_window(sheet: Sheet) -> Iterator[Seen]:
    """A limit or an alarm that is past before the job may start."""
    for job in sheet.jobs:
        when = setting(job, "When")
        start = minutes(text(when, "FromTime"))
        if start is None:
            continue
        end = minutes(text(when, "ToTime"))
        length = (end - start) % DAY if end is not None else DAY // 2
        for node, key in _own_clocks(job):
            at = minutes(text(node, key))
            if at is None or key in {"FromTime", "ToTime"}:
                continue
            after = (at - start) % DAY
            if after > length and DAY - after < after - length:
                what = f"`{key}` {text(node, key)} is past when the window opens at {text(when, 'FromTime')}: the job fails, or is late, at once"
                yield seen(
                    node,
                    job.title,
                    what,
                    f"a time from {text(when, 'FromTime')} to {text(when, 'ToTime') or 'the end of the day'}",
                    key=key,
                )


def window_empty(sheet: Sheet) -> Iterator[Seen]:
    """A window that is never open."""
    for job in sheet.jobs:
        when = setting(job, "When")
        start, end = text(when, "FromTime"), text(when, "ToTime")
        if when is not None and start and start == end:
            what = f"the window opens and closes at {start}"
            yield seen(when, job.title, what, "a later `ToTime`", key="ToTime")


def rerun_endless(sheet: Sheet) -> Iterator[Seen]:
    """A cyclic job that is kept beyond its day and never stops. One that is not kept ends with the new day."""
    for job in sheet.jobs:
        rerun = setting(job, "Rerun")
        if rerun is None or not get(rerun, "Every"):
            continue
        kept = setting(job, "DaysKeepActive")
        end = text(setting(job, "When"), "ToTime")
        times = text(rerun, "Times").strip("0")
        if text(kept).strip("0") and not times and end in {"", _NO_END}:
            what = f"it runs again for as long as it is kept, {text(kept)} days: tomorrow's job then runs beside the one of yesterday"
            yield seen(job.node, job.title, what, "`Times`, or a `ToTime`", key="Rerun")


def schedule_never_ordered(sheet: Sheet) -> Iterator[Seen]:
    """Days are given, and nobody orders the folder."""
    for folder in sheet.folders:
        if folder.type not in FOLDERS[:2] or folder.around:
            continue
        method = text(folder.node, "OrderMethod") or next(
            (text(one, "OrderMethod") for one in folder.defaults if text(one, "OrderMethod")), ""
        )
        when = get(folder.node, "When")
        days = [
            key for key in ("WeekDays", "MonthDays", "SpecificDates", "RuleBasedCalendars") if get(when, key)
        ]
        if method in {"Manual", "None"} and days:
            what = f"its days are given and `OrderMethod` is `{method}`: the new day never orders it"
            yield seen(
                folder.node,
                folder.name,
                what,
                "`Automatic`, or the name of a user daily",
                key="OrderMethod",
            )


def calendar_ends(sheet: Sheet) -> Iterator[Seen]:
    """A regular calendar whose last day is near, or past."""
    for one in sheet.calendars:
        years = [
            (
                text(year, "Year"),
                {month: [str(day.value) for day in listed(year, month)] for month in fields(year)},
            )
            for year in listed(one.node, "When", "Years")
        ]
        found = ending(one.name, text(one.node, "Description"), years, sheet.today)
        if found is not None:
            yield seen(one.node, one.name, found.what, EXPECTED, key="When")
