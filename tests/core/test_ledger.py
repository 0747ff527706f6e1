"""What does the ledger promise? A verdict is written once, and never changes afterwards."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.errors import IntegrityBroken, NotFound, UsageError
from landbridge.facts import Attempt, Verdict
from landbridge.ledger import Ledger
from landbridge.naming import attempt_prefix, contract_key, ledger_key
from tests.fakes.facts import AT, DAY, commitment, slot, staged
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.facts import Commitment


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def ledger(store: MemoryStore) -> Ledger:
    return Ledger(store, "UAT")


def test_a_slot_that_nobody_decided_has_no_history(ledger: Ledger) -> None:
    assert ledger.history(slot()) == ()
    assert ledger.newest(slot()) is None
    assert ledger.newest_attempt(slot()) is None
    assert ledger.day(DAY) == ()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_comes_back_as_it_was_written(ledger: Ledger, verdict: Verdict) -> None:
    made = commitment(verdict=verdict)
    assert ledger.commit(made) == made
    assert ledger.newest(slot()) == made
    assert ledger.history(slot()) == (made,)


def test_whoever_comes_second_gets_the_winners_verdict(ledger: Ledger) -> None:
    first = commitment(run_id="first")
    ledger.commit(first)
    assert ledger.commit(commitment(run_id="second", verdict=Verdict.QUARANTINE)) == first
    assert ledger.history(slot()) == (first,)


def test_of_many_pods_all_get_one_verdict(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(lambda n: ledger.commit(commitment(run_id=f"run-{n}")), range(8)))
    assert len({end.run_id for end in ends}) == 1


def test_the_same_verdict_again_after_a_lost_answer(ledger: Ledger) -> None:
    assert ledger.commit(commitment()) == ledger.commit(commitment())


def test_revisions_come_in_order_without_gaps(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="without gaps"):
        ledger.commit(commitment(revision=2))
    made = [ledger.commit(commitment(revision=revision)) for revision in (1, 2, 3)]
    assert ledger.history(slot()) == tuple(made)
    assert ledger.newest(slot()) == made[2]
    with pytest.raises(UsageError):
        ledger.commit(commitment(revision=0))


def test_another_environment_has_no_say(ledger: Ledger, store: MemoryStore) -> None:
    with pytest.raises(UsageError, match="PROD"):
        ledger.commit(replace(commitment(), environment="PROD"))
    Ledger(store, "PROD").commit(replace(commitment(), environment="PROD"))
    with pytest.raises(IntegrityBroken, match="PROD"):
        ledger.newest(slot())


def test_the_digest_is_that_of_the_stored_bytes(ledger: Ledger, store: MemoryStore) -> None:
    made = ledger.commit(commitment())
    body = store.read(ledger_key(slot(), 1))
    assert ledger.digest(made) == hashlib.sha256(body).hexdigest()
    with pytest.raises(IntegrityBroken, match="run-9"):
        ledger.digest(commitment(run_id="run-9"))
    with pytest.raises(NotFound):
        ledger.digest(commitment(slot(feed="other")))


def test_the_bytes_are_stable_and_sorted(ledger: Ledger, store: MemoryStore) -> None:
    ledger.commit(commitment())
    body = store.read(ledger_key(slot(), 1))
    document = json.loads(body)
    assert (document["kind"], document["schema"]) == ("commitment", 1)
    again = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert body == again.encode() + b"\n"


def test_the_next_step_takes_the_attempt_that_was_recorded_last(ledger: Ledger) -> None:
    attempts = [
        Attempt(staged(letter=letter), f"run-{letter}", AT + timedelta(seconds=n))
        for n, letter in enumerate("fbd")
    ]
    for attempt in (attempts[1], attempts[2], attempts[0], attempts[2]):
        ledger.record_attempt(attempt)
    assert ledger.newest_attempt(slot()) == attempts[2]
    assert ledger.newest(slot()) is None


def test_attempts_of_a_slot_are_not_those_of_another(ledger: Ledger) -> None:
    ledger.record_attempt(Attempt(staged(slot(occurrence="20261120T1000Z")), "run", AT))
    assert ledger.newest_attempt(slot(occurrence="20261120T1100Z")) is None


def test_a_day_shows_everything_of_its_slots(ledger: Ledger, store: MemoryStore) -> None:
    hourly = [slot("hourly", f"20261120T{hour:02d}00Z") for hour in range(24)]
    for one in hourly:
        ledger.commit(commitment(one))
    ledger.commit(commitment(revision=1))
    ledger.commit(commitment(revision=2))
    ledger.commit(commitment(slot(occurrence="2026-11-21", day=date(2026, 11, 21))))
    waiting = slot("waiting")
    ledger.record_attempt(Attempt(staged(waiting), "run", AT))
    store.put_new("2026-11-20/waived/2026-11-20/waiver.json", b"{}")
    day = ledger.day(DAY)
    assert [(one.feed, one.occurrence) for one in day] == sorted(
        [
            ("flights", "2026-11-20"),
            *((one.feed, one.occurrence) for one in hourly),
            ("waiting", "2026-11-20"),
            ("waived", "2026-11-20"),
        ]
    )
    by_feed = {one.feed: one for one in day}
    assert [made.revision for made in by_feed["flights"].commitments] == [1, 2]
    assert by_feed["flights"].newest == by_feed["flights"].commitments[1]
    assert (by_feed["waiting"].attempts, by_feed["waiting"].newest) == (1, None)
    assert by_feed["waived"].others == ("2026-11-20/waived/2026-11-20/waiver.json",)


def _parsed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def spoil(body: bytes) -> bytes:
        document = json.loads(body)
        change(document)
        return json.dumps(document).encode()

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-10],
        lambda _: b"",
        lambda _: b"[]",
        lambda _: b"\xff\xfe",
        lambda body: b" " * (9 << 20) + body,
        _parsed(lambda d: d.update(kind="attempt")),
        _parsed(lambda d: d.pop("kind")),
        _parsed(lambda d: d.update(schema=2)),
        _parsed(lambda d: d.update(schema=True)),
        _parsed(lambda d: d.update(more=1)),
        _parsed(lambda d: d.pop("actor")),
        _parsed(lambda d: d.update(revision=2)),
        _parsed(lambda d: d.update(revision="1")),
        _parsed(lambda d: d.update(verdict="maybe")),
        _parsed(lambda d: d["slot"].update(feed="other")),
    ],
)
def test_an_entry_that_was_tampered_with_is_refused(
    ledger: Ledger, store: MemoryStore, spoil: Callable[[bytes], bytes]
) -> None:
    other = MemoryStore()
    Ledger(other, "UAT").commit(commitment())
    store.put_new(ledger_key(slot(), 1), spoil(other.read(ledger_key(slot(), 1))))
    with pytest.raises(IntegrityBroken, match="not readable as evidence"):
        ledger.newest(slot())
    with pytest.raises(IntegrityBroken):
        ledger.commit(commitment(run_id="other"))
    ledger.commit(commitment(slot("other")))
    told = {one.feed: (len(one.commitments), len(one.unreadable)) for one in ledger.day(DAY)}
    assert told == {"flights": (0, 1), "other": (1, 0)}, "one bad entry hides no other slot of the day"


def test_an_attempt_in_another_slots_folder_is_refused(ledger: Ledger, store: MemoryStore) -> None:
    for number, other in enumerate((slot("other"), slot(occurrence="20261120T1000Z"))):
        ledger.record_attempt(Attempt(staged(other), "run", AT))
        (blob,) = store.list(attempt_prefix(other))
        store.put_new(
            attempt_prefix(slot()) + f"2026112{number}T000000.000000Z-x.json", store.read(blob.at.key)
        )
        with pytest.raises(IntegrityBroken):
            ledger.newest_attempt(slot())


def test_an_attempt_that_is_too_large_is_refused(ledger: Ledger, store: MemoryStore) -> None:
    ledger.record_attempt(Attempt(staged(slot()), "run", AT))
    (blob,) = store.list(attempt_prefix(slot()))
    store._add(blob.at.key, store.read(blob.at.key) + b" " * (9 << 20))
    with pytest.raises(IntegrityBroken, match="not readable as evidence"):
        ledger.newest_attempt(slot())


def test_what_ends_as_a_revision_does_and_lies_deeper_is_none(ledger: Ledger, store: MemoryStore) -> None:
    """Half of an attempt's name is a digest: some end in four figures."""
    ledger.commit(commitment())
    store.put_new(attempt_prefix(slot()) + "20261120T000000.000000Z-abcd0002.json", b"{}")
    assert [one.revision for one in ledger.history(slot())] == [1]


@pytest.mark.parametrize(("feed", "occurrence"), [("other", "20261120T1000Z"), ("flights", "20261120T1100Z")])
def test_an_attempt_on_another_slot_is_not_judged_for_this_one(
    ledger: Ledger, store: MemoryStore, feed: str, occurrence: str
) -> None:
    """Whoever copies an attempt into another folder would have one slot's file released under another one's name."""
    here, there = slot(occurrence="20261120T1000Z"), slot(feed, occurrence)
    ledger.record_attempt(Attempt(staged(there), "run", AT))
    (blob,) = store.list(attempt_prefix(there))
    store.put_new(attempt_prefix(here) + blob.at.key.rsplit("/", 1)[-1], store.read(blob.at.key))
    with pytest.raises(IntegrityBroken):
        ledger.newest_attempt(here)


def test_a_contract_is_kept_once_under_its_digest_and_believed_only_so(
    ledger: Ledger, store: MemoryStore
) -> None:
    digest = ledger.keep_contract("id: trades")
    assert digest == ledger.keep_contract("id: trades") == hashlib.sha256(b"id: trades").hexdigest()
    assert ledger.contract(digest) == b"id: trades"
    assert [blob.at.key for blob in store.list("")] == [contract_key(digest)]
    store.objects[contract_key(digest)] = store.objects[contract_key(ledger.keep_contract("id: others"))]
    with pytest.raises(IntegrityBroken, match="another contract"):
        ledger.contract(digest)


def test_an_entry_is_believed_up_to_8_mib(ledger: Ledger, store: MemoryStore) -> None:
    ledger.commit(commitment())
    body = store.read(ledger_key(slot(), 1))
    for size, is_believed in ((8 << 20, True), ((8 << 20) + 1, False)):
        store.objects.clear()
        store.put_new(ledger_key(slot(), 1), body.ljust(size))
        told = ledger.day(DAY)[0]
        assert (len(told.commitments), len(told.unreadable)) == (is_believed, not is_believed)


def test_the_entry_before_is_named_by_its_digest(ledger: Ledger, store: MemoryStore) -> None:
    ledger.commit(commitment())
    second = ledger.commit(commitment(revision=2))
    assert second.previous == hashlib.sha256(store.read(ledger_key(slot(), 1))).hexdigest()


def test_what_an_entry_holds_is_not_shown_where_it_is_wrong(ledger: Ledger, store: MemoryStore) -> None:
    """Anything may stand there, a secret or a megabyte among it."""
    ledger.commit(commitment())
    document = json.loads(store.read(ledger_key(slot(), 1)))
    store.objects.clear()
    store.put_new(ledger_key(slot(), 1), json.dumps({**document, "revision": "hunter2"}).encode())
    with pytest.raises(IntegrityBroken) as told:
        ledger.newest(slot())
    assert "revision" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_instants_come_back_in_utc(ledger: Ledger) -> None:
    made: Commitment = ledger.commit(commitment())
    known = ledger.newest(slot())
    assert known is not None
    assert known.committed_at == made.committed_at
    assert known.committed_at.utcoffset() == timedelta(0)
