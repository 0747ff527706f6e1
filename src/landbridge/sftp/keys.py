"""Which keys do we hold, and which do we know? Both as text, ready for either client."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.errors import NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from landbridge.sftp.endpoint import Endpoint

_HOST_KEYS = {
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
}
_HINT = (
    "`sftp.private_key` and `sftp.passphrase` must refer to an OpenSSH or PEM private key and its passphrase"
)


@dataclass(frozen=True, slots=True)
class HostKey:
    """A pinned public key of a server."""

    line: str
    """Type and base64, without a comment."""
    fingerprint: str
    """`SHA256:...`, as ssh-keygen prints it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a client needs to log in."""

    private: str = field(repr=False)
    """OpenSSH format, without a passphrase: it stays in memory."""
    pinned: tuple[HostKey, ...]


def read(endpoint: Endpoint) -> Keys:
    """Read the keys of an endpoint.

    Raises:
        NotPermitted: the private key or its passphrase cannot be used.
        UsageError: a pinned host key is not one, or none is pinned.
    """
    if not endpoint.host_keys:
        raise _no_host_key("nothing")
    return Keys(_private(endpoint), tuple(_pinned(line) for line in endpoint.host_keys))


def _pinned(line: str) -> HostKey:
    kind, _, rest = line.strip().partition(" ")
    try:
        text = rest.split()[0]
        blob = b64decode(text, validate=True)
    except (IndexError, binascii.Error) as error:
        raise _no_host_key("not `TYPE BASE64`") from error
    name = kind.encode()
    if kind not in _HOST_KEYS:
        raise _no_host_key("not of the type ed25519, rsa or ecdsa")
    if not blob.startswith(len(name).to_bytes(4) + name):
        raise _no_host_key("its type and its base64 do not agree")
    digest = b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return HostKey(f"{kind} {text}", f"SHA256:{digest}")


def _no_host_key(seen: str) -> UsageError:
    return UsageError(
        "a pinned host key cannot be read",
        expected="an OpenSSH line: `ssh-ed25519 AAAA...`",
        seen=seen,
        hint="correct `sftp.host_keys`",
    )


def _private(endpoint: Endpoint) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    openssh = "BEGIN OPENSSH PRIVATE KEY" in endpoint.private_key
    load: Callable[[bytes, bytes | None], PrivateKeyTypes]
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        key = _loaded(load, endpoint)
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        ).decode()
    except TypeError as error:  # a passphrase is needed, and there is none
        raise NotPermitted(
            "the passphrase of the SFTP private key is missing or wrong", seen=str(error), hint=_HINT
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if endpoint.passphrase is not None:
            raise NotPermitted(
                "the SFTP private key cannot be read with its passphrase", seen=str(error), hint=_HINT
            ) from error
        # The library may quote the text, so it is not passed on.
        raise NotPermitted("the SFTP private key cannot be read", hint=_HINT) from error


def _loaded(load: Callable[[bytes, bytes | None], PrivateKeyTypes], endpoint: Endpoint) -> PrivateKeyTypes:
    text = endpoint.private_key.strip().encode() + b"\n"
    passphrase = endpoint.passphrase.encode() if endpoint.passphrase else None
    try:
        return load(text, passphrase)
    except TypeError:
        if passphrase is None:
            raise
        return load(text, None)  # it needs none
