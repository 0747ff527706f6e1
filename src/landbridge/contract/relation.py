"""How does DuckDB read a file that the strict half has found sound? One FROM clause for each format, every column typed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from landbridge.contract.sql import literal, name, type_of, typed
from landbridge.feed.outputs import Csv, Fixed, Jsonl, Parquet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from landbridge.contract.columns import ColumnRule
    from landbridge.feed.outputs import FixedColumn, Format

_LINE = "landbridge line"
_NEVER = "e'\\x1f\\x1e\\x1f\\x1e'"
"""A delimiter that no line holds, so that a line stays one field."""
_USUAL_LINE = 2_000_000
"""Bytes of a line that DuckDB takes without being told."""
_EXACT_DIGITS = 15
_WHOLE_BITS = 64


@dataclass(frozen=True, slots=True)
class Bytes:
    """The bytes to read: UTF-8, decompressed, without leading and trailing records."""

    path: Path
    header: bool
    """Whether the first record is a header, to be passed over."""
    longest: int
    """Bytes of the longest record, 0 when unknown."""
    line_end: bytes = b"\n"
    """Of every record."""


def relation(form: Format, columns: Sequence[ColumnRule], data: Bytes) -> str:
    """Give a table expression with exactly the contract's columns, by name and in order."""
    match form:
        case Csv():
            return _csv(form, columns, data)
        case Fixed():
            return _fixed(form.columns, columns, data)
        case Jsonl():
            return _jsonl(columns, data)
        case Parquet():
            listed = ", ".join(f"{_stored(column)} AS {name(column.name)}" for column in columns)
            return f"(SELECT {listed} FROM read_parquet({literal(str(data.path))}))"
        case _:
            assert_never(form)


def _stored(column: ColumnRule) -> str:
    # Bytes become the text that the other formats would hold.
    value = f"to_base64({name(column.name)})" if column.kind == "binary" else name(column.name)
    return f"CAST({value} AS {type_of(column)})"


def _read_csv(data: Bytes, delimiter: str, quote: str, null: str, columns: Mapping[str, str]) -> str:
    names = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns.items())
    options = {
        "auto_detect": "false",
        "compression": "'none'",
        "header": "true" if data.header else "false",
        "delim": delimiter,
        "quote": literal(quote),
        "escape": literal(quote),
        "nullstr": literal(null),
        "allow_quoted_nulls": "false",
        "columns": f"{{{names}}}",
        # Unless it is told, the engine takes the first one that it sees, be it in quotes.
        "new_line": "'\\r\\n'" if data.line_end == b"\r\n" else "'\\n'",
    }
    if data.longest >= _USUAL_LINE:
        options["max_line_size"] = str(data.longest + 1024)
        options["buffer_size"] = str(data.longest * 5 // 4)
        options["parallel"] = "false"
    listed = ", ".join(f"{option} = {value}" for option, value in options.items())
    return f"read_csv({literal(str(data.path))}, {listed})"


def _csv(form: Csv, columns: Sequence[ColumnRule], data: Bytes) -> str:
    quote = "" if form.quoting == "none" else form.quote
    # A format of its own is read as text first: DuckDB has one date format a file.
    kinds = {column.name: "VARCHAR" if column.form else type_of(column) for column in columns}
    table = _read_csv(data, literal(form.delimiter), quote, form.null, kinds)
    if not any(column.form for column in columns):
        return table
    listed = ", ".join(
        f"{typed(column, name(column.name)) if column.form else name(column.name)} AS {name(column.name)}"
        for column in columns
    )
    return f"(SELECT {listed} FROM {table})"


def _fixed(widths: Mapping[str, FixedColumn], columns: Sequence[ColumnRule], data: Bytes) -> str:
    table = _read_csv(data, _NEVER, "", "", {_LINE: "VARCHAR"})
    rules = {column.name: column for column in columns}
    listed, start = [], 1
    for column, shape in widths.items():
        text = f"substring({name(_LINE)}, {start}, {shape.width})"
        # Zeros before a number are digits of it. Nothing but the fill is no value.
        if shape.fill != "0" or rules[column].kind not in ("integer", "decimal", "float"):
            text = f"{'rtrim' if shape.align == 'left' else 'ltrim'}({text}, {literal(shape.fill)})"
        text = f"nullif({text}, '')"
        listed.append(f"{typed(rules[column], text)} AS {name(column)}")
        start += shape.width
    # Every line of a sound file has text; a column of nothing but blanks is null, a line never is.
    return f"(SELECT {', '.join(listed)} FROM {table})"


def inexact(column: ColumnRule) -> str:
    """Name the hidden yes-no column of a JSONL file that says a number there lost digits; empty when none can.

    DuckDB reads a JSON number beyond 64 bits, or with a fraction, as a double: 15 digits are exact (IEEE 754).
    """
    decimal = column.kind == "decimal" and column.precision > _EXACT_DIGITS
    large = decimal or (column.kind == "integer" and column.bits > _WHOLE_BITS)
    return f"landbridge inexact {column.name}" if large else ""


def _jsonl(columns: Sequence[ColumnRule], data: Bytes) -> str:
    # As text first: the reader of JSON takes no zeros before a number that is written as text.
    kinds = {column.name: "JSON" if inexact(column) else "VARCHAR" for column in columns}
    if any(inexact(column) for column in columns):
        lines = _read_csv(data, _NEVER, "", "", {_LINE: "VARCHAR"})
        parsed = f"from_json({name(_LINE)}, {literal(json.dumps(kinds))})"
        table = f"(SELECT {name(_LINE)}, unnest({parsed}) FROM {lines})"
    else:
        names = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in kinds.items())
        table = f"read_json({literal(str(data.path))}, format = 'newline_delimited', compression = 'none', columns = {{{names}}})"
    listed = [piece for column in columns for piece in _from_json(column)]
    return f"(SELECT {', '.join(listed)} FROM {table})"


def _from_json(column: ColumnRule) -> list[str]:
    """Give the value of one key, and for a number that may have lost digits a second look at the text of the line."""
    quoted = name(column.name)
    if not inexact(column):
        return [f"{typed(column, quoted)} AS {quoted}"]
    text = f"json_extract_string({quoted}, '$')"
    # What was read may have fewer digits than what was written: 0.99999999999999999999 is read as 1.
    long = f"regexp_matches(replace({name(_LINE)}, '.', ''), '[0-9]{{{_EXACT_DIGITS + 1}}}')"
    doubtful = f"json_type({quoted}) = 'DOUBLE' AND {long}"
    key = re.escape(json.dumps(column.name, ensure_ascii=False))
    written = f"regexp_extract({name(_LINE)}, {literal(key + r'[ 	]*:[ 	]*(-?[0-9.]+)')}, 1)"
    # The text may stand inside another value; then it is another number.
    same = f"TRY_CAST({written} AS DOUBLE) IS NOT DISTINCT FROM TRY_CAST({text} AS DOUBLE)"
    kind = type_of(column)
    second = f"CASE WHEN {same} THEN TRY_CAST({written} AS {kind}) END"
    exact = f"CASE WHEN {doubtful} THEN {second} ELSE CAST({text} AS {kind}) END"
    return [f"({doubtful}) AND NOT ({same}) AS {name(inexact(column))}", f"{exact} AS {quoted}"]
