"""What do the leading and the trailing record say, and which totals must be kept for them?"""

from __future__ import annotations

import string
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from landbridge.errors import UsageError
from landbridge.naming import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landbridge.facts import Slot
    from landbridge.feed.outputs import Csv, Record

_COUNTS = ("rows", "records")
_WIDEST = 76
"""Digits of Arrow's widest decimal."""
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a record's fields are filled from, beside the counts and totals."""

    slot: Slot
    environment: str
    revision: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Around:
    """The records around the data, as declared."""

    leading: Record | None
    trailing: Record | None
    words: Words

    @property
    def count(self) -> int:
        """Records beside the data (a header is none)."""
        return (self.leading is not None) + (self.trailing is not None)

    @property
    def leading_knows_the_data(self) -> bool:
        """Whether the first record can only be written after the last row."""
        return self.leading is not None and any(
            word in (*_COUNTS, "total") for word, _ in _words(self.leading)
        )

    def totals(self, schema: pa.Schema) -> Totals:
        """Start the totals that the records ask for.

        Raises:
            UsageError: a word that is not known, a column that is not there or has no exact sum.
        """
        declared = [record for record in (self.leading, self.trailing) if record is not None]
        asked = [spec for record in declared for word, spec in _words(record) if word == "total"]
        totals = Totals(schema, dict.fromkeys(asked))
        for record in declared:
            self.fields(record, 0, totals)  # so that a mistake shows before the first row is read
        return totals

    def fields(self, record: Record, rows: int, totals: Totals) -> list[str]:
        """Fill the fields of one record."""
        return [self._filled(field, rows, totals) for field in record.fields]

    def _filled(self, field: str, rows: int, totals: Totals) -> str:
        counts = {"rows": rows, "records": rows + self.count}
        sums = totals.texts()
        text = ""
        for literal, word, spec, conversion in string.Formatter().parse(field):
            text += literal
            if word is None:
                continue
            if word == "total":
                text += sums[spec or ""]
            elif word in _COUNTS:
                text += _count(field, counts[word], spec or "")
            else:
                text += self._rendered(word, spec or "", conversion)
        return text

    def _rendered(self, word: str, spec: str, conversion: str | None) -> str:
        template = "{" + word + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
        return render(
            template,
            self.words.slot,
            environment=self.words.environment,
            revision=self.words.revision,
            variables=self.words.variables,
        )


class Totals:
    """Exact sums of some columns; null adds nothing."""

    def __init__(self, schema: pa.Schema, columns: Mapping[str, None]) -> None:
        self._scales = {column: _scale(schema, column) for column in columns}
        self._sums = dict.fromkeys(columns, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the rows of one batch."""
        for column, scale in self._scales.items():
            values = batch.column(column).cast(pa.decimal256(_WIDEST, scale))
            total = pc.sum(values).as_py()
            if total is not None:
                self._sums[column] += int(total.scaleb(scale, _EXACT))

    def texts(self) -> dict[str, str]:
        """Give the sums by column, plain, with the column's scale."""
        return {
            column: format(Decimal(self._sums[column]).scaleb(-scale, _EXACT), f".{max(scale, 0)}f")
            for column, scale in self._scales.items()
        }


def summed(csv: Csv) -> frozenset[str]:
    """Give the columns that the records around the data ask a total of."""
    declared = [record for record in (csv.leading, csv.trailing) if record is not None]
    return frozenset(spec for record in declared for word, spec in _words(record) if word == "total")


def _count(field: str, count: int, spec: str) -> str:
    try:
        return format(count, spec)
    except ValueError as error:
        raise UsageError(f"the format `:{spec}` does not fit a count in the field `{field}`") from error


def _words(record: Record) -> list[tuple[str, str]]:
    parsed = (part for field in record.fields for part in string.Formatter().parse(field))
    return [(word, spec or "") for _, word, spec, _ in parsed if word is not None]


def _scale(schema: pa.Schema, column: str) -> int:
    if column not in schema.names:
        raise UsageError(
            f"`{{total:{column}}}` names no column of the file",
            expected=_names(schema.names),
            seen=f"`{column}`",
        )
    kind = schema.field(column).type
    if kinds.is_integer(kind):
        return 0
    if kinds.is_decimal(kind):
        return int(kind.scale)
    raise UsageError(
        f"`{{total:{column}}}`: the column is `{kind}`, which has no exact sum",
        expected="an integer or a decimal",
        hint="cast it in `transform`",
    )


def _names(names: Sequence[str]) -> str:
    return "one of " + ", ".join(f"`{name}`" for name in names)
