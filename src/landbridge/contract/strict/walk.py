"""In which stretches is a delimited file read: blocks of records at once, and single records where that fails?"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.strict.blocks import Blocks
from landbridge.contract.strict.page import PAD, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.contract.strict.blocks import Block
    from landbridge.contract.strict.encodings import Encoding
    from landbridge.contract.strict.records import Dialect, Record, Records
    from landbridge.contract.strict.window import Window

BLOCK = 1 << 20
_AFTER_TROUBLE = 1 << 15
_GROWTH = 4
_MARK_EVERY = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """The start of a record: its offset in the file, its number among the data records (from 1), its physical line."""

    offset: int
    record: int
    line: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole records from a place on."""

    place: Place
    block: Block | None
    """The records as a block on the walk's page, None for a single record."""
    exact: dict[int, Record]
    """The records that the exact half read, by their row in the stretch."""
    after: Place
    """Where the next stretch starts."""
    last: bool
    """Whether the file ends with this stretch."""

    @property
    def length(self) -> int:
        """Give its bytes."""
        return self.after.offset - self.place.offset


class Walk:
    """Walks over the records of one file, from any record on; the same from wherever it starts."""

    def __init__(
        self,
        window: Window,
        records: Records,
        dialect: Dialect,
        encoding: Encoding,
        width: int,
        block: int = BLOCK,
    ) -> None:
        self.page = Page(block)
        self.crlf = False
        """The file's line end, as its first record tells."""
        self.holds_back = False
        """Whether the last record of the file is not part of any block, because it is no data record."""
        self._window = window
        self._records = records
        self._encoding = encoding
        self._width = width
        self._blocks = Blocks(self.page, dialect, width)
        self.marks: list[Place] = []
        """Places to begin from again, at most one every MiB."""

    def from_(self, place: Place) -> Iterator[Stretch]:
        """Yield the stretches from `place` to the end of the file. A stretch is good until the next one is asked for."""
        window, page = self._window, self.page
        size, trouble = page.size, False
        while place.offset < window.size:
            self._mark(place)
            found = None if trouble else self._block(place, size)
            if found is None:
                record = self._records.read(place.offset, self._width)
                lines = window.lines(record.start, record.end)
                after = Place(record.end, place.record + 1, place.line + lines)
                yield Stretch(place, None, {0: record}, after, record.end >= window.size)
                # where one record is broken the next ones may be too, and a block would be looked at in vain
                place, size, trouble = after, min(_AFTER_TROUBLE, page.size), bool(record.faults)
                continue
            block, exact = found
            end = place.offset + int(block.ends[-1])
            after = Place(end, place.record + len(block.ends), place.line + block.lines)
            yield Stretch(place, block, exact, after, end >= window.size)
            place = after
            size = min(size * _GROWTH, page.size)

    def line(self, stretch: Stretch, row: int) -> int:
        """Give the physical line on which a record of a stretch starts."""
        if stretch.block is None or not row:
            return stretch.place.line
        return stretch.place.line + self.page.raw.count(b"\n", PAD, PAD + stretch.block.start(row))

    def locate(self, record: int) -> tuple[int, int]:
        """Give (physical line, byte offset) of a data record, walking from the nearest mark before it."""
        nearest = max(0, bisect_right(self.marks, record, key=lambda place: place.record) - 1)
        for stretch in self.from_(self.marks[nearest]):
            row = record - stretch.place.record
            if record < stretch.after.record:
                start = stretch.block.start(row) if stretch.block else 0
                return self.line(stretch, row), stretch.place.offset + start
        return 0, -1

    def _mark(self, place: Place) -> None:
        if not self.marks or place.offset - self.marks[-1].offset >= _MARK_EVERY:
            self.marks.append(place)

    def _block(self, place: Place, size: int) -> tuple[Block, dict[int, Record]] | None:
        """Give the records of the next `size` bytes and the doubtful ones among them as the exact half reads them.

        None where the exact half must read the first one alone.
        """
        length = self._window.fill(self.page.room[:size], place.offset)
        self.page.close_at(length)
        block = self._blocks.split(length, crlf=self.crlf)
        if block is None:
            return None
        if self.holds_back and place.offset + int(block.ends[-1]) >= self._window.size:
            if len(block.ends) == 1:
                return None
            block = self._cut(block, len(block.ends) - 1)
        doubtful = np.union1d(block.doubtful, self._encoding.doubtful(self.page, block.ends))
        exact: dict[int, Record] = {}
        for row in doubtful.tolist():
            record = self._records.read(place.offset + block.start(row), self._width)
            if record.end != place.offset + int(block.ends[row]):
                return (self._cut(block, row), exact) if row else None
            exact[row] = record
        return block, exact

    def _cut(self, block: Block, rows: int) -> Block:
        return block.cut(rows, self.page.raw.count(b"\n", PAD, PAD + int(block.ends[rows - 1])))
