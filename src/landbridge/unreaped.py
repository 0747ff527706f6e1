"""Does the reaper do its work? Asked of the files: one that had its time when the reaper was last due, and still lies there, was not reaped.

The reaper's role may remove and write nothing, so a Job of it that fails leaves no record; what it leaves lying does tell.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.cron import fired_before
from landbridge.notices import Concern, Expected, Kind
from landbridge.survey import survey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from landbridge.feed import Feed
    from landbridge.project import Project
    from landbridge.retention import Retention
    from landbridge.standing import Standing
    from landbridge.world import Evidence

_TAKES = timedelta(hours=6)
"""A Job is left alone for so long: it waits for its node, and removes many files."""
_DAYS = timedelta(days=7)
"""Business dates that are looked at, up to the newest whose files may have had their time: a file lands some days after the day that it is about."""


def expected(retention: Retention, known: Expected | None, now: datetime) -> Expected | None:
    """Give what is expected of the reaper, and since when: since `known`, unless it is declared otherwise now."""
    if retention.schedule is None:
        return None
    fresh = Expected(retention.schedule, retention.outbound_days, now)
    return known if known and replace(known, since=now) == fresh else fresh


def unreaped(
    project: Project, feeds: Sequence[Feed], reaper: Expected | None, evidence: Evidence, now: datetime
) -> list[Concern]:
    """Give one concern where released files lie longer than they should; none where nothing schedules the reaper.

    Nor before it was due once as it is declared now: until then what had piled up lies there by right. It looks at a week of slots, as the look itself does at its last days; a file that landed weeks after its business date is not seen.
    """
    if reaper is None:
        return []
    due = fired_before(reaper.schedule, now - _TAKES)
    if due < reaper.since:
        return []
    last = due - timedelta(days=reaper.outbound_days)
    seen = survey(project, feeds, (last - _DAYS).date(), last.date(), evidence, now)
    left = [one for one in seen if _had_its_time(one, last) and _lies(one, evidence)]
    if not left:
        return []
    says = (
        f"{counted(len(left), 'file', 'files')} landed over {counted(reaper.outbound_days, 'day')} ago and still in the reports bucket, "
        f"{left[0].slot} first; the reaper was due {due:%Y-%m-%d %H:%M} UTC: look at its Job"
    )
    return [Concern(left[0].slot, Kind.UNREAPED, says)]


def _had_its_time(one: Standing, last: datetime) -> bool:
    return one.landed is not None and one.landed.landed_at <= last


def _lies(one: Standing, evidence: Evidence) -> bool:
    """Ask for the file of the newest revision; of one that brought none, nothing lies there."""
    decided = one.known.commitment
    return decided is not None and evidence.reports.head(decided.target.key) is not None
