"""How is JSON read and written with nothing rounded, and nothing left out, on the way?

A plain reading makes floats of integers of more than 64 bits, and a plain writing makes null of NaN, both without a word.
"""

from __future__ import annotations

import dataclasses
import json
import math
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

_DIGITS = bytes(ord("0") if ord("0") <= byte <= ord("9") else byte for byte in range(256))
_LONG = b"0" * 19
"""The least integer that 64 bits do not hold has so many digits: -9223372036854775809."""
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1
"""Integers that are read and written plainly."""
_DEEPEST = 250
"""Levels that are written."""


def loads(text: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Read JSON with integers as they are, however long; fractions are floats.

    Raises:
        orjson.JSONDecodeError: it is none, or holds a number beyond a float's range.
    """
    plain = orjson.loads(text)
    if _LONG not in text.translate(_DIGITS):
        return plain
    return _in_python(text, float)


def exactly(text: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Read JSON that `loads` could read once more, with fractions as decimals instead of floats.

    Raises:
        orjson.JSONDecodeError: it has more levels than Python can read.
    """
    return _in_python(text, Decimal)


def _in_python(text: bytes, fraction: Callable[[str], object]) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return json.loads(text, parse_float=fraction)
    except RecursionError as error:
        raise orjson.JSONDecodeError("too many levels beside a number that must be exact", "", 0) from error


def dumps(value: object) -> str:
    """Write an object or array as JSON: integers as they are, a decimal or UUID as its text.

    Raises:
        ValueError: JSON has no word for something in it, such as NaN or infinity, or it is too deep.
    """
    try:
        text = orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError as error:
        if not _has_long(value, _DEEPEST):
            raise ValueError(str(error)) from error
        return _with_long(value)
    if b"null" in text and not _is_finite(value):
        raise ValueError("NaN or infinity, which JSON has no word for")
    return text.decode()


def _with_long(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_apart)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _plain(value: object) -> object:
    if isinstance(value, (Decimal, uuid.UUID)):
        return str(value)
    raise TypeError


def _apart(value: object) -> object:
    return json.loads(orjson.dumps(value, default=_plain))


def _has_long(value: object, deep: int) -> bool:
    """Tell whether an integer that is too long for a plain writing is all that can be wrong with it."""
    match value:
        case Mapping():
            whole = deep > 0 and all(isinstance(key, str) for key in value)
            return whole and any(_has_long(each, deep - 1) for each in value.values())
        case list() | tuple():
            return deep > 0 and any(_has_long(each, deep - 1) for each in value)
        case int():
            return not _LEAST <= value <= _MOST
        case _:
            return False


def _is_finite(value: object) -> bool:
    match value:
        case Mapping():
            return all(map(_is_finite, value.values()))
        case list() | tuple():
            return all(map(_is_finite, value))
        case float():
            return math.isfinite(value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return _is_finite(dataclasses.asdict(value))
        case _:
            return True
