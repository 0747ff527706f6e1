"""How do records (mappings from JSON, Python or a database driver) become Arrow, with nothing mended on the way?

A value that is not of its column's type is an error that names page, record and field; the value itself is shown
only by its shape (`9999-99-99a99`), because it may be personal.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from landbridge.errors import ContractBroken
from landbridge.sources.columns import arrow_type, times
from landbridge.sources.exact import dumps

if TYPE_CHECKING:
    import pyarrow as pa

Record = Mapping[str, Any]

_NONE = type(None)
_JSON = "json"
"""Not declared, only inferred: an object or array, kept as its JSON text."""
_TAKES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "int32": frozenset({int}),
    "int64": frozenset({int}),
    "float64": frozenset({float, int, Decimal}),
    "date": frozenset({str, dt.date}),
    "time": frozenset({str, dt.time}),
    "timestamp": frozenset({str, dt.datetime}),
    "timestamptz": frozenset({str, dt.datetime}),
    "binary": frozenset({str, bytes}),
    "decimal": frozenset({str, int, Decimal}),
    _JSON: frozenset({dict, list}),
}
_SAYS: dict[type, str] = {
    str: "text",
    bool: "a boolean",
    int: "a whole number",
    float: "a floating number",
    Decimal: "a decimal number",
    dict: "an object",
    list: "an array",
    bytes: "bytes",
    _NONE: "null",
}
_SHORTEST_TIMESTAMP = len("2026-11-20T10:00")
_SHOWN = 40


class FloatInDecimal(Exception):
    """A number of a JSON page was read as a float although its column is a decimal."""


@dataclass(frozen=True)
class Column:
    """A column to make, and where in a record its value is."""

    name: str
    word: str
    """A declared type, or `json`."""
    dotted: bool = False
    """Whether a record without the field `a.b` is searched for `b` in `a`."""

    @cached_property
    def kind(self) -> str:
        """The type without its digits: `decimal(12,2)` is a `decimal`."""
        return self.word.partition("(")[0]

    @cached_property
    def type(self) -> pa.DataType:
        """The Arrow type."""
        return arrow_type("string" if self.word == _JSON else self.word)

    def values(self, records: Sequence[Record]) -> list[Any]:
        """Pick the column's value from each record; a field that is absent is null."""
        name = self.name
        if self.dotted and "." in name:
            return [record[name] if name in record else dug(record, name) for record in records]
        return [record.get(name) for record in records]


@dataclass(frozen=True)
class Shape:
    """The columns of a source, declared or following from its first page."""

    source: str
    columns: tuple[Column, ...]
    inferred: bool

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of every batch."""
        import pyarrow as pa

        return pa.schema([(column.name, column.type) for column in self.columns])

    @cached_property
    def _names(self) -> set[str]:
        return {column.name for column in self.columns}

    def batch(self, records: Sequence[Record], place: str, first: int = 1) -> pa.RecordBatch:
        """Convert the records of one page; `place` and `first` say in an error where they are.

        Raises:
            ContractBroken: a record is no mapping, a value is not of its column's type, or (when the columns were
                inferred) a field is new.
        """
        import pyarrow as pa

        _only_mappings(self.source, records, place, first)
        if self.inferred:
            self._nothing_new(records, place, first)
        arrays = [self._array(column, column.values(records), place, first) for column in self.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _nothing_new(self, records: Sequence[Record], place: str, first: int) -> None:
        for number, record in enumerate(records, start=first):
            if not record.keys() <= self._names:
                new = sorted(record.keys() - self._names)
                raise ContractBroken(
                    f"source `{self.source}`, {place}, record {number}: the first page has no field `{new[0]}`",
                    expected=", ".join(f"`{column.name}`" for column in self.columns),
                    hint="declare the source's `columns`; fields that are not declared are left out",
                )

    def _array(self, column: Column, values: list[Any], place: str, first: int) -> pa.Array:
        import pyarrow as pa

        kinds = set(map(type, values))
        kinds.discard(_NONE)
        if not kinds <= _TAKES[column.kind]:
            if kinds - _TAKES[column.kind] == {float} and column.kind == "decimal":
                raise FloatInDecimal
            for number, value in enumerate(values, start=first):
                if value is not None and type(value) not in _TAKES[column.kind]:
                    raise self._wrong(column, value, place, number)
        try:
            return _converted(column, values, kinds)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError) as error:
            for number, value in enumerate(values, start=first):
                if value is not None and not _fits(column, value):
                    raise self._wrong(column, value, place, number) from error
            raise ContractBroken(
                f"source `{self.source}`, {place}: the values of `{column.name}` do not fit together",
                expected=column.word,
                seen=", ".join(sorted(_says(kind) for kind in kinds)),
            ) from error

    def _wrong(self, column: Column, value: object, place: str, number: int) -> ContractBroken:
        inferred = "; declare the source's `columns`" if self.inferred else ""
        return ContractBroken(
            f"source `{self.source}`, {place}, record {number}: `{column.name}` is not {column.word}",
            expected=_EXPECTED.get(column.kind, column.word)
            + (" as in the first page" if self.inferred else ""),
            seen=f"{_says(type(value))}{_shape_of(value)}",
            hint=(
                f"change the column's declared type or what the source sends{inferred}"
                if not self.inferred
                else "declare the source's `columns`"
            ),
        )


_EXPECTED = {
    "string": "text (string)",
    "int32": "a whole number of 32 bits (int32)",
    "int64": "a whole number of 64 bits (int64)",
    "float64": "a number that 64 bits hold exactly (float64)",
    "date": "a date such as 2026-11-20",
    "time": "a time such as 10:00:00",
    "timestamp": "a timestamp without a zone such as 2026-11-20T10:00:00, to the microsecond",
    "timestamptz": "a timestamp with its offset such as 2026-11-20T10:00:00Z, to the microsecond",
    "binary": "base64 text, or bytes",
    _JSON: "an object or array",
}


def declared(source: str, columns: Mapping[str, str]) -> Shape:
    """Give the shape that a source declares."""
    return Shape(
        source, tuple(Column(name, word, dotted=True) for name, word in columns.items()), inferred=False
    )


def inferred(
    source: str, records: Sequence[Record], place: str, words: Mapping[str, str] | None = None
) -> Shape:
    """Give the shape that follows from the first page: fields in order of appearance, types from their values.

    A field that is null everywhere is text; objects and arrays are kept as their JSON text. `words` are types that
    are known otherwise (from a database's description).

    Raises:
        ContractBroken: a record is no mapping, or a field holds values of several types.
    """
    _only_mappings(source, records, place, 1)
    names = dict.fromkeys(name for record in records for name in record)
    columns = []
    for name in names:
        if words and name in words:
            columns.append(Column(name, words[name]))
            continue
        values = [record.get(name) for record in records]
        word = _word_for(values)
        if not word:
            kinds = sorted(_says(kind) for kind in set(map(type, values)))
            raise ContractBroken(
                f"source `{source}`, {place}: `{name}` holds values of several types",
                seen=", ".join(kinds),
                hint="declare the source's `columns`",
            )
        columns.append(Column(name, word))
    return Shape(source, tuple(columns), inferred=True)


def dug(body: object, path: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Follow a dotted path through nested objects; None where it ends early."""
    for part in path.split("."):
        if not isinstance(body, Mapping) or part not in body:
            return None
        body = body[part]
    return body


def _word_for(values: Sequence[object]) -> str:
    kinds = set(map(type, values)) - {_NONE}
    if not kinds:
        return "string"
    if kinds <= {int, float} and float in kinds:
        return "float64"
    if kinds <= {dict, list}:
        return _JSON
    if kinds <= {Decimal, int} and Decimal in kinds:
        scale = max(_scale(value) for value in values if isinstance(value, Decimal))
        return f"decimal(38,{scale})"
    if len(kinds) > 1:
        return ""
    [kind] = kinds
    if kind is dt.datetime:
        aware = {value.tzinfo is not None for value in values if isinstance(value, dt.datetime)}
        return "" if len(aware) > 1 else ("timestamptz" if aware.pop() else "timestamp")
    words: dict[type, str] = {
        str: "string", bool: "boolean", int: "int64", dt.date: "date", dt.time: "time", bytes: "binary"
    }  # fmt: skip
    return words.get(kind, "")


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _converted(column: Column, values: list[Any], kinds: set[type]) -> pa.Array:
    import pyarrow as pa

    convert = _CONVERSIONS.get(column.kind)
    if convert is not None and kinds:
        return convert(column, values, kinds)
    return pa.array(values, column.type)


def _float(column: Column, values: list[Any], kinds: set[type]) -> pa.Array:
    import pyarrow as pa

    if Decimal in kinds:
        values = [_as_float(value) if isinstance(value, Decimal) else value for value in values]
    try:
        return pa.array(values, column.type)
    except pa.ArrowInvalid:  # it takes no integer of more than 64 bits, and 1e20 may be written as one
        if int not in kinds:
            raise
        return pa.array([_whole(value) if isinstance(value, int) else value for value in values], column.type)


def _as_float(value: Decimal) -> float:
    near = float(value)
    if math.isinf(near) and value.is_finite():
        raise OverflowError("beyond what 64 bits hold")
    return near


def _whole(value: int) -> int | float:
    if value.bit_length() < 64 or float(value) != value:  # noqa: PLR2004 # bits of an integer of Arrow's
        return value
    return float(value)


def _decimal(column: Column, values: list[Any], kinds: set[type]) -> pa.Array:
    import pyarrow as pa

    if str not in kinds:
        return pa.array(values, column.type)
    # One reading of text, whatever stands beside it: Python's own takes spaces, underscores and other scripts' digits.
    texts = [
        f"{value:f}" if isinstance(value, Decimal) else None if value is None else str(value)
        for value in values
    ]
    return pa.array(texts, pa.string()).cast(column.type)


def _moment(column: Column, values: list[Any], kinds: set[type]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if str not in kinds:
        if column.kind in {"timestamp", "timestamptz"}:
            _zones(values, aware=column.kind == "timestamptz")
        return pa.array(values, column.type)
    if kinds != {str}:
        raise ValueError("text beside dates")
    texts = pa.array(values, pa.string())
    if column.kind == "timestamp" and (pc.min(pc.utf8_length(texts)).as_py() or 0) < _SHORTEST_TIMESTAMP:
        raise ValueError("a date is no timestamp")
    if column.kind == "time":
        return times(texts)
    try:
        return texts.cast(column.type)
    except pa.ArrowInvalid:
        if column.kind not in {"timestamp", "timestamptz"}:
            raise
        # Seven digits after the second, as .NET writes them, are fine while the last are zero.
        return texts.cast(pa.timestamp("ns", tz=column.type.tz)).cast(column.type)


def _zones(values: list[Any], *, aware: bool) -> None:
    for value in values:
        if value is not None and (value.tzinfo is not None) != aware:
            raise ValueError("a zone too many or too few")


def _binary(column: Column, values: list[Any], _kinds: set[type]) -> pa.Array:
    import pyarrow as pa

    return pa.array(
        [base64.b64decode(v, validate=True) if isinstance(v, str) else v for v in values], column.type
    )


def _json(column: Column, values: list[Any], _kinds: set[type]) -> pa.Array:
    import pyarrow as pa

    try:
        texts = [None if value is None else dumps(value) for value in values]
    except ValueError as error:
        raise ContractBroken(
            f"`{column.name}` holds what cannot be written as JSON: {error}",
            expected="text, finite numbers, booleans, null, and objects and arrays of these, at most 250 levels deep",
        ) from error
    return pa.array(texts, column.type)


_CONVERSIONS: dict[str, Callable[[Column, list[Any], set[type]], pa.Array]] = {
    "float64": _float,
    "decimal": _decimal,
    "date": _moment,
    "time": _moment,
    "timestamp": _moment,
    "timestamptz": _moment,
    "binary": _binary,
    _JSON: _json,
}


def _fits(column: Column, value: object) -> bool:
    import pyarrow as pa

    try:
        _converted(column, [value], {type(value)})
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError, binascii.Error):
        return False
    return True


def _only_mappings(source: str, records: Sequence[Record], place: str, first: int) -> None:
    if set(map(type, records)) <= {dict}:
        return
    for number, record in enumerate(records, start=first):
        if not isinstance(record, Mapping):
            raise ContractBroken(
                f"source `{source}`, {place}: record {number} is {_says(type(record))}",
                expected="an object with named fields",
            )


def _says(kind: type) -> str:
    return _SAYS.get(kind, f"`{kind.__name__}`")


def _shape_of(value: object) -> str:
    """Show how a text or number is written without showing what it says: digits as 9, letters as a."""
    if not isinstance(value, (str, int, float, Decimal)) or isinstance(value, bool):
        return ""
    text = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", str(value)))
    return f" like `{text[:_SHOWN]}{'...' if len(text) > _SHOWN else ''}`"
