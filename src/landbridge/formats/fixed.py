"""How does a row become a line of fixed width? Widths count characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from landbridge.errors import ContractBroken, UsageError
from landbridge.formats import lexical
from landbridge.formats.breach import Place
from landbridge.formats.formulas import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.feed.outputs import Fixed, FixedColumn
    from landbridge.formats.formulas import Policy


class FixedWidth:
    """Lines of one fixed-width file; the declared columns give the order."""

    def __init__(self, fixed: Fixed, schema: pa.Schema, formulas: Policy) -> None:
        self._fixed = fixed
        self._formulas = formulas
        lexical.refuse_nested(schema)
        if sorted(schema.names) != sorted(fixed.columns):
            raise ContractBroken(
                "the rows have other columns than the fixed-width file",
                expected=", ".join(fixed.columns),
                seen=", ".join(schema.names),
                hint="name each column of the rows once in `format.columns`",
            )
        for name, column in fixed.columns.items():
            zeros_before = column.align == "right" and column.fill == "0"
            if column.fill.isdigit() and not zeros_before and lexical.numeric(schema.field(name).type):
                raise UsageError(
                    f"the column `{name}` is a number: digits beside it would change it",
                    expected="another `fill`, or zeros with `align: right`",
                )

    def heading(self) -> str | None:
        """Give the header's line, if there is one."""
        if not self._fixed.header:
            return None
        return "".join(_padded_name(name, column) for name, column in self._fixed.columns.items())

    def around(self, fields: Sequence[str]) -> str:
        """Give the line of a leading or trailing record: its fields one after the other."""
        line = "".join(fields)
        if "\r" in line or "\n" in line:
            raise ContractBroken("a leading or trailing record holds a line break")
        return line

    def lines(self, batch: pa.RecordBatch, before: int) -> pa.StringArray:
        """Give one line a row, without line ends."""
        columns = [
            self._column(batch.column(name), column, Place(name, before))
            for name, column in self._fixed.columns.items()
        ]
        return pc.binary_join_element_wise(*columns, "")

    def _column(self, values: pa.Array, column: FixedColumn, place: Place) -> pa.StringArray:
        text = lexical.texts(values, place)
        if lexical.textual(values.type):
            text = guarded(text, self._formulas, place)
            place.refuse(pc.match_substring_regex(text, "[\r\n]"), "holds a line break")
        place.refuse(
            pc.greater(pc.utf8_length(text), column.width),
            f"longer than the {column.width} characters of its column",
        )
        if column.fill.isdigit():
            place.refuse(pc.is_null(text), "null would read as a number", hint="declare another `fill`")
        if column.align == "left":
            padded = pc.utf8_rpad(text, column.width, column.fill)
        elif column.fill == "0" and lexical.numeric(values.type):
            padded = pc.utf8_zero_fill(text, column.width, "0")
        else:
            padded = pc.utf8_lpad(text, column.width, column.fill)
        return pc.fill_null(padded, column.fill * column.width)


def _padded_name(name: str, column: FixedColumn) -> str:
    if len(name) > column.width:
        raise UsageError(
            f"the column name `{name}` is longer than its {column.width} characters",
            hint="declare `header: false`",
        )
    return name.ljust(column.width) if column.align == "left" else name.rjust(column.width)
