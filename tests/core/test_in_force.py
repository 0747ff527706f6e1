"""Which revision is a command about that names a slot and no revision?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from landbridge.bundle import check, payload_of
from landbridge.cli.which import beside, chosen
from landbridge.dsse import sealed
from landbridge.errors import IntegrityBroken, UsageError
from landbridge.facts import Commitment, Verdict
from landbridge.survey import known_of
from tests.fakes.facts import commitment
from tests.fakes.proven import AUDIT, STRANGER, Proven, signer, stage


def decided(there: Proven, *ends: str) -> tuple[Commitment, ...]:
    """Put revisions on record: `landed`, `released` and not landed, or a verdict that brings no file."""
    for number, end in enumerate(ends, 1):
        verdict = Verdict.RELEASE if end in {"landed", "released"} else Verdict(end)
        one = there.decide(number, verdict=verdict)
        if verdict is Verdict.RELEASE:
            there.release(one)
        if end == "landed":
            there.land(one)
    return there.ledger.history(commitment().slot)


@pytest.mark.parametrize(
    ("ends", "about"),
    [
        (("landed",), 1),
        (("quarantine",), 1),
        (("landed", "quarantine"), 1),
        (("landed", "quarantine", "reject"), 1),
        (("landed", "skip"), 1),
        (("landed", "landed", "quarantine", "reject"), 2),
        (("landed", "quarantine", "reject", "landed"), 4),
        (("landed", "released"), 2),
        (("released", "quarantine"), 2),
        (("quarantine", "reject"), 2),
        (("quarantine", "waive"), 2),
    ],
)
def test_it_is_about_the_file_that_the_consumer_goes_by(ends: tuple[str, ...], about: int) -> None:
    there = stage()
    history = decided(there, *ends)
    assert chosen("flights/2026-11-20", history, None, there.evidence).revision == about


def test_another_revision_is_had_by_its_number_or_its_files_name() -> None:
    there = stage()
    history = decided(there, "landed", "landed", "quarantine", "reject")
    asked = there.evidence
    assert chosen("flights/2026-11-20", history, 3, asked) is history[2]
    assert chosen("flights_1.csv", history, None, asked) is history[0]
    assert chosen("flights.csv", history, None, asked) is history[1], "a name that all revisions have"
    with pytest.raises(UsageError, match="there is no revision 5"):
        chosen("flights/2026-11-20", history, 5, asked)


def test_the_bundle_of_a_slot_whose_correction_was_rejected_proves_the_file_and_names_the_reject() -> None:
    there = stage()
    history = decided(there, "landed", "quarantine", "reject")
    about = chosen("flights/2026-11-20", history, None, there.evidence)
    made, checked = check(sealed(payload_of(there.bundle(about)), signer()), [AUDIT.public])
    assert (made.revision, made.verdict) == (1, Verdict.RELEASE)
    assert [one for one in checked if not one.holds and one.what != "verdict"] == []
    assert [one.what for one in checked][-1] == "receipt 1"
    assert [line.partition(" by ")[0] for line in beside(about, history)] == [
        "revision 2: quarantine",
        "revision 3: reject",
    ]


def test_which_one_stands_cannot_be_told_by_a_receipt_that_does_not_hold() -> None:
    there = stage()
    history = decided(there, "released", "quarantine")
    there.land(history[0], STRANGER)
    with pytest.raises(IntegrityBroken, match="cannot be believed"):
        chosen("flights/2026-11-20", history, None, there.evidence)
    assert chosen("flights/2026-11-20", history, 1, there.evidence) is history[0]


def test_the_newest_release_is_meant_also_where_its_receipt_does_not_hold() -> None:
    """Whoever looks into that receipt must be able to name its slot."""
    there = stage()
    history = decided(there, "landed", "released")
    there.land(history[1], STRANGER)
    assert chosen("flights/2026-11-20", history, None, there.evidence) is history[1]


def test_what_was_decided_after_it_is_told_with_who_and_why() -> None:
    history = [commitment(), replace(commitment(revision=2, verdict=Verdict.REJECT), reason="old rows")]
    assert beside(history[0], history) == [
        "revision 2: reject by cron@pod at 2026-11-21 05:30:00 UTC: old rows"
    ]
    assert beside(history[1], history) == []


def test_a_file_that_was_superseded_before_it_landed_is_no_earlier_one() -> None:
    there = stage()
    *before, newest = decided(there, "released", "skip", "quarantine")
    assert known_of(newest, there.evidence, before).earlier == ()
