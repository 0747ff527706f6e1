"""Does one SFTP conversation keep its answers apart, however its bytes come, and end when they make no sense?"""

from __future__ import annotations

import itertools
import os
import random
import struct
import time
import tracemalloc
from array import array
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.errors import IntegrityBroken, LandbridgeError, NotFound, NotPermitted, Unavailable
from landbridge.facts import Server
from landbridge.sftp import exchange, packets
from landbridge.sftp.channel import Answer, Channel, Lost
from landbridge.sftp.endpoint import Endpoint
from landbridge.sftp.errors import no_answer, translated
from landbridge.sftp.in_process import _Receiving
from landbridge.sftp.pace import Pace, Window
from landbridge.sftp.packets import Entry, Malformed, Refused
from landbridge.sftp.part import Part
from landbridge.sftp.reader import PIECE, Download

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from landbridge.sftp.channel import Steps

_VERSION = b"\x02" + struct.pack(">I", 3)
_HANDLE, _DATA, _STATUS, _NAME = 102, 103, 101, 104


class Scripted:
    """A line whose other end we write by hand; obeys channel.Line."""

    client, window = "script", 1

    def server(self) -> Server:
        return Server("script", 22, "", "nobody")

    def __init__(self) -> None:
        self.sent = b""
        self.sends = 0

    def send(self, packet: bytes) -> None:
        self.sent += packet
        self.sends += 1

    def close(self) -> None: ...

    def asked(self) -> list[tuple[int, int]]:
        """Kinds and numbers of the requests sent since the last time."""
        found, at = [], 0
        while at < len(self.sent):
            length, kind, number = struct.unpack_from(">IBI", self.sent, at)
            found.append((kind, number))
            at += 4 + length
        self.sent = b""
        return found


def _begun() -> tuple[Channel, Scripted]:
    line = Scripted()
    channel = Channel(line)
    greeted = channel.begin()
    assert line.sent == b"\0\0\0\x05\x01\0\0\0\x03"
    line.sent = b""
    _feed(channel, _framed(_VERSION))
    greeted.result(0)
    return channel, line


def _framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def _answer(kind: int, number: int, *parts: bytes | int) -> bytes:
    body = b"".join(
        struct.pack(">I", part) if isinstance(part, int) else struct.pack(">I", len(part)) + part
        for part in parts
    )
    return _framed(bytes([kind]) + struct.pack(">I", number) + body)


def _feed(channel: Channel, data: bytes, cuts: Sequence[int] = ()) -> None:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for begin, end in itertools.pairwise(edges):
        rest = data[begin:end]
        while rest:
            room = channel.room()
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            rest = rest[count:]
            channel.came(count)


@given(st.lists(st.binary(max_size=70_000), min_size=1, max_size=60), st.lists(st.integers(0), max_size=40))
def test_answers_reach_whoever_asked_however_they_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    channel, line = _begun()
    came: dict[int, bytes] = {}

    def sink(number: int, answer: Answer) -> None:
        assert isinstance(answer, memoryview)
        came[number] = bytes(packets.bytes_in(answer))

    for number in range(len(bodies)):
        channel.ask([packets.reading(b"h", 0, 1)], [partial(sink, number)])
    numbers = [number for _, number in line.asked()]
    replies = [_answer(_DATA, number, body) for number, body in zip(numbers, bodies, strict=True)]
    _feed(channel, b"".join(reversed(replies)), cuts)
    assert came == dict(enumerate(bodies))
    assert channel.live


@given(
    st.lists(st.tuples(st.binary(max_size=70_000), st.booleans()), min_size=1, max_size=40),
    st.lists(st.integers(0), max_size=40),
)
def test_bytes_that_have_a_place_come_there_and_no_others_do_however_they_are_cut(
    bodies: list[tuple[bytes, bool]], cuts: list[int]
) -> None:
    channel, line = _begun()
    places = [bytearray(len(body) + 10) for body, _ in bodies]
    came: dict[int, bytes] = {}

    def sink(number: int, answer: Answer) -> None:
        assert isinstance(answer, memoryview)
        placed = bodies[number][1]
        assert packets.size_in(answer) == len(bodies[number][0])
        came[number] = bytes(places[number][:-10] if placed else packets.bytes_in(answer))

    for number, (_, placed) in enumerate(bodies):
        place = partial(_view, places[number]) if placed else None
        channel.ask([packets.reading(b"h", 0, 1, place)], [partial(sink, number)])
    numbers = [number for _, number in line.asked()]
    replies = [_answer(_DATA, number, body) for number, (body, _) in zip(numbers, bodies, strict=True)]
    _feed(channel, b"".join(reversed(replies)), cuts)
    assert came == {number: body for number, (body, _) in enumerate(bodies)}
    assert all(not any(place[-10:]) for place in places)
    assert channel.live
    assert len(channel.room()) > 1 << 20, (
        "nobody awaits bytes that have a place: all that comes is read at once"
    )


def test_while_blocks_come_little_is_read_that_has_to_be_copied() -> None:
    channel, line = _begun()
    place = bytearray(100_000)
    channel.ask([packets.reading(b"h", 0, 1, lambda: memoryview(place))], [lambda _: None])
    assert len(channel.room()) < 16 << 10
    assert not channel.filling
    ((_, number),) = line.asked()
    reply = _answer(_DATA, number, bytes(100_000))
    _feed(channel, reply[:1_000])
    assert channel.filling
    assert len(channel.room()) == len(reply) - 1_000
    _feed(channel, reply[1_000:])
    assert not channel.filling


@pytest.mark.parametrize(
    ("said", "sent", "why"),
    [(50, 60, "not as long as their packet"), (50, 40, "not as long as"), (101, 101, "more bytes than")],
)
def test_bytes_that_do_not_fit_their_packet_or_their_place_go_nowhere(said: int, sent: int, why: str) -> None:
    channel, line = _begun()
    place, answers = bytearray(100), list[Answer]()
    channel.ask([packets.reading(b"h", 0, 1, lambda: memoryview(place))], [answers.append])
    ((_, number),) = line.asked()
    _feed(channel, _framed(bytes([_DATA]) + struct.pack(">II", number, said) + b"x" * sent))
    assert not any(place)
    (lost,) = answers
    assert isinstance(lost, Lost)
    assert why in str(lost)
    assert not channel.live


def test_a_line_that_ends_amid_a_block_is_told_once() -> None:
    channel, line = _begun()
    place, answers = bytearray(100), list[Answer]()
    channel.ask([packets.reading(b"h", 0, 1, lambda: memoryview(place))], [answers.append])
    ((_, number),) = line.asked()
    reply = _answer(_DATA, number, b"x" * 100)
    _feed(channel, reply[:50])
    channel.fail("cut")
    _feed(channel, reply[50:])  # what the line still had
    (lost,) = answers
    assert str(lost) == "cut"


def test_an_exchange_is_led_from_answer_to_answer() -> None:
    channel, line = _begun()
    future = channel.run(exchange.whole("/f", 40_000))
    ((kind, number),) = line.asked()
    assert kind == 3
    _feed(channel, _answer(_HANDLE, number, b"h"))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_DATA, number, bytes(30_000)))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_DATA, number, bytes(10_000)))
    ((_, number),) = line.asked()
    assert not future.done()
    _feed(channel, _answer(_STATUS, number, 1))
    assert future.result(0) == bytes(40_000)
    assert [kind for kind, _ in line.asked()] == [4]


def test_what_is_asked_in_answer_to_many_goes_out_as_one() -> None:
    channel, line = _begun()
    futures = [channel.run(exchange.whole(f"/{number}", 3)) for number in range(20)]
    numbers = [number for _, number in line.asked()]
    line.sends = 0
    _feed(channel, b"".join(_answer(_HANDLE, number, b"h") for number in numbers))
    numbers = [number for _, number in line.asked()]
    assert (len(numbers), line.sends) == (20, 1)
    junk = b"\0\0\0\0"  # what makes no sense ends the line, and what was asked before is sent all the same
    _feed(channel, b"".join(_answer(_DATA, number, b"abc") for number in numbers) + junk)
    assert [future.result(0) for future in futures] == [b"abc"] * 20
    assert [kind for kind, _ in line.asked()] == [4] * 20
    assert line.sends == 2
    assert not channel.live


def test_a_longer_file_is_seen_by_the_byte_too_many() -> None:
    channel, line = _begun()
    future = channel.run(exchange.whole("/f", 3))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_HANDLE, number, b"h"))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_DATA, number, b"four"))
    with pytest.raises(IntegrityBroken):
        future.result(0)
    assert [kind for kind, _ in line.asked()] == [4]


def test_a_refusal_carries_its_code_and_no_control_characters() -> None:
    channel, line = _begun()
    future = channel.run(exchange.opened("/f"))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_STATUS, number, 3, b"no\x1b[31m\n", b"en"))
    with pytest.raises(Refused) as caught:
        future.result(0)
    assert (caught.value.code, caught.value.reason) == (3, "no [31m ")


def test_an_exchange_with_a_mistake_in_it_keeps_nobody_waiting() -> None:
    """Its traceback goes its way, and whoever waits for the result hears that there will be none."""

    def steps() -> Steps[None]:
        yield packets.opening("/f")
        raise KeyError("a mistake of ours")

    channel, line = _begun()
    future = channel.run(steps())
    ((_, number),) = line.asked()
    with pytest.raises(KeyError):
        _feed(channel, _answer(_HANDLE, number, b"h"))
    with pytest.raises(Lost, match="mistake"):
        future.result(0)


def test_a_line_is_silent_only_while_an_answer_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    channel, line = _begun()
    now[0] += 1_000
    assert channel.silent() == 0, "nothing is asked"
    channel.run(exchange.opened("/a"))
    channel.run(exchange.opened("/b"))
    now[0] += 7
    channel.run(exchange.opened("/c"))
    assert channel.silent() == 7, "what is asked meanwhile is no answer"
    numbers = [number for _, number in line.asked()]
    _feed(channel, _answer(_HANDLE, numbers[0], b"h")[:3])
    now[0] += 2
    assert channel.silent() == 2, "a part of an answer is one that comes"
    assert [no_answer(channel.silent(), most) for most in (1.9, 2)] == [
        "no answer for 2 s, though the server keeps the line",
        "",
    ]


def test_the_end_of_a_line_reaches_all_who_wait_and_all_who_come_later() -> None:
    channel, _ = _begun()
    waiting = [channel.run(exchange.opened(f"/{number}")) for number in range(3)]
    channel.fail("cut")
    channel.fail("again")
    for future in [*waiting, channel.run(exchange.opened("/late"))]:
        with pytest.raises(Lost, match="cut"):
            future.result(0)
    with pytest.raises(Lost, match="cut"):
        channel.begin().result(0)


@pytest.mark.parametrize(
    "junk",
    [
        b"Welcome to our server!\n",
        _framed(bytes(2 << 20)),
        _framed(b""),
        _framed(b"\x67"),
        _answer(_DATA, 77, b"nobody asked"),
        _answer(_DATA, 1, 5_000),
        _answer(_HANDLE, 1, 5_000),
    ],
)
def test_what_makes_no_sense_ends_the_conversation(junk: bytes) -> None:
    channel, _ = _begun()
    future = channel.run(exchange.opened("/f"))
    _feed(channel, junk)
    with pytest.raises(Lost, match="not SFTP"):
        future.result(0)


@pytest.mark.parametrize("first", [b"\x02\0\0\0\x02", b"\x02\0\0", b"\x65\0\0\0\x03"])
def test_a_server_that_does_not_speak_version_3_is_told_at_once(first: bytes) -> None:
    channel = Channel(Scripted())
    greeted = channel.begin()
    _feed(channel, _framed(first))
    with pytest.raises(Lost):
        greeted.result(0)


def test_limits_are_asked_where_they_are_offered() -> None:
    line = Scripted()
    channel = Channel(line)
    channel.begin()
    line.sent = b""
    name = b"limits@openssh.com"
    _feed(channel, _framed(_VERSION + struct.pack(">I", len(name)) + name + struct.pack(">I", 1) + b"1"))
    ((kind, number),) = line.asked()
    assert kind == 200
    assert channel.block == 32 << 10
    limits = bytes([201]) + struct.pack(">IQQQQ", number, 256 << 10, 100_000, 0, 0)
    _feed(channel, _framed(limits))
    assert channel.block == 100_000


def test_limits_that_are_offered_and_refused_leave_the_usual() -> None:
    line = Scripted()
    channel = Channel(line)
    channel.begin()
    line.sent = b""
    _feed(channel, _framed(_VERSION + _text(b"limits@openssh.com") + _text(b"1")))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_STATUS, number, 8, b"not here"))
    assert (channel.live, channel.block) == (True, 32 << 10)


def test_a_listing_tells_kinds_and_shows_every_name() -> None:
    entries = (
        _named(b"a", struct.pack(">IQI", 1 | 4, 7, 0o100644)),
        _named(b"d", struct.pack(">III", 4 | 0x80000000, 0o040755, 1) + _text(b"x") + _text(b"y")),
        _named(b"l", struct.pack(">IIIIII", 2 | 4 | 8, 1, 1, 0o120777, 1, 1)),
        _named(b"bare", struct.pack(">I", 0)),
        _named(b"\xff", struct.pack(">I", 0)),
    )
    packet = bytes([_NAME]) + struct.pack(">II", 1, len(entries)) + b"".join(entries)
    found = packets.entries_in(memoryview(packet))
    assert found is not None
    assert found[0] == Entry("a", 7, 0o100644)
    assert [entry.name for entry in found] == ["a", "d", "l", "bare", "\\xff"]
    assert [entry.is_file for entry in found] == [True, False, False, True, True]
    assert [entry.is_folder for entry in found] == [False, True, False, False, False]
    with pytest.raises((Malformed, struct.error)):
        packets.entries_in(memoryview(packet[:-3]))


@pytest.mark.parametrize(
    ("names", "length", "whole"),
    [(100, 1, True), (101, 1, False), (10, 100, True), (10, 101, False), (0, 0, False)],
)
def test_a_folder_without_end_is_read_no_further(
    monkeypatch: pytest.MonkeyPatch, names: int, length: int, whole: bool
) -> None:
    """A server may have millions of names, or give answers without any for ever."""
    monkeypatch.setattr(exchange, "MOST_NAMES", 100)
    monkeypatch.setattr(exchange, "MOST_OF_NAMES", 1000)
    ten = [_named(b"n" * length, struct.pack(">I", 0))] * 10
    answers = [(_NAME, len(ten), b"".join(ten))] * (names // 10)
    answers += [(_NAME, names % 10, b"".join(ten[: names % 10]))] * (1 if names % 10 else 0)
    if not names:
        answers = [(_NAME, 0, b"")] * 101
    channel, line = _begun()
    future = channel.run(exchange.entries("/d"))
    ((_, number),) = line.asked()
    _feed(channel, _answer(_HANDLE, number, b"h"))
    for kind, count, body in answers:
        ((_, number),) = line.asked()
        _feed(channel, _framed(bytes([kind]) + struct.pack(">II", number, count) + body))
    asked = line.asked()
    if whole:
        ((_, number),) = asked
        _feed(channel, _answer(_STATUS, number, 1))
        assert len(future.result(0)) == names
        return
    assert [kind for kind, _ in asked] == [4], "its handle is closed, and nothing more is asked"
    with pytest.raises(IntegrityBroken) as refused:
        future.result(0)
    assert refused.value.expected == "at most 100 names, of 0 MiB together"


@pytest.mark.parametrize(("told", "block"), [(1, 4096), (2**63, 255 << 10), (0, 255 << 10)])
def test_limits_that_no_server_means_are_kept_in_bounds(told: int, block: int) -> None:
    line = Scripted()
    channel = Channel(line)
    channel.begin()
    line.sent = b""
    _feed(channel, _framed(_VERSION + _text(b"limits@openssh.com") + _text(b"1")))
    ((_, number),) = line.asked()
    _feed(channel, _framed(bytes([201]) + struct.pack(">IQQQQ", number, 256 << 10, told, 0, 0)))
    assert channel.block == block


@pytest.mark.parametrize("most", [1_000, 5_000, 20_000])
def test_a_server_that_gives_less_at_once_is_asked_for_the_rest_and_then_for_less(
    tmp_path: Path, most: int
) -> None:
    body = bytes(range(256)) * 4_000
    line = Capped(body, most)
    channel = _over(line, 32 << 10)
    _bring(tmp_path / "part", body, channel, window=64 << 10)
    late = line.sizes[len(line.sizes) // 2 :]
    assert max(late) <= max(most, 4096)  # many small ones at once, not one after the other
    assert channel.block == 32 << 10  # the next file may be on another disk


@pytest.mark.parametrize(("chunk", "reads"), [(1_000_000, 39 + 8 + 1), (256 << 10, 39 + 31 + 1)])
def test_a_server_whose_reads_stop_at_a_boundary_goes_on_being_asked_for_whole_blocks(
    tmp_path: Path, chunk: int, reads: int
) -> None:
    body = random.Random(1).randbytes(8_000_000)
    line = Chunked(body, chunk)
    channel = _over(line, 255 << 10)
    for name in ("first", "second"):
        del line.sizes[:]
        _bring(tmp_path / name, body, channel, window=4 << 20)
        assert len(line.sizes) <= reads  # the blocks, their rests, the byte beyond


def test_requests_under_way_are_few_however_little_a_server_says_that_it_gives(tmp_path: Path) -> None:
    body = bytes(8 << 20)
    line = Capped(body, 1 << 20)
    _bring(tmp_path / "part", body, _over(line, 4096))
    assert line.together <= 513
    assert len(line.sizes) == 2048 + 1


def test_bytes_that_come_one_by_one_take_no_more_memory_than_the_window(tmp_path: Path) -> None:
    body = random.Random(1).randbytes(8_000)
    channel = _over(Backwards(body, 1), 4_000)
    tracemalloc.start()
    try:
        _bring(tmp_path / "part", body, channel)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(body)


def test_a_file_that_cannot_be_opened_on_one_channel_is_closed_on_the_others(tmp_path: Path) -> None:
    lines = [Refusing(b"", 1), Capped(bytes(100), 1_000), Capped(bytes(100), 1_000)]
    channels = [_over(line, 1_000) for line in lines]
    with Part(LOCAL, tmp_path / "part", 100, None) as part, pytest.raises(Refused):
        Download("/f", part, 100, Window(1 << 20), Pace(None)).over(channels)
    assert [line.opened - line.closed for line in lines] == [0, 0, 0]
    assert [line.opened for line in lines] == [0, 1, 1]


class Capped(Scripted):
    """A server that holds one file, and gives at most so much of it at once."""

    channel: Channel

    def __init__(self, body: bytes, most: int) -> None:
        super().__init__()
        self.body = body
        self.most = most
        self.sizes = array("I")
        self.together = self.opened = self.closed = 0

    def send(self, packet: bytes) -> None:
        answers: list[bytes] = []
        while packet:
            length, kind, number = struct.unpack_from(">IBI", packet)
            if kind == 3:
                answers.append(self.open(number))
            elif kind == 4:
                self.closed += 1
            elif kind == 5:
                offset, size = struct.unpack_from(">QI", packet, 4 + length - 12)
                data = self.body[offset : offset + self.given(offset, size)]
                answers.append(_answer(_DATA, number, data) if data else _answer(_STATUS, number, 1))
                self.sizes.append(size)
            packet = packet[4 + length :]
        self.together = max(self.together, len(answers))
        self.answer(answers)

    def answer(self, answers: list[bytes]) -> None:
        _feed(self.channel, b"".join(answers))

    def open(self, number: int) -> bytes:
        self.opened += 1
        return _answer(_HANDLE, number, b"h")

    def given(self, offset: int, size: int) -> int:
        return min(size, self.most)


class Chunked(Capped):
    """A server that stores files in chunks, and whose reads stop where one ends."""

    def given(self, offset: int, size: int) -> int:
        return min(size, self.most - offset % self.most)


class Backwards(Capped):
    """A server that answers what was asked last first, so that all waits for the beginning."""

    def answer(self, answers: list[bytes]) -> None:
        super().answer(answers[::-1])

    def open(self, number: int) -> bytes:
        tracemalloc.reset_peak()  # the beginning of a Part, which reads what is there, does not count
        return super().open(number)


class Refusing(Capped):
    """A server that opens nothing."""

    def open(self, number: int) -> bytes:
        return _answer(_STATUS, number, 3)


class Lavish(Capped):
    """A server that gives a byte more than was asked for."""

    def given(self, offset: int, size: int) -> int:
        return size + 1 if offset + size < len(self.body) else size


class Noting(LocalDisk):
    """A disk that remembers where was written how much."""

    def __init__(self) -> None:
        self.writes: list[tuple[int, int]] = []

    def write(self, file: int, piece: bytes | memoryview) -> int:
        self.writes.append((os.lseek(file, 0, os.SEEK_CUR), len(piece)))
        return super().write(file, piece)


class Halting(Capped):
    """A server that answers a part of what was asked, and the rest a moment later."""

    def __init__(self, body: bytes, most: int, thread: Executor) -> None:
        super().__init__(body, most)
        self.thread = thread

    def answer(self, answers: list[bytes]) -> None:
        third = len(answers) // 3
        self.thread.submit(super().answer, answers[:third])
        self.thread.submit(time.sleep, 0.01)
        self.thread.submit(super().answer, answers[third:])


@pytest.mark.parametrize("there", [0, 1_000, 1 << 20])
def test_pieces_that_are_written_suit_the_disk_also_of_a_file_that_goes_on(
    tmp_path: Path, there: int
) -> None:
    body, disk = random.Random(1).randbytes(3_500_000), Noting()
    into = tmp_path / "part"
    into.write_bytes(body[:there])
    with ThreadPoolExecutor(1) as thread, Part(disk, into, len(body), None) as part:
        channel = _over(Halting(body, 32 << 10, thread), 32 << 10)
        Download("/f", part, len(body), Window(16 << 20), Pace(None)).over([channel])
    assert into.read_bytes() == body
    assert all(size <= PIECE for _, size in disk.writes)
    assert not [offset for offset, _ in disk.writes[1:] if offset % PIECE]


def test_more_bytes_than_were_asked_for_are_not_believed(tmp_path: Path) -> None:
    channel = _over(Lavish(bytes(10_000), 0), 1_000)
    with Part(LOCAL, tmp_path / "part", 10_000, None) as part, pytest.raises(Lost, match="more bytes than"):
        Download("/f", part, 10_000, Window(1 << 20), Pace(None)).over([channel])
    assert (tmp_path / "part").stat().st_size % 1_000 == 0, "what is there is whole blocks from the beginning"


@pytest.mark.parametrize(("there", "size"), [(1_500, 1_000), (999, 1_000)], ids=["longer", "shorter"])
def test_a_large_file_of_another_length_is_not_whole(tmp_path: Path, there: int, size: int) -> None:
    channel = _over(Capped(bytes(there), 100), 100)
    with Part(LOCAL, tmp_path / "part", size, None) as part, pytest.raises(IntegrityBroken):
        Download("/f", part, size, Window(1 << 20), Pace(None)).over([channel])


@pytest.mark.parametrize("answer", [(_STATUS, 4, b"a disk"), (_HANDLE, b"no bytes")], ids=["refused", "odd"])
def test_a_read_that_fails_ends_a_download_and_its_reason_is_told(
    tmp_path: Path, answer: tuple[int, *tuple[int | bytes, ...]]
) -> None:
    class Failing(Capped):
        def answer(self, answers: list[bytes]) -> None:
            number = 2 if len(answers) > 1 else 0
            super().answer(
                [self.spoilt(one) if at == number and number else one for at, one in enumerate(answers)]
            )

        @staticmethod
        def spoilt(reply: bytes) -> bytes:
            (number,) = struct.unpack_from(">I", reply, 5)
            return _answer(answer[0], number, *answer[1:])

    channel, window = _over(Failing(bytes(1_000), 100), 100), Window(1_000)
    with Part(LOCAL, tmp_path / "part", 1_000, None) as part, pytest.raises((Refused, Lost)) as told:
        Download("/f", part, 1_000, window, Pace(None)).over([channel])
    assert window.take(1_000), "nothing is held any more, else the next download would have less"
    assert not window.take(1)
    assert "a disk" in str(told.value) or "not SFTP" in str(told.value)
    assert (tmp_path / "part").stat().st_size == 200, (
        "what came before it is kept, so the next try goes on there"
    )


def test_a_download_that_waits_for_others_ends_when_all_is_closed(tmp_path: Path) -> None:
    channel, window = _over(Capped(bytes(100), 100), 100), Window(100)
    assert window.take(100)  # another download holds it all
    with Part(LOCAL, tmp_path / "part", 100, None) as part, ThreadPoolExecutor(1) as pool:
        ended = pool.submit(Download("/f", part, 100, window, Pace(None)).over, [channel])
        with pytest.raises(TimeoutError):
            ended.result(0.05)
        channel.fail("it was closed")
        window.end()
        with pytest.raises(Lost, match="closed"):
            ended.result(10)


@pytest.mark.parametrize("over", [False, True])
def test_who_waits_for_room_goes_on_when_there_is_some_and_when_all_is_over(*, over: bool) -> None:
    window = Window(100)
    window.take(100)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(window.await_room, 1)
        with pytest.raises(TimeoutError):
            waiting.result(0.05)
        if over:
            window.end()
        else:
            window.give(1)
        waiting.result(10)


def test_what_a_server_writes_to_standard_error_is_no_answer() -> None:
    channel, line = _begun()
    receiving = _Receiving(channel)
    channel.run(exchange.opened("/f"))
    ((_, number),) = line.asked()
    receiving.data_received(b"\xff\xff\xff\xffmotd", asyncssh.EXTENDED_DATA_STDERR)
    assert channel.live
    receiving.data_received(_answer(_HANDLE, number, b"h"), None)
    assert channel.live


@pytest.mark.parametrize("cut", [bytes([_DATA]), bytes([_STATUS])])
def test_an_answer_that_is_cut_short_ends_a_download_that_waits_for_nothing_else(
    tmp_path: Path, cut: bytes
) -> None:
    class Cut(Capped):
        def answer(self, answers: list[bytes]) -> None:
            short = [_framed(cut + one[5:9]) if one[4] == _DATA else one for one in answers]
            super().answer(short)

    channel = _over(Cut(bytes(100), 100), 100)
    with Part(LOCAL, tmp_path / "part", 100, None) as part, pytest.raises(Lost, match="not SFTP"):
        Download("/f", part, 100, Window(1 << 20), Pace(None)).over([channel])


def _led(
    steps: Steps[object], *answers: tuple[int, *tuple[int | bytes, ...]]
) -> tuple[Future[object], list[int]]:
    """Lead an exchange through `answers`, and give it with the kinds of all requests."""
    channel, line = _begun()
    future, kinds = channel.run(steps), []
    for kind, *parts in answers:
        ((asked, number),) = [one for one in line.asked() if one[0] != _CLOSE_READ or kind == _STATUS]
        kinds.append(asked)
        _feed(channel, _answer(kind, number, *parts))
    return future, kinds + [kind for kind, _ in line.asked()]


_CLOSE_READ = 4


@pytest.mark.parametrize("code", [2, 10])
def test_a_folder_that_is_not_there_has_no_entries(code: int) -> None:
    future, _ = _led(exchange.entries("/d"), (_STATUS, code, b"none"))
    assert future.result(0) == []


@pytest.mark.parametrize("code", [3, 4, 8])
def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(code: int) -> None:
    """Else a lost right would look like a day on which nothing was released."""
    future, _ = _led(exchange.entries("/d"), (_STATUS, code, b"no"))
    with pytest.raises(Refused):
        future.result(0)
    future, _ = _led(exchange.entries("/d"), (_HANDLE, b"h"), (_STATUS, code, b"no"))
    with pytest.raises(Refused):
        future.result(0)


_OK = (_STATUS, 0, b"")
_FULL = (_STATUS, 4, b"the disk is full")


@pytest.mark.parametrize(
    "answers",
    [
        [_FULL],
        [(_HANDLE, b"h"), _FULL],
        [(_HANDLE, b"h"), _OK, _FULL],
        [(_HANDLE, b"h"), (_HANDLE, b"no status")],
        [(_HANDLE, b"h"), (_HANDLE, b"")],
    ],
    ids=["opening", "writing", "closing", "odd", "zero"],
)
def test_a_receipt_that_the_server_did_not_take_was_not_sent(
    answers: list[tuple[int, *tuple[int | bytes, ...]]],
) -> None:
    """AWS Transfer Family stores a file when it is closed, so a refusal may come as late as that."""
    future, kinds = _led(exchange.put("/receipts/d/x", b"receipt"), *answers)
    with pytest.raises((Refused, Lost)):
        future.result(0)
    assert 14 not in kinds, "no folder is made for a write that failed for another reason"


def test_a_receipt_makes_its_folders_only_where_they_are_missing() -> None:
    absent = (_STATUS, 2, b"no such folder")
    opened = (_HANDLE, b"h")
    future, kinds = _led(exchange.put("/receipts/d/x", b"r"), absent, _FULL, _OK, opened, _OK, _OK)
    assert future.result(0) is None
    assert kinds == [3, 14, 14, 3, 6, 4]


def test_a_document_is_at_most_as_long_as_it_may_be() -> None:
    read, end = (_DATA, b"abc"), (_STATUS, 1, b"")
    future, _ = _led(exchange.at_most("/m", 6), (_HANDLE, b"h"), read, read, end)
    assert future.result(0) == b"abcabc"
    future, kinds = _led(exchange.at_most("/m", 6, 3), (_HANDLE, b"h"), read)
    assert (future.result(0), kinds) == (b"abc", [3, 5, 4])
    future, _ = _led(exchange.at_most("/m", 6, 2), (_HANDLE, b"h"), read, read, end)
    assert future.result(0) == b"abcabc", "it has grown since it was listed"
    full = (_DATA, bytes(32 << 10))
    future, _ = _led(exchange.at_most("/m", 1 << 20, 32 << 10), (_HANDLE, b"h"), full, read, end)
    assert future.result(0) == bytes(32 << 10) + b"abc", "as much came as was asked for: there may be more"
    future, kinds = _led(exchange.at_most("/m", 5), (_HANDLE, b"h"), read, read)
    with pytest.raises(IntegrityBroken, match="larger than a manifest"):
        future.result(0)
    assert kinds == [3, 5, 5, 4], "no more is asked for than tells"


@pytest.mark.parametrize(
    ("code", "expected"), [(2, NotFound), (10, NotFound), (3, NotPermitted), (4, Unavailable)]
)
def test_a_refusal_means_what_its_code_says(code: int, expected: type[LandbridgeError]) -> None:
    with pytest.raises(expected), translated(Endpoint("h", 22, "u", "", ()), "reading /f"):
        raise Refused(code, "no")


def _view(body: bytearray) -> memoryview:
    return memoryview(body)


def _over(line: Capped, block: int) -> Channel:
    line.channel = Channel(line)
    line.channel.block = block
    return line.channel


def _bring(into: Path, body: bytes, channel: Channel, *, window: int = 16 << 20) -> None:
    with Part(LOCAL, into, len(body), None) as part:
        Download("/f", part, len(body), Window(window), Pace(None)).over([channel])
    assert into.read_bytes() == body


def _text(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def _named(name: bytes, attributes: bytes) -> bytes:
    return _text(name) + _text(b"-rw-r--r-- " + name) + attributes
