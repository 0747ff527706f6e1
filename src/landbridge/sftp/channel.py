"""How do many requests and their answers share one SFTP channel?

Requests are sent from any thread; answers come on the one thread that the line under it reads with. Whoever asks gives
a function that takes the answer there, or a generator that is resumed with each answer (`exchange.py`).
"""

from __future__ import annotations

import itertools
import struct
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

from landbridge.errors import LandbridgeError
from landbridge.ports import ONE_ANSWER
from landbridge.sftp import packets
from landbridge.sftp.packets import U32, Malformed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from landbridge.facts import Server
    from landbridge.sftp.packets import Request

_T = TypeVar("_T")

_BUFFER = 4 << 20
_LONGEST = 1 << 20
"""Longer packets are refused: no answer to what is asked here comes near."""
_USUAL = 32 << 10
"""Bytes that every server met gives at once, also one that tells no limits."""
LEAST = 4096
"""No server is asked for less at once, however little it says that it gives: it is asked for the rest then."""
_BESIDE = 8 << 10
"""Bytes read at once while blocks of large files come: the next packet's head, and little that then has to be copied."""
_FIRST = -1
"""In the place of the number that the server's first packet does not have."""


class Lost(Exception):
    """The line ended, with what is known of the reason."""


Answer: TypeAlias = memoryview | Lost
"""A packet without its length, in the buffer it came in (gone when the call returns); or the end of the line.

Of bytes of a file that have their place it is the head alone: they are there.
"""
Steps: TypeAlias = "Generator[Request, memoryview, _T]"
"""An exchange of several requests, each depending on the answer before."""


class Line(Protocol):
    """What carries the bytes. `send` is called by one thread at a time, takes all or drops it when the line has ended."""

    client: str
    """For the log: who speaks SSH."""
    window: int
    """Most bytes that are on their way to us at once."""

    def server(self) -> Server:
        """Tell who let us in, as whom; once it has."""
        ...

    def send(self, packet: bytes) -> None:
        """Send."""
        ...

    def close(self) -> None:
        """End it, and leave nothing behind. Idempotent, from any thread."""
        ...


class Channel:
    """One conversation over one line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.block = _USUAL
        """Bytes that the server is asked for at once."""
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Awaited] = {}
        self._places = 0
        """Answers that are awaited whose bytes have their place."""
        self._lost: Lost | None = None
        self._state = threading.Lock()
        self._sending = threading.Lock()
        self._buffer = memoryview(bytearray(_BUFFER))
        self._low = self._high = 0
        self._rest = memoryview(b"")
        """The place of bytes that are coming, as far as they have not."""
        self._placing = 0, memoryview(b"")
        """The number and the head of their answer."""
        self._reader = 0
        """The thread that hands out answers now."""
        self._held_back: list[bytes] = []
        """What that thread asks meanwhile."""
        self._heard = time.monotonic()
        """When something came, or was asked while nothing else was awaited."""

    @property
    def live(self) -> bool:
        """Whether anything may still be asked."""
        return self._lost is None

    def silent(self) -> float:
        """Give for how many seconds an answer is awaited and nothing has come; 0 where none is."""
        with self._state:
            return time.monotonic() - self._heard if self._waiting else 0.0

    def begin(self) -> Future[None]:
        """Greet the server; the answer says that it speaks SFTP."""
        greeted: Future[None] = Future()

        def first(answer: Answer) -> None:
            try:
                if isinstance(answer, Lost):
                    raise answer
                if packets.offers_limits(answer):
                    self.ask([packets.asking_limits()], [self._limits])
                greeted.set_result(None)
            except (Malformed, struct.error, Lost) as error:
                greeted.set_exception(Lost(str(error)))

        with self._state:
            if self._lost is not None:  # a child can be gone before it is greeted
                greeted.set_exception(Lost(*self._lost.args))
                return greeted
            self._waiting[_FIRST] = _Awaited(first, None)
        with self._sending:
            self.line.send(packets.INIT)
        return greeted

    def ask(self, requests: Sequence[Request], sinks: Sequence[Callable[[Answer], None]]) -> None:
        """Send requests; each sink gets its answer, or Lost, once, on the line's thread.

        Raises:
            Lost: the line ended before; no sink is called.
        """
        numbers = [next(self._numbers) for _ in requests]
        with self._state:
            if self._lost is not None:
                raise Lost(*self._lost.args)
            if not self._waiting:
                self._heard = time.monotonic()
            for number, request, sink in zip(numbers, requests, sinks, strict=True):
                self._waiting[number] = _Awaited(sink, request.place)
                self._places += request.place is not None
        sent = b"".join(map(packets.numbered, requests, numbers))
        if threading.get_ident() == self._reader:
            self._held_back.append(sent)
            return
        with self._sending:
            self.line.send(sent)

    def run(self, steps: Steps[_T]) -> Future[_T]:
        """Begin an exchange; the future has its result, Refused or Lost."""
        future: Future[_T] = Future()
        _Run(self, steps, future).go(None)
        return future

    @property
    def filling(self) -> bool:
        """Whether `room` is no larger than what is certain to come."""
        return bool(self._rest)

    def room(self) -> memoryview:
        """Give where the next bytes go."""
        if self._rest:
            return self._rest
        if _BUFFER - self._high < _LONGEST:
            kept = self._high - self._low
            self._buffer[:kept] = self._buffer[self._low : self._high]
            self._low, self._high = 0, kept
        return self._buffer[self._high : self._high + _BESIDE if self._places else _BUFFER]

    def came(self, count: int) -> None:
        """Take note of `count` bytes more in `room`, and hand every whole packet to whoever waits for it.

        What is asked in answer to them is sent as one: a packet of the line for each would cost the line, the server and
        us more than the request.
        """
        self._heard = time.monotonic()
        self._reader = threading.get_ident()
        try:
            if self._rest:
                self._fill(count)
            else:
                self._high += count
            if not self._rest:
                self._hand_out()
        except (Malformed, struct.error) as error:
            self.fail(f"what came is not SFTP: {error}")
        finally:
            self._reader = 0
            if self._held_back:
                sent, self._held_back = b"".join(self._held_back), []
                with self._sending:
                    self.line.send(sent)

    def _hand_out(self) -> None:
        while self._high - self._low >= U32.size:
            length = U32.unpack_from(self._buffer, self._low)[0]
            if not 0 < length <= _LONGEST:
                self.fail("what came is not SFTP")
                return
            begin = self._low + U32.size
            if (
                self._places
                and self._high - begin >= packets.DATA_HEAD
                and self._goes_to_its_place(begin, length)
            ):
                if self._rest:
                    return
                continue
            if self._high < begin + length:
                return
            self._low = begin + length
            self._answered(self._buffer[begin : begin + length])
        if self._low == self._high:
            self._low = self._high = 0

    def forget(self) -> None:
        """Let go of the memory that answers came into: none comes any more.

        An error with its traceback can keep the channel for long, and a collector that waits for an absent server makes
        one at each look.
        """
        self._buffer = self._rest = memoryview(b"")
        self._low = self._high = 0

    def fail(self, reason: str) -> None:
        """Give up: the line ended, or must."""
        with self._state:
            if self._lost is None:
                self._lost = Lost(reason)
            waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.sink(Lost(reason))

    def _answered(self, packet: memoryview) -> None:
        self._taken(_FIRST if packet[0] == packets.VERSION else U32.unpack_from(packet, 1)[0]).sink(packet)

    def _taken(self, number: int) -> _Awaited:
        with self._state:
            awaited = self._waiting.pop(number, None)
            if awaited is None:
                raise Malformed("an answer that nobody waits for")
            self._places -= awaited.place is not None
        return awaited

    def _goes_to_its_place(self, begin: int, length: int) -> bool:
        """Put the bytes of a file, as far as they have come, where they belong, if what begins here is an answer with such.

        Who asked hears of it when all have come, and of the head alone; were they read into the buffer, they would be copied
        from there.
        """
        head = self._buffer[begin : begin + packets.DATA_HEAD]
        number = U32.unpack_from(head, 1)[0]
        awaited = self._waiting.get(number)
        if awaited is None or awaited.place is None or not packets.is_data(head):
            return False
        size = packets.size_in(head)
        if packets.DATA_HEAD + size != length:
            raise Malformed("bytes of a file that are not as long as their packet")
        place = awaited.place()
        if size > len(place):
            raise Malformed("more bytes than were asked for")
        self._rest = place[:size]
        self._placing = number, memoryview(bytes(head))
        self._low = begin + packets.DATA_HEAD
        there = min(size, self._high - self._low)
        self._rest[:there] = self._buffer[self._low : self._low + there]
        self._low += there
        self._fill(there)
        if self._rest:
            self._low = self._high = 0
        return True

    def _fill(self, count: int) -> None:
        self._rest = self._rest[count:]
        if not self._rest:
            number, head = self._placing
            self._taken(number).sink(head)

    def _limits(self, answer: Answer) -> None:
        if isinstance(answer, memoryview):
            try:
                told = packets.most_read_in(answer)
            except Refused:  # it offers what it does not have: every server gives the usual
                return
            self.block = max(LEAST, min(told, ONE_ANSWER)) if told else ONE_ANSWER


class _Awaited(NamedTuple):
    """Who hears of an answer, and where the bytes of a file in it go."""

    sink: Callable[[Answer], None]
    place: Callable[[], memoryview] | None


class _Run:
    """An exchange under way."""

    def __init__(self, channel: Channel, steps: Steps[_T], future: Future[_T]) -> None:
        self._channel = channel
        self._steps = steps
        self._future = future

    def go(self, answer: Answer | None) -> None:
        """Go on with the next answer."""
        going = False
        try:
            while (answer := self._next(answer)) is not None:
                pass
            going = True
        except StopIteration as end:
            self._future.set_result(end.value)
        except (Refused, Lost, LandbridgeError) as error:
            self._future.set_exception(error)
        except (Malformed, struct.error) as error:
            self._future.set_exception(Lost(f"what came is not SFTP: {error}"))
        finally:
            if (
                not going and not self._future.done()
            ):  # a bug: its traceback goes its way, and nobody waits for ever
                self._future.set_exception(Lost("the exchange ended by a mistake in it"))

    def _next(self, answer: Answer | None) -> Answer | None:
        """Ask the next request; give the answer when it is there at once: the line has ended."""
        if isinstance(answer, Lost):
            request = self._steps.throw(answer)
        elif answer is None:
            request = next(self._steps)
        else:
            request = self._steps.send(answer)
        try:
            while not request.awaited:
                self._channel.ask([request], [_nothing])
                request = next(self._steps)
            self._channel.ask([request], [self.go])
        except Lost as error:
            return error
        return None


def _nothing(_: Answer) -> None:
    pass
