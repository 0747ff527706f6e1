"""How do names, values and types of a contract become SQL? The one place where anything is quoted."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landbridge.contract.columns import ColumnRule, Part

Value = str | int | float | bool | Decimal | date | time | datetime | None


def name(text: str) -> str:
    """Quote a name."""
    return '"' + text.replace('"', '""') + '"'


def literal(value: Value) -> str:
    """Write a value; numbers stay exact."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return _exact(f"{value:f}")
        case float():
            return f"CAST('{value!r}' AS DOUBLE)"  # by way of a decimal it would be rounded twice
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            kind = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
            return f"{kind} '{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case time():
            return f"TIME '{value.isoformat()}'"
        case _:
            assert_never(value)


_MOST_DIGITS = 38


def _exact(text: str) -> str:
    """Write a number as a decimal of just its digits: DuckDB counts the zero before the point as one, and reads the 39th as a double."""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = max(1, len(whole.lstrip("0")) + len(fraction))
    if not fraction or digits > _MOST_DIGITS:
        return text
    return f"CAST('{text}' AS DECIMAL({digits}, {len(fraction)}))"


def any_of(values: Iterable[Value]) -> str:
    """Write a list for `IN`."""
    return "(" + ", ".join(literal(value) for value in values) + ")"


def outside(column: str, allowed: Sequence[Value]) -> str:
    """Say that a value is there and is none of `allowed`. With a null among them, `NOT IN` would be true of nothing."""
    present = [value for value in allowed if value is not None]
    return f"{column} NOT IN {any_of(present)}" if present else f"{column} IS NOT NULL"


def type_of(column: ColumnRule) -> str:
    """Give the DuckDB type whose every value is exact for the column."""
    match column.kind:
        case "string" | "binary":
            return "VARCHAR"
        case "integer":
            size = {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT", 128: "HUGEINT"}[column.bits]
            return size if column.signed else f"U{size}"
        case "decimal":
            return f"DECIMAL({column.precision}, {column.scale})"
        case "float":
            return "DOUBLE"
        case "boolean":
            return "BOOLEAN"
        case "date":
            return "DATE"
        case "time":
            return "TIME"
        case "timestamp":
            return "TIMESTAMPTZ" if column.zoned else "TIMESTAMP"
        case _:
            assert_never(column.kind)


def typed(column: ColumnRule, text: str) -> str:
    """Turn the expression `text` (the value as the file spells it) into the column's type.

    Only for text that the strict half has found sound: what it cannot read is an error, not a null.
    """
    if not column.form:
        return text if type_of(column) == "VARCHAR" else f"CAST({text} AS {type_of(column)})"
    if any(part.letter == "X" for part in column.form):
        # `Z` is no offset to strptime, and it wants the offset to be the end of the text.
        text = f"regexp_replace({text}, 'Z$', '+00:00')"
    return f"CAST(strptime({text}, {literal(_strptime(column.form))}) AS {type_of(column)})"


def _strptime(form: tuple[Part, ...]) -> str:
    letters = {"y": "%Y", "M": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S", "S": "%f", "X": "%z"}
    return "".join(letters[part.letter] if part.letter else part.literal.replace("%", "%%") for part in form)
