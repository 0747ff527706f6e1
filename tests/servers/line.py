"""How does a line behave that is long, or that is cut? A TCP proxy between a client and a server on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.servers.loops import end_all

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
_PIECE = 256 << 10
_IN_FLIGHT = 64 << 20


@dataclass
class _Limit:
    """What the server may still send over one connection."""

    left: int | None = None


@dataclass
class Line:
    """A proxy that is up."""

    port: int = 0
    delay: float = 0.0
    """Seconds that every byte takes, each way."""
    cut_after: list[int] = field(default_factory=list)
    """For each connection in turn: how many bytes the server may send before the line is cut. None left: never."""
    connections: int = 0
    sent: int = 0
    """Bytes of the server that were let through, over all connections."""
    _newest: _Limit = field(default_factory=_Limit)

    def cut_in(self, count: int | None) -> None:
        """Cut the connection that was made last when the server has sent `count` bytes more; None: never."""
        self._newest.left = count


@contextmanager
def line_to(port: int, *, delay: float = 0.0, cut_after: tuple[int, ...] = ()) -> Iterator[Line]:
    """Run a proxy to `port` until the end, in a thread of this process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    line = Line(delay=delay, cut_after=list(cut_after))
    server = asyncio.run_coroutine_threadsafe(_listen(line, port), loop).result(20)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


async def _listen(line: Line, port: int) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line.connections += 1
        limit = line._newest = _Limit(line.cut_after.pop(0) if line.cut_after else None)
        there, back = await asyncio.open_connection(LOOPBACK, port, limit=_IN_FLIGHT)
        up = asyncio.ensure_future(_carry(reader, back, line.delay, _Limit()))
        down = asyncio.ensure_future(_carry(there, writer, line.delay, limit, line))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            down.cancel()
            for end in (writer, back):
                end.transport.abort()
            await asyncio.gather(up, down, return_exceptions=True)

    return await asyncio.start_server(connected, LOOPBACK, 0, limit=_IN_FLIGHT)


async def _carry(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    delay: float,
    limit: _Limit,
    told: Line | None = None,
) -> None:
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send() -> None:
        while True:
            due, piece = await pieces.get()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            sink.write(piece)
            await sink.drain()
            if not piece:
                return

    sending = asyncio.ensure_future(send())
    try:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(_PIECE):
                if limit.left is not None:
                    piece, limit.left = piece[: limit.left], limit.left - len(piece)
                if told is not None:
                    told.sent += len(piece)
                pieces.put_nowait((loop.time() + delay, piece))
                if limit.left is not None and limit.left <= 0:
                    break
        pieces.put_nowait((0.0, b""))
        with contextlib.suppress(ConnectionError):
            await sending
    finally:
        sending.cancel()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    await end_all()
