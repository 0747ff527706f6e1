"""How does a validated file become the ciphertext that travels?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from landbridge.errors import IntegrityBroken
from landbridge.facts import Draft, Sealed
from landbridge.formats import suffix
from landbridge.formats.openpgp import encrypt
from landbridge.plan import same_bytes
from landbridge.steps.stage import stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.facts import Validated
    from landbridge.feed.outputs import File
    from landbridge.ports import Store

log = structlog.get_logger()

ENCRYPTED_SUFFIX = ".pgp"


def seal(
    validated: Validated, staging: Store, file: File, recipients: Sequence[str], scratch: Path
) -> Sealed:
    """Encrypt the staged plain file once, and stage the ciphertext.

    OpenPGP never gives the same bytes twice, so this happens before the commit, which then names these very bytes.
    `recipients` are armoured public keys.

    Raises:
        UsageError: a key cannot be used for encryption.
        IntegrityBroken: staging gave other bytes than were validated.
    """
    if file.encryption is None:
        raise ValueError(file.name)
    plain, cipher = scratch / "plain", scratch / "cipher"
    try:
        came = staging.fetch(validated.staged.at, plain)
        if not same_bytes(came, validated.staged.content):
            raise IntegrityBroken(f"staging changed {validated.staged.at} after it was validated")
        encrypted = encrypt(plain, cipher, recipients, armour=file.encryption.armour)
        content = replace(encrypted.content, rows=validated.staged.content.rows)
        draft = Draft(slot=validated.staged.slot, path=cipher, content=content)
        ciphertext = stage(draft, staging, suffix(file) + ENCRYPTED_SUFFIX)
    finally:
        plain.unlink(missing_ok=True)
        cipher.unlink(missing_ok=True)
    log.info("sealed", recipients=list(encrypted.fingerprints), plain_sha256=validated.staged.content.sha256)
    return Sealed(validated, ciphertext, tuple(encrypted.fingerprints))
