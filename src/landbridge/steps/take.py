"""How does a file that a mover brought come into its part on the share's volume?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.facts import Content, Manifest, Receipt
    from landbridge.ports import Claim, Holding


def take_claimed(
    holding: Holding, watch: Callable[[int], None], claim: Claim | LandbridgeError, manifest: Manifest
) -> Content | Receipt | LandbridgeError:
    """Copy out of holding if there is a claim and something to deliver; else pass on why not."""
    if isinstance(claim, LandbridgeError):
        return claim
    try:
        return claim.landed or holding.take(manifest, claim.part, watch)
    except LandbridgeError as error:
        return error
