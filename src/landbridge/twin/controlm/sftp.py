"""What does managed file transfer see on the SFTP server? A client of its own, apart from the collector's.

It stands in for the vendor's: plain requests of asyncssh, on a connection that jobs of one profile share while it is in use.
"""

from __future__ import annotations

import asyncio
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    import asyncssh

T = TypeVar("T")

_BLOCK = 1 << 20
_IDLE = 60.0
"""Seconds after which a connection is not trusted to be still open."""
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A file on the server."""

    path: str
    size: int
    modified: datetime

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


class Remote(Protocol):
    """The source side of transfers. Every call may raise Unavailable."""

    def listing(self, folder: str) -> list[Seen]:
        """Give the files of a folder by name; none where there is no such folder."""
        ...

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """Give a file's bytes from `offset` on."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom: a connection profile, with what stands in for its host and its key."""

    host: str
    port: int
    user: str
    private_key_file: Path
    host_key: str
    """One OpenSSH line."""


@dataclass(slots=True)
class Sftp:
    """The server, over one connection at a time; obeys Remote. Safe from several threads, which take turns."""

    login: Login
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _open: tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient] | None = field(default=None, init=False)
    _used: float = field(default=0.0, init=False)

    def listing(self, folder: str) -> list[Seen]:
        """See Remote."""
        return self._said(self._listing(folder))

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """See Remote."""
        while block := self._said(self._block(path, offset)):
            offset += len(block)
            yield block

    def close(self) -> None:
        """Hang up. Idempotent."""
        with self._turn:
            if self._thread is None:
                return
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(_PATIENCE)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._thread = None
            self._loop.close()

    def _said(self, asking: Coroutine[object, object, T]) -> T:
        import asyncssh

        with self._turn:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop.run_forever, name="mft", daemon=True)
                self._thread.start()
            try:
                return asyncio.run_coroutine_threadsafe(asking, self._loop).result(_PATIENCE)
            except (OSError, asyncssh.Error, TimeoutError) as error:
                asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(_PATIENCE)
                raise Unavailable(
                    f"the SFTP server {self.login.host}:{self.login.port} did not do it", seen=str(error)
                ) from error

    async def _client(self) -> asyncssh.SFTPClient:
        import asyncssh

        if self._open and time.monotonic() - self._used > _IDLE:
            await self._hang_up()
        self._used = time.monotonic()
        if self._open is None:
            at = self.login
            known = asyncssh.import_known_hosts(f"[{at.host}]:{at.port} {at.host_key}\n")
            connection = await asyncssh.connect(
                at.host,
                at.port,
                username=at.user,
                client_keys=[str(at.private_key_file)],
                known_hosts=known,
                config=None,
                agent_path=None,
                connect_timeout=15,
            )
            self._open = connection, await connection.start_sftp_client()
        return self._open[1]

    async def _hang_up(self) -> None:
        opened, self._open = self._open, None
        if opened:
            opened[0].close()
            with suppress(TimeoutError):
                await asyncio.wait_for(opened[0].wait_closed(), 5)

    async def _listing(self, folder: str) -> list[Seen]:
        import asyncssh

        client = await self._client()
        try:
            found = await client.readdir(folder)
        except asyncssh.SFTPNoSuchFile:
            return []
        return sorted(
            (
                Seen(
                    f"{folder.rstrip('/')}/{_text(one.filename)}",
                    one.attrs.size or 0,
                    datetime.fromtimestamp(one.attrs.mtime or 0, UTC),
                )
                for one in found
                if one.attrs.permissions is None or not stat.S_ISDIR(one.attrs.permissions)
            ),
            key=lambda seen: seen.path,
        )

    async def _block(self, path: str, offset: int) -> bytes:
        client = await self._client()
        async with client.open(path, "rb") as file:
            block = await file.read(_BLOCK, offset)
        return bytes(block)  # type: ignore[arg-type] # opened with "rb"


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode(errors="surrogateescape")
