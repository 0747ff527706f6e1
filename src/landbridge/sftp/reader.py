"""How do the bytes of one large file come in order while many reads are under way, over one channel or several?"""

from __future__ import annotations

import struct
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from landbridge.sftp import exchange, packets
from landbridge.sftp.channel import LEAST, Lost
from landbridge.sftp.packets import Malformed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.sftp.channel import Answer, Channel, Steps
    from landbridge.sftp.pace import Pace, Window
    from landbridge.sftp.packets import Request
    from landbridge.sftp.part import Part

_MOST = 512
"""Requests of one file that are under way at once: 16 MiB by blocks of 32 KiB, and a bound where they are smaller."""


class _Lane:
    """The file, open on one channel."""

    def __init__(self, channel: Channel, handle: bytes) -> None:
        self.channel = channel
        self.handle = handle
        self.block = channel.block
        """Bytes that are asked for at once."""
        self.awaited = 0
        """Bytes asked for."""
        self._short = 0
        """Bytes of the last short answer, until a longer one comes."""
        self.requests: list[Request] = []
        self.sinks: list[Callable[[Answer], None]] = []

    def send(self) -> None:
        """Ask for what was put down."""
        if self.requests:
            self.channel.ask(self.requests, self.sinks)
            self.requests, self.sinks = [], []

    def learn(self, came: int, *, asked: int) -> None:
        """Ask for less where the server has a limit that it does not tell: it gave as little twice running.

        A server that stops where a chunk of its storage does gives less once, and another time another number.
        """
        if came < asked:
            if came == self._short:
                self.block = max(LEAST, min(self.block, came))
            self._short = came
        elif came > self._short:
            self._short = 0


class _Piece(NamedTuple):
    """What came of one read."""

    lane: _Lane
    begin: int
    """Where the block begins that it is a part of."""
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
        self._ready: dict[int, bytes | bytearray] = {}
        """What came of each block and whose turn has not come, by offset; as one, in however many answers it came."""
        self._asked = part.there
        self._held = 0
        """Bytes of the window that this file holds: asked for and not yet written."""
        self._under_way = 0
        """Requests that are not answered."""
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
            for channel, handle in opening:  # all of them, so that each handle that there is gets closed
                try:
                    self._lanes.append(_Lane(channel, handle.result()))
                except (Refused, Lost) as error:
                    self._failure = self._failure or error
            if self._failure is not None:
                raise self._failure
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
        while self._asked < self._size and self._under_way < _MOST:
            lane = min(self._lanes, key=lambda lane: lane.awaited)
            size = min(lane.block, self._size - self._asked)
            if not self._window.take(size):
                break
            self._held += size
            self._put_down(lane, self._asked, self._asked, size)
            self._asked += size
            if self._pace.limited:
                self._pace.ask(size)
                break
        for lane in self._lanes:
            lane.send()
        return self._asked > before

    def _put_down(self, lane: _Lane, begin: int, offset: int, size: int) -> None:
        self._under_way += 1
        lane.awaited += size
        lane.requests.append(packets.reading(lane.handle, offset, size))
        lane.sinks.append(partial(self._came, lane, begin, offset, size))

    def _came(self, lane: _Lane, begin: int, offset: int, asked: int, answer: Answer) -> None:
        if self._stopped:
            return
        came: bytes | Refused | Lost
        try:
            came = answer if isinstance(answer, Lost) else bytes(packets.bytes_in(answer))
        except Refused as refused:
            came = refused
        except (Malformed, struct.error) as error:  # whoever waits for it must hear of it
            came = Lost(f"what came is not SFTP: {error}")
        self._pieces.put(_Piece(lane, begin, offset, asked, came))

    def _that_came(self, *, wait: bool) -> Iterator[_Piece]:
        if wait:
            if not self._held:  # others hold the whole window
                if not self._lanes[0].channel.live:
                    raise Lost("it was closed")
                self._window.await_room(self._lanes[0].block)
                return
            yield self._pieces.get()
        with suppress(Empty):
            while True:
                yield self._pieces.get_nowait()

    def _take(self, piece: _Piece) -> None:
        self._under_way -= 1
        piece.lane.awaited -= piece.asked
        if not isinstance(piece.came, bytes):
            self._failure = self._failure or piece.came
            return
        size = len(piece.came)
        if not size:
            exchange.check_size(self._path, piece.offset + piece.asked, piece.offset, longer=False)
        if size > piece.asked:
            raise Lost("what came is not SFTP: more bytes than were asked for")
        begin = piece.begin
        if (before := self._ready.get(begin)) is None:  # the first of it, or what came before is written
            begin = piece.offset
            self._ready[begin] = piece.came
        elif isinstance(before, bytearray):
            before += piece.came
        else:
            self._ready[begin] = bytearray(before + piece.came)
        piece.lane.learn(size, asked=piece.asked)
        if size < piece.asked:
            self._put_down(piece.lane, begin, piece.offset + size, piece.asked - size)
            piece.lane.send()


def _beyond(handle: bytes, size: int) -> Steps[bool]:
    return bool(packets.bytes_in((yield packets.reading(handle, size, 1))))


def _ignored(_: Answer) -> None:
    pass
