"""How is a file encrypted to its recipients, and which keys are refused?

The library encrypts to expired and revoked keys without a word, so what is no longer good is taken out before it
sees a key.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed, UsageError
from landbridge.facts import Content

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pysequoia import Cert
    from pysequoia.packet import Packet


@dataclass(frozen=True, slots=True)
class Encrypted:
    """What the ciphertext is, and whom it was encrypted to."""

    content: Content
    """Size and sha256 of the ciphertext; rows is 0."""
    fingerprints: tuple[str, ...]
    """Primary keys of the recipients, lower-case hex, in the order given."""


def encrypt(path: Path, into: Path, recipients: Sequence[str], *, armour: bool) -> Encrypted:
    """Encrypt the file `path` into the new file `into`, so that each of `recipients` (armoured keys) can read it.

    A stream: memory stays the same whatever the size (8 MiB more for 500 MB). Whether a key has expired is asked of
    this machine's clock. Every call gives other bytes: OpenPGP draws a new session key. On error `into` is removed.

    Raises:
        UsageError: a text is no public key, or a key is expired, revoked, or has no live part for encryption.
        DiskFailed: a file cannot be read or written.

    Source: RFC 9580; sections 5.2.1 (signature types) and 5.2.3 (key flags, expiration).
    """
    import pysequoia

    certificates = _certificates(recipients, datetime.now(UTC))
    with ExitStack() as unless_whole:
        unless_whole.callback(into.unlink, missing_ok=True)
        try:
            pysequoia.encrypt_file(path, into, list(certificates.values()), armor=armour)
            with into.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = into.stat().st_size
        except (RuntimeError, OSError) as error:
            raise DiskFailed(f"{path.name} could not be encrypted", seen=_first_line(error)) from error
        unless_whole.pop_all()
    return Encrypted(Content(size, sha256, rows=0), tuple(certificates))


def ends_of(recipient: str, now: datetime) -> datetime | None:
    """Give when the first of a recipient's keys ends; None where none of them ever does.

    Raises:
        UsageError: it cannot be encrypted to now; see `encrypt`.
    """
    ends = []
    for certificate in _certificates([recipient], now).values():
        parts = [part.ends_at for part in _parts(bytes(certificate)) if part.encrypts]
        # Encryption goes on while one part lives.
        last = None if None in parts else max((at for at in parts if at is not None), default=None)
        ends += [at for at in (certificate.expiration, last) if at is not None]
    return min(ends, default=None)


def _certificates(recipients: Sequence[str], now: datetime) -> dict[str, Cert]:
    from pysequoia import Cert

    found: dict[str, Cert] = {}
    for number, text in enumerate(recipients, 1):
        if "PRIVATE KEY" in text:
            raise UsageError(
                f"recipient {number} is a secret key",
                expected="a public key",
                hint="take its public half: gpg --armor --export NAME",
            )
        try:
            certificates = Cert.split_bytes(text.encode())
        except RuntimeError as error:
            raise UsageError(
                f"recipient {number} is no OpenPGP public key",
                expected="-----BEGIN PGP PUBLIC KEY BLOCK-----",
                seen=_first_line(error),
            ) from error
        for certificate in certificates:
            found[certificate.fingerprint] = _live(certificate, now)
    if not found:
        raise UsageError("no recipient to encrypt to", hint="declare `encryption.recipients`")
    return found


def _live(certificate: Cert, now: datetime) -> Cert:
    """Give the certificate with nothing in it that must not be used any more.

    Raises:
        UsageError: that leaves no key to encrypt to.
    """
    from pysequoia import Cert

    name = f"the key {certificate.fingerprint}"
    if certificate.is_revoked:
        raise UsageError(f"{name} is revoked", hint="ask the recipient for their new key")
    if certificate.expiration is not None and certificate.expiration <= now:
        raise UsageError(
            f"{name} expired on {certificate.expiration:%Y-%m-%d}", hint="ask the recipient for their new key"
        )
    parts = _parts(bytes(certificate))
    primary, subkeys = parts[0], [part for part in parts[1:] if part.encrypts]
    live = [part for part in subkeys if part.ends(now) is None]
    if not live and not primary.encrypts:
        why = subkeys[0].ends(now) if subkeys else "it can only sign"
        raise UsageError(
            f"{name} has no part for encryption: {why}", hint="ask the recipient for an encryption key"
        )
    return Cert.from_packets([packet for part in (primary, *live) for packet in part.packets])


@dataclass(frozen=True, slots=True)
class _Part:
    """A primary key or subkey with the signatures that follow it."""

    packets: list[Packet]

    @property
    def _binding(self) -> Packet | None:
        """The newest signature that says what the key is for."""
        signatures = [packet for packet in self.packets if packet.key_flags is not None]
        return max(signatures, key=_created, default=None)

    @property
    def encrypts(self) -> bool:
        flags = self._binding.key_flags if self._binding else None
        return flags is not None and (flags.transport_encryption or flags.storage_encryption)

    def ends(self, now: datetime) -> str | None:
        """Say why a subkey may not be used any more, None when it may."""
        from pysequoia.packet import SignatureType

        if any(packet.signature_type == SignatureType.SubkeyRevocation for packet in self.packets):
            return "its encryption subkey is revoked"
        if self.ends_at is not None and self.ends_at <= now:
            return f"its encryption subkey expired on {self.ends_at:%Y-%m-%d}"
        return None

    @property
    def ends_at(self) -> datetime | None:
        """When it expires, if ever."""
        period = self._binding.key_validity_period if self._binding else None
        created = self.packets[0].key_created
        return created + period if period and created else None


def _parts(certificate: bytes) -> list[_Part]:
    from pysequoia.packet import PacketPile, Tag

    parts: list[_Part] = []
    for packet in PacketPile.from_bytes(certificate):
        if packet.tag == Tag.PublicKey or packet.tag == Tag.PublicSubkey:  # noqa: PLR1714 # a tag has no hash
            parts.append(_Part([]))
        parts[-1].packets.append(packet)
    return parts


def _created(packet: Packet) -> datetime:
    return packet.signature_created or datetime.min.replace(tzinfo=UTC)


def _first_line(error: Exception) -> str:
    """Leave out the library's stack of native frames."""
    return str(error).split("\n\nStack", 1)[0].replace("\n", " ")
