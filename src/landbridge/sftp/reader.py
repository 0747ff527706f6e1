"""How do the bytes of one large file come in order while many reads are under way, over one channel or several?"""

from __future__ import annotations

import struct
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import islice
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
RUN = 1 << 20
"""Bytes that have one stretch of memory. A few requests bring them, of the same size each, whatever most a server gives."""
PIECE = 256 << 10
"""Bytes that are written and hashed at once, and begin at a multiple of it: so the system keeps them in few, large pages."""


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


class _Block:
    """What was asked for at once, and how much of it came."""

    __slots__ = ("came", "lane", "offset", "size")

    def __init__(self, lane: _Lane, offset: int, size: int) -> None:
        self.lane = lane
        self.offset = offset
        """Where in its run."""
        self.size = size
        self.came = 0


class _Buffers:
    """Memory that was used before, which costs the system less than new memory."""

    def __init__(self, most: int) -> None:
        self.lock = threading.Lock()
        self._most = most
        self._free: list[bytearray] = []

    def give(self, size: int) -> bytearray:
        """Give one of at least so many bytes."""
        return self._free.pop() if self._free else bytearray(size)

    def take(self, buffer: bytearray) -> None:
        """Take one back; none of a run that was shorter than the others."""
        if len(buffer) == self._most:
            self._free.append(buffer)


class _Run:
    """Bytes of the file that have one stretch of memory, which every answer for a part of them is read into."""

    __slots__ = ("_buffers", "_contiguous", "_whole", "asked", "blocks", "body", "offset", "size", "written")

    def __init__(self, buffers: _Buffers, offset: int, size: int) -> None:
        self._buffers = buffers
        self.body = bytearray()
        """Empty until its first answer comes: memory that is filled and emptied at once stays in the processor's cache."""
        self.offset = offset
        """Where in the file."""
        self.size = size
        self.asked = 0
        self.written = 0
        self.blocks: list[_Block] = []
        self._whole = 0
        """So many blocks at its beginning have come."""
        self._contiguous = 0
        """Bytes of them."""

    def place(self, block: _Block) -> memoryview:
        """Give where the next bytes of a block go; on the threads of several lines."""
        with self._buffers.lock:
            if not self.body:
                self.body = self._buffers.give(self.size)
        return memoryview(self.body)[block.offset + block.came : block.offset + block.size]

    def contiguous(self) -> int:
        """Give how many bytes came before the first that did not."""
        for block in islice(self.blocks, self._whole, None):
            if block.came < block.size:
                return self._contiguous + block.came
            self._whole += 1
            self._contiguous += block.size
        return self._contiguous


class _Piece(NamedTuple):
    """What came of one read: how many bytes, which have their place."""

    run: _Run
    block: _Block
    asked: int
    came: int | Refused | Lost


class Download:
    """One file on its way into its part. The calling thread writes and hashes what the lines' threads read."""

    def __init__(self, path: str, part: Part, size: int, window: Window, pace: Pace) -> None:
        self._path = path
        self._part = part
        self._size = size
        self._window = window
        self._run = max(LEAST, min(RUN, window.size // 4))
        """Bytes of a run; a small window still has several."""
        self._pace = pace
        self._lanes: list[_Lane] = []
        self._pieces: SimpleQueue[_Piece] = SimpleQueue()
        self._runs: deque[_Run] = deque()
        """Asked for and not yet written, in order; only the last may be asked for in part."""
        self._buffers = _Buffers(self._run)
        self._taken = part.there
        """Where the last of them ends."""
        self._held = 0
        """Bytes of the window that this file holds: those of the runs."""
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
            while self._runs and self._write(self._runs[0]):
                run = self._runs.popleft()
                self._buffers.take(run.body)
                self._held -= run.size
                self._window.give(run.size)
            if self._failure is not None:  # after what came before it is written
                raise self._failure

    def _write(self, run: _Run) -> bool:
        """Write what came of a run, in pieces that suit the disk, and after a failure what is left; is all of it written?"""
        end = run.contiguous()
        if end < run.size and self._failure is None:
            end = max(run.written, end - (run.offset + end) % PIECE)
        body = memoryview(run.body)
        while run.written < end:
            begin = run.written
            run.written = min(end, begin + PIECE - (run.offset + begin) % PIECE)
            self._part.write(body[begin : run.written])
        return run.written == run.size

    def _ask(self) -> bool:
        """Ask for as much as the window has room for, or, with a bandwidth limit, for the next block; was there any?"""
        any_asked = False
        while self._under_way < _MOST and (run := self._to_ask()) is not None:
            lane = min(self._lanes, key=lambda lane: lane.awaited)
            left = run.size - run.asked
            block = _Block(lane, run.asked, -(-left // -(-left // lane.block)))  # of the same size each
            run.blocks.append(block)
            run.asked += block.size
            self._put_down(run, block)
            any_asked = True
            if self._pace.limited:
                self._pace.ask(block.size)
                break
        for lane in self._lanes:
            lane.send()
        return any_asked

    def _to_ask(self) -> _Run | None:
        """Give the run of which the next bytes are, if there is room for it in the window.

        It takes all of its room at once: of downloads that hold each a part of a run, none might ever be able to write it.
        """
        if self._runs and self._runs[-1].asked < self._runs[-1].size:
            return self._runs[-1]
        left = self._size - self._taken
        size = min(self._run - self._taken % self._run, left)
        if not size or not self._window.take(size):
            return None
        self._held += size
        self._runs.append(_Run(self._buffers, self._taken, size))
        self._taken += size
        return self._runs[-1]

    def _put_down(self, run: _Run, block: _Block) -> None:
        """Ask for what has not come of a block."""
        size = block.size - block.came
        self._under_way += 1
        block.lane.awaited += size
        place = partial(run.place, block)
        offset = run.offset + block.offset + block.came
        block.lane.requests.append(packets.reading(block.lane.handle, offset, size, place))
        block.lane.sinks.append(partial(self._came, run, block, size))

    def _came(self, run: _Run, block: _Block, asked: int, answer: Answer) -> None:
        if self._stopped:
            return
        came: int | Refused | Lost
        try:
            came = answer if isinstance(answer, Lost) else packets.size_in(answer)
        except Refused as refused:
            came = refused
        except (Malformed, struct.error) as error:  # whoever waits for it must hear of it
            came = Lost(f"what came is not SFTP: {error}")
        self._pieces.put(_Piece(run, block, asked, came))

    def _that_came(self, *, wait: bool) -> Iterator[_Piece]:
        if wait:
            if not self._held:  # others hold the whole window
                if not self._lanes[0].channel.live:
                    raise Lost("it was closed")
                self._window.await_room(min(self._run, self._size - self._taken))
                return
            yield self._pieces.get()
        with suppress(Empty):
            while True:
                yield self._pieces.get_nowait()

    def _take(self, piece: _Piece) -> None:
        run, block, asked, came = piece
        self._under_way -= 1
        block.lane.awaited -= asked
        if not isinstance(came, int):
            self._failure = self._failure or came
            return
        if not came:
            at = run.offset + block.offset + block.came
            exchange.check_size(self._path, at + asked, at, longer=False)
        block.came += came
        block.lane.learn(came, asked=asked)
        if block.came < block.size:
            self._put_down(run, block)
            block.lane.send()


def _beyond(handle: bytes, size: int) -> Steps[bool]:
    return bool(packets.bytes_in((yield packets.reading(handle, size, 1))))


def _ignored(_: Answer) -> None:
    pass
