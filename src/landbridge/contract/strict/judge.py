"""Which values of these records lack the lexical form of their column?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.lexical import fault_of
from landbridge.contract.strict.records import LONGEST_VALUE, Fault
from landbridge.contract.strict.vector import acceptor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.blocks import Block
    from landbridge.contract.strict.page import Flags, Page, Positions
    from landbridge.contract.strict.records import Dialect, Record, Records
    from landbridge.contract.strict.vector import Accept


class Judge:
    """Judges values of one file's columns: many at once (fast, may be unsure) and one at a time (exact)."""

    def __init__(self, columns: Sequence[ColumnRule], dialect: Dialect) -> None:
        self.columns = tuple(columns)
        self._dialect = dialect
        self._faults = [fault_of(c, dialect.encoding) for c in columns]
        self._groups = _groups(columns, dialect.encoding)

    def block(self, page: Page, block: Block) -> Iterator[tuple[int, Fault, bytes]]:
        """Give (row, fault, value) of every value of the regular records that lacks its form, in the order of the file."""
        unsure: list[tuple[int, int, int, int]] = []
        for accept, group in self._groups:
            first, last = block.fields(group)
            if block.quoted and first.size and page.bytes[first[0]] == self._dialect.quote:
                rest = np.arange(len(first))  # quoted throughout, as it seems
            else:
                rest = np.flatnonzero(~accept(page, first, last))
            if rest.size:
                rest = rest[~self._fine_after_all(page, accept, first, last, rest)]
                rows, columns = np.divmod(rest, len(group))
                unsure += zip(
                    block.regular[rows].tolist(),
                    [group[c] for c in columns.tolist()],
                    first[rest].tolist(),
                    last[rest].tolist(),
                    strict=True,
                )
        for row, column, start, end in sorted(unsure):
            value = self._text(page.text(start, end))
            message = self._faults[column](value)
            if message:
                yield row, Fault(rule.type_rule(self.columns[column].name), start, column, message), value

    def record(self, records: Records, record: Record) -> Iterator[tuple[Fault, bytes]]:
        """Give (fault, value) of every value of one record that lacks its form."""
        if len(record.fields) != len(self.columns):
            return
        for column, (found, fault) in enumerate(zip(record.fields, self._faults, strict=True)):
            if self.columns[column].kind == "string" or records.is_null(record, found):
                continue
            value = records.value(record, found)
            size = found.end - found.start
            message = fault(value) if size <= LONGEST_VALUE else f"{size} bytes, too long for its type"
            if message:
                yield Fault(rule.type_rule(self.columns[column].name), found.start, column, message), value

    def _fine_after_all(
        self, page: Page, accept: Accept, first: Positions, last: Positions, rest: Positions
    ) -> Flags:
        """Tell which of the values at `rest` are quoted and well formed, or null; moves the bounds of quoted ones inside their quotes."""
        starts, ends = first[rest], last[rest]
        quoted: Flags = (page.bytes[starts] == self._dialect.quote) & (ends > starts)
        if quoted.any():
            starts += quoted
            ends -= quoted
            first[rest], last[rest] = starts, ends
        fine = accept(page, starts, ends)
        null = self._dialect.null
        others = np.flatnonzero(~fine & ~quoted & (ends - starts == len(null)))
        if others.size and null:
            texts = (page.text(s, s + len(null)) for s in starts[others].tolist())
            others = others[[text == null for text in texts]]
        fine[others] = True
        return fine

    def _text(self, value: bytes) -> bytes:
        if self._dialect.quote < 0:
            return value
        quote = bytes([self._dialect.quote])
        return value.replace(quote + quote, quote)


def _groups(columns: Sequence[ColumnRule], encoding: str) -> list[tuple[Accept, list[int]]]:
    """Put columns of the same form together, so that one pass of word operations judges them all."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for at, c in enumerate(columns):
        key = (c.kind, c.precision, c.scale, c.bits, c.signed, c.zoned, c.form)
        alike.setdefault(key, []).append(at)
    groups = []
    for members in alike.values():
        accept = acceptor(columns[members[0]], encoding)
        if accept is not None:
            groups.append((accept, members))
    return groups
