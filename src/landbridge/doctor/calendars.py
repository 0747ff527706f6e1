"""Is the time zone database there with the declared zones, and do the holiday calendars reach far enough?"""

from __future__ import annotations

import zoneinfo
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.doctor.finding import broken, ok, refused, warn
from landbridge.errors import Exit, UsageError
from landbridge.schedule import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient
    from landbridge.project import Holidays


def zones(patient: Patient) -> Iterator[Finding]:
    """See that every declared time zone is known here, and from which database."""
    declared = {feed.schedule.time_zone for feed in patient.feeds}
    if patient.place.controlm:
        declared.add(patient.place.controlm.server_time_zone)
    for zone in sorted(declared):
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            yield broken(zone, "this machine does not know it", Exit.DECLARATION)
            continue
        yield ok(zone, _database(zone))


def _database(zone: str) -> str:
    """Say which database answers: the system's comes first. Source: Python documentation, zoneinfo, "Data sources"."""
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / zone).is_file():
            return f"of the system ({folder})"
    return f"of the package tzdata {metadata.version('tzdata')}"


def holidays(patient: Patient) -> Iterator[Finding]:
    """See that each calendar in use knows holidays of this year and of the next."""
    used = sorted({feed.schedule.calendar for feed in patient.feeds if feed.schedule.calendar})
    if not used:
        yield ok("", "no feed uses one")
    for name in used:
        declared = patient.declared.project.calendars[name]
        try:
            Calendar(declared).check()
        except UsageError as error:
            yield refused(name, error, error.hint)
            continue
        yield _judged(name, declared, patient.now().date())


def _judged(name: str, declared: Holidays, today: date) -> Finding:
    calendar = Calendar(declared)
    counts = {
        year: sum(calendar.is_holiday(date.fromordinal(day)) for day in _days(year))
        for year in (today.year, today.year + 1)
    }
    seen = ", ".join(f"{counted(count, 'holiday')} in {year}" for year, count in counts.items())
    if not counts[today.year + 1]:
        mend = f"write next year's days under `calendars.{name}.add`, or update Landbridge's `holidays`"
        return warn(name, f"{seen}: next year's are not known", mend)
    return ok(name, seen)


def _days(year: int) -> range:
    return range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
