"""How does a released file come into its part on the share's volume?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError, disk_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    with _disk(claim.part):
        resumed = _is_there(claim.part)
    content = remote.download(manifest.remote_path, claim.part, manifest.size, watch)
    if resumed and content.sha256 != manifest.sha256:
        with _disk(claim.part):
            claim.part.unlink()
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


def _is_there(part: Path) -> bool:
    try:
        part.lstat()  # `Path.exists` takes a share that is away for a part that is not there, in some versions of Python
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _disk(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_refused(error, f"downloading to {part}") from error
