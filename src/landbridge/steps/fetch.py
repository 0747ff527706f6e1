"""How does a released file come into its part on the share's volume?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.facts import Download
from landbridge.ports import ONE_ANSWER
from landbridge.steps.at_once import under_way
from landbridge.steps.claimed import if_claimed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from datetime import datetime
    from pathlib import Path

    from landbridge.facts import Brought, Fetched, Manifest, Receipt
    from landbridge.ports import Claim, Clock, Remote


def fetch(
    remote: Remote,
    clock: Clock,
    collector: str,
    watch: Callable[[int], None],
    claim: Claim,
    manifest: Manifest,
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
    resumed = resumed if resumed <= manifest.size else 0  # what is too long is no part of it
    return _account(manifest, came, collector, began_at, clock.now(), resumed, attempts)


def _account(
    manifest: Manifest,
    came: Fetched,
    collector: str,
    began_at: datetime,
    ended_at: datetime,
    resumed: int,
    attempts: int,
) -> Download:
    return Download(
        server=came.server,
        remote_path=manifest.remote_path,
        resumed_from=resumed,
        size=came.content.size,
        sha256=came.content.sha256,
        attempts=attempts,
        began_at=began_at,
        ended_at=ended_at,
        collector=collector,
        commitment=manifest.commitment,
    )


def fetch_all(
    remote: Remote,
    clock: Clock,
    collector: str,
    line: Executor,
    watch: Callable[[int], None],
    claims: Sequence[Claim | LandbridgeError],
    manifests: Sequence[Manifest],
) -> list[Brought | Receipt | LandbridgeError]:
    """Do as `fetch_claimed` for each: small ones that nobody has begun come together, the others have a thread of `line` each.

    Of those that come together, each one's account tells when all were asked for and when all were durable.
    """
    answers: dict[int, Brought | Receipt | LandbridgeError] = {}
    together: dict[int, tuple[str, Path, int]] = {}
    alone: dict[int, tuple[Claim | LandbridgeError, Manifest]] = {}
    for number, (claim, manifest) in enumerate(zip(claims, manifests, strict=True)):
        if not isinstance(claim, LandbridgeError) and _is_fresh(claim, manifest):
            together[number] = manifest.remote_path, claim.part, manifest.size
        else:
            alone[number] = claim, manifest
    one = partial(fetch_claimed, remote, clock, collector, watch)
    with under_way(line, one, alone.values(), remote.close) as coming:
        began_at = clock.now()
        came = remote.download_many([*together.values()], watch) if together else []
        ended_at = clock.now()
        answers |= zip(alone, (each.result() for each in coming), strict=True)
    for number, fetched in zip(together, came, strict=True):
        answers[number] = (
            fetched
            if isinstance(fetched, LandbridgeError)
            else _account(manifests[number], fetched, collector, began_at, ended_at, 0, fetched.attempts)
        )
    return [answers[number] for number in range(len(claims))]


def _is_fresh(claim: Claim, manifest: Manifest) -> bool:
    """Tell whether a small file is to come from its first byte on; what cannot be told is for `fetch_claimed` to say."""
    if manifest.size > ONE_ANSWER or claim.landed is not None or claim.brought is not None:
        return False
    try:
        return claim.there() == 0
    except LandbridgeError:
        return False


def fetch_claimed(
    remote: Remote,
    clock: Clock,
    collector: str,
    watch: Callable[[int], None],
    claim: Claim | LandbridgeError,
    manifest: Manifest,
) -> Brought | Receipt | LandbridgeError:
    """Download what is claimed; see `if_claimed`."""
    return if_claimed(partial(fetch, remote, clock, collector, watch), claim, manifest)
