"""What does the server's log prove about keys: which agent has logged in with the new one, and who still uses the old?

Transfer Family writes a structured event when a client is let in, with the fingerprint of its key, its address and how it
names itself. It is the only record of an agent's log-in that Control-M has no hand in.

Source: AWS Transfer Family User Guide, "CloudWatch log structure" (`CONNECTED`, `ssh-public-key-fingerprint`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

_OURS = "SSH-2.0-Landbridge"
"""How our own log-ins name themselves: that we can log in with a key says nothing of an agent."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """A client was let in."""

    at: datetime
    fingerprint: str
    """Of its key, `SHA256:...`"""
    address: str
    """Where it came from."""
    client: str = ""
    """How it names itself."""


class LogIns(Protocol):
    """The record of who was let in. Every call may raise Unavailable or NotPermitted."""

    def since(self, first: datetime) -> Sequence[LogIn]:
        """Give the user's log-ins from `first` on, as far as they are kept, oldest first. The newest minutes may be missing.

        Raises:
            UsageError: the server keeps no such record.
        """
        ...


def addresses_of(log_ins: Iterable[LogIn], fingerprint: str, since: datetime) -> list[str]:
    """Give the addresses that were let in with a key from `since` on, ours left out."""
    return sorted(
        {
            each.address
            for each in log_ins
            if each.fingerprint == fingerprint and each.at >= since and not each.client.startswith(_OURS)
        }
    )


def still_with(log_ins: Iterable[LogIn], leaving: Collection[str]) -> list[LogIn]:
    """Give the last log-in of every client that was last let in with one of the `leaving` keys: nothing tells that it can do without.

    A client is an address and how it names itself: our own program may run beside an agent, with another key.
    """
    last: dict[tuple[str, str], LogIn] = {}
    for each in log_ins:
        client = each.address, each.client
        if client not in last or last[client].at <= each.at:
            last[client] = each
    return sorted((each for each in last.values() if each.fingerprint in leaving), key=lambda each: each.at)


def latest(log_ins: Iterable[LogIn]) -> dict[str, LogIn]:
    """Give the last log-in with each key, by fingerprint, ours left out."""
    found: dict[str, LogIn] = {}
    for each in log_ins:
        known = found.get(each.fingerprint)
        if not each.client.startswith(_OURS) and (known is None or known.at <= each.at):
            found[each.fingerprint] = each
    return found
