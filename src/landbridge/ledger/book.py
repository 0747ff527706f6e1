"""What has been decided about a slot, and by whom? The one place where verdicts are written and read."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, NotFound, StoreConflict, UsageError
from landbridge.facts import OWES_NOTHING, Attempt, Commitment, Failure, Verdict
from landbridge.ledger import entries
from landbridge.ledger.absences import absence_bytes
from landbridge.ledger.thinning import stamp, worth_a_record
from landbridge.naming import (
    attempt_prefix,
    contract_key,
    failure_prefix,
    ledger_day,
    ledger_key,
    promotion_key,
    slot_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from landbridge.facts import Promotion, Slot
    from landbridge.ports import Blob, Store

_MOST = 8 << 20
"""Bytes of one entry: a report may list many defects."""

_MOST_FAILURES = 50
"""That are shown of a slot: the first one, and the newest."""
_AT_ONCE = 8
_REVISION = re.compile(r"\d{4}\.json")


@dataclass(frozen=True, slots=True)
class SlotEntries:
    """Everything the ledger holds of one slot."""

    feed: str
    occurrence: str
    commitments: tuple[Commitment, ...]
    """By revision."""
    attempts: int
    """How many staged files were recorded for it."""
    failures: tuple[str, ...]
    """Keys of the records of attempts that failed, the oldest first."""
    others: tuple[str, ...]
    """Keys of entries of other kinds."""
    unreadable: tuple[str, ...] = ()
    """Why commitments that are there cannot be believed; the other slots of the day are as good as ever."""

    @property
    def newest(self) -> Commitment | None:
        """The highest revision."""
        return self.commitments[-1] if self.commitments else None


class Ledger:
    """The verdicts of one environment, in a store that never expires. Nothing is ever edited or removed.

    Every call may raise what the store raises, and IntegrityBroken for an entry that is not what belongs there.
    """

    def __init__(self, store: Store, environment: str, *, once: Store | None = None) -> None:
        """Keep the book in `store`; `once` is the same store for what is not worth trying again."""
        self._store = store
        self._once = once or store
        self._environment = environment

    def commit(self, commitment: Commitment) -> Commitment:
        """Write the verdict on a revision, once, and give the one that stands: this, or that of whoever was first.

        Raises:
            UsageError: the revision before it does not exist, or it is for another environment.
        """
        slot, revision = commitment.slot, commitment.revision
        if commitment.environment != self._environment:
            raise UsageError(
                f"{slot} belongs to `{commitment.environment}`",
                expected=f"a commitment for `{self._environment}`",
            )
        commitment = replace(commitment, previous=self._previous(slot, revision))
        key = ledger_key(slot, revision)
        try:
            self._store.put_new(key, entries.written("commitment", commitment))
        except StoreConflict:
            return self._commitment(key)
        return commitment

    def _previous(self, slot: Slot, revision: int) -> str:
        """Give the sha256 of the entry that `revision` follows: changed or removed, the chain of revisions shows it."""
        if revision == 1:
            return ""
        try:
            return hashlib.sha256(self._store.read(ledger_key(slot, revision - 1))).hexdigest()
        except NotFound as error:
            raise UsageError(
                f"revision {revision} of {slot} cannot be next", expected="revisions from 1, without gaps"
            ) from error

    def keep_contract(self, text: str) -> str:
        """Keep the text of a contract under its digest, and give that. Idempotent: the same text is kept once."""
        body = text.encode()
        digest = hashlib.sha256(body).hexdigest()
        self._store.put_new(contract_key(digest), body)
        return digest

    def contract(self, digest: str) -> bytes:
        """Give the text that something was judged by.

        Raises:
            NotFound: it was never kept.
            IntegrityBroken: another text stands there.
        """
        body = self._store.read(contract_key(digest))
        if hashlib.sha256(body).hexdigest() != digest:
            raise IntegrityBroken(
                f"another contract stands at {self._url(contract_key(digest))}",
                expected=f"the text with the sha256 {digest}",
                hint="look at who can write there",
            )
        return body

    def record_promotion(self, promotion: Promotion) -> None:
        """Write down what a release left in the reports store; of several records the first stands."""
        with suppress(StoreConflict):
            self._store.put_new(
                promotion_key(promotion.slot, promotion.revision), entries.written("promotion", promotion)
            )

    def entries_of(self, slot: Slot) -> dict[str, bytes]:
        """Give everything that is kept of a slot as it is stored, by key, in order: what evidence is made of."""
        keys = [blob.at.key for blob in self._store.list(slot_prefix(slot))]
        return {key: self._store.read(key) for key in keys}

    def history(self, slot: Slot) -> tuple[Commitment, ...]:
        """Give every revision of `slot`, in order."""
        return tuple(self._commitment(key) for key in self._revisions(slot))

    def newest(self, slot: Slot) -> Commitment | None:
        """Give the highest revision of `slot`, or None when nothing is decided."""
        keys = self._revisions(slot)
        return self._commitment(keys[-1]) if keys else None

    def expected(self, slot: Slot) -> Commitment | None:
        """Give the revision of `slot` whose file is to be expected, or that says that none is; None when nothing is decided.

        The newest one; where that brings no file of its own, the release before it, unless that was waived since.
        """
        history = self.history(slot)
        return _expected(history) if history else None

    def digest(self, commitment: Commitment) -> str:
        """Give the sha256 of the bytes that the ledger holds of `commitment`; manifest and receipt name it.

        Raises:
            NotFound: it was never committed.
            IntegrityBroken: another one stands there.
        """
        key = ledger_key(commitment.slot, commitment.revision)
        body = self._store.read(key)
        if self._parsed(key, body) != commitment:
            raise IntegrityBroken(
                f"the ledger holds another commitment at {self._url(key)}",
                expected=f"that of run {commitment.run_id}",
                hint="nothing was released by this run; look at who can write there",
            )
        return hashlib.sha256(body).hexdigest()

    def absence(self, commitment: Commitment) -> bytes | None:
        """Give what the on-prem side is told of a revision that brings no file; None where that changes nothing for it.

        A skip and a waiver say that none is owed, unless a file of an earlier revision may land: a waiver is only ever decided where none
        may, and where a correction is skipped, what it would have corrected is as good as ever. Where that was said of an earlier revision,
        one that broke its contract takes it back: the slot owes a file again.

        Raises:
            NotFound, IntegrityBroken: as for `digest`.
        """
        history = (
            self.history(commitment.slot)[: commitment.revision] if commitment.revision > 1 else (commitment,)
        )
        if commitment.verdict in OWES_NOTHING:
            says = _owes_nothing(history)
        else:
            says = any(_owes_nothing(history[:upto]) for upto in range(1, commitment.revision))
        return absence_bytes(commitment, self.digest(commitment)) if says else None

    def record_attempt(self, attempt: Attempt) -> None:
        """Leave a durable record of a staged file that waits for its verdict. Idempotent."""
        staged = attempt.staged
        name = f"{attempt.recorded_at:%Y%m%dT%H%M%S.%fZ}-{staged.content.sha256[:16]}.json"
        self._store.put_new(attempt_prefix(staged.slot) + name, entries.written("attempt", attempt))

    def newest_attempt(self, slot: Slot) -> Attempt | None:
        """Give the attempt on `slot` that was recorded last, or None."""
        keys = [blob.at.key for blob in self._store.list(attempt_prefix(slot))]
        if not keys:
            return None
        body = self._store.read(keys[-1])
        found = entries.read("attempt", Attempt, body, self._url(keys[-1]), most=_MOST)
        if found.staged.slot.feed != slot.feed or found.staged.slot.occurrence != slot.occurrence:
            raise entries.broken(self._url(keys[-1]), str(slot), str(found.staged.slot))
        return found

    def record_failure(self, failure: Failure) -> None:
        """Leave a record of an attempt that failed, unless those on record say as much: see `thinning`.

        Tried once: it is of use, and nothing stands on it.
        """
        prefix = failure_prefix(failure.slot)
        keys = [blob.at.key for blob in self._once.list(prefix)]
        names = [key.removeprefix(prefix) for key in keys]
        if not worth_a_record(failure, names, lambda: self._failure(self._once, keys[-1])):
            return
        body = entries.written("failure", failure)
        name = f"{stamp(failure.failed_at)}-{hashlib.sha256(body).hexdigest()[:16]}.json"
        self._once.put_new(prefix + name, body)

    def failures(self, slot: Slot) -> tuple[tuple[Failure, ...], int]:
        """Give the attempts on `slot` that failed, the oldest first, and how many on record between the first and the others are left out."""
        keys = [blob.at.key for blob in self._store.list(failure_prefix(slot))]
        shown = keys if len(keys) <= _MOST_FAILURES else [keys[0], *keys[1 - _MOST_FAILURES :]]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return tuple(pool.map(self.failure, shown)), len(keys) - len(shown)

    def failure(self, key: str) -> Failure:
        """Give the record of an attempt that failed."""
        return self._failure(self._store, key)

    def _failure(self, store: Store, key: str) -> Failure:
        found = entries.read("failure", Failure, store.read(key), self._url(key), most=_MOST)
        if not key.startswith(failure_prefix(found.slot)) or found.environment != self._environment:
            raise entries.broken(self._url(key), "a record for this key", f"one of {found.slot}")
        return found

    def day(self, business_date: date) -> tuple[SlotEntries, ...]:
        """Give everything of one business date, by feed and occurrence: one listing, and the commitments read."""
        blobs = list(self._store.list(ledger_day(business_date)))
        keys = [blob.at.key for blob in blobs if _REVISION.fullmatch(blob.at.key.rsplit("/", 1)[-1])]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            known = dict(zip(keys, pool.map(self._believed, keys), strict=True))
        by_slot = groupby(sorted(blobs, key=_slot_of), key=_slot_of)
        return tuple(self._entries(slot, list(found), known) for slot, found in by_slot)

    @staticmethod
    def _entries(
        slot: tuple[str, str], blobs: list[Blob], known: dict[str, Commitment | IntegrityBroken]
    ) -> SlotEntries:
        keys = [blob.at.key for blob in blobs]
        attempts = [key for key in keys if key.split("/")[3:4] == ["attempts"]]
        failures = tuple(key for key in keys if key.split("/")[3:4] == ["failures"])
        return SlotEntries(
            feed=slot[0],
            occurrence=slot[1],
            commitments=tuple(one for key in keys if isinstance(one := known.get(key), Commitment)),
            unreadable=tuple(str(one) for key in keys if isinstance(one := known.get(key), IntegrityBroken)),
            attempts=len(attempts),
            failures=failures,
            others=tuple(key for key in keys if key not in known and key not in {*attempts, *failures}),
        )

    def _revisions(self, slot: Slot) -> list[str]:
        folder = ledger_key(slot, 1).rsplit("/", 1)[0] + "/"
        keys = [blob.at.key for blob in self._store.list(folder)]
        return [key for key in keys if _REVISION.fullmatch(key.removeprefix(folder))]

    def _believed(self, key: str) -> Commitment | IntegrityBroken:
        try:
            return self._commitment(key)
        except IntegrityBroken as error:
            return error

    def _commitment(self, key: str) -> Commitment:
        return self._parsed(key, self._store.read(key))

    def _parsed(self, key: str, body: bytes) -> Commitment:
        found = entries.read("commitment", Commitment, body, self._url(key), most=_MOST)
        belongs = ledger_key(found.slot, found.revision)
        if belongs != key or found.environment != self._environment:
            raise entries.broken(
                self._url(key),
                f"an entry of `{self._environment}` for this key",
                f"one of `{found.environment}` for {belongs}",
            )
        return found

    def _url(self, key: str) -> str:
        return f"{self._store.name}/{key}"


def _expected(history: Sequence[Commitment]) -> Commitment:
    for one in reversed(history):
        if one.verdict is Verdict.RELEASE:
            return one
        if one.verdict is Verdict.WAIVE:
            break
    return history[-1]


def _owes_nothing(history: Sequence[Commitment]) -> bool:
    """Tell whether the last of these revisions says that no file of its slot comes."""
    return history[-1].verdict in OWES_NOTHING and _expected(history).verdict in OWES_NOTHING


def _slot_of(blob: Blob) -> tuple[str, str]:
    """Take `2026-11-20/flights/2026-11-20/0001.json` apart."""
    parts = [*blob.at.key.split("/"), "", ""]
    return parts[1], parts[2]
