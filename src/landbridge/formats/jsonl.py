"""How does a row become one line of JSON?

Keys in the order of the columns, no spaces, null as null. Numbers are JSON numbers, decimals with their scale;
dates, times, timestamps and binary are strings in their lexical form; lists, structs and maps are JSON arrays and objects.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from landbridge.formats import lexical
from landbridge.formats.breach import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_PLAIN = b" "[0]


class Jsonl:
    """Lines of one file of JSON objects."""

    def __init__(self, schema: pa.Schema) -> None:
        self._names = schema.names
        keys = [orjson.dumps(name).decode() + ":" for name in self._names]
        self._before = ["{" + keys[0], *("," + key for key in keys[1:])]

    def heading(self) -> str | None:
        """Give nothing: JSON lines have no header."""
        return None

    def around(self, fields: Sequence[str]) -> str:
        """Never asked: JSON lines have no leading or trailing records."""
        raise AssertionError(fields)

    def lines(self, batch: pa.RecordBatch, before: int) -> pa.StringArray:
        """Give one line a row, without line ends."""
        pieces: list[object] = []
        for key, name, values in zip(self._before, self._names, batch.columns, strict=True):
            pieces += [key, _values(values, Place(name, before))]
        return pc.binary_join_element_wise(*pieces, "}", "", null_handling="replace", null_replacement="null")


def _values(values: pa.Array, place: Place) -> pa.StringArray:
    kind = values.type.value_type if kinds.is_dictionary(values.type) else values.type
    if lexical.textual(kind):
        return _strings(lexical.texts(values, place))
    if lexical.numeric(kind) or kinds.is_boolean(kind) or kinds.is_null(kind):
        return lexical.texts(values, place)
    if kinds.is_nested(kind):
        return pa.array(
            [
                None if value is None else _nested(value)
                for value in values.to_pylist(maps_as_pydicts="strict")
            ],
            pa.string(),
        )
    return pc.binary_join_element_wise('"', lexical.texts(values, place), '"', "")


def _strings(text: pa.StringArray) -> pa.StringArray:
    quoted = pc.binary_join_element_wise('"', text, '"', "")
    if not _needs_escapes(text):
        return quoted
    special = pc.fill_null(pc.match_substring_regex(text, '["\\\\\\x00-\\x1f]'), False)  # noqa: FBT003 # the filling
    if not pc.any(special).as_py():
        return quoted
    escaped = [orjson.dumps(value).decode() for value in text.filter(special).to_pylist()]
    return pc.replace_with_mask(quoted, special, pa.array(escaped, pa.string()))


def _needs_escapes(text: pa.StringArray) -> bool:
    content = lexical.content(text)
    return (
        b'"' in content or b"\\" in content or bool((np.frombuffer(content, np.uint8) < _FIRST_PLAIN).any())
    )


def _nested(value: object) -> str:
    return orjson.dumps(value, default=_rest, option=_OPTIONS).decode()


_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def _rest(value: object) -> object:
    match value:
        case Decimal():
            return orjson.Fragment(format(value, "f"))
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case time():
            return value.isoformat()
        case _:
            return str(value)
