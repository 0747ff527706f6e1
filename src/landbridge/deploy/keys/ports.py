"""What do the key commands ask of the secret, of the server and of a log-in, and what does each answer promise?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from landbridge.deploy.keys.pair import KeyPair


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the secret."""

    id: str
    pair: KeyPair


@dataclass(frozen=True, slots=True)
class Held:
    """What the secret holds now. On the very first version Secrets Manager puts both labels, pending and current."""

    pending: Version | None = None
    current: Version | None = None
    previous: Version | None = None


class Custody(Protocol):
    """Where the private key is kept. Every call may raise Unavailable or NotPermitted."""

    name: str
    """Of the secret, for messages."""

    def look(self) -> Held:
        """Give what is there; nothing when the secret has no value yet, or does not exist.

        Raises:
            IntegrityBroken: a version holds no key.
        """
        ...

    def keep_pending(self, pair: KeyPair, held: Held) -> None:
        """Keep `pair` as pending, unless somebody else has kept one since `held` was looked at; makes the secret if need be."""
        ...

    def make_current(self, held: Held) -> None:
        """Make the pending version the current one and the current one the previous. Again is fine.

        Raises:
            TryAgain: somebody else has made another version current since `held` was looked at.
        """
        ...


@dataclass(frozen=True, slots=True)
class Announced:
    """A public key that the server knows for the user."""

    id: str
    public: str
    """OpenSSH line."""
    since: datetime


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host key of the server; it tells its fingerprint, never the key."""

    id: str
    fingerprint: str
    """`SHA256:...`"""
    algorithm: str
    since: datetime


class Server(Protocol):
    """The control side of the SFTP server, for one user. Every call may raise Unavailable, NotPermitted or UsageError (no such server or user)."""

    def announced(self) -> Sequence[Announced]:
        """Give the user's public keys, oldest first."""
        ...

    def announce(self, public: str) -> None:
        """Add a public key; one that is there stays as it is."""
        ...

    def withdraw(self, id: str) -> None:  # noqa: A002 - the API's word
        """Take a public key away; one that is gone is fine."""
        ...

    def host_keys(self) -> Sequence[HostKey]:
        """Give the host keys, oldest first: the oldest of each algorithm is the one that clients are shown."""
        ...

    def add_host_key(self, pair: KeyPair) -> None:
        """Add a host key; one that is there stays as it is."""
        ...

    def remove_host_key(self, id: str) -> None:  # noqa: A002 - the API's word
        """Take a host key away; one that is gone is fine."""
        ...


class Door(Protocol):
    """The SFTP endpoint as a client meets it."""

    def log_in(self, private_key: str) -> None:
        """Log in with the pinned host keys and list the home.

        Raises:
            NotPermitted: the key was refused.
            IntegrityBroken: another host key than the pinned ones.
            Unavailable: it cannot be reached from here.
        """
        ...

    def shown(self, algorithm: str) -> str:
        """Give the host key (OpenSSH line) that the server shows to who asks for `algorithm`; empty without one.

        Raises:
            Unavailable: it cannot be reached from here.
        """
        ...
