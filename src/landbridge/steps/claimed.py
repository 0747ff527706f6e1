"""What comes of a file that was to be claimed: who brings it, and what is passed on where there is nothing to bring?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.facts import Brought, Manifest, Receipt
    from landbridge.ports import Claim


def if_claimed(
    bring: Callable[[Claim, Manifest], Brought], claim: Claim | LandbridgeError, manifest: Manifest
) -> Brought | Receipt | LandbridgeError:
    """Bring the file if there is a claim and something to deliver; else, or when that fails, pass on why not."""
    if isinstance(claim, LandbridgeError):
        return claim
    try:
        return claim.landed or bring(claim, manifest)
    except LandbridgeError as error:
        return error
