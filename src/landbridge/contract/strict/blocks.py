"""Where do the fields of a whole block of records begin and end?

The vectorised half of the CSV gate. One pass of comparisons finds every byte that means something (delimiter, line
feed, quote, carriage return); everything after that works on the list of those events, not on the bytes. A record is
regular when its events are exactly its columns' ends; every other one is named as doubtful and left to records.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.strict.records import CR, LF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.contract.strict.page import Bytes, Flags, Page, Positions
    from landbridge.contract.strict.records import Dialect


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records from the start of a page. Positions count from there."""

    ends: Positions
    """After the line feed of each record."""
    regular: Positions
    """Which records (from 0) `stops` is about, ascending."""
    stops: Positions
    """(regular records, columns): the byte after each field, its closing quote included."""
    doubtful: Positions
    """Which records need the exact half, ascending: irregular, with a stray carriage return, or another line end."""
    lines: int
    """Line feeds in these records, the quoted ones included."""
    quoted: bool
    """Whether any field is quoted."""

    def start(self, row: int) -> int:
        """Give the first byte of a record."""
        return int(self.ends[row - 1]) if row else 0

    def longest(self) -> int:
        """Give the bytes of the longest record."""
        return int(np.diff(self.ends, prepend=0).max())

    def fields(self, columns: Sequence[int]) -> tuple[Positions, Positions]:
        """Give first byte and end of the fields of these columns, regular record by record; quotes are included."""
        width, many = len(columns), len(self.regular)
        begin, end = columns[0], columns[-1] + 1
        together = end - begin == width
        last = np.empty((many, width), np.int64)
        last[:] = self.stops[:, begin:end] if together else self.stops[:, columns]
        first = np.empty((many, width), np.int64)
        if begin:
            before = (
                self.stops[:, begin - 1 : end - 1] if together else self.stops[:, [c - 1 for c in columns]]
            )
            np.add(before, 1, out=first)
        else:
            starts = np.zeros(len(self.ends), np.int64)
            starts[1:] = self.ends[:-1]
            first[:, 0] = starts[self.regular]
            before = self.stops[:, : end - 1] if together else self.stops[:, [c - 1 for c in columns[1:]]]
            np.add(before, 1, out=first[:, 1:])
        return first.ravel(), last.ravel()

    def cut(self, rows: int, lines: int) -> Block:
        """Keep only the first `rows` records, which have `lines` line feeds."""
        kept = int(np.searchsorted(self.regular, rows))
        return replace(
            self,
            ends=self.ends[:rows],
            regular=self.regular[:kept],
            stops=self.stops[:kept],
            doubtful=self.doubtful[self.doubtful < rows],
            lines=lines,
        )


class Blocks:
    """Takes blocks of one dialect and width apart; keeps its scratch arrays."""

    def __init__(self, page: Page, dialect: Dialect, width: int) -> None:
        self._page = page
        self._dialect = dialect
        self._width = width
        self._mask: Flags = np.empty(page.size, np.bool_)
        self._more: Flags = np.empty(page.size, np.bool_)
        self._opens: Flags = np.zeros(256, np.bool_)
        self._closes: Flags = np.zeros(256, np.bool_)
        self._opens[[dialect.delimiter, LF, dialect.quote]] = True
        self._closes[[dialect.delimiter, LF, dialect.quote]] = True

    def split(self, length: int, *, crlf: bool) -> Block | None:
        """Take apart the whole records among the first `length` bytes; None when there are none that can be trusted.

        `crlf` is the line end of the file. Ends before the first record whose quoting is broken.
        """
        page = self._page
        has_cr = page.has(CR, length)
        quoted = self._dialect.quote >= 0 and page.has(self._dialect.quote, length)
        events, codes = self._events(length, has_cr=has_cr, quoted=quoted)
        limit, all_events, all_codes = length, events, codes
        if quoted:
            events, codes, limit = self._unquoted(events, codes, length)
        if has_cr:
            stray, events, codes = self._carriage_returns(events, codes)
        else:
            stray = events[:0]
        at = np.flatnonzero(codes == LF)
        ends = events[at]
        whole = int(np.searchsorted(ends, limit)) if limit < length else len(ends)
        if not whole:
            return None
        lines = whole
        if quoted and np.count_nonzero(all_codes == LF) != len(at):
            lines = int(np.searchsorted(all_events[all_codes == LF], ends[whole - 1], side="right"))
        at, ends = at[:whole], ends[:whole]
        doubts = self._doubts(ends, stray, crlf=crlf, has_cr=has_cr)
        regular, stops, irregular = self._fields(events, at, ends, has_cr=has_cr)
        doubtful = np.unique(np.concatenate([*doubts, irregular])) if doubts or irregular.size else irregular
        return Block(ends + 1, regular, stops, doubtful[doubtful < whole], lines, quoted)

    def _events(self, length: int, *, has_cr: bool, quoted: bool) -> tuple[Positions, Bytes]:
        data, mask, more = self._page.bytes[:length], self._mask[:length], self._more[:length]
        np.equal(data, LF, out=mask)
        delimiter = [self._dialect.delimiter] if self._dialect.delimiter >= 0 else []
        wanted = [*delimiter, *([self._dialect.quote] if quoted else []), *([CR] if has_cr else [])]
        for byte in wanted:
            np.equal(data, byte, out=more)
            np.logical_or(mask, more, out=mask)
        events = np.flatnonzero(mask)
        return events, data[events]

    def _unquoted(self, events: Positions, codes: Bytes, length: int) -> tuple[Positions, Bytes, int]:
        """Leave out quotes and what they enclose; give also the place of the first quote that is out of place."""
        page = self._page
        keep = codes != self._dialect.quote
        quotes = np.flatnonzero(~keep)
        opens, closes = quotes[0::2], quotes[1::2]
        opened, closed = events[opens], events[closes]
        after = page.bytes[closed + 1]
        fine = self._closes[after]
        if not fine.all():
            fine |= (after == CR) & (page.bytes[closed + 2] == LF)
        # a quote in the last byte is judged when the next block shows what follows it
        bad = [opened[~self._opens[page.before[opened]]][:1], closed[~fine & (closed + 2 < length)][:1]]
        limit = reduce(min, (int(b[0]) for b in bad if b.size), length)
        inside = closes - opens[: len(closes)] - 1
        holding = np.flatnonzero(inside)
        if holding.size:
            counts = inside[holding]
            steps = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
            keep[np.repeat(opens[holding] + 1, counts) + steps] = False
        if len(opens) > len(closes):
            keep[opens[-1] :] = False
        return events[keep], codes[keep], limit

    def _carriage_returns(self, events: Positions, codes: Bytes) -> tuple[Positions, Positions, Bytes]:
        """Give the carriage returns that no line feed follows, and the events without any carriage return."""
        is_cr = codes == CR
        returns = events[is_cr]
        return returns[self._page.bytes[returns + 1] != LF], events[~is_cr], codes[~is_cr]

    def _doubts(self, ends: Positions, stray: Positions, *, crlf: bool, has_cr: bool) -> list[Positions]:
        if not has_cr:
            return [np.arange(len(ends))] if crlf else []
        doubts = [np.searchsorted(ends, stray)] if stray.size else []
        other = np.flatnonzero((self._page.before[ends] == CR) != crlf)
        return [*doubts, other] if other.size else doubts

    def _fields(
        self, events: Positions, at: Positions, ends: Positions, *, has_cr: bool
    ) -> tuple[Positions, Positions, Positions]:
        """Give the regular records, the ends of their fields, and the other records."""
        width, whole = self._width, len(ends)
        fits = np.diff(at, prepend=-1) == width
        if width == 1 and self._dialect.delimiter >= 0:
            fits &= ~self._blank(ends)
        if fits.all():
            regular = np.arange(whole)
            stops = events[: whole * width].reshape(whole, width)
        else:
            regular = np.flatnonzero(fits)
            stops = events[at[regular][:, None] + np.arange(1 - width, 1)]
        if has_cr:
            starts = np.zeros(whole, np.int64)
            starts[1:] = ends[:-1] + 1
            first = stops[:, -2] + 1 if width > 1 else starts[regular]
            stops[:, -1] -= (self._page.before[stops[:, -1]] == CR) & (stops[:, -1] > first)
        return regular, stops, np.flatnonzero(~fits)

    def _blank(self, ends: Positions) -> Flags:
        """Tell which records have nothing before the line end at `ends`."""
        starts = np.zeros(len(ends), np.int64)
        starts[1:] = ends[:-1] + 1
        blank: Flags = (ends == starts) | ((ends == starts + 1) & (self._page.bytes[starts] == CR))
        return blank
