"""How does a row become a line of CSV?

A field is quoted where the declaration says so, and wherever it could not be told apart otherwise. Null is the
declared text, never quoted; a value that looks like it is quoted, and so is every empty text.

Source: RFC 4180; a quote inside quotes is doubled.
"""

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

    from landbridge.feed.outputs import Csv
    from landbridge.formats.formulas import Policy

_TAKEN = set("0123456789+-.:ETZainfrtuelsv")
"""What numbers, dates and booleans are written with."""


def needs_no_look(csv: Csv, kind: pa.DataType) -> bool:
    """Tell whether no text of a column ever needs quotes: numbers and dates, under a usual dialect."""
    usual = not {csv.delimiter, csv.quote} & _TAKEN and not csv.null
    return usual and not lexical.textual(kind) and not lexical.binary(kind)


class Delimited:
    """Lines of one CSV file."""

    def __init__(self, csv: Csv, schema: pa.Schema, formulas: Policy) -> None:
        self._csv = csv
        self._formulas = formulas
        self._special = (csv.delimiter, csv.quote, "\r", "\n")
        self._names = schema.names
        self._plain = [needs_no_look(csv, field.type) for field in schema]
        if csv.delimiter == csv.quote or {csv.delimiter, csv.quote} & {"\r", "\n"}:
            raise UsageError("the delimiter, the quote and the line end of a CSV file must differ")
        if any(special in csv.null for special in self._special):
            raise UsageError(f"the null text {csv.null!r} holds a delimiter, a quote or a line break")
        lexical.refuse_nested(schema)

    def heading(self) -> str | None:
        """Give the header's line, if there is one."""
        return (
            self.around(self._names, forced=self._csv.quoting in {"all", "strings"})
            if self._csv.header
            else None
        )

    def around(self, fields: Sequence[str], *, forced: bool | None = None) -> str:
        """Give the line of a leading or trailing record (or a header)."""
        always = self._csv.quoting == "all" if forced is None else forced
        return self._csv.delimiter.join(self._field(field, always=always) for field in fields)

    def lines(self, batch: pa.RecordBatch, before: int) -> pa.StringArray:
        """Give one line a row, without line ends."""
        columns = [
            self._column(values, Place(name, before), plain=plain)
            for name, values, plain in zip(self._names, batch.columns, self._plain, strict=True)
        ]
        if len(columns) == 1:
            self._refuse_blank(columns[0], Place(self._names[0], before))
        return pc.binary_join_element_wise(
            *columns, self._csv.delimiter, null_handling="replace", null_replacement=self._csv.null
        )

    def _refuse_blank(self, only: pa.StringArray, place: Place) -> None:
        """Pass when no line of a file with one column is blank: readers skip such lines."""
        if not self._csv.null:
            place.refuse(
                pc.is_null(only),
                "null would be a blank line",
                hint="declare a `null` text in the file's format",
            )
        place.refuse(pc.equal(only, ""), "an empty text would be a blank line, and `quoting` is `none`")

    def _column(self, values: pa.Array, place: Place, *, plain: bool) -> pa.StringArray:
        text = lexical.texts(values, place)
        if lexical.textual(values.type):
            text = guarded(text, self._formulas, place)
        match self._csv.quoting:
            case "all":
                return self._quoted(text)
            case "strings" if lexical.textual(values.type):
                return self._quoted(text)
            case "none":
                self._refuse(text, place, plain=plain)
                return text
            case "minimal" | "strings":
                return text if plain else self._quoted_where_needed(text)

    def _quoted(self, text: pa.StringArray) -> pa.StringArray:
        quote = self._csv.quote
        if quote.encode() in lexical.content(text):
            text = pc.replace_substring(text, quote, quote + quote)
        return pc.binary_join_element_wise(quote, text, quote, "")

    def _quoted_where_needed(self, text: pa.StringArray) -> pa.StringArray:
        needs = pc.equal(text, "")
        if self._csv.null:
            needs = pc.or_(needs, pc.equal(text, self._csv.null))
        content = lexical.content(text)
        for special in self._special:
            if special.encode() in content:
                needs = pc.or_(needs, pc.match_substring(text, special))
        needs = pc.fill_null(needs, False)  # noqa: FBT003 # the filling
        if not pc.any(needs).as_py():
            return text
        return pc.replace_with_mask(text, needs, self._quoted(text.filter(needs)))

    def _refuse(self, text: pa.StringArray, place: Place, *, plain: bool) -> None:
        if plain:
            return
        hint = "declare another `quoting` or `delimiter`"
        content = lexical.content(text)
        for special in self._special:
            if special.encode() in content:
                place.refuse(
                    pc.match_substring(text, special),
                    f"holds {_SAID.get(special, repr(special))}, and `quoting` is `none`",
                    hint=hint,
                )
        place.refuse(
            pc.equal(text, self._csv.null),
            "cannot be told from null, and `quoting` is `none`",
            hint="declare another `null` text or `quoting`",
        )

    def _field(self, field: str, *, always: bool) -> str:
        quote = self._csv.quote
        if not always and not any(special in field for special in self._special):
            return field
        if self._csv.quoting == "none":
            raise ContractBroken(
                f"the field {field!r} of a header, leading or trailing record needs quotes, and `quoting` is `none`"
            )
        return quote + field.replace(quote, quote + quote) + quote


_SAID = {"\r": "a carriage return", "\n": "a line feed"}
