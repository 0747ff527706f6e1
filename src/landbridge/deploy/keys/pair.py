"""Which kinds of SSH key pairs are there, and in which form does each reader want them?"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self, assert_never

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from landbridge.errors import IntegrityBroken

_BITS, _EXPONENT = 4096, 65537
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Kind(StrEnum):
    """Kinds that AWS Transfer Family takes for users and for hosts.

    Control-M generates RSA and ECDSA itself; RSA of 4,096 bits is what all its releases read.

    Source: AWS Transfer Family User Guide, "Supported algorithms for user and server keys".
    """

    RSA = "rsa"
    ECDSA = "ecdsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One key pair. The private half is text in memory, never in a message, a log or a file of ours."""

    private: str = field(repr=False)
    """PEM: PKCS #1 for RSA and SEC 1 for ECDSA, which every SSH client reads; OpenSSH's own for Ed25519, which has no other."""
    public: str
    """One OpenSSH line without a comment."""

    @classmethod
    def generate(cls, kind: Kind) -> Self:
        """Make a new one."""
        match kind:
            case Kind.RSA:
                return cls._of(rsa.generate_private_key(_EXPONENT, _BITS))
            case Kind.ECDSA:
                return cls._of(ec.generate_private_key(ec.SECP256R1()))
            case Kind.ED25519:
                return cls._of(ed25519.Ed25519PrivateKey.generate())
            case _:
                assert_never(kind)

    @classmethod
    def parse(cls, private: str, where: str) -> Self:
        """Read a private key in any form that `generate` or ssh-keygen writes; `where` names its place in messages.

        Raises:
            IntegrityBroken: it is none, or one with a passphrase.
        """
        data = private.encode()
        try:
            if b"OPENSSH PRIVATE KEY" in data:
                key: object = serialization.load_ssh_private_key(data, None)
            else:
                key = serialization.load_pem_private_key(data, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _no_key(where) from error
        if not isinstance(key, _PrivateKey):
            raise _no_key(where)
        return cls._of(key)

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as ssh-keygen and AWS write it."""
        return fingerprint(self.public)

    @property
    def algorithm(self) -> str:
        """`ssh-rsa`, `ssh-ed25519`, `ecdsa-sha2-nistp256`."""
        return self.public.split(" ", 1)[0]

    @classmethod
    def _of(cls, key: _PrivateKey) -> Self:
        form = (
            serialization.PrivateFormat.OpenSSH
            if isinstance(key, ed25519.Ed25519PrivateKey)
            else serialization.PrivateFormat.TraditionalOpenSSL
        )
        private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return cls(private.decode(), public.decode())


def fingerprint(public: str) -> str:
    """Give the SHA-256 fingerprint of a public key's OpenSSH line.

    Raises:
        ValueError: it is no such line.
    """
    digest = hashlib.sha256(blob(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def blob(public: str) -> bytes:
    """Give the key itself of a public key's OpenSSH line, as it goes over the wire.

    Raises:
        ValueError: it is no such line.
    """
    words = public.split()
    if len(words) < 2:  # noqa: PLR2004 - algorithm and key
        raise ValueError(public)
    return base64.b64decode(words[1], validate=True)


def same(one: str, other: str) -> bool:
    """Tell whether two OpenSSH lines are the same key, whatever their comments."""
    return one.split()[:2] == other.split()[:2]


def _no_key(where: str) -> IntegrityBroken:
    return IntegrityBroken(
        f"{where} holds no private key that can be used",
        expected="RSA, ECDSA or Ed25519 in PEM or OpenSSH form, without a passphrase",
        hint="look at who wrote it; `landbridge keys` writes the whole secret and nothing else",
    )
