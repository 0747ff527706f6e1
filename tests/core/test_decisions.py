"""What comes of a person's decision about a slot: once, on record, in order, whoever else is at it?"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest
from pysequoia import Tsk, decrypt

from landbridge.cli.deciding import say
from landbridge.decisions import Decided, redrive, reject, release, waive
from landbridge.errors import IntegrityBroken, NotFound, UsageError
from landbridge.facts import NO_FILE, Commitment, Released, Verdict
from landbridge.ledger import Ledger
from landbridge.naming import manifest_key
from landbridge.run import run
from tests.fakes.memory_cloud import ENVIRONMENT, MemoryWorld, slot, trades
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.feed import Feed
    from landbridge.ports import Store
    from landbridge.world import Cloud

FEED, SLOT = trades(), slot()


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def quarantined(world: MemoryWorld) -> Commitment:
    world.rows.good = False
    outcome = run(FEED, SLOT, world.cloud())
    world.rows.good = True
    assert isinstance(outcome, Commitment)
    assert outcome.verdict is Verdict.QUARANTINE
    return outcome


def history(world: MemoryWorld) -> list[Verdict]:
    return [one.verdict for one in world.cloud().ledger.history(SLOT)]


def manifests(world: MemoryWorld) -> list[str]:
    return [key for key in world.reports.objects if "_manifests" in key]


# Release


def test_a_release_is_a_new_revision_of_the_same_bytes_with_the_report_of_the_breach(
    world: MemoryWorld,
) -> None:
    breach = quarantined(world)
    done = release(FEED, SLOT, world.cloud("ann", "the consumer takes it"))
    assert done.ours
    assert isinstance(done.outcome, Released)
    one = done.commitment
    assert (one.revision, one.verdict, one.actor, one.reason) == (
        2,
        Verdict.RELEASE,
        "ann",
        "the consumer takes it",
    )
    assert (one.report, one.plain, one.sources) == (breach.report, breach.plain, breach.sources)
    assert not one.report.passed, "it is on record that these bytes broke their contract"
    assert one.target.key.endswith("T_20261120_002.csv")
    assert world.reports.read(one.target.key) == world.staging.read(breach.staged.key)
    assert history(world) == [Verdict.QUARANTINE, Verdict.RELEASE]
    assert world.cloud().ledger.history(SLOT)[0] == breach, "nothing was edited"
    assert world.rows.runs == 1, "nothing was generated"


def test_a_release_again_goes_on_and_tells_who_did_it(world: MemoryWorld) -> None:
    quarantined(world)
    first = release(FEED, SLOT, world.cloud("ann", "taken"))
    again = release(FEED, SLOT, world.cloud("bob", "also taken"))
    assert (again.ours, again.outcome) == (False, first.outcome)
    assert again.commitment.actor == "ann"


def test_bytes_that_were_changed_in_quarantine_are_not_released(world: MemoryWorld) -> None:
    breach = quarantined(world)
    kept = world.staging.objects[breach.staged.key]
    kept[-1] = replace(kept[-1], body=b"id\n1\n1\n9\n")
    with pytest.raises(IntegrityBroken, match="not those that were judged"):
        release(FEED, SLOT, world.cloud("ann", "taken"))
    del world.staging.objects[breach.staged.key]
    with pytest.raises(NotFound):
        release(FEED, SLOT, world.cloud("ann", "taken"))
    assert history(world) == [Verdict.QUARANTINE]


def test_what_is_released_to_a_recipient_is_encrypted_once_before_it_is_decided(world: MemoryWorld) -> None:
    pair = Tsk.generate("Consumer <consumer@example.org>")
    feed = trades(encryption={"recipients": ["file:keys/consumer.asc"]})
    world.rows.good = False
    breach = run(feed, SLOT, world.cloud())
    assert isinstance(breach, Commitment)
    asked = replace(world.cloud("ann", "taken"), recipients=lambda _feed: (str(pair.extract_certificate()),))
    one = release(feed, SLOT, asked).commitment
    assert one.plain == breach.plain
    assert one.delivered != one.plain
    assert len(one.recipients) == 1
    sent = world.reports.read(one.target.key)
    assert hashlib.sha256(sent).hexdigest() == one.delivered.sha256
    opened = bytes(decrypt(sent, decryptor=pair.decryptor()).bytes or b"")
    assert opened == world.staging.read(breach.staged.key)
    again = release(feed, SLOT, asked)
    assert (again.ours, again.commitment) == (False, one), "no second ciphertext"


def test_what_met_its_contract_or_was_waived_is_not_in_quarantine(world: MemoryWorld) -> None:
    run(FEED, SLOT, world.cloud())
    for decide in ("release", "reject"):
        with pytest.raises(UsageError, match="not in quarantine"):
            _DECISIONS[decide](FEED, world.cloud("ann", "it is fine"))
    assert history(world) == [Verdict.RELEASE]


def test_quarantined_bytes_are_not_released_under_the_name_of_what_was_released(world: MemoryWorld) -> None:
    """The feed lost the revision in its name between the quarantine and the release."""
    alike = trades(name="T_{business_date:%Y%m%d}_001.csv")
    run(FEED, SLOT, world.cloud())
    world.rows.good = False
    redrive(FEED, SLOT, world.cloud("ann", "wrong rows"))
    with pytest.raises(UsageError, match="would have the name of revision 1"):
        release(alike, SLOT, world.cloud("ann", "the consumer takes it"))
    assert history(world) == [Verdict.RELEASE, Verdict.QUARANTINE]


def test_a_name_under_which_nothing_was_released_is_free(world: MemoryWorld) -> None:
    alike = trades(name="T_{business_date:%Y%m%d}.csv")
    world.rows.good = False
    run(alike, SLOT, world.cloud())
    assert release(alike, SLOT, world.cloud("ann", "the consumer takes it")).commitment.revision == 2


def test_no_revision_comes_after_the_last_that_a_name_has_room_for(world: MemoryWorld) -> None:
    last = replace(quarantined(world), revision=9999)
    cloud = replace(world.cloud("ann", "no"), ledger=cast("Ledger", _Only(last)))
    for decide in _DECISIONS.values():
        with pytest.raises(UsageError, match="revision 10000"):
            decide(FEED, cloud)


# Reject


def test_a_rejected_file_is_never_released_and_a_run_leaves_it(world: MemoryWorld) -> None:
    breach = quarantined(world)
    done = reject(SLOT, world.cloud("ann", "last week's rows"))
    assert (done.ours, done.commitment.verdict) == (True, Verdict.REJECT)
    assert (done.commitment.plain, done.commitment.report) == (breach.plain, breach.report)
    assert not reject(SLOT, world.cloud("bob", "the same")).ours
    with pytest.raises(UsageError, match="not in quarantine") as refused:
        release(FEED, SLOT, world.cloud("bob", "let it go"))
    assert "reject by ann" in refused.value.seen
    assert run(FEED, SLOT, world.cloud()) == done.commitment
    assert manifests(world) == []


# Waive


def test_a_waived_slot_is_not_run_until_it_is_redriven(world: MemoryWorld) -> None:
    done = waive(FEED, SLOT, world.cloud("ann", "no flights"))
    assert (done.ours, done.commitment.revision, done.commitment.verdict) == (True, 1, Verdict.WAIVE)
    assert done.commitment.plain == NO_FILE
    assert not waive(FEED, SLOT, world.cloud("bob", "none")).ours
    assert run(FEED, SLOT, world.cloud()) == done.commitment
    assert world.rows.runs == 0
    opened = redrive(FEED, SLOT, world.cloud("ann", "they flew after all"))
    assert (opened.commitment.revision, opened.commitment.verdict) == (2, Verdict.RELEASE)
    assert manifests(world) == [manifest_key(SLOT, 2)]


def test_a_slot_whose_file_landed_or_may_land_cannot_be_waived(world: MemoryWorld) -> None:
    run(FEED, SLOT, world.cloud())
    with pytest.raises(UsageError, match="may land"):
        waive(FEED, SLOT, world.cloud("ann", "no"))
    world.rows.good = False
    redrive(FEED, SLOT, world.cloud("ann", "wrong rows"))
    assert history(world) == [Verdict.RELEASE, Verdict.QUARANTINE]
    with pytest.raises(UsageError, match="revision 1 has landed or may land"):
        waive(FEED, SLOT, world.cloud("ann", "no"))


def test_a_release_that_no_run_can_carry_on_any_more_may_be_waived(world: MemoryWorld) -> None:
    stuck = committed_only(world)
    with pytest.raises(UsageError, match="may land"):
        waive(FEED, SLOT, world.cloud("ann", "no"))
    del world.staging.objects[stuck.staged.key]
    assert waive(FEED, SLOT, world.cloud("ann", "no")).commitment.revision == 2


@pytest.mark.parametrize("left", ["the manifest", "the file", "the draft", "a draft that is hidden"])
def test_a_release_of_which_anything_is_left_cannot_be_waived(world: MemoryWorld, left: str) -> None:
    """A reaped file leaves its manifest; a run that was killed its file without one; a lifecycle a version below a marker."""
    run(FEED, SLOT, world.cloud())
    (one,) = world.cloud().ledger.history(SLOT)
    gone = {
        "the manifest": [(world.reports, one.target.key), (world.staging, one.staged.key)],
        "the file": [(world.reports, manifest_key(SLOT, 1)), (world.staging, one.staged.key)],
    }
    both = [(world.reports, manifest_key(SLOT, 1)), (world.reports, one.target.key)]
    for store, key in gone.get(left, both):
        del store.objects[key]
    cloud = world.cloud("ann", "no")
    if left == "a draft that is hidden":
        cloud = replace(cloud, staging=cast("Store", _Hidden(world.staging)))
    with pytest.raises(UsageError, match="revision 1 has landed or may land"):
        waive(FEED, SLOT, cloud)


def test_a_release_from_a_bucket_that_is_not_looked_into_any_more_may_land_yet(world: MemoryWorld) -> None:
    committed_only(world)
    with pytest.raises(UsageError, match="may land"):
        waive(FEED, SLOT, replace(world.cloud("ann", "no"), staging=MemoryStore()))


def test_a_slot_that_is_skipped_owes_nothing_to_waive(world: MemoryWorld) -> None:
    world.rows.ids = []
    run(FEED.model_copy(update={"empty": "skip"}), SLOT, world.cloud())
    assert history(world) == [Verdict.SKIP]
    with pytest.raises(UsageError, match="no file is owed"):
        waive(FEED, SLOT, world.cloud("ann", "no"))


# Redrive


def committed_only(world: MemoryWorld) -> Commitment:
    """Let a run die between its verdict and the release."""
    fuse = _Fuse(_calls_until_commit(world) + 1)
    with pytest.raises(_Killed):
        run(FEED, SLOT, _fused(world.cloud(), fuse))
    (one,) = world.cloud().ledger.history(SLOT)
    assert manifests(world) == []
    return one


def test_a_redrive_reads_the_sources_again_and_supersedes(world: MemoryWorld) -> None:
    run(FEED, SLOT, world.cloud())
    world.rows.ids = [4, 5]
    done = redrive(FEED, SLOT, world.cloud("ann", "double rows"))
    one = done.commitment
    assert done.ours
    assert (one.revision, one.reason, one.plain.rows) == (2, "double rows", 2)
    assert sorted(manifests(world)) == [manifest_key(SLOT, 1), manifest_key(SLOT, 2)]
    assert run(FEED, SLOT, world.cloud()) == done.outcome, "a later run carries the newest on"


def test_the_same_redrive_twice_is_one_and_another_reason_is_another(world: MemoryWorld) -> None:
    run(FEED, SLOT, world.cloud())
    first = redrive(FEED, SLOT, world.cloud("ann", "double rows"))
    again = redrive(FEED, SLOT, world.cloud("ann", " double\n rows "))
    assert (again.ours, again.commitment) == (False, first.commitment)
    assert redrive(FEED, SLOT, world.cloud("ann", "now the header")).commitment.revision == 3


def test_what_staging_forgot_before_it_was_released_is_made_anew(world: MemoryWorld) -> None:
    stuck = committed_only(world)
    del world.staging.objects[stuck.staged.key]
    with pytest.raises(NotFound, match="no longer in staging"):
        run(FEED, SLOT, world.cloud())
    assert redrive(FEED, SLOT, world.cloud("ann", "staging expired")).commitment.revision == 2


def test_the_same_redrive_makes_anew_what_staging_forgot_before_it_was_released(world: MemoryWorld) -> None:
    run(FEED, SLOT, world.cloud())
    again = world.cloud("ann", "double rows")
    done = redrive(FEED, SLOT, again).commitment
    for key in (done.target.key, manifest_key(SLOT, 2)):  # as if it had been killed before it was released
        del world.reports.objects[key]
    del world.staging.objects[done.staged.key]
    assert redrive(FEED, SLOT, again).commitment.revision == 3


@pytest.mark.parametrize("decision", ["release", "waive", "skip"])
def test_a_redrive_for_the_reason_of_another_decision_is_a_redrive(world: MemoryWorld, decision: str) -> None:
    if decision == "release":
        quarantined(world)
        release(FEED, SLOT, world.cloud("ann", "ticket 7"))
    elif decision == "waive":
        waive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    else:
        run(FEED, SLOT, world.cloud())
        world.rows.ids = []
        redrive(FEED.model_copy(update={"empty": "skip"}), SLOT, world.cloud("ann", "ticket 7"))
        world.rows.ids = [4]
    before = len(history(world))
    done = redrive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    assert (done.ours, done.commitment.revision, done.commitment.verdict) == (
        True,
        before + 1,
        Verdict.RELEASE,
    )


def test_a_redrive_needs_something_to_make_anew(world: MemoryWorld) -> None:
    with pytest.raises(UsageError, match="nothing was decided") as refused:
        redrive(FEED, SLOT, world.cloud("ann", "again"))
    assert "landbridge run trades --date 2026-11-20" in refused.value.hint


@pytest.mark.parametrize("reason", ["", "  ", "\n", "...", "a\x00b", "x" * 501])
def test_no_decision_without_a_reason(world: MemoryWorld, reason: str) -> None:
    quarantined(world)
    for decide in _DECISIONS.values():
        with pytest.raises(UsageError, match="reason"):
            decide(FEED, world.cloud("ann", reason))
    assert history(world) == [Verdict.QUARANTINE]


def test_a_revision_never_takes_the_name_of_an_older_one(world: MemoryWorld) -> None:
    alike = trades(name="T_{business_date:%Y%m%d}.csv")
    run(alike, SLOT, world.cloud())
    with pytest.raises(UsageError, match="would have the name of revision 1"):
        redrive(alike, SLOT, world.cloud("ann", "wrong"))
    with pytest.raises(UsageError, match="would have the name of revision 1"):  # to a share that ignores case
        redrive(trades(name="t_{business_date:%Y%m%d}.CSV"), SLOT, world.cloud("ann", "wrong"))
    assert history(world) == [Verdict.RELEASE]
    assert world.rows.runs == 1, "told before anything was generated"


# Two at once, and killed anywhere

_DECISIONS: dict[str, Callable[[Feed, Cloud], Decided]] = {
    "release": lambda feed, cloud: release(feed, SLOT, cloud),
    "reject": lambda _feed, cloud: reject(SLOT, cloud),
    "waive": lambda feed, cloud: waive(feed, SLOT, cloud),
    "redrive": lambda feed, cloud: redrive(feed, SLOT, cloud),
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(_DECISIONS, 2)))
def test_of_two_operators_at_once_one_decides_and_the_other_is_told(
    world: MemoryWorld, first: str, second: str
) -> None:
    """Ann decides as soon as bob's command has looked at the ledger."""
    quarantined(world)
    bob = world.cloud("bob", "second")
    late = _Between(bob.ledger, 2, lambda: _DECISIONS[first](FEED, world.cloud("ann", "first")))
    bob = replace(bob, ledger=cast("Ledger", late))
    if {first, second} == {"release", "redrive"}:  # these both release a file: the other one's is carried on
        done = _DECISIONS[second](FEED, bob)
        assert (done.ours, done.commitment.actor) == (False, "ann")
    else:
        with pytest.raises(UsageError, match="decided by somebody else") as told:
            _DECISIONS[second](FEED, bob)
        assert "by ann" in told.value.seen
        assert "first" in told.value.seen
    assert len(history(world)) == 2
    assert world.cloud().ledger.history(SLOT)[1].actor == "ann"


@pytest.mark.parametrize("at_once", [False, True])
def test_of_two_who_waive_a_slot_the_first_ones_reason_stands_and_the_second_is_told_it(
    world: MemoryWorld, capsys: pytest.CaptureFixture[str], *, at_once: bool
) -> None:
    ann = partial(waive, FEED, SLOT, world.cloud("ann", "closed that day"))
    bob = world.cloud("bob", "nobody flew")
    if at_once:  # ann decides as soon as bob's command has looked at the ledger
        bob = replace(bob, ledger=cast("Ledger", _Between(bob.ledger, 2, ann)))
    else:
        ann()
    done = waive(FEED, SLOT, bob)
    assert (done.ours, done.commitment.actor, done.commitment.reason) == (False, "ann", "closed that day")
    assert history(world) == [Verdict.WAIVE]
    assert say(done, "nobody flew", as_json=False) == 0
    said = capsys.readouterr()
    assert "ann at 2026-11-20 06:01:00 UTC, before this command" in said.out
    assert "closed that day" in said.out
    assert "2026-11-20 06:00 UTC, deadline 2026-11-20 07:00 UTC" in said.out
    assert "the reason of this command is not on record" in said.err
    assert say(done, "closed  that day", as_json=False) == 0
    assert "not on record" not in capsys.readouterr().err, "it is the same reason"


@pytest.mark.parametrize(
    ("decision", "run_id"),
    [("reject", "job 1"), ("waive", "job 1"), ("reject", "job 2"), ("redrive", "job 2")],
)
def test_the_same_words_of_somebody_faster_are_not_taken_for_ours(
    world: MemoryWorld, decision: str, run_id: str
) -> None:
    """One job that is started twice says the same twice, perhaps under one number: only one of the two decided."""
    quarantined(world)
    second = world.cloud("ann", "ticket 7", run_id)

    def first() -> None:
        _DECISIONS[decision](FEED, world.cloud("ann", "ticket 7", "job 1"))
        world.clock.sleep(1)

    late = replace(second, ledger=cast("Ledger", _Between(second.ledger, 2, first)))
    assert not _DECISIONS[decision](FEED, late).ours
    assert len(history(world)) == 2


@pytest.mark.parametrize("decision", ["release", "redrive"])
def test_killed_at_any_call_the_same_command_goes_on(decision: str) -> None:
    for left in itertools.count(1):
        world = MemoryWorld()
        quarantined(world)
        try:
            _DECISIONS[decision](FEED, _fused(world.cloud("ann", "why"), _Fuse(left)))
        except _Killed:
            pass
        else:
            break
        done = _DECISIONS[decision](FEED, world.cloud("ann", "why", "second try"))
        assert history(world) == [Verdict.QUARANTINE, Verdict.RELEASE], left
        assert manifests(world) == [manifest_key(SLOT, 2)]
        assert isinstance(done.outcome, Released)
        assert len(world.reports.versions(done.commitment.target.key)) == 1
    assert left > 12


@pytest.mark.parametrize("decision", ["reject", "waive"])
def test_killed_at_any_call_a_decision_without_a_file_is_made_once(decision: str) -> None:
    for left in itertools.count(1):
        world = MemoryWorld()
        quarantined(world)
        try:
            _DECISIONS[decision](FEED, _fused(world.cloud("ann", "why"), _Fuse(left)))
        except _Killed:
            pass
        else:
            break
        _DECISIONS[decision](FEED, world.cloud("ann", "why"))
        assert len(history(world)) == 2
    assert left > 4


class _Killed(BaseException):
    """The process is gone."""


@dataclass
class _Fuse:
    left: int
    burnt: int = 0

    def burn(self) -> None:
        self.burnt += 1
        if self.burnt >= self.left:
            raise _Killed


class _Fused:
    """A store that kills before each call and after its effect; what is dead stays dead."""

    def __init__(self, inner: object, fuse: _Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: object) -> object:
            self._fuse.burn()
            answer = found(*args)
            self._fuse.burn()
            return answer

        return call


def _fused(cloud: Cloud, fuse: _Fuse) -> Cloud:
    return replace(
        cloud,
        staging=cast("Store", _Fused(cloud.staging, fuse)),
        reports=cast("Store", _Fused(cloud.reports, fuse)),
        ledger=Ledger(cast("Store", _Fused(cloud.ledger._store, fuse)), ENVIRONMENT),
    )


def _calls_until_commit(world: MemoryWorld) -> int:
    """Count the calls of a run up to and with its commit: of another slot, so that nothing is left here."""
    fuse = _Fuse(1 << 30)
    other = MemoryWorld()
    cloud = _fused(other.cloud(), fuse)
    seen: list[int] = []

    class _Told(Ledger):
        def commit(self, commitment: Commitment) -> Commitment:
            stands = super().commit(commitment)
            seen.append(fuse.burnt)
            return stands

    run(FEED, SLOT, replace(cloud, ledger=_Told(cloud.ledger._store, ENVIRONMENT)))
    return seen[0]


class _Between:
    """A ledger in which somebody else decides just before the Nth call."""

    def __init__(self, inner: Ledger, before: int, somebody: Callable[[], object]) -> None:
        self._inner, self._left, self._somebody = inner, before, somebody

    def __getattr__(self, name: str) -> Callable[..., object]:
        found = getattr(self._inner, name)

        def call(*args: object) -> object:
            self._left -= 1
            if self._left == 0:
                self._somebody()
            answer: object = found(*args)
            return answer

        return call


class _Only:
    """A ledger in which one entry is all that was ever decided."""

    def __init__(self, known: Commitment) -> None:
        self._known = known

    def history(self, _slot: object) -> tuple[Commitment, ...]:
        return (self._known,)


class _Hidden:
    """A bucket whose lifecycle has put a marker over everything: the versions are there for some days yet."""

    def __init__(self, inner: MemoryStore) -> None:
        self.name = inner.name
        self.chunks = inner.chunks

    def head(self, _key: str) -> None:
        return None
