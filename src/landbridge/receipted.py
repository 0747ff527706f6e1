"""Have the receipts reached the server, and is that on the journal?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.ledger import make_receipt_bytes
from landbridge.naming import receipt_key
from landbridge.released import Outcome, State, proven

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ThreadPoolExecutor

    from landbridge.facts import Receipt
    from landbridge.world import Ground


def resent(ground: Ground, line: ThreadPoolExecutor, receipts: Sequence[Receipt]) -> list[Outcome]:
    """Send the receipts that an earlier run could not send."""
    unsent = send(ground, line, receipts)
    return [proven(receipt, State.ALREADY_THERE, unsent) for receipt in receipts]


def send(
    ground: Ground, line: ThreadPoolExecutor, receipts: Sequence[Receipt]
) -> dict[Receipt, LandbridgeError]:
    """Sign and send receipts, put that on the journal, and tell what went wrong; the same receipt twice is the same bytes."""

    def one(receipt: Receipt) -> LandbridgeError | None:
        try:
            key = receipt_key(receipt.feed, receipt.occurrence, receipt.revision, receipt.business_date)
            ground.remote.write(f"/{key}", make_receipt_bytes(receipt, ground.receipt_key))
        except LandbridgeError as error:
            return error
        return None

    wrong = dict(zip(receipts, line.map(one, receipts), strict=True))
    unsent = {receipt: error for receipt, error in wrong.items() if error}
    try:
        ground.share.receipted(*(receipt for receipt in receipts if receipt not in unsent))
    except LandbridgeError as error:
        return dict.fromkeys(receipts, error) | unsent
    return unsent
