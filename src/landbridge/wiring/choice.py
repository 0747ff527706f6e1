"""Which declaration, environment, feed and slot does a command mean?"""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.schedule import (
    INSTANT,
    Calendar,
    current_slot,
    moment_written,
    slot_at,
    slot_named,
    slots_on,
    unused,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration


_MINUTES = re.compile(r"[0-9]{7,9}")
"""Minutes since 1970: of any year from 1989 to 3871."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""Whoever names a slot may do so a little before this machine's clock has come so far."""
CLOCKS_OF_A_CLUSTER = timedelta(minutes=15)
"""Its controller has said that a Job's time has come; the clock of the node that the pod is on may be this far behind."""
LATEST = "latest"
"""What an operator types for the slot that was due last."""


def environment_of(declaration: Declaration, wanted: str) -> str:
    """Give the environment that was asked for, or the only one.

    Raises:
        UsageError: no such environment, or several and none was asked for.
    """
    known = declaration.project.environments
    if not wanted and len(known) == 1:
        return next(iter(known))
    if not wanted:
        raise UsageError(
            "which environment?",
            expected="`--environment` with one of " + ", ".join(known),
            hint="or export LANDBRIDGE_ENVIRONMENT=...",
        )
    exact = next((name for name in known if name.lower() == wanted.lower()), "")
    if not exact:
        raise UsageError(f"no environment `{wanted}`", expected=_one_of(known, wanted))
    return exact


def feed_of(declaration: Declaration, wanted: str, environment: str) -> Feed:
    """Give the feed that was asked for.

    Raises:
        UsageError: no such feed, or not in this environment.
    """
    feed = declaration.feeds.get(wanted)
    if feed is None:
        raise UsageError(f"no feed `{wanted}`", expected=_one_of(declaration.feeds, wanted))
    if feed.environments and environment not in feed.environments:
        raise UsageError(f"`{wanted}` does not exist in {environment}", expected=", ".join(feed.environments))
    return feed


def due(slot: Slot, now: datetime, *, early: bool, apart: timedelta = CLOCKS_DIFFER) -> Slot:
    """Give the slot back if its time has come: a verdict is final, and a wrong year in a date is quickly typed.

    `apart` is how far our clock may be behind that of whoever says that it has come.

    Raises:
        UsageError: it lies in the future, and nobody said `--early`.
    """
    if slot.scheduled_at > now + apart and not early:
        raise UsageError(
            f"{slot} is not due before {slot.scheduled_at:%Y-%m-%d %H:%M} UTC",
            expected="a slot whose scheduled time has come",
            hint="if this slot is meant all the same, say `--early`",
        )
    return slot


def feeds_in(declaration: Declaration, environment: str) -> list[Feed]:
    """Give the feeds of one environment by name."""
    feeds = sorted(declaration.feeds.values(), key=lambda feed: feed.feed)
    return [feed for feed in feeds if not feed.environments or environment in feed.environments]


def calendar(declaration: Declaration, feed: Feed) -> Calendar:
    """Give the feed's holiday calendar."""
    name = feed.schedule.calendar
    return Calendar(declaration.project.calendars[name] if name else None)


def slot_of(declaration: Declaration, feed: Feed, wanted: str, *, now: datetime, job_name: str = "") -> Slot:
    """Give the slot that was asked for: by occurrence, as `latest`, or by the name of the CronJob's Job.

    A pod is not told its scheduled time; the name of its Job ends in it, in epoch minutes. That is a convention of
    the CronJob controller, not a promise, so it must fit the feed's schedule.

    Raises:
        UsageError: no such slot, or none was named.

    Source: Kubernetes, pkg/controller/cronjob, getJobName.
    """
    dates = calendar(declaration, feed)
    if wanted == LATEST:
        return current_slot(feed, dates, now)
    if wanted:
        return slot_named(feed, dates, wanted)
    if job_name:
        return slot_at(feed, dates, _scheduled_time(job_name))
    due = current_slot(feed, dates, now)
    raise UsageError(
        f"which slot of `{feed.feed}`?",
        expected="`--date` with a business date or an instant; a slot is never guessed from the clock",
        hint=f"the last one due: --date {due.occurrence} (or --date {LATEST})",
    )


_DAYS = ("%Y-%m-%d", "%Y%m%d")
"""As people write a day, and as Control-M gives its order date (`%%$ODATE`)."""
_SHORT_DAY = re.compile(r"[0-9]{6}")
"""What `%%ODATE` gives: the year in two digits."""


def scheduled(declaration: Declaration, feed: Feed, wanted: str, *, now: datetime) -> list[Slot]:
    """Give the slots that a scheduler's job stands for: at an instant, or those of a day that are due; none where none is.

    A day is that of the schedule's own time zone. Before the first one of a day is due, that one is meant.

    Raises:
        UsageError: it is neither a day nor an instant, or an instant at which the schedule does not fire.
    """
    dates = calendar(declaration, feed)
    for form in (*_DAYS, INSTANT):
        named = moment_written(wanted, form)
        if named is None:
            continue
        if form != INSTANT:
            found = slots_on(feed, dates, named.date())
            return [slot for slot in found if slot.scheduled_at <= now] or found[:1]
        return [] if unused(feed, dates, named) else [slot_at(feed, dates, named)]
    raise UsageError(
        f"`{wanted}` is no scheduled time",
        expected="a day `2026-11-20` or `20261120`, or an instant `20261120T1000Z`, between 1970 and 2999",
        hint="use `%%$ODATE`, which has the year in four digits" if _SHORT_DAY.fullmatch(wanted) else "",
    )


def no_slot_because(declaration: Declaration, feed: Feed, job_name: str) -> str:
    """Say why a Job that cron has started has nothing to do; empty when it has, or when its name tells no time of the schedule.

    Only what the declaration leaves out on purpose counts: a time at which the expression does not fire at all is a
    mistake, which `slot_of` tells.
    """
    minutes = job_name.rpartition("-")[2]
    if not _MINUTES.fullmatch(minutes):
        return ""
    return unused(feed, calendar(declaration, feed), _scheduled_time(job_name))


def _scheduled_time(job_name: str) -> datetime:
    _, _, minutes = job_name.rpartition("-")
    if not _MINUTES.fullmatch(minutes):
        raise UsageError(
            f"the Job's name `{job_name}` does not end in a scheduled time",
            hint="name the slot with `--date`",
        )
    return datetime.fromtimestamp(int(minutes) * 60, UTC)


def _one_of(known: Iterable[str], wanted: str) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(wanted, names, 1)
    return (f"`{near[0]}`? " if near else "") + "one of " + ", ".join(names)
