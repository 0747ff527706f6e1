"""How does asyncssh carry our channel, where the host has no `ssh`? A bare channel, on an event loop's thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import asyncssh

from landbridge.errors import NotPermitted
from landbridge.facts import Server
from landbridge.sftp.channel import Channel, Lost
from landbridge.sftp.endpoint import CLIENT, UNANSWERED
from landbridge.sftp.errors import MAY_NOT, closed, failed, host_key_changed, key_refused, no_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.errors import LandbridgeError
    from landbridge.sftp.endpoint import Endpoint, Tuning
    from landbridge.sftp.keys import Keys

_FASTEST_FIRST = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Before asyncssh's own order, which begins with ChaCha20: with AES in the processor GCM needs half the time."""


class _Pinning(asyncssh.SSHClient):
    """Hears which host key was refused, so that the message can show both fingerprints."""

    def __init__(self) -> None:
        self.refused = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 - asyncssh calls it so
        self.refused = key.get_fingerprint()
        return False


class _Receiving(asyncssh.SSHClientSession[bytes]):
    """Hands over what comes; no stream in between, which would copy and wake once more a packet."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if datatype is not None:
            return  # what a server writes to standard error
        rest = memoryview(data)
        while rest and self._channel.live:
            room = self._channel.room()
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            rest = rest[count:]
            self._channel.came(count)

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel.fail(_reason(exc) if exc else "the connection ended")


class InProcess:
    """One SSH connection with one SFTP channel; obeys channel.Line."""

    client = "asyncssh"

    def __init__(self, endpoint: Endpoint, keys: Keys, tuning: Tuning) -> None:
        self.window = tuning.window
        self._endpoint = endpoint
        self._keys = keys
        self._tuning = tuning
        self._ending = threading.Lock()
        self._ended = False
        self._connection: asyncssh.SSHClientConnection | None = None
        self._ssh: asyncssh.SSHClientChannel[bytes] | None = None
        self._channel = Channel(self)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()

    def connect(self) -> Channel:
        """Connect, log in, and give the channel.

        Raises:
            IntegrityBroken: another host key.
            NotPermitted: the key was refused.
            Unavailable: no answer, or closed.
        """
        with self._ending:  # begun while the loop ends, it would never come to an end itself
            if self._ended:
                raise closed(self._endpoint)
            opening = asyncio.run_coroutine_threadsafe(self._open(), self._loop)
        try:
            opening.result()
            self._channel.begin().result(self._tuning.connect_timeout)
            self._loop.call_soon_threadsafe(self._listen)
        except (CancelledError, RuntimeError) as error:
            raise closed(self._endpoint) from error
        except (TimeoutError, Lost) as error:
            raise failed(self._endpoint, "opening SFTP", str(error) or "no answer") from error
        return self._channel

    def server(self) -> Server:
        """See channel.Line."""
        key = self._connection.get_server_host_key() if self._connection is not None else None
        shown = key.get_fingerprint() if key is not None else ""
        return Server(self._endpoint.host, self._endpoint.port, shown, self._endpoint.user)

    def send(self, packet: bytes) -> None:
        """See channel.Line."""
        if threading.get_ident() == self._thread.ident:
            self._write(packet)
            return
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._write, packet)

    def close(self) -> None:
        """See channel.Line."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._channel.fail("it was closed")
            self._channel.forget()

    def _listen(self) -> None:
        """Look again and again whether the server still answers, and give up when it does not."""
        most = self._tuning.silence
        if reason := no_answer(self._channel.silent(), most):
            self._channel.fail(reason)
            if self._connection is not None:
                self._connection.abort()
        elif self._channel.live:
            self._loop.call_later(most / 4, self._listen)

    def _write(self, packet: bytes) -> None:
        if self._ssh is not None:
            with suppress(OSError):  # it has ended, and the session was told why
                self._ssh.write(packet)

    async def _open(self) -> None:
        pinning = _Pinning()
        try:
            self._connection = await asyncssh.connect(
                self._endpoint.host,
                self._endpoint.port,
                config=None,
                username=self._endpoint.user,
                client_version=CLIENT,
                client_factory=lambda: pinning,
                client_keys=[asyncssh.import_private_key(self._keys.private)],
                agent_path=None,
                preferred_auth="publickey",
                known_hosts=([asyncssh.import_public_key(key.line) for key in self._keys.pinned], [], []),
                encryption_algs=_FASTEST_FIRST,
                compression_algs=["none"],
                connect_timeout=self._tuning.connect_timeout,
                login_timeout=self._tuning.connect_timeout,
                keepalive_interval=self._tuning.keepalive,
                keepalive_count_max=UNANSWERED,
            )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            raise await self._changed(pinning.refused, error) from error
        except asyncssh.PermissionDenied as error:
            raise key_refused(self._endpoint, error.reason) from error
        except (TimeoutError, asyncssh.Error, OSError, EOFError) as error:
            raise failed(self._endpoint, "connecting", _reason(error)) from error
        with self._translated("opening SFTP"):
            self._ssh, _ = await self._connection.create_session(
                lambda: _Receiving(self._channel), subsystem="sftp", encoding=None, window=self.window
            )

    async def _changed(self, refused: str, error: Exception) -> LandbridgeError:
        # A server without any key of a pinned type fails before it shows a key: ask it for the one it has.
        pinned = [key.fingerprint for key in self._keys.pinned]
        if not refused:
            with self._translated("asking for the host key"):
                key = await asyncio.wait_for(
                    asyncssh.get_server_host_key(self._endpoint.host, self._endpoint.port, config=None),
                    self._tuning.connect_timeout,
                )
            if key is None or key.get_fingerprint() in pinned:
                return failed(self._endpoint, "connecting", _reason(error))
            refused = key.get_fingerprint()
        return host_key_changed(self._endpoint, refused, pinned)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if self._connection is not None:
            self._connection.abort()
            await self._connection.wait_closed()
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except asyncssh.PermissionDenied as error:
            raise NotPermitted(
                f"{doing}: {self._endpoint} does not allow it", seen=error.reason, hint=MAY_NOT
            ) from error
        except (TimeoutError, asyncssh.Error, OSError, EOFError) as error:
            raise failed(self._endpoint, doing, _reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return getattr(error, "reason", "") or str(error) or type(error).__name__
