"""Are the bytes of a revision still what the evidence says, wherever they lie?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.errors import DiskFailed, IntegrityBroken, NotFound
from landbridge.facts import Location, Verdict
from landbridge.ledger import manifest_bytes
from landbridge.naming import manifest_key
from landbridge.survey import receipt_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from landbridge.facts import Commitment, Content
    from landbridge.ports import Progress
    from landbridge.world import Evidence

_BLOCK = 8 << 20


class Finding(StrEnum):
    """What reading one place again showed."""

    SAME = "same"
    DIFFERENT = "different"
    GONE = "gone"
    """Not there: expired, reaped, or taken by the consumer. No difference by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place that was read."""

    name: str
    where: str
    finding: Finding
    seen: str
    """sha256 and size that are there, or why they cannot be said. More bytes than there were are not read."""


def worth_reading(history: Sequence[Commitment]) -> list[Commitment]:
    """Give the revisions of a slot whose bytes somebody relies on, newest first: the newest, and the released one that it left in force.

    A correction that was rejected, skipped or is in quarantine leaves the file before it with the consumer.
    """
    *before, newest = history
    if newest.verdict is Verdict.RELEASE:
        return [newest]
    released = [one for one in before if one.verdict is Verdict.RELEASE]
    return [newest, *released[-1:]]


def recheck(
    commitment: Commitment, evidence: Evidence, further: Sequence[Location], progress: Progress
) -> list[Place]:
    """Read every copy of a revision from first to last byte and compare with the commitment; then manifest and receipt.

    `further` are the feed's other declared places. Of a slot that was waived there is nothing to read.
    """
    if commitment.verdict is Verdict.WAIVE:
        return []
    places = [_store("staging", commitment.staged, commitment.delivered, evidence, progress)]
    if commitment.verdict is not Verdict.RELEASE:
        return places
    final = Location(evidence.reports.name, commitment.target.key)
    places.append(_store("reports", final, commitment.delivered, evidence, progress))
    places += [_store("further", at, commitment.delivered, evidence, progress) for at in further]
    places.append(_manifest(commitment, evidence))
    proofs = list(_receipt(commitment, evidence))
    if evidence.share is not None:
        gone = "taken by the consumer" if proofs else "not landed yet"
        places.append(_share(evidence.share / commitment.target.landed_name, commitment, progress, gone))
    places += proofs
    return places


def _store(name: str, at: Location, content: Content, evidence: Evidence, progress: Progress) -> Place:
    try:
        return _compared(name, str(at), evidence.store_of(at).chunks(at), content, progress)
    except NotFound:
        return Place(name, str(at), Finding.GONE, "")


def _share(path: Path, commitment: Commitment, progress: Progress, gone: str) -> Place:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            seen = Place("share", str(path), Finding.DIFFERENT, "no plain file")
        else:
            with path.open("rb") as file:
                blocks = iter(lambda: file.read(_BLOCK), b"")
                seen = _compared("share", str(path), blocks, commitment.delivered, progress)
    except FileNotFoundError:
        return Place("share", str(path), Finding.GONE, gone)
    except OSError as error:
        raise DiskFailed(f"{path} cannot be read: {error.strerror}") from error
    if seen.finding is Finding.DIFFERENT and path.name != commitment.target.key.rsplit("/", 1)[-1]:
        # A name that the consumer dictates is every slot's: another one's file says nothing about this one.
        return Place("share", str(path), Finding.GONE, "another file has this name now")
    return seen


def _compared(name: str, where: str, blocks: Iterable[bytes], content: Content, progress: Progress) -> Place:
    digest, size = hashlib.sha256(), 0
    progress.start(f"reading {name}", content.size, "B")
    for block in blocks:
        digest.update(block)
        size += len(block)
        if size > content.size:  # it grows, or never ends: no byte of the rest makes it the same
            break
        progress.advance(f"reading {name}", len(block))
    progress.finish(f"reading {name}")
    if size > content.size:
        return Place(name, where, Finding.DIFFERENT, f"more than {counted(content.size, 'byte')}")
    same = (size, digest.hexdigest()) == (content.size, content.sha256)
    seen = f"sha256 {digest.hexdigest()}, {counted(size, 'byte')}"
    return Place(name, where, Finding.SAME if same else Finding.DIFFERENT, seen)


def _manifest(commitment: Commitment, evidence: Evidence) -> Place:
    key = manifest_key(commitment.slot, commitment.revision)
    where = str(Location(evidence.reports.name, key))
    try:
        seen = evidence.reports.read(key)
    except NotFound:
        return Place("manifest", where, Finding.GONE, "not released yet")
    expected = manifest_bytes(commitment, evidence.ledger.digest(commitment))
    same = seen == expected
    return Place(
        "manifest", where, Finding.SAME if same else Finding.DIFFERENT, f"{counted(len(seen), 'byte')}"
    )


def _receipt(commitment: Commitment, evidence: Evidence) -> Iterator[Place]:
    try:
        receipt = receipt_of(commitment, evidence)
    except IntegrityBroken as error:
        yield Place("receipt", "", Finding.DIFFERENT, str(error))
        return
    if receipt:
        yield Place(
            "receipt",
            receipt.landed_path,
            Finding.SAME,
            f"sha256 {receipt.sha256}, signed by {receipt.collector}",
        )
