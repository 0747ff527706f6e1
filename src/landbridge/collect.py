"""How does a released file come to the share, once, whole and proven? The on-prem side of the product, top to bottom.

List, claim, download, verify, land, receipt. Safe to run twice, on two hosts at once, to kill anywhere and run again:
claim and journal on the share decide, and whoever comes later finishes what was begun.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from landbridge.delivered import MANY, deliver_all
from landbridge.receipted import resend
from landbridge.released import offered
from landbridge.steps.fetch import fetch_claimed

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from landbridge.released import Outcome
    from landbridge.world import Ground


def collect(ground: Ground, since: date, feeds: Collection[str] = ()) -> list[Outcome]:
    """Bring everything that is released for business dates from `since` to the share, and send the receipts."""
    with ground.threads(MANY, "line") as line:
        again = resend(ground, line, ground.share.unreceipted(since))
        offer = offered(ground, since, feeds)
        download = partial(fetch_claimed, ground.remote)
        ended = deliver_all(ground, line, "collect", offer.manifests, download)
    return [*again, *offer.settled, *ended]
