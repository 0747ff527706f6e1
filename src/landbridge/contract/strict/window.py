"""How does the exact half look at a file of any size without holding more than a piece of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from landbridge.errors import DiskFailed

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from io import BufferedIOBase, RawIOBase
    from pathlib import Path
    from types import TracebackType

_SMALLEST = 1 << 13
_LARGEST = 1 << 20


class Window:
    """An open file, seen through one piece of at most 1 MiB. Offsets are bytes from its first one."""

    def __init__(self, path: Path) -> None:
        """Open `path`; its size is taken once.

        Raises:
            DiskFailed: it cannot be opened.
        """
        self._path = path
        try:
            self._file: RawIOBase | BufferedIOBase = path.open("rb", buffering=0)
            self.size = self._file.seek(0, 2)
        except OSError as error:
            raise self._failed(error) from error
        self._at = 0
        self._piece = b""
        self._next = _SMALLEST

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def fill(self, into: memoryview, at: int) -> int:
        """Read from `at` on until `into` is full or the file ends; give the number of bytes.

        Raises:
            DiskFailed: the disk did not answer, or the file shrank.
        """
        wanted = min(len(into), self.size - at)
        got = 0
        try:
            self._file.seek(at)
            while got < wanted:
                more = self._file.readinto(into[got:wanted])
                if not more:
                    raise DiskFailed(
                        f"{self._path.name} shrank while it was read",
                        expected=f"{self.size} bytes",
                        seen=f"{at + got}",
                    )
                got += more
        except OSError as error:
            raise self._failed(error) from error
        return got

    def byte(self, at: int) -> int:
        """Give the byte at `at`, -1 at the end of the file."""
        if at >= self.size:
            return -1
        return self._around(at)[at - self._at]

    def read(self, start: int, end: int) -> bytes:
        """Give the bytes from `start` to before `end`; callers bound the length."""
        if self._at <= start and end <= self._at + len(self._piece):
            return self._piece[start - self._at : end - self._at]
        room = bytearray(max(0, min(end, self.size) - start))
        self.fill(memoryview(room), start)
        return bytes(room)

    def line(self, start: int) -> bytes:
        """Give the line at `start` with its line feed, empty when the piece at hand does not hold all of it."""
        piece = self._around(start)
        end = piece.find(b"\n", start - self._at)
        return piece[start - self._at : end + 1] if end >= 0 else b""

    def find(self, pattern: re.Pattern[bytes], at: int, until: int | None = None) -> int:
        """Give the first offset from `at` to before `until` where `pattern` (one byte long) matches, else `until` (the file's size)."""
        until = self.size if until is None else until
        while at < until:
            piece = self._around(at)
            found = pattern.search(piece, at - self._at, until - self._at)
            if found:
                return self._at + found.start()
            at = self._at + len(piece)
        return until

    def skip(self, pattern: re.Pattern[bytes], at: int) -> int:
        """Give the end of the longest match of `pattern` (bytes that may be passed over) from `at` on."""
        while at < self.size:
            piece = self._around(at)
            found = pattern.match(piece, at - self._at)
            end = self._at + (found.end() if found else at - self._at)
            if end < self._at + len(piece):
                return end
            at = end
        return self.size

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """Give the bytes from `start` to before `end` in pieces of at most 1 MiB."""
        for at in range(start, end, _LARGEST):
            yield self.read(at, min(end, at + _LARGEST))

    def lines(self, start: int, end: int) -> int:
        """Count the line feeds from `start` to before `end`."""
        return sum(piece.count(b"\n") for piece in self.pieces(start, end))

    def _around(self, at: int) -> bytes:
        if not self._at <= at < self._at + len(self._piece):
            follows = bool(self._piece) and at == self._at + len(self._piece)
            self._next = min(self._next * 2, _LARGEST) if follows else _SMALLEST
            room = bytearray(min(self._next, self.size - at))
            self.fill(memoryview(room), at)
            self._at, self._piece = at, bytes(room)
        return self._piece

    def _failed(self, error: OSError) -> DiskFailed:
        return DiskFailed(f"{self._path.name} cannot be read", seen=error.strerror or str(error))
