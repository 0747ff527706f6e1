"""Does each step of a run refuse what it must, when a store, a gate or somebody else does not keep to the rules?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from pysequoia import Tsk

from landbridge.errors import IntegrityBroken, NotFound, StoreConflict, TryAgain, Unavailable
from landbridge.facts import Attempt, Commitment, Content, Location, Released, Verdict
from landbridge.jobs import run_generate, run_promote, run_validate
from landbridge.naming import contract_key, manifest_key, promotion_key, target
from landbridge.run import commit, make, run
from landbridge.steps.promote import promote
from landbridge.steps.seal import encrypted
from landbridge.stores import files
from tests.fakes.memory_cloud import ENVIRONMENT, MemoryWorld, Rows, slot, trades
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.facts import GateReport
    from landbridge.ports import Progress

FEED, SLOT = trades(), slot()
FINAL = target(FEED, SLOT, ENVIRONMENT, 1, {}).key
MANIFEST = manifest_key(SLOT, 1)


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@dataclass
class Altering(MemoryStore):
    """Gives other bytes than were put, of the same length."""

    def fetch(self, at: Location, path: Path) -> Content:
        return files.arriving(path, [self._at(at).body.replace(b"1", b"9")])


@dataclass
class Miscounting(Rows):
    """A gate that sees a row less than there are."""

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        told = super().judge(path, progress)
        return replace(told, rows=told.rows - 1)


def test_bytes_that_staging_changed_are_not_judged(world: MemoryWorld) -> None:
    world.staging = Altering()
    with pytest.raises(IntegrityBroken, match="other bytes"):
        run(FEED, SLOT, world.cloud())
    assert not world.cloud().ledger.history(SLOT)


def test_bytes_that_staging_changed_are_not_encrypted(world: MemoryWorld, tmp_path: Path) -> None:
    world.staging = Altering()
    staged = make(FEED, SLOT, world.cloud())
    before = {*world.staging.objects}
    sealed = trades(encryption={"recipients": ["env:KEY"]})
    with pytest.raises(IntegrityBroken, match="changed"):
        encrypted(staged, world.staging, sealed.file, (), tmp_path)
    assert {*world.staging.objects} == before


@pytest.mark.parametrize("policy", ["deliver", "skip", "fail"])
@pytest.mark.parametrize("ids", [[1, 2, 3], [1], []])
def test_a_gate_that_counts_other_rows_than_were_written_decides_nothing(
    world: MemoryWorld, ids: list[int], policy: str
) -> None:
    """Nor does it make a file an empty one that only one of the two finds empty."""
    world.rows = Miscounting(ids)
    with pytest.raises(IntegrityBroken, match="counts other rows"):
        run(trades().model_copy(update={"empty": policy}), SLOT, world.cloud())
    assert not world.cloud().ledger.history(SLOT)


def test_other_bytes_under_the_final_name_are_neither_replaced_nor_announced(world: MemoryWorld) -> None:
    world.reports.put_new(FINAL, b"somebody else's")
    with pytest.raises(StoreConflict):
        run(FEED, SLOT, world.cloud())
    assert world.reports.read(FINAL) == b"somebody else's"
    assert MANIFEST not in world.reports.objects


def test_another_manifest_under_the_name_is_no_release(world: MemoryWorld) -> None:
    world.reports.put_new(MANIFEST, b"somebody else's")
    with pytest.raises(StoreConflict):
        run(FEED, SLOT, world.cloud())
    assert FINAL not in world.reports.objects


def test_what_is_not_to_be_released_is_never_promoted(world: MemoryWorld) -> None:
    world.rows.good = False
    outcome = run(FEED, SLOT, world.cloud())
    assert isinstance(outcome, Commitment)
    with pytest.raises(ValueError, match="quarantine"):
        promote(outcome, b"", world.reports, {})
    assert not world.reports.objects


def test_a_slot_with_a_verdict_is_not_generated_or_judged_again(world: MemoryWorld) -> None:
    assert isinstance(run(FEED, SLOT, world.cloud()), Released)
    world.rows.ids.append(4)
    before = {*world.staging.objects}
    for step in (run, run_generate, run_validate, run_promote):
        step(FEED, SLOT, world.cloud())
    assert world.rows.runs == 1
    assert {*world.staging.objects} == before


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [("deliver", Verdict.RELEASE), ("skip", Verdict.SKIP), ("fail", Verdict.QUARANTINE)],
)
def test_a_file_without_rows_ends_as_the_feed_declares(
    world: MemoryWorld, policy: str, verdict: Verdict
) -> None:
    world.rows.ids = []
    run(trades().model_copy(update={"empty": policy}), SLOT, world.cloud())
    (made,) = world.cloud().ledger.history(SLOT)
    assert made.verdict is verdict
    assert (MANIFEST in world.reports.objects) is (policy == "deliver")
    assert [rule.rule for rule in made.report.rules if not rule.passed] == ["empty"] * (policy == "fail")


@pytest.mark.parametrize("policy", ["deliver", "skip", "fail"])
def test_a_file_with_rows_is_not_taken_for_an_empty_one(world: MemoryWorld, policy: str) -> None:
    assert isinstance(run(trades().model_copy(update={"empty": policy}), SLOT, world.cloud()), Released)


def test_an_empty_file_that_breaks_its_contract_is_not_delivered(world: MemoryWorld) -> None:
    world.rows.ids, world.rows.good = [], False
    run(FEED, SLOT, world.cloud())
    assert [one.verdict for one in world.cloud().ledger.history(SLOT)] == [Verdict.QUARANTINE]


def test_a_run_in_halves_judges_what_was_staged_and_releases_what_was_judged(world: MemoryWorld) -> None:
    attempt = run_generate(FEED, SLOT, world.cloud())
    assert isinstance(attempt, Attempt)
    assert not world.cloud().ledger.history(SLOT)
    world.rows.ids.append(4)  # what the source says now is not what was staged
    judged = run_validate(FEED, SLOT, world.cloud())
    assert judged.plain == attempt.staged.content
    assert not world.reports.objects
    released = run_promote(FEED, SLOT, world.cloud())
    assert isinstance(released, Released)
    assert world.reports.read(FINAL) == world.staging.read(attempt.staged.at.key)
    assert world.rows.runs == 1


def test_a_half_does_not_run_before_the_one_before_it(world: MemoryWorld) -> None:
    for step, missing in ((run_validate, "no staged file"), (run_promote, "no verdict")):
        with pytest.raises(TryAgain, match=missing):
            step(FEED, SLOT, world.cloud())
    run_generate(FEED, SLOT, world.cloud())
    with pytest.raises(TryAgain, match="no verdict"):
        run_promote(FEED, SLOT, world.cloud())
    assert not world.reports.objects


def test_committed_bytes_that_staging_forgot_are_told_with_the_way_out(world: MemoryWorld) -> None:
    run_generate(FEED, SLOT, world.cloud())
    made = run_validate(FEED, SLOT, world.cloud())
    world.staging.remove(made.staged)
    with pytest.raises(NotFound, match=r"no longer in staging.*redrive"):
        run_promote(FEED, SLOT, world.cloud())
    assert not world.reports.objects


def test_what_an_earlier_try_copied_is_announced_although_staging_forgot_it(world: MemoryWorld) -> None:
    run_generate(FEED, SLOT, world.cloud())
    made = run_validate(FEED, SLOT, world.cloud())
    world.reports.copy_new(made.staged, FINAL, made.delivered)
    world.staging.remove(made.staged)
    assert isinstance(run_promote(FEED, SLOT, world.cloud()), Released)
    assert MANIFEST in world.reports.objects


def test_a_released_file_that_was_reaped_does_not_come_back(world: MemoryWorld) -> None:
    released = run(FEED, SLOT, world.cloud())
    assert isinstance(released, Released)
    before = {key: world.entries.read(key) for key in world.entries.objects}
    world.reports.remove(released.at)
    assert isinstance(run(FEED, SLOT, world.cloud()), Released)
    assert FINAL not in world.reports.objects
    assert {key: world.entries.read(key) for key in world.entries.objects} == before


def test_a_release_without_its_record_gets_it_only_while_the_file_is_there(world: MemoryWorld) -> None:
    """The record says where the file lies: of one that was reaped it would name staging."""
    released = run(FEED, SLOT, world.cloud())
    assert isinstance(released, Released)
    del world.entries.objects[promotion_key(SLOT, 1)]
    run(FEED, SLOT, world.cloud())
    assert promotion_key(SLOT, 1) in world.entries.objects
    del world.entries.objects[promotion_key(SLOT, 1)]
    world.reports.remove(released.at)
    run(FEED, SLOT, world.cloud())
    assert promotion_key(SLOT, 1) not in world.entries.objects


@dataclass(frozen=True)
class Scratch:
    """One folder for everything that a run writes here, which outlives the run."""

    folder: Path

    @contextmanager
    def lend(self) -> Iterator[Path]:
        yield self.folder


@pytest.mark.parametrize("end", ["released", "encrypted", "quarantined", "refused"])
def test_nothing_of_a_file_is_left_on_the_pods_disk_once_it_is_staged(
    world: MemoryWorld, tmp_path: Path, end: str
) -> None:
    """A pod's volume may outlive it, and what lies there is the plain file also of a feed that encrypts."""
    world.rows = Miscounting() if end == "refused" else Rows(good=end != "quarantined")
    feed = trades(encryption={"recipients": ["env:KEY"]}) if end == "encrypted" else FEED
    key = str(Tsk.generate("c <c@example.org>").extract_certificate())
    cloud = replace(world.cloud(), recipients=lambda _: (key,), scratch=Scratch(tmp_path).lend)
    staged = make(feed, SLOT, cloud)
    for drafted in tmp_path.iterdir():
        drafted.unlink()  # the draft itself goes with its own scratch folder
    if end == "refused":
        with pytest.raises(IntegrityBroken):
            commit(feed, staged, cloud)
    else:
        commit(feed, staged, cloud)
    assert list(tmp_path.iterdir()) == []


def test_a_feed_that_does_not_encrypt_is_not_encrypted(world: MemoryWorld, tmp_path: Path) -> None:
    staged = make(FEED, SLOT, world.cloud())
    with pytest.raises(ValueError, match="T_"):
        encrypted(staged, world.staging, FEED.file, (), tmp_path)


@dataclass
class Archive:
    """A further place, which is away for a while; obeys ports.Place."""

    away: int
    kept: list[tuple[Location, str, Content]] = field(default_factory=list)

    def deliver(self, source: Location, key: str, content: Content) -> Location:
        if self.away:
            self.away -= 1
            raise Unavailable("the archive is away")
        self.kept.append((source, key, content))
        return Location("memory://archive", key)


def test_a_further_place_has_the_file_before_anybody_hears_of_it(world: MemoryWorld) -> None:
    """Once the manifest is there nothing is copied any more, so a place that was left out then would stay so."""
    archive = Archive(away=1)
    cloud = replace(world.cloud(), places=lambda _feed, _commitment: {"archive": archive})
    with pytest.raises(Unavailable):
        run(FEED, SLOT, cloud)
    assert MANIFEST not in world.reports.objects
    released = run(FEED, SLOT, cloud)
    assert isinstance(released, Released)
    made = released.commitment
    assert archive.kept == [(made.staged, made.target.key, made.delivered)]
    assert released.copies == (Location("memory://archive", FINAL),)
    assert MANIFEST in world.reports.objects


@pytest.mark.parametrize("good", [True, False])
def test_the_contract_that_judged_is_kept_before_the_verdict_that_names_it(
    world: MemoryWorld, good: bool
) -> None:
    world.rows.good = good
    ledger = world.cloud().ledger
    run(FEED, SLOT, world.cloud())
    (made,) = ledger.history(SLOT)
    assert ledger.contract(made.contract) == world.rows.text.encode()
    assert list(world.entries.objects).index(contract_key(made.contract)) == 0


def test_a_quarantined_file_is_kept_where_nothing_expires_before_its_verdict(world: MemoryWorld) -> None:
    world.rows.good = False
    outcome = run(FEED, SLOT, world.cloud())
    assert isinstance(outcome, Commitment)
    assert outcome.staged.key.startswith("quarantine/")
    assert world.staging.read(outcome.staged.key)
    assert not world.reports.objects
