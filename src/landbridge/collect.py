"""How does a released file come to the share, once, whole and proven? The on-prem side of the product, top to bottom.

List, claim, download, verify, land, receipt. Safe to run twice, on two hosts at once, to kill anywhere and run again:
claim and journal on the share decide, and whoever comes later finishes what was begun.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from threading import Event
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.facts import Receipt
from landbridge.receipted import resent, send
from landbridge.released import Outcome, offered, outcome_of
from landbridge.steps.at_once import at_once, in_groups
from landbridge.steps.fetch import fetch_claimed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from landbridge.facts import Content, Manifest
    from landbridge.world import Ground

SMALL, MANY = 1 << 20, 48
"""Up to so many bytes a file's round trips cost more than its bytes, so that so many go at once."""
GROUP, GROUP_BYTES, GROUPS = 128, 16 << 20, 3
"""Small files take each step on the share together, so many at most; while a group lands, the next one is downloaded."""


def collect(ground: Ground, since: date, feeds: Collection[str] = ()) -> list[Outcome]:
    """Bring everything that is released for business dates from `since` to the share, and send the receipts."""
    cut = ground.remote.close
    with ThreadPoolExecutor(MANY, thread_name_prefix="line") as line:
        unsent = in_groups(ground.share.unreceipted(since), GROUP)
        again = at_once(partial(resent, ground, line), unsent, 1, cut)
        offer = offered(ground, since, feeds)
        small = [manifest for manifest in offer.manifests if manifest.size <= SMALL]
        large = [[manifest] for manifest in offer.manifests[len(small) :]]
        ground.progress.start("collect", sum(manifest.size for manifest in offer.manifests), "B")
        one = partial(deliver, ground, line, Event())
        ended = at_once(one, in_groups(small, GROUP, lambda one: one.size, GROUP_BYTES), GROUPS, cut)
        ended += at_once(one, large, ground.parallel, cut)
        ground.progress.finish("collect")
    return [*chain.from_iterable(again), *offer.settled, *chain.from_iterable(ended)]


def deliver(
    ground: Ground, line: ThreadPoolExecutor, halted: Event, manifests: Sequence[Manifest]
) -> list[Outcome]:
    """Take files all the way together; what goes wrong with one is its outcome, and a share that fails as a whole halts the others."""
    if halted.is_set():
        return [outcome_of(manifest, None, None, {}) for manifest in manifests]
    watch = partial(ground.progress.advance, "collect")
    try:
        with ground.share.claim_all(manifests) as claimed:
            came: Sequence[Content | Receipt | LandbridgeError] = list(
                line.map(partial(fetch_claimed, ground.remote, watch), claimed.claims, manifests)
            )
            landed: Sequence[Receipt | LandbridgeError] = claimed.land_all(came)
    except LandbridgeError as error:
        came = landed = [error for _ in manifests]
    if any(isinstance(answer, LandbridgeError) and answer.whole for answer in landed):
        halted.set()
    proofs = [
        answer
        for manifest, answer in zip(manifests, landed, strict=True)
        if isinstance(answer, Receipt) and answer.revision <= manifest.revision
    ]
    unsent = send(ground, line, proofs)
    return [outcome_of(*each, unsent) for each in zip(manifests, came, landed, strict=True)]
