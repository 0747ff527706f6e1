"""Does each step of a run refuse what it must, when a store, a gate or somebody else does not keep to the rules?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import IntegrityBroken, StoreConflict
from landbridge.facts import Commitment, Content, Released
from landbridge.jobs import run_generate, run_promote, run_validate
from landbridge.naming import manifest_key, target
from landbridge.run import make, run
from landbridge.steps.promote import promote
from landbridge.steps.seal import encrypted
from landbridge.stores import files
from tests.fakes.memory_cloud import ENVIRONMENT, MemoryWorld, Rows, slot, trades
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.facts import GateReport, Location
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


def test_a_gate_that_counts_other_rows_than_were_written_decides_nothing(world: MemoryWorld) -> None:
    world.rows = Miscounting()
    with pytest.raises(IntegrityBroken, match="counts other rows"):
        run(FEED, SLOT, world.cloud())
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
