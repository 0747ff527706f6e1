"""How does an SFTP endpoint look from outside: does a key open it, and which host key does it show?"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from landbridge.errors import UsageError
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Client, Endpoint, Tuning
from landbridge.sftp.errors import failed, translated

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWER = 20.0
_CUTS = 2
"""Without an algorithm in common both ends give up. A server's end that is seen before its offer was looked at says nothing."""
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}
"""How a client asks for a key of an algorithm, where that has another name than the key."""


@dataclass(frozen=True, slots=True)
class SftpDoor:
    """An endpoint as a client meets it; obeys the `Door` that the key commands ask for."""

    host: str
    port: int
    user: str
    pinned: Callable[[], tuple[str, ...]]
    """The pinned host keys; asked for only when somebody logs in."""

    def log_in(self, private_key: str) -> None:
        """Log in and list the home; see ports.Door of deploy.keys."""
        pinned = self.pinned()
        if not pinned:
            raise UsageError(
                "no host key is pinned: a log-in would trust whoever answers",
                hint="pin what `landbridge keys status --host` shows under `sftp.host_keys`",
            )
        # In this process: the key stays in memory, and the server's log shows that it was we.
        tuning = Tuning(client=Client.ASYNCSSH)
        with SftpRemote(Endpoint(self.host, self.port, self.user, private_key, pinned), tuning) as remote:
            remote.folders("/")

    def shown(self, algorithm: str) -> str:
        """Give the public host key that is shown to who asks for `algorithm`; empty without one."""
        endpoint = Endpoint(self.host, self.port, self.user, "", ())
        with translated(endpoint, "asking for the host key"):
            try:
                key = asyncio.run(self._asked(algorithm))
            except asyncssh.KeyExchangeFailed:
                return ""  # it has no key of this algorithm
            except (OSError, asyncssh.Error) as error:  # no answer in time is an OSError, too
                raise failed(
                    endpoint, "asking for the host key", str(error) or type(error).__name__
                ) from error
        return key.export_public_key("openssh").decode().strip() if key else ""

    async def _asked(self, algorithm: str) -> asyncssh.SSHKey | None:
        for _ in range(_CUTS):
            with suppress(asyncssh.ConnectionLost):
                return await self._asked_once(algorithm)
        return await self._asked_once(algorithm)

    async def _asked_once(self, algorithm: str) -> asyncssh.SSHKey | None:
        return await asyncio.wait_for(
            asyncssh.get_server_host_key(
                self.host,
                self.port,
                config=None,
                server_host_key_algs=_SIGNATURES.get(algorithm, (algorithm,)),
            ),
            _ANSWER,
        )
