"""A slot's file is made once, whole, whatever happens to those who make it."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

import pytest
from pysequoia import Tsk, decrypt

from landbridge.facts import Location, Verdict
from landbridge.ledger import manifest_bytes
from landbridge.naming import manifest_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

_DAYS = (f"2025-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29))


@pytest.fixture
def days() -> itertools.chain[str]:
    """Give business dates that no story has used."""
    return itertools.chain(_DAYS)


def released_once(stage: Stage, feed: str, day: str) -> None:
    """Hold the whole evidence of one slot together."""
    (commitment,) = stage.commitments(feed, day)
    assert commitment.verdict is Verdict.RELEASE
    reports = stage.evidence.reports
    at = Location(reports.name, commitment.target.key)
    body = b"".join(reports.chunks(at))
    assert hashlib.sha256(body).hexdigest() == commitment.delivered.sha256
    assert len(body) == commitment.delivered.size
    if commitment.recipients:
        secret = (stage.folder / "keys" / "recipient.secret.asc").read_text()
        body = bytes(decrypt(body, decryptor=Tsk.from_bytes(secret.encode()).decryptor()).bytes or b"")
        assert hashlib.sha256(body).hexdigest() == commitment.plain.sha256
    assert body.splitlines()[-1] == b"T,500,31187.50"
    manifest = reports.read(manifest_key(commitment.slot, 1))
    assert manifest == manifest_bytes(commitment, stage.evidence.ledger.digest(commitment))
    assert len(reports.versions(commitment.target.key)) == 1


def test_a_slot_is_generated_staged_validated_and_released(stage: Stage, days: itertools.chain[str]) -> None:
    day = next(days)
    (said,) = stage.order(f"good {day} 0 all")
    assert said.startswith("0 released")
    released_once(stage, "good", day)


def test_a_second_run_changes_nothing(stage: Stage, days: itertools.chain[str]) -> None:
    day = next(days)
    first = stage.order(f"good {day} 0 all")
    before = stage.commitments("good", day)
    assert stage.order(f"good {day} 0 all") == first, "the second run carries the first one's verdict on"
    assert stage.commitments("good", day) == before
    released_once(stage, "good", day)


@pytest.mark.parametrize("feed", ["good", "sent", "sealed"])
def test_killed_at_any_call_the_next_run_converges(
    stage: Stage, days: itertools.chain[str], feed: str, record_property: Callable[[str, object], None]
) -> None:
    killed = 0
    for kill_at in itertools.count(1):
        day = next(days)
        (said,) = stage.order(f"{feed} {day} {kill_at} all")
        if said != "killed":
            assert said.startswith("0 released")
            break
        killed += 1
        assert stage.order(f"{feed} {day} 0 all")[0].startswith("0 released")
        released_once(stage, feed, day)
    record_property("kills", killed)
    assert killed >= 16, "a run has at least eight calls of a store, each with a before and an after"


@pytest.mark.parametrize(("feed", "verdict"), [("broken", "quarantine"), ("empty", "skip")])
def test_killed_at_any_call_a_slot_that_is_not_released_converges_too(
    stage: Stage,
    days: itertools.chain[str],
    feed: str,
    verdict: str,
    record_property: Callable[[str, object], None],
) -> None:
    for kill_at in itertools.count(1):
        day = next(days)
        (said,) = stage.order(f"{feed} {day} {kill_at} all")
        if said != "killed":
            assert said.startswith(f"0 {verdict}")
            break
        assert stage.order(f"{feed} {day} 0 all")[0].startswith(f"0 {verdict}")
        (commitment,) = stage.commitments(feed, day)
        assert stage.evidence.staging.head(commitment.staged.key) is not None
        assert stage.evidence.reports.head(commitment.target.key) is None
    record_property("kills", kill_at - 1)
    assert kill_at > 8


def test_two_runs_at_once_of_an_encrypted_feed_agree_on_one_ciphertext(
    stage: Stage, days: itertools.chain[str]
) -> None:
    day = next(days)
    said = stage.order(*[f"sealed {day} 0 all"] * 3)
    assert len(set(said)) == 1
    released_once(stage, "sealed", day)


def test_killed_between_jobs_the_jobs_converge(stage: Stage, days: itertools.chain[str]) -> None:
    for kill_at in range(1, 9):
        day = next(days)
        for step in ("generate", "validate", "promote"):
            stage.order(f"good {day} {kill_at} {step}")
            (said,) = stage.order(f"good {day} 0 {step}")
            assert said.startswith("0 "), said
        released_once(stage, "good", day)


def test_two_and_eight_runs_at_once_agree_on_one_file(stage: Stage, days: itertools.chain[str]) -> None:
    for runs in (2, 8):
        day = next(days)
        said = stage.order(*[f"good {day} 0 all"] * runs)
        assert len(set(said)) == 1, "every run tells of the same commitment, the winner's"
        assert said[0].startswith("0 released")
        released_once(stage, "good", day)


def test_a_job_without_the_one_before_it_says_what_to_run_first(
    stage: Stage, days: itertools.chain[str]
) -> None:
    day = next(days)
    (validate,) = stage.order(f"good {day} 0 validate")
    assert validate.startswith("75 ")
    assert "--step generate" in validate
    (promote,) = stage.order(f"good {day} 0 promote")
    assert promote.startswith("75 ")
    assert "--step validate" in promote


def test_a_breach_is_kept_and_nothing_reaches_the_reports_bucket(
    stage: Stage, days: itertools.chain[str]
) -> None:
    day = next(days)
    (said,) = stage.order(f"broken {day} 0 all")
    assert said.startswith("0 quarantine")
    (commitment,) = stage.commitments("broken", day)
    assert commitment.staged.key.startswith("quarantine/")
    assert stage.evidence.staging.head(commitment.staged.key) is not None
    assert stage.evidence.reports.head(commitment.target.key) is None
    assert stage.evidence.reports.head(manifest_key(commitment.slot, 1)) is None
    broken = {(rule.rule, rule.column): rule.broken for rule in commitment.report.rules if not rule.passed}
    assert {column for _, column in broken} == {"id", "amount"}
    lines = {(defect.column, defect.line) for defect in commitment.report.defects}
    assert ("amount", 101) in lines, "the row with the negative amount is the 100th, below the header"
    assert ("id", 79) in lines
    names = [defect.value for defect in commitment.report.defects if defect.column == "name"]
    assert all(value == "***" for value in names)


def test_a_slot_without_rows_is_skipped_with_a_record(stage: Stage, days: itertools.chain[str]) -> None:
    day = next(days)
    assert stage.order(f"empty {day} 0 all")[0].startswith("0 skip")
    (commitment,) = stage.commitments("empty", day)
    assert commitment.plain.rows == 0
    assert stage.evidence.reports.head(commitment.target.key) is None
