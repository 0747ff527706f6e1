"""How is one connection opened, kept and opened again? All of it on the event loop's thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh

from landbridge.errors import IntegrityBroken, NotPermitted, Unavailable, UsageError
from landbridge.sftp.errors import host_key_changed, translated

if TYPE_CHECKING:
    from landbridge.sftp.endpoint import Endpoint, Tuning

_FASTEST_FIRST = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Before asyncssh's own order, which begins with ChaCha20: with AES in the processor GCM needs half the time."""

_UNANSWERED = 4


class _Pinning(asyncssh.SSHClient):
    """Hears which host key was refused, so that the message can show both fingerprints."""

    def __init__(self) -> None:
        self.refused = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 - asyncssh calls it so
        self.refused = key.get_fingerprint()
        return False


class Session:
    """One SSH connection with one SFTP channel, opened when first needed and again after a cut."""

    def __init__(self, endpoint: Endpoint, tuning: Tuning) -> None:
        """Read the keys.

        Raises:
            NotPermitted: the private key or its passphrase cannot be used.
            UsageError: a pinned host key is not one.
        """
        self._endpoint = endpoint
        self._tuning = tuning
        self._key = _private_key(endpoint)
        self._pinned = _host_keys(endpoint)
        self._opening = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self.closed = False
        """True from the moment that `close` was called."""

    async def client(self) -> asyncssh.SFTPClient:
        """Give the SFTP channel; one caller opens it, the others wait.

        Raises:
            IntegrityBroken: another host key.
            NotPermitted: the key was refused.
            Unavailable: no answer, or closed.
        """
        async with self._opening:
            if self.closed:
                raise Unavailable(f"the connection to {self._endpoint} was closed")
            if self._client is None or self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
                with translated(self._endpoint, "opening SFTP"):
                    self._client = await self._connection.start_sftp_client()
            return self._client

    async def close(self) -> None:
        """End the connection and wait until it is gone."""
        self.closed = True
        if self._connection is not None:
            self._connection.abort()
            await self._connection.wait_closed()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        pinning = _Pinning()
        try:
            with translated(self._endpoint, "connecting"):
                return await asyncssh.connect(
                    self._endpoint.host,
                    self._endpoint.port,
                    config=None,
                    username=self._endpoint.user,
                    client_factory=lambda: pinning,
                    client_keys=[self._key],
                    agent_path=None,
                    preferred_auth="publickey",
                    known_hosts=(self._pinned, [], []),
                    encryption_algs=_FASTEST_FIRST,
                    compression_algs=["none"],
                    connect_timeout=self._tuning.connect_timeout,
                    login_timeout=self._tuning.connect_timeout,
                    keepalive_interval=self._tuning.keepalive,
                    keepalive_count_max=_UNANSWERED,
                    window=self._tuning.window,
                )
        except Unavailable as error:
            if isinstance(error.__cause__, asyncssh.HostKeyNotVerifiable | asyncssh.KeyExchangeFailed):
                raise await self._changed(pinning.refused, error) from error
            raise

    async def _changed(self, refused: str, error: Unavailable) -> IntegrityBroken | Unavailable:
        # A server without any key of a pinned type fails before it shows a key: ask it for the one it has.
        if not refused:
            with translated(self._endpoint, "asking for the host key"):
                key = await asyncio.wait_for(
                    asyncssh.get_server_host_key(self._endpoint.host, self._endpoint.port, config=None),
                    self._tuning.connect_timeout,
                )
            if key is None or key.get_fingerprint() in {pinned.get_fingerprint() for pinned in self._pinned}:
                return error
            refused = key.get_fingerprint()
        return host_key_changed(self._endpoint, refused, [key.get_fingerprint() for key in self._pinned])


def _private_key(endpoint: Endpoint) -> asyncssh.SSHKey:
    hint = "`sftp.private_key` and `sftp.passphrase` must refer to an OpenSSH or PEM private key and its passphrase"
    try:
        return asyncssh.import_private_key(endpoint.private_key, endpoint.passphrase)
    except asyncssh.KeyEncryptionError as error:
        raise NotPermitted(
            "the passphrase of the SFTP private key is missing or wrong", seen=str(error), hint=hint
        ) from error
    except asyncssh.KeyImportError as error:
        raise NotPermitted("the SFTP private key cannot be read", seen=str(error), hint=hint) from error


def _host_keys(endpoint: Endpoint) -> list[asyncssh.SSHKey]:
    try:
        return [asyncssh.import_public_key(line) for line in endpoint.host_keys]
    except asyncssh.KeyImportError as error:
        raise UsageError(
            "a pinned host key cannot be read",
            expected="an OpenSSH line: `ssh-ed25519 AAAA...`",
            seen=str(error),
            hint="correct `sftp.host_keys`",
        ) from error
