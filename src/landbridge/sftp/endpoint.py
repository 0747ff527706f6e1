"""Which server, as whom, with which keys, and by which client?"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Client(StrEnum):
    """Who speaks SSH under our SFTP."""

    AUTO = "auto"
    """OpenSSH where it can be used, else asyncssh."""
    OPENSSH = "openssh"
    """The host's own `ssh`, as a child."""
    ASYNCSSH = "asyncssh"
    """asyncssh, in this process."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An SFTP server and the user we are there. Keys come as text: the adapter opens no key files."""

    host: str
    port: int
    user: str
    private_key: str = field(repr=False)
    """OpenSSH or PEM."""
    host_keys: tuple[str, ...]
    """Pinned public host keys, OpenSSH lines (`ssh-ed25519 AAAA...`); several while one is being replaced."""
    passphrase: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Give the URL a person can read."""
        return f"sftp://{self.user}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the line is used. The defaults suit a long one; see docs for the measurements."""

    window: int = 16 << 20
    """Most bytes asked for and not yet written, over all downloads: at 20 ms round trip 2 MiB takes twice the time."""
    connect_timeout: float = 20.0
    """Seconds for TCP, and again for keys and log-in."""
    keepalive: float = 15.0
    """Seconds of silence before the server is asked whether it is there; after four unanswered, the line counts as cut.

    AWS Transfer Family itself ends a session that is unresponsive for 5 min or idle for 30.
    """
    silence: float = 300.0
    """Seconds without a byte, while an answer is awaited, after which the line counts as cut: keepalives only show that
    the server's SSH is there. A line on which nothing was asked may be silent for ever.
    """
    bandwidth: int | None = None
    """Most bytes a second, over all downloads."""
    client: Client = Client.AUTO
    """Who speaks SSH."""


UNANSWERED = 4
"""Keepalives without an answer after which the line counts as cut."""
CLIENT = "Landbridge"
"""How a session in this process names itself (`SSH-2.0-Landbridge`), so that the server's log tells it from other clients."""
