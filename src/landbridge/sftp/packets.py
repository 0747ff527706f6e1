"""How do the requests and replies of SFTP version 3 look on the wire?

Source: draft-ietf-secsh-filexfer-02; `limits@openssh.com` from OpenSSH's PROTOCOL, 4.8.
"""

from __future__ import annotations

import stat
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

U32 = Struct(">I")
_HEAD = Struct(">IBI")
_U64 = Struct(">Q")
_WHERE = Struct(">QI")

DATA_HEAD = 9
"""Bytes of an answer to `reading` before those of the file: its kind, its number, how many they are."""

_INIT, VERSION, _STATUS, _HANDLE, _DATA, _NAME = 1, 2, 101, 102, 103, 104
_OPEN, _CLOSE, _READ, _WRITE, _OPENDIR, _READDIR, _MKDIR, _REALPATH, _EXTENDED = (
    3,
    4,
    5,
    6,
    11,
    12,
    14,
    16,
    200,
)
_OK, _EOF, NO_SUCH_FILE, DENIED, _NO_SUCH_PATH = 0, 1, 2, 3, 10
_TO_READ, _TO_WRITE = 0x01, 0x02 | 0x08 | 0x10
"""SSH_FXF_READ; SSH_FXF_WRITE, CREAT and TRUNC."""
_SIZE, _OWNERS, _PERMISSIONS, _TIMES, _EXTENSIONS = 0x01, 0x02, 0x04, 0x08, 0x80000000
_LIMITS = b"limits@openssh.com"

INIT = U32.pack(5) + bytes([_INIT]) + U32.pack(3)
"""The first packet of every conversation; it alone has no number."""


class Refused(Exception):
    """The server answered a request with a status that is not OK."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    @property
    def absent(self) -> bool:
        """Whether the file or folder is not there."""
        return self.code in {NO_SUCH_FILE, _NO_SUCH_PATH}


class Malformed(Exception):
    """What came is not an answer to what was asked."""


class Request(NamedTuple):
    """What is asked, without its length and number."""

    kind: int
    body: bytes
    awaited: bool = True
    """Whether whoever asks needs the answer before it goes on."""
    place: Callable[[], memoryview] | None = None
    """Gives, once the answer begins to come, where the bytes of the file in it go: no more than there is room for."""


class Entry(NamedTuple):
    """One line of a listing."""

    name: str
    size: int
    mode: int | None
    """As in stat(2); a server may leave it out."""
    modified: int | None = None
    """Seconds since 1970; a server may leave it out."""

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file; a server that tells no kinds has nothing else."""
        return self.mode is None or stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode is not None and stat.S_ISDIR(self.mode)


def numbered(request: Request, number: int) -> bytes:
    """Give the packet of a request."""
    return _HEAD.pack(5 + len(request.body), request.kind, number) + request.body


def opening(path: str) -> Request:
    """Open a file for reading."""
    return Request(_OPEN, _text(path) + U32.pack(_TO_READ) + U32.pack(0))


def creating(path: str) -> Request:
    """Open a file for writing, empty."""
    return Request(_OPEN, _text(path) + U32.pack(_TO_WRITE) + U32.pack(0))


def closing(handle: bytes, *, awaited: bool = False) -> Request:
    """Close a file or folder; nobody need wait for that after reading: over a long line it were one round trip more."""
    return Request(_CLOSE, _string(handle), awaited)


def reading(handle: bytes, offset: int, size: int, place: Callable[[], memoryview] | None = None) -> Request:
    """Read at most `size` bytes, to be put into `place`."""
    return Request(_READ, _string(handle) + _WHERE.pack(offset, size), place=place)


def writing(handle: bytes, offset: int, body: bytes) -> Request:
    """Write all of `body`."""
    return Request(_WRITE, _string(handle) + _U64.pack(offset) + _string(body))


def opening_folder(path: str) -> Request:
    """Open a folder for listing."""
    return Request(_OPENDIR, _text(path))


def listing(handle: bytes) -> Request:
    """Give the next entries."""
    return Request(_READDIR, _string(handle))


def making_folder(path: str) -> Request:
    """Make a folder."""
    return Request(_MKDIR, _text(path) + U32.pack(0))


def asking_where() -> Request:
    """Ask where we are: what every server answers without looking at a disk."""
    return Request(_REALPATH, _text("."))


def asking_limits() -> Request:
    """Ask how much the server reads at once."""
    return Request(_EXTENDED, _string(_LIMITS))


def done(packet: memoryview) -> None:
    """Take an answer that only says that it worked.

    Raises:
        Refused: it did not.
    """
    if packet[0] != _STATUS:
        raise Malformed(f"packet {packet[0]} for a status")
    code = _number(packet, 5)
    if code != _OK:
        raise Refused(code, _reason(packet))


def handle_in(packet: memoryview) -> bytes:
    """Give the handle of what was opened.

    Raises:
        Refused: it could not be.
    """
    return bytes(_string_at(_expected(packet, _HANDLE), 5))


def bytes_in(packet: memoryview) -> memoryview:
    """Give the bytes read, in the buffer they came in; nothing at the end of the file.

    Raises:
        Refused: they could not be.
    """
    if _at_end(packet):
        return packet[:0]
    return _string_at(_expected(packet, _DATA), 5)


def is_data(packet: memoryview) -> bool:
    """Say whether an answer that begins so is the bytes of a file."""
    return packet[0] == _DATA


def size_in(head: memoryview) -> int:
    """Give how many bytes were read, of an answer whose bytes have their place; 0 at the end of the file.

    Raises:
        Refused: they could not be.
    """
    if _at_end(head):
        return 0
    return _number(_expected(head, _DATA), 5)


def entries_in(packet: memoryview) -> list[Entry] | None:
    """Give the entries of a listing; None at its end.

    Raises:
        Refused: the folder cannot be listed.
    """
    if _at_end(packet):
        return None
    at, found = 9, []
    for _ in range(_number(_expected(packet, _NAME), 5)):
        name = _string_at(packet, at)
        at += 4 + len(name)
        at += 4 + _number(packet, at)  # the long name is for people
        size, mode, modified, at = _attributes(packet, at)
        # A name that is no UTF-8 must not hide the others; with backslashes in it, nobody takes it for a plain one.
        found.append(Entry(str(name, "utf-8", "backslashreplace"), size, mode, modified))
    return found


def offers_limits(packet: memoryview) -> bool:
    """Say whether the server's first packet offers `limits@openssh.com`.

    Raises:
        Malformed: it is not an SFTP server's first packet, or of a version before 3.
    """
    if packet[0] != VERSION or _number(packet, 1) < 3:  # noqa: PLR2004 - the version this module speaks
        raise Malformed("no SFTP version 3")
    at = 5
    while at < len(packet):
        name = _string_at(packet, at)
        at += 4 + len(name)
        at += 4 + _number(packet, at)
        if name == _LIMITS:
            return True
    return False


def most_read_in(packet: memoryview) -> int:
    """Give the most bytes that the server reads at once; 0 when it has no limit of its own."""
    return int(_U64.unpack_from(_expected(packet, 201), 13)[0])


def _attributes(packet: memoryview, at: int) -> tuple[int, int | None, int | None, int]:
    flags, size, mode, modified = _number(packet, at), 0, None, None
    at += 4
    if flags & _SIZE:
        size = _U64.unpack_from(packet, at)[0]
        at += 8
    at += 8 if flags & _OWNERS else 0
    if flags & _PERMISSIONS:
        mode = _number(packet, at)
        at += 4
    if flags & _TIMES:
        modified = _number(packet, at + 4)  # after the time of the last access
        at += 8
    if flags & _EXTENSIONS:
        count = _number(packet, at)
        at += 4
        for _ in range(2 * count):
            at += 4 + _number(packet, at)
    return size, mode, modified, at


def _expected(packet: memoryview, kind: int) -> memoryview:
    if packet[0] == _STATUS:
        raise Refused(_number(packet, 5), _reason(packet))
    if packet[0] != kind:
        raise Malformed(f"packet {packet[0]} for {kind}")
    return packet


def _at_end(packet: memoryview) -> bool:
    return packet[0] == _STATUS and _number(packet, 5) == _EOF


def _reason(packet: memoryview) -> str:
    told = str(_string_at(packet, 9), "utf-8", "replace") if len(packet) > 9 else ""  # noqa: PLR2004 - a bare status
    printable = "".join(letter if letter.isprintable() else " " for letter in told[:300])
    return printable or f"status {_number(packet, 5)}"


def _number(packet: memoryview, at: int) -> int:
    return int(U32.unpack_from(packet, at)[0])


def _string_at(packet: memoryview, at: int) -> memoryview:
    length = _number(packet, at)
    if at + 4 + length > len(packet):
        raise Malformed("a text that is longer than its packet")
    return packet[at + 4 : at + 4 + length]


def _string(body: bytes) -> bytes:
    return U32.pack(len(body)) + body


def _text(path: str) -> bytes:
    return _string(path.encode("utf-8", "surrogateescape"))
