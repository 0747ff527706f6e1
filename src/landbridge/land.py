"""How does a file that a mover put into the holding folder come to the share, once, whole and proven? Top to bottom.

List, claim, copy, verify, land, receipt, clear. What a file is to be is read from the server, and what it is from our own
copy; nothing that the mover says is believed. Safe to run twice, on two hosts at once, beside `collect`, to kill anywhere.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from landbridge.delivered import MANY, deliver_all, each
from landbridge.errors import LandbridgeError
from landbridge.held import ended_without, leftovers, wanted_of, with_strange
from landbridge.receipted import resend
from landbridge.released import State
from landbridge.steps.take import take_claimed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landbridge.facts import Manifest
    from landbridge.held import Decided, Wanted
    from landbridge.ports import Holding
    from landbridge.released import Outcome
    from landbridge.world import Ground

_ON_RECORD = {State.DELIVERED, State.ALREADY_THERE, State.SUPERSEDED, State.UNRECEIPTED}


def land(ground: Ground, holding: Holding, wanted: Wanted, decided: Decided) -> list[Outcome]:
    """Land what is in holding of what is `wanted`, and send the receipts; say of each slot that is named how it ended.

    `decided` tells what is on record of a slot that the server does not offer.

    Raises:
        ShareRefused, DiskFailed, IntegrityBroken: share, journal or holding are not there or cannot be trusted.
        Unavailable, NotPermitted: the server cannot be asked what is to be landed.
    """
    held = {feed: holding.names(feed) for feed in wanted.feeds}
    with ground.threads(MANY, "line") as line:
        unsent = [one for one in ground.share.unreceipted(wanted.first) if wanted.includes(one)]
        again = resend(ground, unsent)
        offer = wanted_of(ground, wanted, held)
        take = partial(take_claimed, holding, ground.clock, ground.share.collector)
        ended = deliver_all(ground, "land", offer.manifests, each(line, take))
    on_record = {(one.what, one.revision) for one in ended if one.state in _ON_RECORD}
    clear(
        holding,
        (one for one in offer.manifests if (f"{one.feed}/{one.occurrence}", one.revision) in on_record),
    )
    with suppress(LandbridgeError):  # what is left is in nobody's way, and told
        clear(holding, leftovers(ground, holding, wanted))
        ground.share.tidy()
    outcomes = [*again, *offer.settled, *ended]
    outcomes += ended_without(ground, wanted, outcomes, decided)
    return with_strange(wanted, offer.strange, outcomes)


def clear(holding: Holding, manifests: Iterable[Manifest]) -> None:
    """Remove from holding what is on record as landed, whoever landed it."""
    for manifest in manifests:
        holding.clear(manifest)
