"""What is asked, in which order, for one small file, one listing, one receipt? Each a generator that `Channel.run` drives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken
from landbridge.sftp import packets
from landbridge.sftp.packets import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.sftp.channel import Steps
    from landbridge.sftp.packets import Entry

_USUAL = 32 << 10
"""Bytes that every server met gives of a plain file at once."""
MOST_NAMES, MOST_OF_NAMES = 500_000, 64 << 20
"""Names of one folder, and their characters: more than a day of any declaration has, and about 200 MB of memory."""


def entries(folder: str) -> Steps[list[Entry]]:
    """List a folder; nothing when it is not there.

    Raises:
        IntegrityBroken: it has more names than anybody may wait for.
    """
    try:
        return (yield from _listed(folder))
    except Refused as refused:  # some servers open any folder, and find out when they list it
        if refused.absent:
            return []
        raise


def opened(path: str) -> Steps[bytes]:
    """Open a file for reading and give its handle."""
    return packets.handle_in((yield packets.opening(path)))


def whole(path: str, size: int) -> Steps[bytes]:
    """Give a small file that must have `size` bytes; two round trips.

    Raises:
        IntegrityBroken: it is shorter or longer.
    """
    handle = packets.handle_in((yield packets.opening(path)))
    try:
        # One byte more than there should be: a longer file shows itself without asking for its attributes.
        data = b""
        while len(data) < size:
            more = packets.bytes_in((yield packets.reading(handle, len(data), size + 1 - len(data))))
            if not more:
                break
            data += more
        # Servers give at least this much of a plain file at once, so a shorter answer has met the end.
        at_end = 0 < size < _USUAL and len(data) == size
        longer = len(data) > size
        if not longer and not at_end:
            longer = bool(packets.bytes_in((yield packets.reading(handle, size, 1))))
    finally:
        yield packets.closing(handle)
    check_size(path, size, len(data), longer=longer)
    return data


def at_most(path: str, most: int, listed: int = 0) -> Steps[bytes]:
    """Give a small file that may be as long as it was `listed`, and may not.

    Raises:
        IntegrityBroken: it has more than `most` bytes.
    """
    handle = packets.handle_in((yield packets.opening(path)))
    try:
        data = b""
        while len(data) <= most:
            size = min(_USUAL, most + 1 - len(data))
            more = packets.bytes_in((yield packets.reading(handle, len(data), size)))
            if not more:
                break
            data += more
            if len(data) == listed and len(more) < size:
                break  # one that has grown would have given more
    finally:
        yield packets.closing(handle)
    if len(data) > most:
        raise IntegrityBroken(
            f"{path} is larger than a manifest or receipt can be", expected=f"at most {most} bytes"
        )
    return data


def put(path: str, body: bytes) -> Steps[None]:
    """Write a small file, making its folder when needed."""
    try:
        yield from _written(path, body)
    except Refused as refused:
        if not refused.absent:
            raise
        yield from _folder(path.rpartition("/")[0])
        yield from _written(path, body)


def _listed(folder: str) -> Steps[list[Entry]]:
    handle = packets.handle_in((yield packets.opening_folder(folder)))
    found: list[Entry] = []
    left, room = MOST_NAMES, MOST_OF_NAMES
    try:
        while (more := packets.entries_in((yield packets.listing(handle)))) is not None:
            found += more
            left -= max(1, len(more))  # an answer without any is one more to wait for
            room -= sum(len(entry.name) for entry in more)
            if left < 0 or room < 0:
                raise IntegrityBroken(
                    f"{folder} has more names than a folder of the server can have",
                    expected=f"at most {MOST_NAMES:,} names, of {MOST_OF_NAMES >> 20} MiB together",
                    hint="nothing of it was collected; look at who writes there",
                )
    finally:
        yield packets.closing(handle)
    return found


def _written(path: str, body: bytes) -> Steps[None]:
    handle = packets.handle_in((yield packets.creating(path)))
    for offset in range(0, len(body), _USUAL):
        packets.done((yield packets.writing(handle, offset, body[offset : offset + _USUAL])))
    packets.done((yield packets.closing(handle, awaited=True)))


def _folder(folder: str) -> Steps[None]:
    made = ""
    for part in folder.strip("/").split("/"):
        made += f"/{part}"
        try:
            packets.done((yield packets.making_folder(made)))
        except Refused:
            continue  # it is there, or the write that follows says what is wrong


def round_trip(clock: Callable[[], float]) -> Steps[float]:
    """Give the shortest time that one of a few answers took: how long the line is, even when the machine is busy."""
    took = []
    for _ in range(5):
        began = clock()
        yield packets.asking_where()
        took.append(clock() - began)
    return min(took)


def check_size(path: str, expected: int, seen: int, *, longer: bool) -> None:
    """Refuse a remote file that is not as long as its manifest says.

    Raises:
        IntegrityBroken: so it is.
    """
    if longer or seen != expected:
        raise IntegrityBroken(
            f"{path} is {'longer' if longer else 'shorter'} on the server than its manifest says",
            expected=f"{'exactly' if longer else 'at least'} {expected} bytes",
            seen=f"more than {expected}" if longer else f"{seen} bytes",
            hint="nothing was landed; look at who changed the released object, it must be immutable",
        )
