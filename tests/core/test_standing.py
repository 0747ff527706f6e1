"""Where does a slot stand, whatever is known of it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from landbridge.facts import (
    Commitment,
    Content,
    GateReport,
    Location,
    Receipt,
    Slot,
    SlotState,
    Target,
    Verdict,
)
from landbridge.standing import Known, standing

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
SLOT = Slot("flights", "2026-11-20", date(2026, 11, 20), SIX, SIX + timedelta(hours=1))
DAY = timedelta(days=1)


def commitment(verdict: Verdict) -> Commitment:
    content = Content(3, "ab", 1)
    return Commitment(
        slot=SLOT,
        revision=1,
        verdict=verdict,
        environment="DEV",
        plain=content,
        delivered=content,
        staged=Location("s3://staging", "k"),
        target=Target("outbound/f/n", "n"),
        report=GateReport("c", "1", 1, (), ()),
        sources=(),
        run_id="r",
        actor="a",
        committed_at=SIX,
        plan="p",
    )


def receipt(landed_at: datetime) -> Receipt:
    return Receipt("flights", "2026-11-20", SLOT.business_date, 1, "DEV", 3, "ab", "n", landed_at, "c", "d")


RELEASED = Known(commitment(Verdict.RELEASE), released=True)


@pytest.mark.parametrize(
    ("known", "after", "state", "late"),
    [
        (Known(), timedelta(minutes=-1), SlotState.UPCOMING, False),
        (Known(), timedelta(0), SlotState.DUE, False),
        (Known(), timedelta(hours=2), SlotState.DUE, True),
        (Known(), timedelta(hours=25, seconds=1), SlotState.MISSING, True),
        (Known(commitment(Verdict.SKIP)), DAY * 9, SlotState.SKIPPED, False),
        (Known(commitment(Verdict.QUARANTINE)), timedelta(minutes=5), SlotState.QUARANTINED, False),
        (Known(commitment(Verdict.QUARANTINE)), DAY, SlotState.QUARANTINED, True),
        (Known(commitment(Verdict.RELEASE)), timedelta(minutes=5), SlotState.COMMITTED, False),
        (RELEASED, timedelta(minutes=5), SlotState.RELEASED, False),
        (RELEASED, timedelta(hours=2), SlotState.RELEASED, True),
        (replace(RELEASED, receipt=receipt(SIX + timedelta(hours=1))), DAY * 9, SlotState.DELIVERED, False),
        (
            replace(RELEASED, receipt=receipt(SIX + timedelta(hours=1, seconds=1))),
            DAY * 9,
            SlotState.DELIVERED,
            True,
        ),
    ],
)
def test_a_slot_stands_where_the_evidence_says(
    known: Known, after: timedelta, state: SlotState, late: bool
) -> None:
    judged = standing(SLOT, known, now=SIX + after, missing_after=DAY)
    assert (judged.state, judged.late) == (state, late)


def test_without_a_deadline_nothing_is_late_but_a_slot_can_still_be_missing() -> None:
    slot = replace(SLOT, deadline=None)
    judged = standing(slot, Known(), now=SIX + DAY * 2, missing_after=DAY)
    assert (judged.state, judged.late, judged.alarming) == (SlotState.MISSING, False, True)


def test_a_receipt_that_does_not_hold_is_an_alarm_and_no_delivery() -> None:
    judged = standing(
        SLOT, replace(RELEASED, doubt="signature"), now=SIX + timedelta(minutes=5), missing_after=DAY
    )
    assert (judged.state, judged.alarming) == (SlotState.RELEASED, True)
