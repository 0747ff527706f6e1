"""Does only what has a receipt and has had its time go, and can a file that went never come back?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from landbridge.decisions import redrive, reject, release, waive
from landbridge.errors import Unavailable
from landbridge.facts import Commitment, Location, Receipt, Released, Verdict
from landbridge.ledger import make_receipt_bytes
from landbridge.naming import ledger_key, manifest_key, receipt_key
from landbridge.reap import Harvest, Kind, Why, harvest, reap, sums
from landbridge.retention import Retention
from landbridge.run import run
from landbridge.twin.keys import Ed25519Key
from landbridge.world import Reaping
from tests.core.formats import Silent
from tests.fakes.memory_cloud import MemoryWorld, slot, trades
from tests.fakes.memory_store import MemoryStore, _Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.facts import Slot
    from landbridge.ports import Blob

FEED, SLOT = trades(), slot()
KEY = Ed25519Key.generate()
DAY = timedelta(days=1)


@dataclass
class Scene:
    """A world, and how much later it is looked at. Its stores date what they keep by the real clock."""

    world: MemoryWorld = field(default_factory=MemoryWorld)
    began: datetime = field(default_factory=lambda: max(MemoryWorld().clock.now(), _now()))

    def reaping(self, after: timedelta, retention: Retention | None = None) -> Reaping:
        return Reaping(
            retention=retention or Retention(),
            staging_days=7,
            evidence=self.world.evidence(KEY.public_pem),
            reports=self.world.reports,
            staging=self.world.staging,
            slot_of=lambda _feed, occurrence: SLOT if occurrence == SLOT.occurrence else None,
            now=self.began + after,
            progress=Silent(),
        )

    def found(self, after: timedelta) -> dict[tuple[Kind, Why | None], int]:
        seen = harvest(self.reaping(after))
        both = {**sums(seen.due), **sums(seen.kept)}
        return {name: count for name, (count, _) in both.items()}

    def landed(self, revision: int, key: Ed25519Key = KEY, **other: object) -> None:
        """Send the receipt of a revision, landed now."""
        ledger = self.world.cloud().ledger
        one = ledger.history(SLOT)[revision - 1]
        receipt = Receipt(
            SLOT.feed,
            SLOT.occurrence,
            SLOT.business_date,
            revision,
            "DEV",
            one.delivered.size,
            one.delivered.sha256,
            one.target.landed_name,
            self.began,
            "edge1",
            ledger.digest(one),
        )
        name = receipt_key(SLOT.feed, SLOT.occurrence, revision, SLOT.business_date)
        self.world.reports.put_new(
            name,
            make_receipt_bytes(replace(receipt, **other), key.private_pem),  # type: ignore[arg-type]
        )

    def committed(self, slot_: Slot = SLOT) -> tuple[Commitment, ...]:
        return self.world.cloud().ledger.history(slot_)


def _now() -> datetime:
    blob = MemoryStore().put_new("now", b"")
    return blob.modified_at


@pytest.fixture
def here() -> Scene:
    return Scene()


def quarantined(here: Scene) -> None:
    here.world.rows.good = False
    run(FEED, SLOT, here.world.cloud())
    here.world.rows.good = True


def test_what_says_that_no_file_comes_is_no_released_file(here: Scene) -> None:
    waive(FEED, SLOT, here.world.cloud("ann", "ticket 7"))
    (key,) = here.world.reports.objects
    assert "_absences" in key
    assert here.found(1_000 * DAY) == {}


def all_of(here: Scene, after: timedelta) -> Harvest:
    found = harvest(here.reaping(after))
    reap(here.reaping(after), found)
    return found


def test_a_released_file_goes_after_its_receipt_and_its_time_and_never_comes_back(here: Scene) -> None:
    outcome = run(FEED, SLOT, here.world.cloud())
    assert isinstance(outcome, Released)
    draft = outcome.commitment.staged.key
    assert here.found(31 * DAY) == {
        (Kind.RELEASED, Why.NO_RECEIPT): 1,
        (Kind.DRAFT, Why.NO_RECEIPT): 1,
    }
    here.landed(1)
    assert here.found(6 * DAY) == {}
    assert here.found(29 * DAY) == {(Kind.DRAFT, None): 1}
    assert here.found(31 * DAY) == {(Kind.RELEASED, None): 1, (Kind.DRAFT, None): 1}
    kept = set(here.world.reports.objects) | set(here.world.entries.objects)
    all_of(here, 31 * DAY)
    gone = {outcome.commitment.target.key}
    assert set(here.world.reports.objects) | set(here.world.entries.objects) == kept - gone
    assert draft not in here.world.staging.objects
    assert here.found(31 * DAY) == {}, "again, there is nothing to do"
    assert isinstance(run(FEED, SLOT, here.world.cloud()), Released)
    assert outcome.commitment.target.key not in here.world.reports.objects, "it is never released again"


def test_the_empty_objects_that_make_folders_are_no_files(here: Scene) -> None:
    for store in (here.world.reports, here.world.staging):
        for prefix in ("outbound", "receipts", "quarantine", "drafts"):
            store.objects[f"{prefix}/"] = [
                _Version(b"", replace(store._add("x", b""), at=Location(store.name, f"{prefix}/")))
            ]
            del store.objects["x"]
    assert here.found(400 * DAY) == {}


def test_looking_removes_nothing(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1)
    before = {*here.world.reports.objects, *here.world.staging.objects}
    harvest(here.reaping(90 * DAY))
    assert {*here.world.reports.objects, *here.world.staging.objects} == before


def test_the_time_counts_from_the_landing_and_not_from_the_release(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1, landed_at=here.began + 20 * DAY)
    assert here.found(31 * DAY)[Kind.RELEASED, Why.RECENT] == 1
    assert here.found(51 * DAY)[Kind.RELEASED, None] == 1


def test_a_receipt_that_nobody_known_signed_or_for_other_bytes_is_none(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1, Ed25519Key.generate())
    assert here.found(99 * DAY) == {(Kind.RELEASED, Why.DOUBTFUL): 1, (Kind.DRAFT, Why.DOUBTFUL): 1}


def test_a_revision_that_a_later_one_superseded_on_the_share_goes_with_its_receipt(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.world.rows.ids = [7]
    redrive(FEED, SLOT, here.world.cloud("ann", "wrong"))
    assert here.found(31 * DAY)[Kind.RELEASED, Why.NO_RECEIPT] == 2
    here.landed(2)
    assert here.found(31 * DAY)[Kind.RELEASED, None] == 2, "revision 1 cannot land after revision 2"


def test_an_older_receipt_lets_no_later_revision_go(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1)
    here.world.rows.ids = [7]
    redrive(FEED, SLOT, here.world.cloud("ann", "wrong"))
    found = harvest(here.reaping(31 * DAY))
    assert [one.blob.at.key for one in found.due if one.kind is Kind.RELEASED] == [
        here.committed()[0].target.key
    ]
    assert [one.why for one in found.kept if one.kind is Kind.RELEASED] == [Why.NO_RECEIPT]


def test_what_is_not_what_was_committed_or_that_nobody_knows_stays(here: Scene) -> None:
    here.world.reports.put_new("outbound/trades/strange.csv", b"?")
    run(FEED, SLOT, here.world.cloud())
    here.landed(1)
    key = here.committed()[0].target.key
    here.world.reports._add(key, b"somebody else's")
    here.world.staging.put_new("quarantine/trades/2020-01-01/ab.csv", b"?")
    here.world.staging.put_new("quarantine/strange", b"?")
    found = here.found(99 * DAY)
    assert found[Kind.RELEASED, Why.DIFFERENT] == 1
    assert found[Kind.RELEASED, Why.UNKNOWN] == 1
    assert found[Kind.QUARANTINED, Why.UNKNOWN] == 2
    all_of(here, 99 * DAY)
    assert here.world.reports.read(key) == b"somebody else's"


def test_what_is_not_old_enough_is_not_judged(here: Scene) -> None:
    quarantined(here)
    redrive(FEED, SLOT, here.world.cloud("ann", "mended"))
    here.landed(2)
    assert here.found(6 * DAY) == {}
    assert {kind for kind, _ in here.found(8 * DAY)} == {Kind.DRAFT}


def test_what_lies_in_quarantine_and_was_never_judged_stays(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.world.staging.put_new("quarantine/trades/2026-11-20/ab.csv", b"?")
    assert here.found(400 * DAY)[Kind.QUARANTINED, Why.UNKNOWN] == 1


def test_what_has_the_name_of_a_file_that_was_never_released_is_not_known(here: Scene) -> None:
    quarantined(here)
    reject(SLOT, here.world.cloud("ann", "last week's"))
    key = here.committed()[0].target.key
    here.world.reports.put_new(key, here.world.staging.read(here.committed()[0].staged.key))
    here.world.reports.put_new(manifest_key(SLOT, 1), b"{}")
    assert here.found(99 * DAY)[Kind.RELEASED, Why.UNKNOWN] == 1


def test_a_receipt_of_what_was_never_released_is_none(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.world.rows.good = False
    redrive(FEED, SLOT, here.world.cloud("ann", "wrong"))
    here.landed(2)
    assert here.found(99 * DAY)[Kind.RELEASED, Why.NO_RECEIPT] == 1


def test_each_of_two_quarantined_files_of_a_slot_has_its_own_decision(here: Scene) -> None:
    quarantined(here)
    here.world.rows.good, here.world.rows.ids = False, [7]
    redrive(FEED, SLOT, here.world.cloud("ann", "again"))
    assert here.found(400 * DAY)[Kind.QUARANTINED, None] == 1
    assert here.found(400 * DAY)[Kind.QUARANTINED, Why.UNDECIDED] == 1
    reject(SLOT, here.world.cloud("ann", "last week's"))
    assert here.found(400 * DAY)[Kind.QUARANTINED, None] == 2


def test_a_bucket_that_lists_neither_digest_nor_version_is_asked_for_them(here: Scene) -> None:
    """As S3 does; what goes is the version that was asked about."""
    here.world.staging, here.world.reports = Bare(), Bare()
    quarantined(here)
    release(FEED, SLOT, here.world.cloud("ann", "taken"))
    here.landed(2)
    found = harvest(here.reaping(99 * DAY))
    assert {one.kind for one in found.due} == set(Kind)
    assert all(one.blob.at.version for one in found.due)


@dataclass
class Bare(MemoryStore):
    """Lists what S3 lists."""

    def list(self, prefix: str) -> Iterator[Blob]:
        return (replace(one, sha256="", at=replace(one.at, version="")) for one in super().list(prefix))


def test_quarantined_bytes_stay_until_somebody_has_decided_and_their_time_is_over(here: Scene) -> None:
    quarantined(here)
    assert here.found(400 * DAY)[Kind.QUARANTINED, Why.UNDECIDED] == 1
    reject(SLOT, replace(here.world.cloud("ann", "last week's"), clock=_At(here.began + 10 * DAY)))
    assert here.found(99 * DAY)[Kind.QUARANTINED, Why.RECENT] == 1
    found = all_of(here, 101 * DAY)
    assert {one.kind for one in found.due} == {Kind.QUARANTINED, Kind.DRAFT}
    assert here.found(400 * DAY) == {}
    assert [one.verdict for one in here.committed()] == [Verdict.QUARANTINE, Verdict.REJECT]


def test_quarantined_bytes_that_were_released_stay_until_they_landed(here: Scene) -> None:
    quarantined(here)
    release(FEED, SLOT, here.world.cloud("ann", "taken"))
    assert here.found(400 * DAY)[Kind.QUARANTINED, Why.NO_RECEIPT] == 1
    here.landed(2)
    assert here.found(91 * DAY)[Kind.QUARANTINED, None] == 1


def test_the_time_of_quarantined_bytes_that_were_released_counts_from_their_landing(here: Scene) -> None:
    quarantined(here)
    release(FEED, SLOT, here.world.cloud("ann", "taken"))
    here.landed(2, landed_at=here.began + 50 * DAY)
    assert here.found(91 * DAY)[Kind.QUARANTINED, Why.RECENT] == 1
    assert here.found(141 * DAY)[Kind.QUARANTINED, None] == 1


def test_what_came_in_place_of_quarantined_bytes_stays(here: Scene) -> None:
    quarantined(here)
    reject(SLOT, here.world.cloud("ann", "last week's"))
    key = here.committed()[0].staged.key
    here.world.staging._add(key, b"somebody else's")
    assert here.found(400 * DAY)[Kind.QUARANTINED, Why.DIFFERENT] == 1
    all_of(here, 400 * DAY)
    assert here.world.staging.read(key) == b"somebody else's"


def test_the_same_bytes_quarantined_twice_wait_for_the_later_decision(here: Scene) -> None:
    quarantined(here)
    here.world.rows.good = False
    redrive(FEED, SLOT, here.world.cloud("ann", "again"))
    assert [one.verdict for one in here.committed()] == [Verdict.QUARANTINE, Verdict.QUARANTINE]
    assert here.found(400 * DAY)[Kind.QUARANTINED, Why.UNDECIDED] == 1


def test_a_draft_without_a_verdict_is_left_to_the_bucket(here: Scene) -> None:
    here.world.staging.put_new("drafts/trades/2026-11-20/ab.csv", b"rows")
    assert here.found(8 * DAY) == {(Kind.DRAFT, Why.NO_VERDICT): 1}


def test_a_draft_that_two_revisions_share_stays_until_the_later_one_landed(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1)
    redrive(FEED, SLOT, here.world.cloud("alice", "ticket 1: once more"))
    first, second = here.committed()
    assert first.staged.key == second.staged.key
    assert here.found(90 * DAY)[Kind.DRAFT, Why.NO_RECEIPT] == 1
    here.landed(2)
    assert here.found(90 * DAY)[Kind.DRAFT, None] == 1


def test_the_draft_of_what_landed_goes_whatever_came_of_a_later_revision(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1)
    here.world.rows.ids = [7]
    redrive(FEED, SLOT, replace(here.world.cloud("ann", "wrong"), clock=_At(here.began + 20 * DAY)))
    assert here.found(22 * DAY) == {(Kind.DRAFT, Why.RECENT): 1, (Kind.DRAFT, Why.NO_RECEIPT): 1}
    found = harvest(here.reaping(28 * DAY))
    assert [one.blob.at.key for one in found.due] == [here.committed()[0].staged.key]


def test_the_draft_of_a_skipped_slot_goes(here: Scene) -> None:
    here.world.rows.ids = []
    run(FEED.model_copy(update={"empty": "skip"}), SLOT, here.world.cloud())
    assert here.found(8 * DAY) == {(Kind.DRAFT, None): 1}


@dataclass
class StaleListing(MemoryStore):
    """Lists what was there before the newest version of anything came."""

    def list(self, prefix: str) -> Iterator[Blob]:
        return iter([found[0].blob for key, found in self.objects.items() if key.startswith(prefix)])


def test_a_draft_that_was_staged_again_after_the_listing_stays(here: Scene) -> None:
    here.world.staging = StaleListing()
    outcome = run(FEED, SLOT, here.world.cloud())
    assert isinstance(outcome, Released)
    here.landed(1)
    key = outcome.commitment.staged.key
    ((old,),) = [here.world.staging.objects[key]]
    again = replace(old.blob, modified_at=here.began + 40 * DAY, at=replace(old.blob.at, version="again"))
    here.world.staging.objects[key].append(_Version(old.body, again))
    assert (Kind.DRAFT, None) not in here.found(40 * DAY)


def test_a_draft_has_its_time_from_the_landing_on(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1, landed_at=here.began + 20 * DAY)
    assert here.found(26 * DAY)[Kind.DRAFT, Why.RECENT] == 1
    assert here.found(28 * DAY)[Kind.DRAFT, None] == 1


def test_nothing_is_concluded_from_a_slot_of_which_an_entry_cannot_be_read(here: Scene) -> None:
    run(FEED, SLOT, here.world.cloud())
    here.landed(1)
    redrive(FEED, SLOT, here.world.cloud("alice", "ticket 1: once more"))
    here.world.entries._add(ledger_key(SLOT, 2), b"not an entry")
    found = here.found(99 * DAY)
    assert found[Kind.RELEASED, Why.UNKNOWN] == 2
    assert found[Kind.DRAFT, Why.DOUBTFUL] == 1


def test_only_the_version_that_was_looked_at_goes(here: Scene) -> None:
    outcome = run(FEED, SLOT, here.world.cloud())
    assert isinstance(outcome, Released)
    here.landed(1)
    found = harvest(here.reaping(99 * DAY))
    key = outcome.commitment.staged.key
    here.world.staging._add(key, b"came meanwhile")
    reap(here.reaping(99 * DAY), found)
    assert [one.body for one in here.world.staging.objects[key]] == [b"came meanwhile"]


def test_what_cannot_be_removed_is_told_and_the_rest_goes(here: Scene) -> None:
    quarantined(here)
    release(FEED, SLOT, here.world.cloud("ann", "taken"))
    here.landed(2)
    refusing = replace(here.reaping(99 * DAY), staging=_Refusing(here.world.staging.name))
    done = reap(refusing, harvest(here.reaping(99 * DAY)))
    assert {one.kind for one, _ in done.failed} == {Kind.QUARANTINED, Kind.DRAFT}
    assert [one.kind for one in done.removed] == [Kind.RELEASED]


def test_killed_after_any_removal_the_next_one_goes_on() -> None:
    for killed_after in itertools.count():
        here = Scene()
        quarantined(here)
        release(FEED, SLOT, here.world.cloud("ann", "taken"))
        here.landed(2)
        found = harvest(here.reaping(99 * DAY))
        reap(here.reaping(99 * DAY), replace(found, due=found.due[:killed_after]))
        left = all_of(here, 99 * DAY)
        assert len(left.due) == len(found.due) - killed_after
        assert here.found(99 * DAY) == {}
        if not left.due:
            break
    assert killed_after == 3


class _Refusing(MemoryStore):
    def remove(self, at: Location) -> None:
        raise Unavailable("not now")


@dataclass
class _At:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


# When a cluster runs it


@pytest.mark.parametrize("cron", ["0 3 * *", "61 3 * * *", "never", "0 3 30 2 *"])
def test_a_schedule_that_cannot_be_read_or_never_fires_is_refused_where_it_is_declared(cron: str) -> None:
    with pytest.raises(ValidationError, match="the cron expression"):
        Retention(schedule=cron)


@pytest.mark.parametrize("days", [-1, 0, 3651])
@pytest.mark.parametrize("what", ["outbound_days", "quarantine_days"])
def test_nothing_is_kept_for_less_than_a_day_or_longer_than_ten_years(what: str, days: int) -> None:
    with pytest.raises(ValidationError):
        Retention.model_validate({what: days})


def test_nothing_is_removed_on_a_schedule_unless_that_is_declared() -> None:
    assert Retention().schedule is None
    assert Retention(schedule="0 3 * * 0").schedule == "0 3 * * 0"
