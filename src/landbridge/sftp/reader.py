"""How do the bytes of one large file come in order while many reads are under way, over one channel or several?"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from landbridge.sftp import exchange, packets
from landbridge.sftp.channel import Lost
from landbridge.sftp.packets import Malformed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.sftp.channel import Answer, Channel, Steps
    from landbridge.sftp.pace import Pace, Window
    from landbridge.sftp.packets import Request
    from landbridge.sftp.part import Part

_LEAST = 4096
"""No server is asked for less at once, however little it gave."""


class _Lane:
    """The file, open on one channel."""

    def __init__(self, channel: Channel, handle: bytes) -> None:
        self.channel = channel
        self.handle = handle
        self.awaited = 0
        """Bytes asked for."""
        self.requests: list[Request] = []
        self.sinks: list[Callable[[Answer], None]] = []

    def send(self) -> None:
        """Ask for what was put down."""
        if self.requests:
            self.channel.ask(self.requests, self.sinks)
            self.requests, self.sinks = [], []


class _Piece(NamedTuple):
    """What came of one read."""

    lane: _Lane
    offset: int
    asked: int
    came: bytes | Refused | Lost


class Download:
    """One file on its way into its part. The calling thread writes and hashes what the lines' threads read."""

    def __init__(self, path: str, part: Part, size: int, window: Window, pace: Pace) -> None:
        self._path = path
        self._part = part
        self._size = size
        self._window = window
        self._pace = pace
        self._lanes: list[_Lane] = []
        self._pieces: SimpleQueue[_Piece] = SimpleQueue()
        self._ready: dict[int, bytes] = {}
        """Blocks that came and whose turn has not come, by offset."""
        self._asked = part.there
        self._held = 0
        """Bytes of the window that this file holds: asked for and not yet written."""
        self._failure: Refused | Lost | None = None
        self._stopped = False

    def over(self, channels: Sequence[Channel]) -> None:
        """Bring every byte that is missing.

        Raises:
            Refused, Lost: as the names say; what was written stays and is contiguous.
            IntegrityBroken: the file is shorter or longer than it should be.
        """
        opening = [(channel, channel.run(exchange.opened(self._path))) for channel in channels]
        try:
            for channel, handle in opening:
                self._lanes.append(_Lane(channel, handle.result()))
            first = self._lanes[0]
            beyond = first.channel.run(_beyond(first.handle, self._size))
            self._carry()
            exchange.check_size(self._path, self._size, self._size, longer=beyond.result())
        finally:
            self._stopped = True
            self._window.give(self._held)
            for lane in self._lanes:
                with suppress(Lost):
                    lane.channel.ask([packets.closing(lane.handle)], [_ignored])

    def _carry(self) -> None:
        while self._part.there < self._size:
            asked = self._ask()
            for piece in self._that_came(wait=not asked):
                self._take(piece)
            while (block := self._ready.pop(self._part.there, None)) is not None:
                self._part.write(block)
                self._held -= len(block)
                self._window.give(len(block))
            if self._failure is not None:  # after what came before it is written
                raise self._failure

    def _ask(self) -> bool:
        """Ask for as much as the window has room for, or, with a bandwidth limit, for the next block; was there any?"""
        before = self._asked
        while self._asked < self._size:
            lane = min(self._lanes, key=lambda lane: lane.awaited)
            size = min(lane.channel.block, self._size - self._asked)
            if not self._window.take(size):
                break
            self._held += size
            self._put_down(lane, self._asked, size)
            self._asked += size
            if self._pace.limited:
                self._pace.ask(size)
                break
        for lane in self._lanes:
            lane.send()
        return self._asked > before

    def _put_down(self, lane: _Lane, offset: int, size: int) -> None:
        lane.awaited += size
        lane.requests.append(packets.reading(lane.handle, offset, size))
        lane.sinks.append(partial(self._came, lane, offset, size))

    def _came(self, lane: _Lane, offset: int, asked: int, answer: Answer) -> None:
        if self._stopped:
            return
        came: bytes | Refused | Lost
        try:
            came = answer if isinstance(answer, Lost) else bytes(packets.bytes_in(answer))
        except Refused as refused:
            came = refused
        except Malformed as error:
            came = Lost(f"what came is not SFTP: {error}")
        self._pieces.put(_Piece(lane, offset, asked, came))

    def _that_came(self, *, wait: bool) -> Iterator[_Piece]:
        if wait:
            if not self._held:  # others hold the whole window
                if not self._lanes[0].channel.live:
                    raise Lost("it was closed")
                self._window.await_room(self._lanes[0].channel.block)
                return
            yield self._pieces.get()
        with suppress(Empty):
            while True:
                yield self._pieces.get_nowait()

    def _take(self, piece: _Piece) -> None:
        piece.lane.awaited -= piece.asked
        if not isinstance(piece.came, bytes):
            self._failure = self._failure or piece.came
            return
        size = len(piece.came)
        if not size:
            exchange.check_size(self._path, piece.offset + piece.asked, piece.offset, longer=False)
        if size > piece.asked:
            raise Lost("what came is not SFTP: more bytes than were asked for")
        self._ready[piece.offset] = piece.came
        if size < piece.asked:
            piece.lane.channel.block = max(_LEAST, min(piece.lane.channel.block, size))
            self._put_down(piece.lane, piece.offset + size, piece.asked - size)
            piece.lane.send()


def _beyond(handle: bytes, size: int) -> Steps[bool]:
    return bool(packets.bytes_in((yield packets.reading(handle, size, 1))))


def _ignored(_: Answer) -> None:
    pass
