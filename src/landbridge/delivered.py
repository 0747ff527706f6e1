"""How do released files go all the way together, wherever their bytes come from: claim, bring, land, receipt?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from threading import Event
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.facts import Brought, Manifest, Receipt
from landbridge.ports import Claim
from landbridge.receipted import send
from landbridge.released import Outcome, outcome_of
from landbridge.steps.at_once import at_once, in_groups, under_way

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from landbridge.world import Ground

SMALL, MANY = 1 << 20, 48
"""Up to so many bytes a file's round trips cost more than its bytes, so that so many go at once."""
GROUP, GROUP_BYTES, GROUPS = 128, 16 << 20, 3
"""Small files take each step on the share together, so many at most; while a group lands, the next one is brought."""

BringOne = Callable[
    [Callable[[int], None], Claim | LandbridgeError, Manifest], Brought | Receipt | LandbridgeError
]
"""Brings a file into its claim's part, telling somebody of the bytes; what it gives is for `Claimed.land_all`."""
Bring = Callable[
    [Callable[[int], None], Sequence[Claim | LandbridgeError], Sequence[Manifest]],
    Sequence[Brought | Receipt | LandbridgeError],
]
"""Does so for files that go together."""


def each(line: Executor, bring: BringOne) -> Bring:
    """Let each of them have a thread of `line`."""

    def all_of(
        watch: Callable[[int], None],
        claims: Sequence[Claim | LandbridgeError],
        manifests: Sequence[Manifest],
    ) -> list[Brought | Receipt | LandbridgeError]:
        with under_way(line, partial(bring, watch), zip(claims, manifests, strict=True)) as coming:
            return [one.result() for one in coming]

    return all_of


def deliver_all(ground: Ground, step: str, manifests: Sequence[Manifest], bring: Bring) -> list[Outcome]:
    """Deliver files, given small ones first; the small ones in groups, each large one by itself."""
    small = [manifest for manifest in manifests if manifest.size <= SMALL]
    large = [[manifest] for manifest in manifests[len(small) :]]
    ground.progress.start(step, sum(manifest.size for manifest in manifests), "B")
    watched = partial(bring, partial(ground.progress.advance, step))
    one, cut = partial(deliver, ground, Event(), watched), ground.remote.close
    groups = in_groups(small, GROUP, lambda one: one.size, GROUP_BYTES)
    ended = at_once(ground.threads(GROUPS, "collect"), one, groups, cut)
    ended += at_once(ground.threads(ground.parallel, "collect"), one, large, cut)
    ground.progress.finish(step)
    return [*chain.from_iterable(ended)]


def deliver(
    ground: Ground,
    halted: Event,
    bring: Callable[
        [Sequence[Claim | LandbridgeError], Sequence[Manifest]], Sequence[Brought | Receipt | LandbridgeError]
    ],
    manifests: Sequence[Manifest],
) -> list[Outcome]:
    """Take files all the way together; what goes wrong with one is its outcome, and a share that fails as a whole halts the others."""
    if halted.is_set():
        return [outcome_of(manifest, None, None, {}) for manifest in manifests]
    try:
        with ground.share.claim_all(manifests) as claimed:
            came = bring(claimed.claims, manifests)
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
    unsent = send(ground, proofs)
    return [outcome_of(*one, unsent) for one in zip(manifests, came, landed, strict=True)]
