"""Where do judged bytes lie when their verdict is written? Where they may stay, and as they will travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from landbridge.facts import Breached, Empty, Validated
from landbridge.formats import suffix
from landbridge.steps.quarantine import keep
from landbridge.steps.seal import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.facts import Judged, Sealed
    from landbridge.feed.outputs import File
    from landbridge.ports import Store


def lodge(
    judged: Judged, staging: Store, file: File, recipients: Callable[[], Sequence[str]], scratch: Path
) -> Judged | Sealed:
    """Keep in quarantine what broke its contract, encrypt what travels encrypted, and leave the rest where it is.

    Before the commit, so that a verdict never points at bytes that are gone, or of which another try would make others.
    """
    match judged:
        case Validated() if file.encryption:
            return seal(judged, staging, file, recipients(), scratch)
        case Breached():
            return keep(judged, staging, suffix(file))
        case Validated() | Empty():
            return judged
        case _:
            assert_never(judged)
