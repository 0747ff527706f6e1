"""How does a released file come to the share, once, whole and proven? The on-prem side of the product, top to bottom.

List, claim, download, verify, land, receipt. Safe to run twice, on two hosts at once, to kill anywhere and run again:
claim and journal on the share decide, and whoever comes later finishes what was begun.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from landbridge.delivered import MANY, deliver_all
from landbridge.errors import IntegrityBroken, LandbridgeError
from landbridge.facts import Download
from landbridge.receipted import resend
from landbridge.released import judged, offered, outcome_of
from landbridge.steps.fetch import fetch_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from concurrent.futures import Executor
    from datetime import date

    from landbridge.facts import Brought, Manifest, Receipt
    from landbridge.ports import Claim
    from landbridge.released import Outcome
    from landbridge.world import Ground

REST = timedelta(hours=1)
"""Bytes that were wrong twice are not asked for again so long; who mends the file sooner begins the run anew."""


def collect(
    ground: Ground, since: date, feeds: Collection[str] = (), days: Collection[date] = ()
) -> list[Outcome]:
    """Bring everything that is released for business dates from `since`, and for `days`, to the share, and send the receipts."""
    with ground.threads(MANY, "line") as line:
        again = resend(ground, ground.share.unreceipted(since, days))
        offer = offered(ground, since, feeds, also=days)
        due, resting = _rested(ground, offer.manifests)
        wrong: set[Manifest] = set()
        ended = deliver_all(ground, "collect", due, partial(_download, ground, line, wrong))
    _remember(ground, wrong, ended)
    with suppress(LandbridgeError):  # what is left is in nobody's way
        ground.share.tidy()
    return [*again, *offer.settled, *judged(offer.strange, feeds), *resting, *ended]


def _rested(ground: Ground, manifests: Sequence[Manifest]) -> tuple[list[Manifest], list[Outcome]]:
    """Part what is to be downloaded from what came wrong twice and rests: that stays refused, for the same reason."""
    now = ground.clock.now()
    resting = {one: error for one, (until, error) in ground.in_vain.items() if now < until}
    due = [one for one in manifests if one not in resting]
    return due, [outcome_of(one, None, resting[one], {}) for one in manifests if one in resting]


def _download(
    ground: Ground,
    line: Executor,
    wrong: set[Manifest],
    watch: Callable[[int], None],
    claims: Sequence[Claim | LandbridgeError],
    manifests: Sequence[Manifest],
) -> list[Brought | Receipt | LandbridgeError]:
    """Download, and note whose bytes came whole and are not the released ones: whether they land is for the share."""
    came = fetch_all(ground.remote, ground.clock, ground.share.collector, line, watch, claims, manifests)
    pairs = zip(came, manifests, strict=True)
    wrong.update(wanted for one, wanted in pairs if isinstance(one, Download) and one.sha256 != wanted.sha256)
    return came


def _remember(ground: Ground, wrong: Iterable[Manifest], ended: Iterable[Outcome]) -> None:
    """Let wrong bytes rest the second time: what this machine's disk spoiled is mended by downloading it again, once."""
    refused = {(one.what, one.revision): one.error for one in ended if isinstance(one.error, IntegrityBroken)}
    for one in wrong:
        error = refused.get((f"{one.feed}/{one.occurrence}", one.revision))
        if error:
            rest = REST if one in ground.in_vain else timedelta()
            ground.in_vain[one] = (ground.clock.now() + rest, error)
