"""Does a row of the audit speak of the file that the slot ended with?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from landbridge.audit import Proof, Row, audit
from landbridge.bundle import check, payload_of
from landbridge.dsse import sealed
from landbridge.errors import IntegrityBroken
from landbridge.facts import (
    NO_FILE,
    NO_REPORT,
    NOWHERE,
    Commitment,
    GateReport,
    RuleResult,
    SlotState,
    Verdict,
)
from landbridge.standing import Known, standing
from landbridge.survey import known_of
from tests.fakes.facts import AT, commitment
from tests.fakes.proven import AUDIT, STRANGER, Proven, delivered, signer, stage

BROKEN = GateReport(
    "flights",
    "1.0.0",
    10,
    (RuleResult("unique", "id", passed=False, checked=10, broken=1, threshold="= 0"),),
    (),
)


def row(there: Proven, known: Known) -> Row:
    assert known.commitment is not None
    judged = standing(
        known.commitment.slot, known, now=AT + timedelta(days=9), missing_after=timedelta(days=1)
    )
    (found,) = audit([judged], there.evidence)
    return found


def waived(there: Proven) -> Commitment:
    made = commitment(verdict=Verdict.WAIVE)
    return there.ledger.commit(
        replace(made, plain=NO_FILE, delivered=NO_FILE, staged=NOWHERE, report=NO_REPORT, reason="no flights")
    )


def test_a_rejected_correction_leaves_the_row_with_the_file_that_landed() -> None:
    there, first = delivered()
    receipt = there.receipt(first)
    second = there.ledger.commit(
        replace(
            commitment(revision=2, verdict=Verdict.REJECT),
            delivered=replace(first.delivered, sha256="f" * 64, size=7),
            target=replace(first.target, landed_name="never_landed.csv"),
            report=BROKEN,
        )
    )
    found = row(there, Known(second, earlier=(receipt,)))
    assert (found.state, found.verdict, found.revision) == (SlotState.DELIVERED, Verdict.REJECT, 2)
    assert (found.file, found.sha256, found.size) == (receipt.landed_path, receipt.sha256, receipt.size)
    assert (found.landed_revision, found.landed_at) == (1, receipt.landed_at)
    assert found.rows is None


def test_a_correction_in_quarantine_leaves_the_row_with_the_file_that_landed() -> None:
    there, first = delivered()
    receipt = there.receipt(first)
    second = there.ledger.commit(
        replace(commitment(revision=2, verdict=Verdict.QUARANTINE), delivered=NO_FILE, report=BROKEN)
    )
    found = row(there, Known(second, earlier=(receipt,)))
    assert (found.state, found.verdict, found.revision) == (SlotState.QUARANTINED, Verdict.QUARANTINE, 2)
    assert (found.file, found.sha256, found.landed_revision) == (receipt.landed_path, receipt.sha256, 1)


def test_a_release_from_quarantine_is_told_from_one_that_met_its_contract() -> None:
    there, first = delivered()
    met = row(there, Known(first, True, there.receipt(first)))
    made = replace(commitment(revision=2), report=BROKEN, reason="as it is")
    second = there.ledger.commit(made)
    breach = row(there, Known(second, True, there.receipt(second)))
    assert (met.verdict, breach.verdict) == (Verdict.RELEASE, Verdict.RELEASE)
    assert (met.contract_met, breach.contract_met) == (True, False)
    assert (met.rows, met.landed_revision) == (first.delivered.rows, 1)


def test_a_row_tells_how_the_file_that_landed_came() -> None:
    there, first = delivered()
    found = row(there, Known(first, True, there.receipt(first)))
    assert (found.brought, found.brought_from) == ("download", "sftp://collector@sftp.example.org:22")
    assert found.brought_at == AT + timedelta(minutes=5, seconds=2)
    taken = replace(there.receipt(first), brought=there.taken(first))
    found = row(there, Known(first, True, taken))
    assert (found.brought, found.brought_from) == ("taken", "/holding/flights/flights_1.csv")
    before = row(there, Known(first, True, there.receipt(first, old=True)))
    assert (before.brought, before.brought_at, before.brought_from) == ("", None, "")
    assert before.evidence is found.evidence is Proof.WHOLE


def test_a_waived_slot_has_no_file_in_its_row() -> None:
    there = stage()
    found = row(there, Known(waived(there)))
    assert (found.state, found.evidence, found.reason) == (SlotState.WAIVED, Proof.WHOLE, "no flights")
    assert (found.file, found.sha256, found.size, found.rows) == ("", "", None, None)
    assert (found.contract, found.contract_met) == ("", None)


def test_a_row_says_how_far_its_end_is_proved() -> None:
    there, first = delivered()

    def of(known: Known) -> tuple[Proof, bool]:
        judged = standing(first.slot, known, now=AT + timedelta(days=9), missing_after=timedelta(days=1))
        (found,) = audit([judged], there.evidence)
        return found.evidence, found.ended

    receipt = there.receipt(first)
    assert of(Known(first, True, receipt)) == (Proof.WHOLE, True)
    assert of(Known(first, True)) == (Proof.OPEN, False)
    assert of(Known(first)) == (Proof.OPEN, False)
    assert of(Known()) == (Proof.NONE, True)
    assert of(Known(first, True, receipt, doubt="a receipt that does not hold")) == (Proof.BROKEN, True)
    assert of(Known(doubt="an entry that was changed")) == (Proof.BROKEN, True)


def test_a_row_names_the_entry_of_the_ledger_that_it_speaks_of() -> None:
    there, first = delivered()
    assert row(there, Known(first)).commitment == there.ledger.digest(first)
    with pytest.raises(IntegrityBroken, match="another commitment"):
        row(there, Known(replace(first, actor="mallory")))


def test_what_is_looked_up_with_a_receipt_that_does_not_hold_is_in_doubt_and_not_delivered() -> None:
    there = stage()
    first = there.decide()
    there.release(first)
    there.land(first, STRANGER)
    known = known_of(first, there.evidence)
    assert (known.released, known.receipt) == (True, None)
    assert "not signed by a known collector" in known.doubt
    second = there.decide(2)
    there.release(second)
    there.land(second)
    assert known_of(second, there.evidence, [first]).doubt, "an earlier one counts as well"
    assert known_of(second, there.evidence).receipt == there.receipt(second)


def test_a_bundle_of_a_waiver_speaks_of_no_rules() -> None:
    there = stage()
    made = waived(there)
    _, checked = check(sealed(payload_of(there.bundle(made)), signer()), [AUDIT.public])
    assert all(one.holds for one in checked)
    said = {one.what: one.seen for one in checked}
    assert said["contract"] == "none: a waiver judges no file"
    assert said["verdict"] == "waive: no flights"
