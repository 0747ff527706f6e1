"""How does a file that a mover brought come into its part on the share's volume?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from landbridge.facts import Taken
from landbridge.steps.claimed import if_claimed

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.errors import LandbridgeError
    from landbridge.facts import Brought, Manifest, Receipt
    from landbridge.ports import Claim, Clock, Holding


def take_claimed(
    holding: Holding,
    clock: Clock,
    collector: str,
    watch: Callable[[int], None],
    claim: Claim | LandbridgeError,
    manifest: Manifest,
) -> Brought | Receipt | LandbridgeError:
    """Copy out of holding what is claimed; see `if_claimed`."""
    return if_claimed(partial(_taken, holding, clock, collector, watch), claim, manifest)


def _taken(
    holding: Holding,
    clock: Clock,
    collector: str,
    watch: Callable[[int], None],
    claim: Claim,
    manifest: Manifest,
) -> Taken:
    began_at = clock.now()
    content = holding.take(manifest, claim.part, watch)
    return Taken(
        holding=holding.where(manifest),
        size=content.size,
        sha256=content.sha256,
        began_at=began_at,
        ended_at=clock.now(),
        collector=collector,
        commitment=manifest.commitment,
    )
