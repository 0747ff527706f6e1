"""How does a canary go the whole way, hop by hop, and how long does each take?"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from landbridge.canary.below import PROVEN, SENT
from landbridge.canary.bird import feed, is_name, sent_at, slot_of
from landbridge.errors import ContractBroken, IntegrityBroken, LandbridgeError, Unavailable
from landbridge.facts import Receipt, Validated
from landbridge.formats import suffix
from landbridge.formats.records import Words
from landbridge.ledger import confirm, manifest_bytes, read_receipt
from landbridge.naming import receipt_key
from landbridge.receipted import send as send_receipts
from landbridge.released import offered
from landbridge.steps.decide import decide
from landbridge.steps.fetch import fetch_claimed
from landbridge.steps.generate import generate
from landbridge.steps.promote import promote
from landbridge.steps.stage import stage
from landbridge.steps.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.facts import Manifest
    from landbridge.ports import Remote
    from landbridge.world import Cloud, Ground

_PAUSE = 2.0
"""Seconds between two looks for a canary that is not there yet."""
_FRESH = 3600.0
"""Seconds for which a canary is new: an older one proves nothing about now."""


@dataclass(slots=True)
class Hop:
    """One hop of the way."""

    name: str
    seconds: float
    where: str = ""


@dataclass(slots=True)
class Log:
    """What was flown so far."""

    hops: list[Hop] = field(default_factory=list)
    under_way: str = ""
    """The hop that began and has not ended; the one that failed, after an error."""
    began: Callable[[str], None] = lambda _: None
    """Told of each hop that begins."""
    ended: Callable[[str], None] = lambda _: None
    """Told of each hop that ends, well or not."""

    @contextmanager
    def hop(self, name: str) -> Iterator[Hop]:
        """Time one hop; it is on the log when it has ended well."""
        self.under_way = name
        self.began(name)
        hop, began = Hop(name, 0.0), time.monotonic()
        try:
            yield hop
        finally:
            self.ended(name)
        hop.seconds = time.monotonic() - began
        self.hops.append(hop)
        self.under_way = ""


def release(canary: str, cloud: Cloud, log: Log) -> None:
    """Take it to where the other side finds it. `cloud` has the canary's own ledger and reports."""
    declared, slot = feed(), slot_of(canary)
    with cloud.scratch() as scratch:
        with log.hop("generate"), cloud.sources(declared, slot) as sources:
            words = Words(slot, cloud.environment, cloud.revision, cloud.variables)
            draft = generate(declared, words, sources, scratch, cloud.progress)
        with log.hop("stage") as hop:
            staged = stage(draft, cloud.staging, suffix(declared.file))
            hop.where = str(staged.at)
        draft.path.unlink()  # what follows reads what was staged
        with log.hop("validate"):
            judged = validate(
                staged,
                cloud.staging,
                cloud.gate(declared, scratch),
                empty=declared.empty,
                scratch=scratch,
                progress=cloud.progress,
            )
    if not isinstance(judged, Validated):
        raise ContractBroken(
            "the canary's own file breaks the canary's own contract", hint="this is a bug of Landbridge"
        )
    with log.hop("commit") as hop:
        commitment = cloud.ledger.commit(decide(declared, judged, cloud, contract=""))
        digest = cloud.ledger.digest(commitment)
        hop.where = f"sha256 {digest[:16]}"
    with log.hop("release") as hop:
        released = promote(commitment, manifest_bytes(commitment, digest), cloud.reports, {})
        hop.where = str(released.manifest)


def awaited(remote: Remote, canary: str, log: Log, now: float) -> str:
    """Wait until a canary can be seen over SFTP, and give its name: the one asked for, or the newest if it has no receipt.

    `now` is in seconds since 1970; whoever calls sets a limit.
    """
    with log.hop("see it over SFTP") as hop:
        while True:
            there = sorted(filter(is_name, remote.folders(SENT)), reverse=True)
            if canary in there:
                break
            # Only the newest: that an older one still waits says nothing about now.
            newest = there[0] if there and not canary else ""
            if newest and now - sent_at(newest).timestamp() < _FRESH and newest not in remote.folders(PROVEN):
                canary = newest
                break
            time.sleep(_PAUSE)
        hop.where = f"{SENT}/{canary}"
    return canary


def bring(canary: str, ground: Ground, log: Log) -> None:
    """Take it to the share and prove it. `ground` has the canary's own view of the server, and a share of its own.

    Raises:
        IntegrityBroken: it is not what was released, or its receipt does not hold.
        LandbridgeError: as a collection.
    """
    with log.hop("list"):
        offer = offered(ground, slot_of(canary).business_date)
        errors: list[LandbridgeError] = [
            *(one.error for one in offer.settled if one.error),
            *(one.error for one in offer.strange),
        ]
        manifest = _the_one(canary, offer.manifests, errors)
    with ground.share.claim_all([manifest]) as claimed:
        with log.hop("download") as hop:
            watch = partial(ground.progress.advance, "canary")
            fetch = partial(fetch_claimed, ground.remote, ground.clock, ground.share.collector, watch)
            (came,) = (fetch(one, manifest) for one in claimed.claims)
            if isinstance(came, LandbridgeError):
                raise came
            hop.where = manifest.remote_path
        with log.hop("land") as hop:
            (landed,) = claimed.land_all([came])
            if not isinstance(landed, Receipt):
                raise landed
            hop.where = landed.landed_path
    with log.hop("send the receipt"):
        for error in send_receipts(ground, [landed]).values():
            raise error
    with log.hop("read the receipt back") as hop:
        key = receipt_key(landed.feed, landed.occurrence, landed.revision, landed.business_date)
        confirm(read_receipt(ground.remote.read(f"/{key}"), ground.receipt_keys), manifest)
        hop.where = f"{PROVEN}/{canary}"


def _the_one(canary: str, manifests: list[Manifest], errors: list[LandbridgeError]) -> Manifest:
    for error in errors:
        raise error
    expected = slot_of(canary)
    for one in manifests:
        if (one.feed, one.occurrence) == (expected.feed, expected.occurrence):
            return one
    if manifests:
        raise IntegrityBroken(
            f"what lies below {SENT}/{canary} is not this canary", hint="find out who wrote it"
        )
    raise Unavailable(
        f"the canary {canary} has no manifest, or has its receipt already",
        hint="send a new one: landbridge canary",
    )
