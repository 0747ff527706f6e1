"""Whose receipts count?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.project import Place
    from landbridge.twin.state import Ground
    from landbridge.wiring.secrets import References


def receipt_keys(place: Place, references: References, twin: Ground | None) -> tuple[str, ...]:
    """Give the public keys that receipts are checked against."""
    if twin is not None:
        return (twin.receipt_public_key_file.read_text(encoding="utf-8"),)
    return tuple(references.text(key) for key in place.share.receipt_public_keys)
