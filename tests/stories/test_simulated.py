"""Days of the example from emitted artefacts alone, on a real S3 and SFTP, with a clock that jumps.

Six days in spring have the change of the clocks (29 March), the first of a month and Good Friday; three in autumn have the hour that comes twice (25 October). Both have two files that come late, and a breach on every working day.
Thirty-two hours have jobs of the style `agent`, whose collection waits by itself: one file comes after the feed's next run and in time, one after its deadline. Every slot must end as it should, and Control-M must tell what it should, and nothing else.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.project import place
from landbridge.survey import survey
from landbridge.wiring import choice
from tests.stories import expected
from tests.stories.month import ENVIRONMENT, Month, at, laid_out, simulated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.standing import Standing

pytestmark = [pytest.mark.story, pytest.mark.slow, pytest.mark.timeout(1200)]

LOOK_EVERY = timedelta(minutes=15)
"""Each look is a listing over SFTP, and the file of a breach is looked for all day."""


@dataclass(frozen=True)
class Late:
    """A slot whose source refuses until it is mended, and that somebody runs by hand afterwards."""

    feed: str
    occurrence: str
    refused: tuple[str, str]
    """Path, and what it is asked for."""
    came: datetime


@dataclass(frozen=True)
class Play:
    """From when to when, and what goes wrong in it."""

    since: datetime
    until: datetime
    late: tuple[Late, ...]
    mended: datetime
    """When the source no longer refuses."""
    style: str = "native"


SPRING = Play(
    at("2026-03-28T00:00"),
    at("2026-04-03T12:00"),
    (
        # Due on the 31st at 06:00, with a deadline at 07:00 of 1 April: it comes half an hour after that.
        Late("verifications", "2026-03-30", ("/verifications", "2026-03-30"), at("2026-04-01T06:30")),
        Late("summary", "20260331T1005Z", ("/outcomes", "2026-03-31T10:00:00Z"), at("2026-03-31T13:05")),
    ),
    at("2026-03-31T13:00"),
)
AUTUMN = Play(
    at("2026-10-24T00:00"),
    at("2026-10-26T12:00"),
    (
        # Due on Saturday at 06:00 of summer, with a deadline at 07:00 of winter: an hour later than on any other day.
        Late("verifications", "2026-10-23", ("/verifications", "2026-10-23"), at("2026-10-25T07:30")),
        # The hour that comes twice, the first time.
        Late("summary", "20261025T0005Z", ("/outcomes", "2026-10-25T00:00:00Z"), at("2026-10-25T02:10")),
    ),
    at("2026-10-25T02:05"),
)

AGENT = Play(
    at("2026-03-30T00:00"),
    at("2026-03-31T08:00"),
    (
        # Due on the 30th at 06:00 (05:00 UTC), with a deadline at 07:00 of the 31st: half an hour after the next run began, and in time.
        Late("verifications", "2026-03-29", ("/verifications", "2026-03-29"), at("2026-03-31T05:30")),
        Late("summary", "20260330T1005Z", ("/outcomes", "2026-03-30T10:00:00Z"), at("2026-03-30T12:00")),
    ),
    at("2026-03-30T11:45"),
    style="agent",
)


def test_six_days_in_spring(tmp_path: Path) -> None:
    with played(SPRING, tmp_path) as ended:
        compare(ended)


def test_three_days_in_autumn(tmp_path: Path) -> None:
    with played(AUTUMN, tmp_path) as ended:
        compare(ended)


def test_a_day_and_a_half_of_the_style_agent(tmp_path: Path) -> None:
    with played(AGENT, tmp_path) as ended:
        compare(ended)


@dataclass(frozen=True)
class Ended:
    """A play that is over, while its twin is still up."""

    month: Month
    span: expected.Span
    seen: list[Standing]
    """Every slot that was due in it."""


@contextmanager
def played(one: Play, folder: Path) -> Iterator[Ended]:
    """Play, and give what came of it."""
    project = laid_out(folder / "eidv", style=one.style)
    with simulated(project, one.since, look_every=LOOK_EVERY) as month:
        month.upstream.refused |= {late.refused for late in one.late}
        month.made.agenda.at(one.mended, month.upstream.refused.clear)
        for late in one.late:
            month.by_hand(late.came, late.feed, late.occurrence)
        month.pass_until(one.until)
        came = {(late.feed, late.occurrence): late.came for late in one.late}
        span = expected.Span(month.declaration, one.since, one.until, came, LOOK_EVERY, one.style)
        yield Ended(month, span, _seen(month, span))


def _seen(month: Month, span: expected.Span) -> list[Standing]:
    evidence = wiring.evidence(month.declaration, ENVIRONMENT, twin=True)
    feeds = choice.feeds_in(month.declaration, ENVIRONMENT)
    first, last = (span.since - timedelta(days=40)).date(), span.until.date()
    found = survey(month.declaration.project, feeds, first, last, evidence, span.until)
    return [one for one in found if span.since <= one.slot.scheduled_at <= span.until]


def compare(ended: Ended) -> None:
    """Hold what came against what must have come."""
    month, span = ended.month, ended.span
    happened = month.made.chronicle.happened
    project = month.declaration.project
    states = {(one.slot.feed, one.slot.occurrence): (one.state, one.late) for one in ended.seen}
    assert states == span.states()
    told = expected.news(happened, month.declaration.feeds)
    assert expected.differences(told, span.news()) == []
    assert expected.failed_jobs(happened, f"{project.project}-dev-") == span.failed_jobs()
    declared = place(project, ENVIRONMENT).controlm
    assert declared is not None
    mailed = declared.mail if any(what == "mail" for *_, what in told) else ()
    assert {one.to for one in month.made.outbox.told} == {"", *mailed}
