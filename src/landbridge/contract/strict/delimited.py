"""What is particular to delimited text: its dialect, and the form of each field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.judge import Judge
from landbridge.contract.strict.records import Dialect
from landbridge.contract.strict.scan import RecordGate
from landbridge.contract.strict.walk import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.blocks import Block
    from landbridge.contract.strict.page import Page
    from landbridge.contract.strict.records import Fault, Record, Records
    from landbridge.feed.outputs import Csv

_SELF_EVIDENT = ("date", "boolean")
"""Kinds whose values show that nothing was cut off their end."""


def csv_gate(csv: Csv, columns: Sequence[ColumnRule], block: int = BLOCK) -> RecordGate:
    """Make the gate of a CSV file; `block` is how many bytes are looked at at once."""
    return RecordGate(
        columns=tuple(columns),
        layout=Delimited(csv, columns),
        header=csv.header,
        leading=csv.leading.fields if csv.leading else None,
        trailing=csv.trailing.fields if csv.trailing else None,
        block=block,
    )


class Delimited:
    """The layout of one CSV file whose delimiter and quote are one byte each."""

    rules: Sequence[str] = (rule.QUOTES, rule.COLUMNS)
    marked = True

    def __init__(self, csv: Csv, columns: Sequence[ColumnRule]) -> None:
        encoding = csv.encoding.removesuffix("-sig")
        self.dialect = Dialect(
            _byte(csv.delimiter, encoding),
            -1 if csv.quoting == "none" else _byte(csv.quote, encoding),
            csv.null.encode(encoding),
            encoding,
        )
        self.width = len(columns)
        self._columns = tuple(columns)
        self._judge = Judge(columns, self.dialect)

    def block(self, page: Page, block: Block) -> Iterator[tuple[int, Fault, bytes]]:
        """See `Layout`."""
        return self._judge.block(page, block)

    def record(self, records: Records, record: Record) -> Iterator[tuple[Fault, bytes]]:
        """See `Layout`."""
        return self._judge.record(records, record)

    def evident(self, records: Records, record: Record) -> bool:
        """Tell whether the last field is quoted, or of a kind that is only whole when it is well formed."""
        last = record.fields[-1]
        return last.quoted or (self._columns[-1].kind in _SELF_EVIDENT and not records.is_null(record, last))

    def names(self, records: Records, record: Record) -> tuple[str, ...]:
        """See `Layout`."""
        return tuple(records.value(record, f).decode(self.dialect.encoding, "replace") for f in record.fields)

    def around(self, records: Records, record: Record, _: Sequence[str]) -> tuple[str, ...]:
        """See `Layout`."""
        return self.names(records, record)


def _byte(character: str, encoding: str) -> int:
    """Give the one byte of a delimiter or quote."""
    (byte,) = character.encode(encoding)
    return byte
