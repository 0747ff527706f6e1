"""Have the receipts reached the server, and is that on the journal?"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.ledger import make_receipt_bytes
from landbridge.naming import receipt_key
from landbridge.released import Outcome, State, proven
from landbridge.steps.at_once import at_once, in_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.facts import Receipt
    from landbridge.world import Ground


_TOGETHER = 128
"""Receipts whose sending is put on the journal at once."""


def resend(ground: Ground, receipts: Sequence[Receipt]) -> list[Outcome]:
    """Send the receipts that an earlier run could not send."""

    def some(group: Sequence[Receipt]) -> list[Outcome]:
        unsent = send(ground, group)
        return [proven(receipt, State.ALREADY_THERE, unsent) for receipt in group]

    pool = ground.threads(1, "collect")
    return [*chain.from_iterable(at_once(pool, some, in_groups(receipts, _TOGETHER), ground.remote.close))]


def send(ground: Ground, receipts: Sequence[Receipt]) -> dict[Receipt, LandbridgeError]:
    """Sign and send receipts, put that on the journal, and tell what went wrong; the same receipt twice is the same bytes."""
    signed: dict[Receipt, tuple[str, bytes]] = {}
    unsent: dict[Receipt, LandbridgeError] = {}
    for one in receipts:
        try:
            key = receipt_key(one.feed, one.occurrence, one.revision, one.business_date)
            signed[one] = f"/{key}", make_receipt_bytes(one, ground.receipt_key)
        except LandbridgeError as error:
            unsent[one] = error
    wrong = dict(zip(signed, ground.remote.write_many([*signed.values()]), strict=True))
    unsent |= {receipt: error for receipt, error in wrong.items() if error}
    try:
        ground.share.receipted(*(receipt for receipt in receipts if receipt not in unsent))
    except LandbridgeError as error:
        return dict.fromkeys(receipts, error) | unsent
    return unsent
