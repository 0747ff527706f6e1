"""Which revisions of a slot are read again, and does every changed byte show wherever it lies?"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from landbridge.facts import Commitment, Location, Verdict
from landbridge.naming import manifest_key, receipt_key
from landbridge.ports import Blob
from landbridge.recheck import recheck, worth_reading
from tests.core.formats import Silent
from tests.fakes.facts import AT, commitment
from tests.fakes.memory_store import MemoryStore, _Version
from tests.fakes.proven import FILE, STRANGER, Proven, delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("verdicts", "read"),
    [
        (["release"], [1]),
        (["quarantine"], [1]),
        (["release", "release"], [2]),
        (["release", "quarantine", "reject"], [3, 1]),
        (["release", "release", "skip"], [3, 2]),
        (["quarantine", "release"], [2]),
        (["quarantine", "waive"], [2]),
    ],
)
def test_the_newest_and_the_file_that_it_left_in_force(verdicts: list[str], read: list[int]) -> None:
    history = [
        replace(commitment(), revision=number, verdict=Verdict(verdict))
        for number, verdict in enumerate(verdicts, 1)
    ]
    assert [one.revision for one in worth_reading(history)] == read


@dataclass(frozen=True)
class Everywhere:
    """A delivered file in each place that it can lie in."""

    there: Proven
    made: Commitment
    staging: MemoryStore
    further: MemoryStore
    share: Path

    def look(self, made: Commitment | None = None, *, sees_share: bool = True) -> dict[str, str]:
        """Read all places again, and give the finding by place."""
        stores = {one.name: one for one in (self.staging, self.further, self.there.reports)}
        evidence = replace(
            self.there.evidence,
            share=self.share if sees_share else None,
            store_of=lambda at: stores[at.store],
        )
        beside = [Location(self.further.name, "x")]
        return {one.name: f"{one.finding}" for one in recheck(made or self.made, evidence, beside, Silent())}

    @property
    def landed(self) -> Path:
        return self.share / self.made.target.landed_name

    @property
    def receipt(self) -> str:
        slot = self.made.slot
        return receipt_key(slot.feed, slot.occurrence, self.made.revision, slot.business_date)

    def in_store(self, name: str, key: str, body: bytes) -> None:
        """Let `body` lie there instead of what was written."""
        store = {"staging": self.staging, "further": self.further, "reports": self.there.reports}[name]
        (known,) = store.objects[key]
        store.objects[key] = [_Version(body, known.blob)]


@pytest.fixture
def all_over(tmp_path: Path) -> Everywhere:
    there, made = delivered()
    staging = MemoryStore(name=made.staged.store)
    staging.objects[made.staged.key] = [_Version(FILE, Blob(made.staged, len(FILE), AT))]
    further = MemoryStore()
    further.put_new("x", FILE)
    found = Everywhere(there, made, staging, further, tmp_path)
    found.landed.write_bytes(FILE)
    return found


PLACES = ("staging", "reports", "further", "manifest", "share", "receipt")


def test_a_file_that_nobody_touched_is_the_same_everywhere(all_over: Everywhere) -> None:
    assert all_over.look() == dict.fromkeys(PLACES, "same")


_FLIPPED = bytes([FILE[0] ^ 1]) + FILE[1:]
_DAMAGE: dict[str, tuple[str, Callable[[Everywhere, bytes], object]]] = {
    "a draft": (
        "staging",
        lambda all_over, body: all_over.in_store("staging", all_over.made.staged.key, body),
    ),
    "a released file": (
        "reports",
        lambda all_over, body: all_over.in_store("reports", all_over.made.target.key, body),
    ),
    "another place": ("further", lambda all_over, body: all_over.in_store("further", "x", body)),
    "a manifest": (
        "manifest",
        lambda all_over, body: all_over.in_store(
            "reports", manifest_key(all_over.made.slot, all_over.made.revision), body
        ),
    ),
    "a receipt": ("receipt", lambda all_over, body: all_over.in_store("reports", all_over.receipt, body)),
}


@pytest.mark.parametrize(
    "body", [_FLIPPED, FILE[:-1], FILE + b"x", b""], ids=["bit", "short", "long", "none"]
)
@pytest.mark.parametrize("what", _DAMAGE)
def test_a_changed_byte_shows_where_it_is_and_nowhere_else(
    all_over: Everywhere, what: str, body: bytes
) -> None:
    place, damage = _DAMAGE[what]
    damage(all_over, body)
    assert all_over.look() == {**dict.fromkeys(PLACES, "same"), place: "different"}


def test_a_landed_file_under_a_name_of_its_own_must_be_the_same(all_over: Everywhere) -> None:
    own = replace(all_over.made.target, landed_name=all_over.made.target.key.rsplit("/", 1)[-1])
    made = replace(all_over.made, target=own)
    (all_over.share / own.landed_name).write_bytes(_FLIPPED)
    ledger = all_over.there.ledger
    ledger._store.objects.clear()  # type: ignore[attr-defined] # a store in memory
    ledger.commit(replace(made, previous=""))
    assert all_over.look(made)["share"] == "different"


def test_a_name_that_every_slot_has_says_nothing_of_this_one(all_over: Everywhere) -> None:
    all_over.landed.write_bytes(_FLIPPED)
    assert all_over.look()["share"] == "gone"


def test_what_expired_or_was_taken_is_gone_and_not_different(all_over: Everywhere) -> None:
    all_over.staging.objects.clear()
    all_over.further.objects.clear()
    all_over.landed.unlink()
    del all_over.there.reports.objects[all_over.made.target.key]
    found = all_over.look()
    assert {place for place, finding in found.items() if finding == "gone"} == {
        "staging",
        "further",
        "share",
        "reports",
    }
    assert found["receipt"] == found["manifest"] == "same"


def test_a_manifest_that_is_not_there_yet_is_no_difference(all_over: Everywhere) -> None:
    del all_over.there.reports.objects[manifest_key(all_over.made.slot, 1)]
    assert all_over.look()["manifest"] == "gone"


def test_a_receipt_of_a_stranger_is_a_difference(all_over: Everywhere) -> None:
    del all_over.there.reports.objects[all_over.receipt]
    assert "receipt" not in all_over.look()
    all_over.there.land(all_over.made, STRANGER)
    assert all_over.look()["receipt"] == "different"


def test_a_share_that_is_not_seen_from_here_is_not_spoken_of(all_over: Everywhere) -> None:
    assert "share" not in all_over.look(sees_share=False)


@pytest.mark.parametrize(
    ("verdict", "places"),
    [("quarantine", {"staging"}), ("skip", {"staging"}), ("reject", {"staging"}), ("waive", set())],
)
def test_of_what_was_not_released_only_the_draft_is_read(
    all_over: Everywhere, verdict: str, places: set[str]
) -> None:
    made = replace(all_over.made, verdict=Verdict(verdict))
    assert set(all_over.look(made)) == places


def test_what_never_ends_is_not_read_and_a_pipe_is_not_waited_for(all_over: Everywhere) -> None:
    class Endless(MemoryStore):
        def chunks(self, at: Location, size: int = 0) -> Iterator[bytes]:
            del at, size
            while True:
                yield FILE

    all_over = replace(all_over, staging=Endless(name=all_over.staging.name))
    own = replace(all_over.made.target, landed_name=all_over.made.target.key.rsplit("/", 1)[-1])
    made = replace(all_over.made, target=own)
    os.mkfifo(all_over.share / own.landed_name)
    ledger = all_over.there.ledger
    ledger._store.objects.clear()  # type: ignore[attr-defined] # a store in memory
    ledger.commit(replace(made, previous=""))
    found = all_over.look(made)
    assert (found["staging"], found["share"]) == ("different", "different")
