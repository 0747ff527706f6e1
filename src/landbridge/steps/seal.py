"""How does a validated file become the ciphertext that travels?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken
from landbridge.events import log
from landbridge.facts import Draft, Sealed
from landbridge.formats import suffix
from landbridge.formats.openpgp import encrypt
from landbridge.plan import same_bytes
from landbridge.steps.stage import stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.facts import Staged, Validated
    from landbridge.feed.outputs import File
    from landbridge.ports import Store


ENCRYPTED_SUFFIX = ".pgp"


def seal(
    validated: Validated, staging: Store, file: File, recipients: Sequence[str], scratch: Path
) -> Sealed:
    """Encrypt the staged plain file once, and stage the ciphertext; see `encrypted`."""
    ciphertext, fingerprints = encrypted(validated.staged, staging, file, recipients, scratch)
    return Sealed(validated, ciphertext, fingerprints)


def encrypted(
    staged: Staged, staging: Store, file: File, recipients: Sequence[str], scratch: Path
) -> tuple[Staged, tuple[str, ...]]:
    """Encrypt staged bytes once, and stage the ciphertext; give it, and the fingerprints of the keys.

    OpenPGP never gives the same bytes twice, so this happens before the commit, which then names these very bytes.
    `recipients` are armoured public keys.

    Raises:
        UsageError: a key cannot be used for encryption.
        IntegrityBroken: staging gave other bytes than were judged.
    """
    if file.encryption is None:
        raise ValueError(file.name)
    plain, cipher = scratch / "plain", scratch / "cipher"
    try:
        came = staging.fetch(staged.at, plain)
        if not same_bytes(came, staged.content):
            raise IntegrityBroken(
                f"staging changed {staged.at} after it was judged",
                expected=f"sha256 {staged.content.sha256}",
                seen=f"sha256 {came.sha256}",
                hint="nothing was decided; look at who can write there, then run it again",
            )
        made = encrypt(plain, cipher, recipients, armour=file.encryption.armour)
        content = replace(made.content, rows=staged.content.rows)
        draft = Draft(slot=staged.slot, path=cipher, content=content)
        ciphertext = stage(draft, staging, suffix(file) + ENCRYPTED_SUFFIX)
    finally:
        plain.unlink(missing_ok=True)
        cipher.unlink(missing_ok=True)
    log.info("sealed", recipients=list(made.fingerprints), plain_sha256=staged.content.sha256)
    return ciphertext, tuple(made.fingerprints)
