"""What does an error of SFTP or of the line mean to the operator? The one place that words them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, NotFound, NotPermitted, Unavailable
from landbridge.sftp.channel import Lost
from landbridge.sftp.packets import DENIED, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.sftp.endpoint import Endpoint

MAY_NOT = "compare the user's role or permissions with those of the SFTP user in `landbridge needs`"
"""What to do about what a server does not allow."""


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Turn what the server refuses, and the end of a line, into ours; `doing` says what was tried (`reading /outbound/x`).

    Raises:
        NotFound, NotPermitted, Unavailable: as the names say.
    """
    try:
        yield
    except Refused as error:
        if error.absent:
            raise NotFound(f"{doing}: it is not on {endpoint}", seen=error.reason) from error
        if error.code == DENIED:
            raise NotPermitted(
                f"{doing}: {endpoint} does not allow it",
                seen=error.reason,
                hint=MAY_NOT,
            ) from error
        raise failed(endpoint, doing, error.reason) from error
    except Lost as error:
        raise failed(endpoint, doing, str(error)) from error


def failed(endpoint: Endpoint, doing: str, seen: str) -> Unavailable:
    """Say that the line or the server failed."""
    return Unavailable(
        f"{doing}: the connection to {endpoint} failed",
        seen=seen,
        hint="the same command goes on where it stopped; check the network and the server if this stays",
    )


def closed(endpoint: Endpoint) -> Unavailable:
    """Say that we ended the connection ourselves."""
    return Unavailable(f"the connection to {endpoint} was closed")


def no_answer(silent: float, most: float) -> str:
    """Say that an answer was awaited in vain, if it was; empty while it may come."""
    return f"no answer for {silent:.0f} s, though the server keeps the line" if silent > most else ""


def key_refused(endpoint: Endpoint, seen: str) -> NotPermitted:
    """Say that the server does not know our key."""
    return NotPermitted(
        f"{endpoint} refused the key",
        expected=f"that the public key of `private_key` is registered for the user {endpoint.user}",
        seen=seen,
        hint="register the public key with the server, or correct `user` and `private_key`",
    )


def host_key_changed(endpoint: Endpoint, seen: str, pinned: Sequence[str]) -> IntegrityBroken:
    """Say that somebody else answers, or that the server got a new key."""
    return IntegrityBroken(
        f"the host key of {endpoint.host}:{endpoint.port} is not the pinned one; nothing was sent or read",
        expected=" or ".join(pinned),
        seen=seen,
        hint="ask the server's owner for its fingerprint over another channel; if it is the new one, "
        "add its public key to `sftp.host_keys` (keep the old one until the change is over)",
    )
