"""How does a released file come into its part on the share's volume?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.facts import Download

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.facts import Brought, Manifest, Receipt
    from landbridge.ports import Claim, Clock, Remote


def fetch(
    remote: Remote,
    clock: Clock,
    collector: str,
    claim: Claim,
    manifest: Manifest,
    watch: Callable[[int], None],
) -> Brought:
    """Download into the claim's part, going on where an earlier try stopped.

    What a power cut left of a part may be of the right length and still not the right bytes: a resumed download that
    does not add up is begun again, once. Whether the bytes are the released ones is for `Claim.land`. Of a part that was
    whole the account is that of whoever brought it, where the journal has it: asking the server again brought nothing.

    Raises:
        ShareRefused, DiskFailed: the part cannot be looked at, written or removed.
        LandbridgeError: as `Remote.download`.
    """
    began_at, resumed = clock.now(), claim.there()
    came = remote.download(manifest.remote_path, claim.part, manifest.size, watch)
    attempts = came.attempts
    if resumed and came.content.sha256 != manifest.sha256:
        claim.begin_anew()
        resumed = 0
        came = remote.download(manifest.remote_path, claim.part, manifest.size)
        attempts += came.attempts
    if claim.brought is not None and resumed == manifest.size:
        return claim.brought
    return Download(
        server=came.server,
        remote_path=manifest.remote_path,
        resumed_from=resumed if resumed <= manifest.size else 0,  # what is too long is no part of it
        size=came.content.size,
        sha256=came.content.sha256,
        attempts=attempts,
        began_at=began_at,
        ended_at=clock.now(),
        collector=collector,
        commitment=manifest.commitment,
    )


def fetch_claimed(
    remote: Remote,
    clock: Clock,
    collector: str,
    watch: Callable[[int], None],
    claim: Claim | LandbridgeError,
    manifest: Manifest,
) -> Brought | Receipt | LandbridgeError:
    """Download if there is a claim and something to deliver; else pass on why not."""
    if isinstance(claim, LandbridgeError):
        return claim
    try:
        return claim.landed or fetch(remote, clock, collector, claim, manifest, watch)
    except LandbridgeError as error:
        return error
