"""Do the sources answer with the declared credentials?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.doctor.finding import ok, refused, skipped
from landbridge.errors import LandbridgeError, UsageError
from landbridge.schedule import Calendar, current_slot, next_slots
from landbridge.sources.reached import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient
    from landbridge.facts import Slot
    from landbridge.feed import Feed


def sources(patient: Patient) -> Iterator[Finding]:
    """See that each source answers; only when that was asked for, since it is other people's servers."""
    for feed in patient.feeds:
        for name, declared in feed.sources.items():
            what = f"{feed.feed}: {name}"
            if not patient.sources:
                yield skipped(what, "other people's servers are asked with --sources only")
                continue
            try:
                yield ok(what, reached(name, declared, patient.around(), _slot(patient, feed)))
            except LandbridgeError as error:
                yield refused(what, error, error.hint)


def _slot(patient: Patient, feed: Feed) -> Slot:
    name = feed.schedule.calendar
    calendar = Calendar(patient.declared.project.calendars[name] if name else None)
    try:
        return current_slot(feed, calendar, patient.now())
    except UsageError:  # none was due yet
        coming = next(next_slots(feed, calendar, patient.now()), None)
        if coming is None:
            raise
        return coming
