"""Does one SFTP conversation keep its answers apart, however its bytes come, and end when they make no sense?"""

from __future__ import annotations

import itertools
import struct
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import IntegrityBroken
from landbridge.sftp import exchange, packets
from landbridge.sftp.channel import Channel, Lost
from landbridge.sftp.pace import Pace, Window
from landbridge.sftp.packets import Entry, Malformed, Refused
from landbridge.sftp.part import Part
from landbridge.sftp.reader import Download

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.sftp.channel import Answer

_VERSION = b"\x02" + struct.pack(">I", 3)
_HANDLE, _DATA, _STATUS, _NAME = 102, 103, 101, 104


class Scripted:
    """A line whose other end we write by hand; obeys channel.Line."""

    client, window = "script", 1

    def __init__(self) -> None:
        self.sent = b""

    def send(self, packet: bytes) -> None:
        self.sent += packet

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


def test_a_server_that_gives_less_at_once_is_asked_for_the_rest(tmp_path: Path) -> None:
    body = bytes(range(256)) * 300
    channel = Channel(line := Obliging(body, 1_000))
    line.channel = channel
    with Part(tmp_path / "part", len(body), None) as part:
        Download("/f", part, len(body), Window(1 << 20), Pace(None)).over([channel])
    assert (tmp_path / "part").read_bytes() == body
    assert channel.block == 4096  # a larger block has no use there, a smaller one is never asked for


class Obliging(Scripted):
    """A server that holds one file, and gives at most so much of it at once."""

    channel: Channel

    def __init__(self, body: bytes, most: int) -> None:
        super().__init__()
        self._body = body
        self._most = most

    def send(self, packet: bytes) -> None:
        answers = []
        while packet:
            length, kind, number = struct.unpack_from(">IBI", packet)
            if kind == 3:
                answers.append(_answer(_HANDLE, number, b"h"))
            elif kind == 5:
                offset, size = struct.unpack_from(">QI", packet, 4 + length - 12)
                data = self._body[offset : offset + min(size, self._most)]
                answers.append(_answer(_DATA, number, data) if data else _answer(_STATUS, number, 1))
            packet = packet[4 + length :]
        feeding = threading.Thread(target=_feed, args=(self.channel, b"".join(answers)))
        feeding.start()
        feeding.join()


def _text(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def _named(name: bytes, attributes: bytes) -> bytes:
    return _text(name) + _text(b"-rw-r--r-- " + name) + attributes
