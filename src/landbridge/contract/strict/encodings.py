"""Are these bytes text in the declared encoding?

Encodings in which every ASCII character is one byte. (UTF-16 is put into UTF-8 first: see transcoded.py.)
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.records import Fault

if TYPE_CHECKING:
    from landbridge.contract.strict.page import Flags, Page, Positions
    from landbridge.contract.strict.window import Window

_ASCII = 0x80
_SHORT = 1 << 16


class Encoding:
    """One declared encoding, by Python's name for it."""

    def __init__(self, name: str) -> None:
        self.name = "utf-8" if name == "utf-8-sig" else name
        self._undefined: Flags = np.array([not _decodes(bytes([b]), self.name) for b in range(256)])

    def doubtful(self, page: Page, ends: Positions) -> Positions:
        """Give the records of a page that hold a NUL or bytes that are no text; `ends` are the ends of all records."""
        length = int(ends[-1])
        doubts = []
        if page.has(0, length):
            doubts.append(np.searchsorted(ends, np.flatnonzero(page.bytes[:length] == 0), side="right"))
        if int(page.bytes[:length].max()) >= _ASCII and not (
            self.name == "utf-8" and _decodes(page.text(0, length), "utf-8")
        ):
            high = np.flatnonzero(self._undefined[page.bytes[:length]])
            rows = np.unique(np.searchsorted(ends, high, side="right"))
            doubts.append(rows[[not self._whole(page, ends, int(row)) for row in rows]])
        return np.unique(np.concatenate(doubts)) if doubts else ends[:0]

    def faults(self, window: Window, start: int, end: int) -> list[Fault]:
        """Name the first NUL and the first bytes that are no text among [start, end) of the file."""
        if end - start <= _SHORT:
            text = window.read(start, end)
            if text.isascii() and b"\0" not in text:
                return []
        found: list[Fault] = []
        decoder = codecs.getincrementaldecoder(self.name)("strict")
        at, nul, text_so_far = start, -1, True
        for piece in window.pieces(start, end):
            if nul < 0 and b"\0" in piece:
                nul = at + piece.index(b"\0")
                found.append(Fault(rule.NUL, nul, -1, "a NUL byte"))
            pending = len(decoder.getstate()[0])
            try:
                if text_so_far:
                    decoder.decode(piece, at + len(piece) >= end)
            except UnicodeDecodeError as error:
                offset = at - pending + error.start
                found.append(Fault(rule.BYTES, offset, -1, f"not {self.name}: {error.reason}"))
                text_so_far = False
            at += len(piece)
        return found

    def _whole(self, page: Page, ends: Positions, row: int) -> bool:
        start = int(ends[row - 1]) if row else 0
        return _decodes(page.text(start, int(ends[row])), self.name)


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
