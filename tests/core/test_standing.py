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
    RuleResult,
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


def decided(verdict: Verdict, *, after: timedelta = timedelta(hours=2), passed: bool = True) -> Commitment:
    """A second revision, decided when the deadline was past."""
    rule = RuleResult("unique", "id", passed, 1, 0 if passed else 1, "= 0")
    report = GateReport("c", "1", 1, (rule,), ())
    return replace(commitment(verdict), revision=2, committed_at=SIX + after, report=report, reason="why")


IN_TIME = receipt(SIX + timedelta(minutes=30))
TOO_LATE = receipt(SIX + timedelta(hours=3))


@pytest.mark.parametrize(
    ("known", "after", "state", "late", "alarming"),
    [
        (Known(decided(Verdict.WAIVE)), DAY * 9, SlotState.WAIVED, False, False),
        (Known(decided(Verdict.REJECT, passed=False)), DAY * 9, SlotState.QUARANTINED, False, False),
        (Known(decided(Verdict.QUARANTINE, passed=False)), DAY * 9, SlotState.QUARANTINED, True, True),
        # released from quarantine: as any release
        (Known(decided(Verdict.RELEASE, passed=False), True), DAY, SlotState.RELEASED, True, True),
        (Known(decided(Verdict.RELEASE, passed=False), True, TOO_LATE), DAY, SlotState.DELIVERED, True, True),
        # a correction of what had come in time: it is on its way, and late only when it does not come
        (Known(decided(Verdict.RELEASE), True, None, (IN_TIME,)), DAY, SlotState.RELEASED, False, False),
        (Known(decided(Verdict.RELEASE), True, None, (IN_TIME,)), DAY * 2, SlotState.RELEASED, True, True),
        (
            Known(decided(Verdict.RELEASE), True, TOO_LATE, (IN_TIME,)),
            DAY * 9,
            SlotState.DELIVERED,
            False,
            False,
        ),
        (Known(decided(Verdict.RELEASE), True, None, (TOO_LATE,)), DAY, SlotState.RELEASED, True, True),
        # nothing came of a correction: what landed before stands
        (
            Known(decided(Verdict.QUARANTINE, passed=False), earlier=(IN_TIME,)),
            DAY,
            SlotState.QUARANTINED,
            False,
            True,
        ),
        (
            Known(decided(Verdict.REJECT, passed=False), earlier=(IN_TIME,)),
            DAY * 9,
            SlotState.DELIVERED,
            False,
            False,
        ),
        (Known(decided(Verdict.SKIP), earlier=(TOO_LATE,)), DAY * 9, SlotState.DELIVERED, True, True),
        # what came too late stays late, whatever is rejected afterwards
        (
            Known(decided(Verdict.REJECT, passed=False), earlier=(TOO_LATE,)),
            DAY * 9,
            SlotState.DELIVERED,
            True,
            True,
        ),
    ],
)
def test_a_slot_that_a_person_decided_about_stands_where_that_leaves_it(
    known: Known, after: timedelta, state: SlotState, late: bool, alarming: bool
) -> None:
    judged = standing(SLOT, known, now=SIX + after, missing_after=DAY)
    assert (judged.state, judged.late, judged.alarming) == (state, late, alarming)
    correction_in_quarantine = state is SlotState.QUARANTINED and bool(known.earlier)
    assert (judged.landed is not None) == (state is SlotState.DELIVERED or correction_in_quarantine)


@pytest.mark.parametrize(("beyond", "late"), [(0, False), (1, True)])
def test_what_lands_at_its_deadline_is_in_time(beyond: int, late: bool) -> None:
    at = SIX + timedelta(hours=1, microseconds=beyond)
    known = replace(RELEASED, receipt=receipt(at))
    assert standing(SLOT, known, now=at + DAY, missing_after=DAY).late is late
    assert standing(SLOT, Known(), now=at, missing_after=DAY).late is late
