"""What has had its time, and may go? Released files after their receipt, quarantined bytes after a decision, forgotten drafts.

Commitments, manifests and receipts always stay, so that a file that was reaped is never released again. Looking and removing
are apart: what is shown is what goes. Killed anywhere, the next one goes on with what is left.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, LandbridgeError
from landbridge.events import log
from landbridge.facts import Verdict
from landbridge.naming import ABSENCES, DRAFTS, MANIFESTS, OUTBOUND, QUARANTINE, kept_for, manifest_day
from landbridge.survey import receipt_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from landbridge.facts import Commitment, Slot
    from landbridge.ports import Blob, Erasable, Store
    from landbridge.world import Reaping


STEP = "removing"
_AT_ONCE = 16
"""Small reads and removals under way together; each is one round trip."""


class Kind(StrEnum):
    """What is reaped."""

    RELEASED = "released files"
    QUARANTINED = "quarantined files"
    DRAFT = "drafts"


class Why(StrEnum):
    """Why something that is old stays all the same."""

    NO_RECEIPT = "no valid receipt"
    RECENT = "landed or decided too recently"
    UNDECIDED = "nobody has decided about it"
    NO_VERDICT = "its slot has no verdict"
    UNKNOWN = "nothing on record says what it is"
    DIFFERENT = "not the bytes that were committed"
    DOUBTFUL = "what is on record cannot be believed"


DOUBTS = frozenset({Why.DIFFERENT, Why.DOUBTFUL})
"""Somebody has to look."""


@dataclass(frozen=True, slots=True)
class Due:
    """One object that may go."""

    kind: Kind
    slot: str
    blob: Blob
    since: datetime
    """When it landed, or when was decided about it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One old object that stays."""

    kind: Kind
    blob: Blob
    why: Why


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one look found."""

    due: tuple[Due, ...]
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Reaped:
    """What was removed, and what could not be."""

    removed: tuple[Due, ...]
    failed: tuple[tuple[Due, LandbridgeError], ...]


def harvest(world: Reaping) -> Harvest:
    """Look at all that is old enough, and judge each object by what is on record. Removes nothing."""
    judged = [*_released(world), *_quarantined(world), *_drafts(world)]
    return Harvest(
        tuple(one for one in judged if isinstance(one, Due)),
        tuple(one for one in judged if isinstance(one, Kept)),
    )


def reap(world: Reaping, found: Harvest) -> Reaped:
    """Remove what was found to be due: the very objects that were looked at, whatever has come under their names since."""
    removed, failed = [], []
    world.progress.start(STEP, len(found.due), "files")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for one, error in zip(found.due, pool.map(lambda due: _removed(world, due), found.due), strict=True):
            world.progress.advance(STEP, 1)
            if error:
                failed.append((one, error))
            else:
                removed.append(one)
    world.progress.finish(STEP)
    return Reaped(tuple(removed), tuple(failed))


def _removed(world: Reaping, due: Due) -> LandbridgeError | None:
    store: Erasable = world.reports if due.kind is Kind.RELEASED else world.staging
    try:
        store.remove(due.blob.at)
    except LandbridgeError as error:  # of one object; the others go
        log.warning("not removed", at=str(due.blob.at), error=str(error))
        return error
    log.info("removed", at=str(due.blob.at), kind=due.kind.value, slot=due.slot, size=due.blob.size)
    return None


# Released files


def _released(world: Reaping) -> Iterator[Due | Kept]:
    """Judge what lies below `outbound/` by the commitments of the days whose manifests are as old."""
    before = world.now - timedelta(days=world.retention.outbound_days)
    listed = _files(world.evidence.reports, f"{OUTBOUND}/")
    old = {
        blob.at.key: blob
        for blob in listed
        if not blob.at.key.startswith((f"{MANIFESTS}/", f"{ABSENCES}/")) and blob.modified_at <= before
    }
    if not old:
        return
    oldest = min(blob.modified_at for blob in old.values())
    days = {
        day
        for blob in listed  # a manifest is written after its file: what is older speaks of none of these
        if blob.modified_at >= oldest and (day := manifest_day(blob.at.key))
    }
    histories = list(_histories(world, sorted(days)))
    named = [
        (old.pop(one.target.key), history, at)
        for history in histories
        for at, one in enumerate(history)
        if one.verdict is Verdict.RELEASE and one.target.key in old
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda each: _judged_release(world, *each, before=before), named)
    yield from (Kept(Kind.RELEASED, blob, Why.UNKNOWN) for blob in old.values())


def _judged_release(
    world: Reaping, blob: Blob, history: Sequence[Commitment], at: int, *, before: datetime
) -> Due | Kept:
    commitment = history[at]
    seen = world.evidence.reports.head(blob.at.key) or blob
    if (seen.size, seen.sha256) != (commitment.delivered.size, commitment.delivered.sha256):
        return Kept(Kind.RELEASED, seen, Why.DIFFERENT)
    landed = _landed(world, history[at:])
    if isinstance(landed, Why):
        return Kept(Kind.RELEASED, seen, landed)
    if landed > before:
        return Kept(Kind.RELEASED, seen, Why.RECENT)
    return Due(Kind.RELEASED, str(commitment.slot), seen, landed)


def _landed(world: Reaping, revisions: Iterable[Commitment]) -> datetime | Why:
    """Say when the first of these, or one that superseded it, landed by a receipt that holds: none before it lands then any more."""
    for one in revisions:
        if one.verdict is Verdict.RELEASE:
            try:
                receipt = receipt_of(one, world.evidence)
            except IntegrityBroken:
                return Why.DOUBTFUL
            if receipt:
                return receipt.landed_at
    return Why.NO_RECEIPT


# Quarantined files and drafts, which are kept by slot


@dataclass(slots=True)
class _Slots:
    """The histories of slots that were asked for, each read once."""

    world: Reaping
    known: dict[tuple[str, str], tuple[Commitment, ...] | Why] = field(default_factory=dict)

    def of(self, key: str) -> tuple[Commitment, ...] | Why:
        """Give what was decided of the slot that a key of staging belongs to."""
        name = kept_for(key)
        if name not in self.known:
            self.known[name] = self._read(*name)
        return self.known[name]

    def _read(self, feed: str, occurrence: str) -> tuple[Commitment, ...] | Why:
        slot: Slot | None = self.world.slot_of(feed, occurrence)
        if slot is None:
            return Why.UNKNOWN
        try:
            return self.world.evidence.ledger.history(slot) or Why.NO_VERDICT
        except IntegrityBroken:
            return Why.DOUBTFUL


def _quarantined(world: Reaping) -> Iterator[Due | Kept]:
    before = world.now - timedelta(days=world.retention.quarantine_days)
    slots = _Slots(world)
    for listed in _files(world.staging, f"{QUARANTINE}/"):
        if listed.modified_at > before:
            continue
        blob = world.staging.head(listed.at.key) or listed
        history = slots.of(blob.at.key)
        if isinstance(history, Why):
            yield Kept(Kind.QUARANTINED, blob, history)
            continue
        breaches = [
            at
            for at, one in enumerate(history)
            if one.verdict is Verdict.QUARANTINE and one.staged.key == blob.at.key
        ]
        if not breaches:
            yield Kept(Kind.QUARANTINED, blob, Why.UNKNOWN)
            continue
        yield _judged_breach(world, blob, history[breaches[-1]], history[breaches[-1] + 1 :], before)


def _judged_breach(
    world: Reaping, blob: Blob, breach: Commitment, after: Sequence[Commitment], before: datetime
) -> Due | Kept:
    if not after:
        return Kept(Kind.QUARANTINED, blob, Why.UNDECIDED)
    if (blob.size, blob.sha256) != (breach.plain.size, breach.plain.sha256):
        return Kept(Kind.QUARANTINED, blob, Why.DIFFERENT)
    since = after[0].committed_at
    if any(
        one.verdict is Verdict.RELEASE for one in after
    ):  # perhaps of these bytes: they stay until they landed
        landed = _landed(world, after)
        if isinstance(landed, Why):
            return Kept(Kind.QUARANTINED, blob, landed)
        since = max(since, landed)
    if since > before:
        return Kept(Kind.QUARANTINED, blob, Why.RECENT)
    return Due(Kind.QUARANTINED, str(breach.slot), blob, since)


def _drafts(world: Reaping) -> Iterator[Due | Kept]:
    """Judge what the bucket's lifecycle should have forgotten: a store without one keeps drafts for ever."""
    before = world.now - timedelta(days=world.staging_days)
    slots = _Slots(world)
    for listed in _files(world.staging, f"{DRAFTS}/"):
        if listed.modified_at > before:
            continue
        blob = world.staging.head(listed.at.key) or listed
        if blob.modified_at > before:
            continue  # staged again since the listing, for a revision that is not decided yet
        history = slots.of(blob.at.key)
        if isinstance(history, Why):
            yield Kept(Kind.DRAFT, blob, history)
            continue
        since = history[-1].committed_at
        # Revisions of the same bytes share their draft: the last one that needs it counts.
        promised = max((at for at, one in enumerate(history) if _promises(one, blob)), default=None)
        landed = since if promised is None else _landed(world, history[promised:])
        if isinstance(landed, Why):
            yield Kept(Kind.DRAFT, blob, landed)
        elif max(since, landed) > before:
            yield Kept(Kind.DRAFT, blob, Why.RECENT)
        else:
            yield Due(Kind.DRAFT, str(history[0].slot), blob, max(since, landed))


def _files(store: Store, prefix: str) -> list[Blob]:
    """Give what lies below a prefix, without the empty objects that only make it look like a folder."""
    return [blob for blob in store.list(prefix) if not blob.at.key.endswith("/")]


def _promises(one: Commitment, blob: Blob) -> bool:
    return one.verdict is Verdict.RELEASE and one.staged.key == blob.at.key


def _histories(world: Reaping, days: Sequence[date]) -> Iterator[tuple[Commitment, ...]]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for entries in pool.map(world.evidence.ledger.day, days):
            for one in entries:
                if not one.unreadable:
                    yield one.commitments


def sums(found: Sequence[Due] | Sequence[Kept]) -> dict[tuple[Kind, Why | None], tuple[int, int]]:
    """Count objects and bytes by what they are, and by why they stay."""
    counts: Counter[tuple[Kind, Why | None]] = Counter()
    sizes: Counter[tuple[Kind, Why | None]] = Counter()
    for one in found:
        name = (one.kind, one.why if isinstance(one, Kept) else None)
        counts[name] += 1
        sizes[name] += one.blob.size
    return {name: (counts[name], sizes[name]) for name in counts}
