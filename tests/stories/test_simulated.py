"""Ten days of the example from emitted artefacts alone, on a real S3 and SFTP, with a clock that jumps.

They have the change of the clocks (29 March), Good Friday and Easter Monday, the first of a month, two files that come
late, and a breach on every working day. Every slot must end as it should, and Control-M must tell what it should, and
nothing else.
"""

from __future__ import annotations

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
    from pathlib import Path

pytestmark = [pytest.mark.story, pytest.mark.slow, pytest.mark.timeout(1200)]

LOOK_EVERY = timedelta(minutes=5)
LATE_DAY, LATE_HOUR = "2026-03-30", "20260331T1005Z"
LATE = {
    ("verifications", LATE_DAY): at("2026-04-01T06:30"),  # half an hour after its deadline
    ("summary", LATE_HOUR): at("2026-03-31T13:05"),
}
"""When they come after all. The slot about 30 March is due on the 31st at 06:00, with a deadline at 07:00 of 1 April."""


@dataclass(frozen=True)
class Play:
    """From when to when."""

    since: datetime
    until: datetime


def test_ten_days(tmp_path: Path) -> None:
    play(Play(at("2026-03-28T00:00"), at("2026-04-07T12:00")), tmp_path)


def play(one: Play, folder: Path) -> None:
    project = laid_out(folder / "eidv")
    with simulated(project, one.since, look_every=LOOK_EVERY) as month:
        month.upstream.refused |= {("/verifications", LATE_DAY), ("/outcomes", "2026-03-31T10:00:00Z")}
        month.made.agenda.at(at("2026-03-31T13:00"), month.upstream.refused.clear)
        for (feed, occurrence), came in LATE.items():
            month.by_hand(came, feed, occurrence)
        month.made.agenda.advance(one.until)
        _compare(month, expected.Span(month.declaration, one.since, one.until, LATE, LOOK_EVERY))


def _compare(month: Month, span: expected.Span) -> None:
    happened = month.made.chronicle.happened
    project = month.declaration.project
    evidence = wiring.evidence(month.declaration, ENVIRONMENT, twin=True)
    feeds = choice.feeds_in(month.declaration, ENVIRONMENT)
    first, last = (span.since - timedelta(days=40)).date(), span.until.date()
    seen = survey(project, feeds, first, last, evidence, span.until)
    wanted = span.states()
    ended = {
        (one.slot.feed, one.slot.occurrence): (one.state, one.late)
        for one in seen
        if (one.slot.feed, one.slot.occurrence) in wanted
    }
    assert ended == wanted
    told = expected.news(happened, month.declaration.feeds)
    assert expected.differences(told, span.news()) == []
    assert expected.failed_jobs(happened, f"{project.project}-dev-") == span.failed_jobs()
    assert {one.to for one in month.made.outbox.told} == {"", *(place(project, ENVIRONMENT).controlm.mail)}  # type: ignore[union-attr] # declared
