"""Did this history keep the promises: nothing lost, nothing twice, nothing torn? Judged by what became visible, never by what was said.

The history is written by the simulated buckets and disk. Each promise that is broken is one sentence.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken
from landbridge.facts import OWES_NOTHING, Commitment, SlotState, Verdict
from landbridge.ledger import (
    Ledger,
    absence_bytes,
    confirm,
    manifest_bytes,
    manifest_for,
    read_receipt,
    receipt_in,
)
from landbridge.naming import (
    ABSENCES,
    MANIFESTS,
    OUTBOUND,
    QUARANTINE,
    RECEIPTS,
    absence_key,
    ledger_key,
    manifest_key,
    receipt_key,
)
from landbridge.standing import Known, standing
from reliability.collectors import PRIVATE, ROOT
from reliability.kinds import ENVIRONMENT
from reliability.kinds import receipt_key as signing_key
from reliability.memory_s3 import MemoryStore, Removed, Wrote
from reliability.world import Excused, Judged, Lost, Named, Strange, Took, deciphered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from landbridge.facts import Slot
    from reliability.world import World


@dataclass(slots=True)
class _Seen:
    """The history, sorted by what it is about; numbers are moments in it."""

    wrote: defaultdict[tuple[str, str], list[tuple[int, Wrote]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    passed: set[str] = field(default_factory=set)
    names: defaultdict[Path, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    """Deliveries that no power cut took back."""
    removed: list[tuple[int, Removed]] = field(default_factory=list)
    excused: list[tuple[int, Excused]] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)


class _AtRest(Ledger):
    """A ledger into which nobody writes any more, so that a digest is worked out once."""

    def __init__(self, store: MemoryStore, environment: str) -> None:
        super().__init__(store, environment)
        self._digests: dict[str, str] = {}

    def digest(self, commitment: Commitment) -> str:
        """See Ledger."""
        key = ledger_key(commitment.slot, commitment.revision)
        if key not in self._digests:
            self._digests[key] = super().digest(commitment)
        return self._digests[key]


def judge(world: World) -> list[str]:
    """Give every broken promise of a history that has come to rest."""
    seen = _sorted(world)
    ledger = _AtRest(MemoryStore(world.s3, "ledger"), ENVIRONMENT)
    problems = [*seen.torn, *_written_once(seen)]
    commitments: list[Commitment] = []
    for _, slot in world.feeds:
        try:
            history = ledger.history(slot)
        except IntegrityBroken as error:
            problems.append(f"the ledger of {slot} cannot be read: {error}")
            continue
        if not history:
            problems.append(f"lost: {slot} has no verdict")
        commitments += history
        problems += [line for one in history for line in _of_commitment(world, seen, ledger, one)]
        problems += [*_of_people(world, history), *_in_order(seen, history)]
        problems += [*_removed(seen, ledger, history), *_excused(seen, slot, history)]
        if history:
            problems += _ended(world, seen, ledger, slot, history[-1])
    problems += _nothing_else(seen, commitments)
    problems += _left(world)
    return problems


def _sorted(world: World) -> _Seen:  # noqa: C901, PLR0912 # one case an event
    seen = _Seen()
    strange: dict[Path, bytes] = {}
    for number, event in enumerate(world.history):
        match event:
            case Wrote():
                seen.wrote[event.bucket, event.key].append((number, event))
            case Removed():
                seen.removed.append((number, event))
            case Excused():
                seen.excused.append((number, event))
            case Judged():
                if event.passed:
                    seen.passed.add(event.sha256)
            case Strange():
                strange[event.path] = event.body
            case Named():
                if event.path in strange:
                    seen.torn.append(f"torn: {event.path} took the place of somebody else's file")
                seen.names[event.path].append((number, event.body))
            case Lost():
                seen.names[event.path].pop()
            case Took() if event.path in strange and strange[event.path] == event.body:
                del strange[event.path]
            case Took():
                if not seen.names[event.path] or seen.names[event.path][-1][1] != event.body:
                    seen.torn.append(
                        f"torn: the consumer took other bytes from {event.path} than were put there"
                    )
    return seen


def _written_once(seen: _Seen) -> Iterator[str]:
    """Whatever is final is written once: verdicts, released files, manifests."""
    for (bucket, key), versions in seen.wrote.items():
        final = bucket == "ledger" or (bucket == "reports" and not key.startswith(f"{RECEIPTS}/"))
        if final and len(versions) > 1:
            yield f"twice: {bucket}/{key} was written {len(versions)} times"


def _of_commitment(world: World, seen: _Seen, ledger: Ledger, one: Commitment) -> Iterator[str]:  # noqa: C901 # one line a promise
    name = f"{one.slot} revision {one.revision}"
    committed = seen.wrote["ledger", ledger_key(one.slot, one.revision)][0][0]
    if one.verdict is Verdict.RELEASE and one.report.passed and one.plain.sha256 not in seen.passed:
        yield f"{name} is released and no gate has passed its bytes"
    yield from _kept_in_staging(seen, one, name)
    objects = seen.wrote.get(("reports", one.target.key), [])
    manifests = seen.wrote.get(("reports", manifest_key(one.slot, one.revision)), [])
    yield from _of_absence(seen, ledger, one, committed, name)
    if one.verdict is not Verdict.RELEASE:
        if objects or manifests:
            yield f"{name} is {one.verdict} and something of it is among the released files"
        return
    for at, wrote in objects:
        if at < committed:
            yield f"{name} was promoted before it was committed"
        if not _is(wrote.kept.body, one.delivered.size, one.delivered.sha256):
            yield f"torn: the released object of {name} is not what was committed"
    if world.kind.encrypted and objects:
        plain = deciphered(objects[0][1].kept.body)
        if plain is None or not _is(plain, one.plain.size, one.plain.sha256):
            yield f"torn: the released object of {name} does not decrypt to what was validated"
    for at, wrote in manifests:
        if not objects or at < objects[0][0]:
            yield f"the manifest of {name} was there before its object"
        if wrote.kept.body != manifest_bytes(one, ledger.digest(one)):
            yield f"the manifest of {name} does not follow from its commitment"
    yield from _of_receipts(seen, ledger, one, name)


def _of_absence(seen: _Seen, ledger: Ledger, one: Commitment, committed: int, name: str) -> Iterator[str]:
    """What the other side is told follows from a verdict that owes no file, and was written after it."""
    for at, wrote in seen.wrote.get(("reports", absence_key(one.slot, one.revision)), ()):
        before = {each.verdict for each in ledger.history(one.slot)[: one.revision - 1]}
        if one.verdict is Verdict.RELEASE:
            yield f"{name} is released, and it is told that no file of it comes"
        elif one.verdict not in OWES_NOTHING and not OWES_NOTHING & before:
            yield f"{name} is {one.verdict}, and takes back what nobody was told"
        elif at < committed:
            yield f"what {name} says of its slot was told before it was decided"
        elif wrote.kept.body != absence_bytes(one, ledger.digest(one)):
            yield f"the absence of {name} does not follow from its commitment"


def _excused(seen: _Seen, slot: Slot, history: Sequence[Commitment]) -> Iterator[str]:
    """Whoever heard that no file comes heard it of a verdict that owes none, while nothing was released or taken back, and nothing up to it ever is."""
    verdicts = {one.revision: one.verdict for one in history}
    manifests = {
        one.revision: seen.wrote["reports", manifest_key(slot, one.revision)][0][0]
        for one in history
        if seen.wrote.get(("reports", manifest_key(slot, one.revision)))
    }
    for at, event in seen.excused:
        if event.slot != slot:
            continue
        name = f"{slot} revision {event.revision}"
        if verdicts.get(event.revision) not in OWES_NOTHING:
            yield f"untrue: somebody heard that no file of {name} comes, and nobody has decided so"
        for one in history[event.revision :]:
            told = seen.wrote.get(("reports", absence_key(slot, one.revision)))
            if one.verdict not in OWES_NOTHING and told and told[0][0] < event.asked:
                yield f"untrue: somebody heard that no file of {name} comes, and revision {one.revision} had taken it back"
        for revision, released in manifests.items():
            if released < at or revision <= event.revision:
                yield f"untrue: somebody heard that no file of {name} comes, and revision {revision} is released"


def _of_people(world: World, history: Sequence[Commitment]) -> Iterator[str]:
    """A verdict is what the source calls for, unless a person let the very bytes go that are in quarantine; only people make revisions."""
    for before, one in zip((None, *history), history, strict=False):
        name = f"{one.slot} revision {one.revision}"
        if (one.revision > 1 or one.verdict is Verdict.WAIVE) is not bool(one.reason):
            yield f"{name} was made for the reason `{one.reason}`"
        if one.verdict is Verdict.WAIVE:
            yield from _in_vain(name, history[: one.revision - 1])
            continue
        let_go = before and before.verdict is Verdict.QUARANTINE and before.plain == one.plain
        if one.verdict is Verdict.RELEASE and not one.report.passed and not let_go:
            yield f"{name} is released, broke its contract, and was not in quarantine"
        elif one.verdict is Verdict.REJECT and not let_go:
            yield f"{name} is rejected, and was not in quarantine"
        elif not (
            let_go and one.verdict in {Verdict.RELEASE, Verdict.REJECT}
        ) and one.verdict is not _expected(world):
            yield f"{name} ended in {one.verdict}, and its source calls for {_expected(world)}"


def _in_vain(name: str, before: Sequence[Commitment]) -> Iterator[str]:
    """What is waived is not released all the same: nothing that could still land was decided before it."""
    for one in before:
        if one.verdict is Verdict.RELEASE:
            yield f"{name} waives a slot of which revision {one.revision} is released all the same"


def _in_order(seen: _Seen, history: Sequence[Commitment]) -> Iterator[str]:
    """Each revision lands at most once, and none after one that superseded it."""
    latest = -1
    for one in history:
        moments = [
            at
            for at, _ in seen.names.get(ROOT / one.target.landed_name, ())
            if one.verdict is Verdict.RELEASE
        ]
        if len(moments) > 1:
            yield f"twice: {one.slot} revision {one.revision} landed {len(moments)} times"
        if moments and moments[0] < latest:
            yield f"{one.slot} revision {one.revision} landed before one that it supersedes"
        latest = max([latest, *moments])


def _removed(seen: _Seen, ledger: Ledger, history: Sequence[Commitment]) -> Iterator[str]:
    """Nothing that is promised is removed before its receipt, or that of a revision that supersedes it; evidence never."""
    for at, gone in seen.removed:
        if gone.bucket == "ledger" or gone.key.startswith((f"{MANIFESTS}/", f"{ABSENCES}/", f"{RECEIPTS}/")):
            yield f"lost: {gone.bucket}/{gone.key} is evidence and was removed"
        for number, one in enumerate(history):
            name = f"{one.slot} revision {one.revision}"
            decided = [
                seen.wrote["ledger", ledger_key(later.slot, later.revision)][0][0]
                for later in history[number + 1 :]
            ]
            final = gone.bucket == "reports" and gone.key == one.target.key
            staged = gone.bucket == "staging" and (gone.key, gone.kept.number) == (
                one.staged.key,
                one.staged.version,
            )
            if one.verdict is Verdict.QUARANTINE and staged and not any(moment < at for moment in decided):
                yield f"lost: {gone.key} was removed from quarantine before anybody decided about {name}"
            if one.verdict is Verdict.RELEASE and (final or staged):
                proofs = [moment for later in history[number:] for moment in _proven(seen, ledger, later)]
                if not any(moment < at for moment in proofs):
                    yield f"lost: {gone.bucket}/{gone.key} of {name} was removed before a receipt"


def _proven(seen: _Seen, ledger: Ledger, one: Commitment) -> Iterator[int]:
    """Give the moments at which a receipt that holds came."""
    manifest = manifest_for(one, ledger.digest(one))
    key = receipt_key(manifest.feed, manifest.occurrence, manifest.revision, manifest.business_date)
    for at, wrote in seen.wrote.get(("reports", key), ()):
        with suppress(IntegrityBroken):
            confirm(read_receipt(wrote.kept.body, (signing_key().public_pem,)), manifest)
            yield at


def _expected(world: World) -> Verdict:
    """Say what the rows of the source call for."""
    if not world.kind.rows:
        return Verdict.SKIP
    return Verdict.QUARANTINE if "bad" in world.kind.rows else Verdict.RELEASE


def _kept_in_staging(seen: _Seen, one: Commitment, name: str) -> Iterator[str]:
    """What a verdict points at was there before, and is what it says."""
    if one.verdict is Verdict.WAIVE:
        return
    bytes_of = [wrote.kept.body for _, wrote in seen.wrote.get(("staging", one.staged.key), ())]
    if not bytes_of:
        yield f"lost: {name} points at {one.staged.key}, which was never there"
    elif one.verdict is Verdict.QUARANTINE and not one.staged.key.startswith(f"{QUARANTINE}/"):
        yield f"lost: {name} is quarantined and kept nowhere"
    elif not all(_is(body, one.delivered.size, one.delivered.sha256) for body in bytes_of):
        yield f"torn: {one.staged.key}, which {name} points at, has other bytes"


def _of_receipts(seen: _Seen, ledger: Ledger, one: Commitment, name: str) -> Iterator[str]:
    manifest = manifest_for(one, ledger.digest(one))
    key = receipt_key(manifest.feed, manifest.occurrence, manifest.revision, manifest.business_date)
    landed = seen.names.get(ROOT / one.target.landed_name, [])
    versions = seen.wrote.get(("reports", key), ())
    bodies = [wrote.kept.body for _, wrote in versions]
    for at, wrote in versions:
        try:
            receipt = read_receipt(wrote.kept.body, (signing_key().public_pem,))
            confirm(receipt, manifest)
        except IntegrityBroken as error:
            torn = any(
                len(body) > len(wrote.kept.body) and body.startswith(wrote.kept.body) for body in bodies
            )
            if not torn:  # what a cut line left, and was sent again, is no proof and claims nothing
                yield f"a receipt of {name} does not hold: {error}"
            continue
        if receipt.brought is None:
            yield f"a receipt of {name} does not say how its bytes came"
        if receipt.landed_path != one.target.landed_name:
            yield f"a receipt of {name} speaks of {receipt.landed_path}"
        if not any(moment < at for moment, _ in landed):
            yield f"untrue: a receipt of {name} was there before its file was on the share for good"


def _ended(world: World, seen: _Seen, ledger: Ledger, slot: Slot, newest: Commitment) -> Iterator[str]:
    """The slot is in exactly one end state, and the product says the same."""
    expected = {
        Verdict.RELEASE: SlotState.DELIVERED,
        Verdict.QUARANTINE: SlotState.QUARANTINED,
        Verdict.SKIP: SlotState.SKIPPED,
        Verdict.REJECT: SlotState.QUARANTINED,
        Verdict.WAIVE: SlotState.WAIVED,
    }[newest.verdict]
    released = world.reports.head(manifest_key(slot, newest.revision)) is not None
    try:
        receipt = receipt_in(
            world.reports, manifest_for(newest, ledger.digest(newest)), (signing_key().public_pem,)
        )
    except IntegrityBroken:
        receipt = None
    known = Known(newest, released=released, receipt=receipt)
    told = standing(slot, known, now=newest.committed_at, missing_after=timedelta(hours=1))
    if told.state is not expected:
        yield f"lost: {slot} came to rest {told.state}, not {expected}"
    if newest.verdict is Verdict.RELEASE:
        yield from _delivered(seen, newest)
    told_so = ("reports", absence_key(slot, newest.revision)) in seen.wrote
    in_force = ledger.expected(slot)
    if newest.verdict in OWES_NOTHING and in_force and in_force.verdict in OWES_NOTHING and not told_so:
        yield f"lost: {slot} is {newest.verdict}, and nobody on the ground can know that no file comes"
    said = [one for one in ledger.history(slot) if ("reports", absence_key(slot, one.revision)) in seen.wrote]
    if (
        newest.verdict not in OWES_NOTHING
        and said
        and said[-1].verdict in OWES_NOTHING
        and not _out(seen, slot)
    ):
        yield f"lost: {slot} is {newest.verdict}, and everybody on the ground hears that no file comes"


def _out(seen: _Seen, slot: Slot) -> bool:
    """Tell whether any revision of a slot has its manifest."""
    own = manifest_key(slot, 1).removesuffix("0001.json")
    return any(bucket == "reports" and key.startswith(own) for bucket, key in seen.wrote)


def _delivered(seen: _Seen, one: Commitment) -> Iterator[str]:
    name = f"{one.slot} revision {one.revision}"
    landed = seen.names.get(ROOT / one.target.landed_name, [])
    if len(landed) != 1:
        yield f"{'lost' if not landed else 'twice'}: {name} landed {len(landed)} times"
    if one.target.done_name:
        done = seen.names.get(ROOT / one.target.done_name, [])
        if len(done) != 1:
            yield f"{'lost' if not done else 'twice'}: the done-file of {name} appeared {len(done)} times"
        elif landed and done[0][0] < landed[0][0]:
            yield f"the done-file of {name} was there before its file"


def _nothing_else(seen: _Seen, commitments: list[Commitment]) -> Iterator[str]:
    """Nothing is visible that no verdict released, and what landed is whole."""
    released = {one.target.key: one for one in commitments if one.verdict is Verdict.RELEASE}
    decided = {absence_key(one.slot, one.revision) for one in commitments}
    yield from (
        f"{key} was decided by nobody"
        for bucket, key in seen.wrote
        if bucket == "reports" and key.startswith(f"{ABSENCES}/") and key not in decided
    )
    by_name = {ROOT / one.target.landed_name: one for one in released.values()}
    done = {ROOT / one.target.done_name for one in released.values() if one.target.done_name}
    for bucket, key in seen.wrote:
        is_file = key.startswith(f"{OUTBOUND}/") and not key.startswith((f"{MANIFESTS}/", f"{ABSENCES}/"))
        if bucket == "reports" and is_file and key not in released:
            yield f"{key} was released by no verdict"
    for path, landed in seen.names.items():
        for _, body in landed:
            if path in done:
                if body:
                    yield f"torn: the done-file {path} is not empty"
            elif path not in by_name:
                yield f"{path} landed and no verdict released it"
            elif not _is(body, by_name[path].delivered.size, by_name[path].delivered.sha256):
                yield f"torn: {path} is not what was committed"
    twice = Counter(ROOT / one.target.landed_name for one in released.values())
    yield from (f"two revisions have the name {path}" for path, count in twice.items() if count > 1)


def _left(world: World) -> Iterator[str]:
    """Nothing is left in our own folder of slots that came to their end more than a day ago."""
    parts = PRIVATE / ENVIRONMENT.lower() / "parts"
    yield from (f"left: {name}" for name in world.disk.mount().listdir(parts))


def _is(body: bytes, size: int, sha256: str) -> bool:
    return len(body) == size and hashlib.sha256(body).hexdigest() == sha256
