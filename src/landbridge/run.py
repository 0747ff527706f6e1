"""How does one slot's file come to be released? The cloud side of the product, top to bottom.

Generate, stage, validate, commit, promote. Safe to run twice, to run twice at once, to kill anywhere and run again:
the one commit decides, and whoever comes later carries the winner's bytes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from landbridge.facts import Breached, Validated, Verdict
from landbridge.formats import suffix
from landbridge.ledger import manifest_bytes
from landbridge.steps.decide import decide
from landbridge.steps.failing import failing
from landbridge.steps.generate import generate
from landbridge.steps.promote import promote
from landbridge.steps.quarantine import keep
from landbridge.steps.record import record
from landbridge.steps.seal import seal
from landbridge.steps.stage import stage
from landbridge.steps.validate import validate

if TYPE_CHECKING:
    from landbridge.facts import Commitment, Judged, Released, Sealed, Slot, Staged
    from landbridge.feed import Feed
    from landbridge.world import Cloud


def run(feed: Feed, slot: Slot, cloud: Cloud) -> Commitment | Released:
    """Take a slot all the way; a slot that has its verdict is only carried on."""
    known = cloud.ledger.newest(slot)
    return carry_on(feed, known or commit(feed, make(feed, slot, cloud), cloud), cloud)


def make(feed: Feed, slot: Slot, cloud: Cloud) -> Staged:
    """Generate the slot's file from its sources and stage it. Nothing is decided yet."""
    with failing("generate", slot, cloud), cloud.scratch() as scratch, cloud.sources(feed, slot) as sources:
        draft = generate(
            feed,
            slot,
            environment=cloud.environment,
            variables=cloud.variables,
            revision=cloud.revision,
            sources=sources,
            scratch=scratch,
            progress=cloud.progress,
        )
        return stage(draft, cloud.staging, suffix(feed.file))


def commit(feed: Feed, staged: Staged, cloud: Cloud) -> Commitment:
    """Judge the staged bytes and write the verdict, once; the loser of a race gets the winner's commitment."""
    with failing("validate", staged.slot, cloud), cloud.scratch() as scratch:
        gate = cloud.gate(feed, scratch)
        judged = validate(
            staged, cloud.staging, gate, empty=feed.empty, scratch=scratch, progress=cloud.progress
        )
        decided: Judged | Sealed
        match judged:
            case Validated() if feed.file.encryption:
                decided = seal(judged, cloud.staging, feed.file, cloud.recipients(feed), scratch)
            case Breached():
                decided = keep(judged, cloud.staging, suffix(feed.file))
            case _:
                decided = judged
    contract = cloud.ledger.keep_contract(gate.text)
    return cloud.ledger.commit(decide(feed, decided, cloud, contract=contract))


def carry_on(feed: Feed, commitment: Commitment, cloud: Cloud) -> Commitment | Released:
    """Do what the verdict says: release, or leave it at the record."""
    match commitment.verdict:
        case Verdict.RELEASE:
            with failing("promote", commitment.slot, cloud, commitment.revision):
                manifest = manifest_bytes(commitment, digest := cloud.ledger.digest(commitment))
                released = promote(commitment, manifest, cloud.reports, cloud.places(feed, commitment))
                record(released, manifest, digest, cloud)
            return released
        case Verdict.QUARANTINE | Verdict.SKIP | Verdict.REJECT | Verdict.WAIVE:
            return commitment
        case _:
            assert_never(commitment.verdict)
