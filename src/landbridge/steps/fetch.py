"""How does a released file come into its part on the share's volume?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.facts import Content, Manifest, Receipt
    from landbridge.ports import Claim, Remote


def fetch(remote: Remote, claim: Claim, manifest: Manifest, watch: Callable[[int], None]) -> Content:
    """Download into the claim's part, going on where an earlier try stopped.

    What a power cut left of a part may be of the right length and still not the right bytes: a resumed download that
    does not add up is begun again, once. Whether the bytes are the released ones is for `Claim.land`.

    Raises:
        ShareRefused, DiskFailed: the part cannot be looked at, written or removed.
        LandbridgeError: as `Remote.download`.
    """
    resumed = claim.is_begun()
    content = remote.download(manifest.remote_path, claim.part, manifest.size, watch)
    if resumed and content.sha256 != manifest.sha256:
        claim.begin_anew()
        content = remote.download(manifest.remote_path, claim.part, manifest.size)
    return content


def fetch_claimed(
    remote: Remote, watch: Callable[[int], None], claim: Claim | LandbridgeError, manifest: Manifest
) -> Content | Receipt | LandbridgeError:
    """Download if there is a claim and something to deliver; else pass on why not."""
    if isinstance(claim, LandbridgeError):
        return claim
    try:
        return claim.landed or fetch(remote, claim, manifest, watch)
    except LandbridgeError as error:
        return error
