"""What is particular to fixed width: a line of exactly so many characters, and values with a fill around them.

A value is what remains when the fill is taken from the side where it was put; nothing remains of null. Zeros before a
number are part of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.heading import pieces_of
from landbridge.contract.strict.lexical import fault_of
from landbridge.contract.strict.records import LONGEST_VALUE, Dialect, Fault
from landbridge.contract.strict.scan import RecordGate
from landbridge.contract.strict.vector import acceptor
from landbridge.contract.strict.walk import BLOCK
from landbridge.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.blocks import Block
    from landbridge.contract.strict.page import Flags, Page, Positions
    from landbridge.contract.strict.records import Record, Records
    from landbridge.feed.outputs import Fixed, FixedColumn

_NUMBERS = ("integer", "decimal", "float")
_ASCII = 0x80


def fixed_gate(fixed: Fixed, columns: Sequence[ColumnRule], block: int = BLOCK) -> RecordGate:
    """Make the gate of a fixed-width file; `columns` are those of its layout, in the same order."""
    return RecordGate(
        columns=tuple(columns),
        layout=FixedWidth(fixed, columns),
        header=fixed.header,
        leading=fixed.leading.fields if fixed.leading else None,
        trailing=fixed.trailing.fields if fixed.trailing else None,
        block=block,
    )


class FixedWidth:
    """The layout of one fixed-width file in an encoding whose ASCII characters are one byte."""

    rules: Sequence[str] = (rule.WIDTH,)
    width = 1
    marked = True

    def __init__(self, fixed: Fixed, columns: Sequence[ColumnRule]) -> None:
        self.dialect = Dialect(-1, -1, b"", fixed.encoding.removesuffix("-sig"))
        self._columns = tuple(columns)
        self._shapes = [fixed.columns[column.name] for column in columns]
        ends = np.cumsum([shape.width for shape in self._shapes])
        self._starts = [0, *ends[:-1].tolist()]
        self._length = int(ends[-1])
        self._faults = [fault_of(c, self.dialect.encoding) for c in columns]
        self._accepts = [acceptor(c, self.dialect.encoding) for c in columns]

    def block(self, page: Page, block: Block) -> Iterator[tuple[int, Fault, bytes]]:
        """Judge lines of ASCII at once, and the others one by one."""
        ends = block.stops[:, 0]
        starts = np.concatenate(([0], block.ends[:-1]))[block.regular]
        odd = ends - starts != self._length
        odd |= _with_others(page, block)[block.regular]
        doubtful = set(np.flatnonzero(odd).tolist())
        plain = np.flatnonzero(~odd)
        for at, accept in enumerate(self._accepts):
            if accept is not None and plain.size:
                first = starts[plain] + self._starts[at]
                last = first + self._shapes[at].width
                self._trim(page, at, first, last)
                doubtful.update(plain[~(accept(page, first, last) | (first == last))].tolist())
        for row in sorted(doubtful):
            start, end = int(starts[row]), int(ends[row])
            for fault, value in self._line(page.text(start, end), start):
                yield int(block.regular[row]), fault, value

    def record(self, records: Records, record: Record) -> Iterator[tuple[Fault, bytes]]:
        """See `Layout`."""
        yield from self._line(records.value(record, record.fields[0]), record.start, _size(record))

    def evident(self, _records: Records, _record: Record) -> bool:
        """A line of the full width is whole."""
        return True

    def names(self, records: Records, record: Record) -> tuple[str, ...]:
        """See `Layout`; none where the line is not as long as those of the data, whatever it begins with."""
        text = records.value(record, record.fields[0]).decode(self.dialect.encoding, "replace")
        if len(text) != self._length:
            return ()
        return tuple(
            text[start : start + shape.width].strip(" ")
            for start, shape in zip(self._starts, self._shapes, strict=True)
        )

    def around(self, records: Records, record: Record, declared: Sequence[str]) -> tuple[str, ...]:
        """Take a line apart into the declared fields; the whole line as one where it cannot be."""
        text = records.value(record, record.fields[0]).decode(self.dialect.encoding, "replace")
        found = re.fullmatch("".join(f"({''.join(pieces_of(field))})" for field in declared), text)
        return found.groups() if found else (text,)

    def _line(self, line: bytes, start: int, size: int = 0) -> Iterator[tuple[Fault, bytes]]:
        try:
            text = line.decode(self.dialect.encoding)
        except UnicodeDecodeError:
            return  # said already, with its offset
        if not text:
            yield Fault(rule.BLANK_LINE, start, -1, "a blank line"), b""
        elif len(text) != self._length or size > LONGEST_VALUE:
            seen = counted(size, "byte") if size > LONGEST_VALUE else f"{counted(len(text), 'character')}"
            yield Fault(rule.WIDTH, start, -1, f"{seen}, expected {self._length}"), b""
        else:
            for at, (column, fault) in enumerate(zip(self._columns, self._faults, strict=True)):
                begin, shape = self._starts[at], self._shapes[at]
                value = _value(text[begin : begin + shape.width], column, shape).encode(self.dialect.encoding)
                message = fault(value) if value else ""
                if message:
                    offset = start + len(text[:begin].encode(self.dialect.encoding))
                    yield Fault(rule.type_rule(column.name), offset, at, message), value

    def _trim(self, page: Page, at: int, first: Positions, last: Positions) -> None:
        """Move the bounds of values over their fill, in place."""
        shape = self._shapes[at]
        if _keeps_fill(self._columns[at], shape):
            return
        fill = ord(shape.fill)
        for _ in range(shape.width):
            more: Flags = page.bytes[first] == fill if shape.align == "right" else page.before[last] == fill
            more &= first < last
            if not more.any():
                return
            if shape.align == "right":
                first += more
            else:
                last -= more


def _value(text: str, column: ColumnRule, shape: FixedColumn) -> str:
    if _keeps_fill(column, shape):
        return text
    return text.lstrip(shape.fill) if shape.align == "right" else text.rstrip(shape.fill)


def _keeps_fill(column: ColumnRule, shape: FixedColumn) -> bool:
    """Tell whether zeros before a number stay: they are well formed, and the last of them may be its value."""
    return shape.fill == "0" and shape.align == "right" and column.kind in _NUMBERS


def _with_others(page: Page, block: Block) -> Flags:
    """Tell which records hold a byte beyond ASCII."""
    length = int(block.ends[-1])
    odd: Flags = np.zeros(len(block.ends), np.bool_)
    if int(page.bytes[:length].max()) >= _ASCII:
        others = np.flatnonzero(page.bytes[:length] >= _ASCII)
        odd[np.searchsorted(block.ends, others, side="right")] = True
    return odd


def _size(record: Record) -> int:
    return record.fields[0].end - record.fields[0].start
