"""How does a released file come to the share, once, whole and proven? The on-prem side of the product, top to bottom.

List, claim, download, verify, land, receipt. Safe to run twice, on two hosts at once, to kill anywhere and run again:
claim and journal on the share decide, and whoever comes later finishes what was begun.
"""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed, IntegrityBroken, LandbridgeError, ShareRefused, TryAgain
from landbridge.ledger import make_receipt_bytes
from landbridge.naming import receipt_key
from landbridge.released import Outcome, State, offered
from landbridge.steps.at_once import at_once
from landbridge.steps.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from landbridge.facts import Manifest, Receipt
    from landbridge.world import Ground

SMALL, MANY = 1 << 20, 48
"""Up to so many bytes a file's round trips cost more than its bytes, so that so many go at once."""


def collect(ground: Ground, since: date, feeds: Collection[str] = ()) -> list[Outcome]:
    """Bring everything that is released for business dates from `since` to the share, and send the receipts."""
    resent = [send(ground, receipt) for receipt in ground.share.unreceipted(since)]
    offer = offered(ground, since, feeds)
    small = [manifest for manifest in offer.manifests if manifest.size <= SMALL]
    large = offer.manifests[len(small) :]
    ground.progress.start("collect", sum(manifest.size for manifest in offer.manifests), "B")
    one = partial(deliver, ground, Event())
    cut = ground.remote.close
    delivered = at_once(one, small, MANY, cut) + at_once(one, large, ground.parallel, cut)
    ground.progress.finish("collect")
    return [*resent, *offer.settled, *delivered]


def deliver(ground: Ground, halted: Event, manifest: Manifest) -> Outcome:
    """Take one file all the way; what goes wrong with it is its outcome, and a share that fails halts the others."""
    ended = partial(Outcome, f"{manifest.feed}/{manifest.occurrence}", manifest.revision)
    if halted.is_set():
        return ended(State.NOT_TRIED, manifest.landed_name)
    try:
        with ground.share.claim(manifest) as claim:
            known = claim.landed
            receipt = known or claim.land(
                fetch(ground.remote, claim, manifest, partial(ground.progress.advance, "collect"))
            )
    except TryAgain as error:
        return ended(State.BUSY, error=error)
    except IntegrityBroken as error:
        return ended(State.REFUSED, error=error)
    except (ShareRefused, DiskFailed) as error:
        halted.set()
        return ended(State.FAILED, error=error)
    except LandbridgeError as error:
        return ended(State.FAILED, error=error)
    if receipt.revision > manifest.revision:
        return ended(State.SUPERSEDED)
    return send(ground, receipt, State.ALREADY_THERE if known else State.DELIVERED)


def send(ground: Ground, receipt: Receipt, state: State = State.ALREADY_THERE) -> Outcome:
    """Send the signed receipt and put that on the journal; the same receipt twice is the same bytes."""
    ended = partial(Outcome, f"{receipt.feed}/{receipt.occurrence}", receipt.revision)
    try:
        key = receipt_key(receipt.feed, receipt.occurrence, receipt.revision, receipt.business_date)
        ground.remote.write(f"/{key}", make_receipt_bytes(receipt, ground.receipt_key))
        ground.share.receipted(receipt)
    except LandbridgeError as error:
        return ended(State.UNRECEIPTED, receipt.landed_path, receipt.size, error)
    return ended(state, receipt.landed_path, receipt.size)
