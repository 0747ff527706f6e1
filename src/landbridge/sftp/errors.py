"""What does an error of asyncssh mean to the operator? The one place that translates them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncssh

from landbridge.errors import IntegrityBroken, LandbridgeError, NotFound, NotPermitted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.sftp.endpoint import Endpoint


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Turn what asyncssh and the network raise into ours; `doing` says what was tried (`reading /outbound/x`).

    Raises:
        NotFound, NotPermitted, Unavailable: as the names say.
    """
    try:
        yield
    except asyncssh.SFTPNoSuchFile as error:
        raise NotFound(f"{doing}: it is not on {endpoint}", seen=error.reason) from error
    except asyncssh.SFTPNoSuchPath as error:
        raise NotFound(f"{doing}: it is not on {endpoint}", seen=error.reason) from error
    except asyncssh.SFTPPermissionDenied as error:
        raise NotPermitted(
            f"{doing}: {endpoint} does not allow it",
            seen=error.reason,
            hint="compare the user's role or permissions with what `landbridge explain` says the collector needs",
        ) from error
    except asyncssh.PermissionDenied as error:
        raise NotPermitted(
            f"{endpoint} refused the key",
            expected=f"that the public key of `private_key` is registered for the user {endpoint.user}",
            seen=error.reason,
            hint="register the public key with the server, or correct `user` and `private_key`",
        ) from error
    except (TimeoutError, asyncssh.Error, OSError, EOFError) as error:
        raise cut(endpoint, doing, error) from error


def cut(endpoint: Endpoint, doing: str, error: BaseException) -> LandbridgeError:
    """Say that the line or the server failed."""
    seen = getattr(error, "reason", "") or str(error) or type(error).__name__
    return Unavailable(
        f"{doing}: the connection to {endpoint} failed",
        seen=seen,
        hint="the same command goes on where it stopped; check the network and the server if this stays",
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
