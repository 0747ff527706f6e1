"""Which keys does a twin have, and in which form does each reader want them?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """One key pair, for SSH or for signing receipts."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, private_openssh: str) -> Self:
        """Read what `private_openssh` gave.

        Raises:
            ValueError: it is another kind of key.
        """
        return cls(_ed25519(serialization.load_ssh_private_key(private_openssh.encode(), None)))

    @classmethod
    def parse_pem(cls, private_pem: str) -> Self:
        """Read what `private_pem` gave.

        Raises:
            ValueError: it is another kind of key.
        """
        return cls(_ed25519(serialization.load_pem_private_key(private_pem.encode(), None)))

    @property
    def private_openssh(self) -> str:
        """The private key as OpenSSH keeps it, without a passphrase."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ).decode()

    @property
    def public_openssh(self) -> str:
        """The public key as one OpenSSH line, without a comment."""
        return (
            self.private.public_key()
            .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            .decode()
        )

    @property
    def private_pem(self) -> str:
        """The private key as PKCS #8 PEM."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def public_pem(self) -> str:
        """The public key as PEM (SubjectPublicKeyInfo)."""
        return (
            self.private.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )


def _ed25519(key: object) -> Ed25519PrivateKey:
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")  # noqa: TRY004 - the text is wrong, not its type
    return key
