"""How does one slot's file come to be released? The cloud side of the product, top to bottom.

Generate, stage, validate, commit, promote. Safe to run twice, to run twice at once, to kill anywhere and run again:
the one commit decides, and whoever comes later carries the winner's bytes on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from landbridge.facts import Verdict
from landbridge.formats import suffix
from landbridge.formats.records import Words
from landbridge.ledger import manifest_bytes
from landbridge.steps.decide import decide
from landbridge.steps.failing import failing
from landbridge.steps.generate import generate
from landbridge.steps.lodge import lodge
from landbridge.steps.promote import promote
from landbridge.steps.record import record
from landbridge.steps.stage import stage
from landbridge.steps.tell import tell
from landbridge.steps.validate import validate

if TYPE_CHECKING:
    from landbridge.facts import Commitment, Released, Slot, Staged
    from landbridge.feed import Feed
    from landbridge.world import Cloud


def run(feed: Feed, slot: Slot, cloud: Cloud) -> Commitment | Released:
    """Take a slot all the way; a slot that has its verdict is only carried on."""
    decided = cloud.ledger.newest(slot) or commit(feed, make(feed, slot, cloud), cloud)
    return carry_on(feed, decided, cloud)


def make(feed: Feed, slot: Slot, cloud: Cloud) -> Staged:
    """Generate the slot's file from its sources and stage it. Nothing is decided yet."""
    with failing("generate", slot, cloud), cloud.scratch() as scratch, cloud.sources(feed, slot) as sources:
        words = Words(slot, cloud.environment, cloud.revision, cloud.variables)
        draft = generate(feed, words, sources, scratch, cloud.progress)
        return stage(draft, cloud.staging, suffix(feed.file))


def commit(feed: Feed, staged: Staged, cloud: Cloud) -> Commitment:
    """Judge the staged bytes and write the verdict, once; the loser of a race gets the winner's commitment."""
    with failing("validate", staged.slot, cloud), cloud.scratch() as scratch:
        gate = cloud.gate(feed, scratch)
        judged = validate(
            staged, cloud.staging, gate, empty=feed.empty, scratch=scratch, progress=cloud.progress
        )
        lodged = lodge(judged, cloud.staging, feed.file, partial(cloud.recipients, feed), scratch)
    contract = cloud.ledger.keep_contract(gate.text)
    return cloud.ledger.commit(decide(feed, lodged, cloud, contract=contract))


def carry_on(feed: Feed, decided: Commitment, cloud: Cloud) -> Commitment | Released:
    """Do what the verdict says: release the file, or tell the other side what to make of it that none comes."""
    match decided.verdict:
        case Verdict.RELEASE:
            with failing("promote", decided.slot, cloud, decided.revision):
                digest = cloud.ledger.digest(decided)
                manifest = manifest_bytes(decided, digest)
                released = promote(decided, manifest, cloud.reports, cloud.places(feed, decided))
                record(released, manifest, digest, cloud)
                return released
        case Verdict.SKIP | Verdict.WAIVE | Verdict.QUARANTINE | Verdict.REJECT:
            return none_comes(decided, cloud)
        case _:
            assert_never(decided.verdict)


def none_comes(decided: Commitment, cloud: Cloud) -> Commitment:
    """Tell the other side whether it may stop waiting for the slot of which this revision brings no file."""
    with failing("tell", decided.slot, cloud, decided.revision):
        tell(decided, cloud.ledger.absence(decided), cloud.reports)
    return decided
