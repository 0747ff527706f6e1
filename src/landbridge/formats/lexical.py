"""What does a value look like as text?

One form for each type, the one that the strict gate holds a file to:
integer `-12`; decimal plain with its scale `-0.50`; float shortest that reads back the same `0.1`, `1e+20`;
boolean `true`; date `2026-11-20`; time `10:00:00` and timestamp `2026-11-20T10:00:00`, with six digits of a fraction
when it is not zero, and `Z` (in UTC) when the column has a zone; binary base64 (RFC 4648, padded).
"""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from landbridge.errors import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.formats.breach import Place

_PLAIN_SCALE = 6
"""Up to this scale Arrow never writes a decimal with an exponent."""
_NANOSECONDS = 1000
_DAY_LENGTH = len("2026-11-20")
_SECOND_LENGTH = len("2026-11-20T10:00:00")
_CLOCK_LENGTH = len("10:00:00")


def textual(kind: pa.DataType) -> bool:
    """Tell whether the column holds text, so that a spreadsheet might run it."""
    if kinds.is_dictionary(kind):
        kind = kind.value_type
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def binary(kind: pa.DataType) -> bool:
    """Tell whether the column holds bytes."""
    return bool(
        kinds.is_binary(kind)
        or kinds.is_large_binary(kind)
        or kinds.is_binary_view(kind)
        or kinds.is_fixed_size_binary(kind)
    )


def numeric(kind: pa.DataType) -> bool:
    """Tell whether the column holds integers, decimals or floats."""
    return bool(kinds.is_integer(kind) or kinds.is_decimal(kind) or kinds.is_floating(kind))


def texts(values: pa.Array, place: Place) -> pa.StringArray:
    """Give the text of every value; null stays null.

    Raises:
        ContractBroken: a value has no such text: not a number, infinity, or a fraction finer than a microsecond.
    """
    for fits, form in _FORMS:
        if fits(values.type):
            return form(values, place)
    raise AssertionError(values.type)


def content(text: pa.StringArray) -> bytes:
    """Give the bytes of all texts together, to search them at once: what is not there needs no look at each."""
    return bytes(span(text))


def span(text: pa.StringArray) -> memoryview:
    """Give the bytes of all texts one after the other, as they lie in memory; null has none."""
    _, offsets, values = text.buffers()
    if values is None or not len(text):
        return memoryview(b"")
    ends = memoryview(offsets).cast("i")
    return memoryview(values)[ends[text.offset] : ends[text.offset + len(text)]]


def refuse_nested(schema: pa.Schema) -> None:
    """Pass when every column has a text.

    Raises:
        ContractBroken: a list, a struct, a map or the like.
    """
    for field in schema:
        if not any(fits(field.type) for fits, _ in _FORMS):
            raise ContractBroken(
                f"the column `{field.name}` is `{field.type}`, which has no form as text",
                expected="numbers, text, dates, times, booleans or binary",
                hint=f"cast it in `transform`, for instance with to_json({field.name})",
            )


def _cast(values: pa.Array, _: Place) -> pa.StringArray:
    return values if kinds.is_string(values.type) else values.cast(pa.string())


def _encoded(values: pa.DictionaryArray, place: Place) -> pa.StringArray:
    return texts(values.dictionary_decode(), place)


def _extended(values: pa.ExtensionArray, place: Place) -> pa.StringArray:
    if values.type.extension_name == "arrow.uuid":
        return pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())
    return texts(values.storage, place)


def _float(values: pa.Array, place: Place) -> pa.StringArray:
    place.refuse(pc.invert(pc.is_finite(values)), "not a finite number", expected="neither NaN nor infinity")
    return values.cast(pa.string())


def _decimal(values: pa.Array, _: Place) -> pa.StringArray:
    text = values.cast(pa.string())
    if 0 <= values.type.scale <= _PLAIN_SCALE:
        return text
    exponent = pc.fill_null(pc.match_substring(text, "E"), False)  # noqa: FBT003 # the filling
    if not pc.any(exponent).as_py():
        return text
    found = text.filter(exponent).dictionary_encode()  # few different ones, most often zero
    plain = pa.array([format(Decimal(value), "f") for value in found.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(text, exponent, plain.take(found.indices))


def _date(values: pa.Array, _: Place) -> pa.StringArray:
    return values.cast(pa.date32()).cast(pa.string())


def _time(values: pa.Array, place: Place) -> pa.StringArray:
    micros = _microseconds(values, place, pa.time64("us"))
    return _without_zeros(micros.cast(pa.string()), _CLOCK_LENGTH)


def _timestamp(values: pa.Array, place: Place) -> pa.StringArray:
    zoned = values.type.tz is not None
    micros = _microseconds(values, place, pa.timestamp("us", values.type.tz)).view(pa.timestamp("us"))
    text = _without_zeros(micros.cast(pa.string()), _SECOND_LENGTH)
    text = pc.binary_replace_slice(text, start=_DAY_LENGTH, stop=_DAY_LENGTH + 1, replacement="T")
    return pc.binary_join_element_wise(text, "Z", "") if zoned else text


def _microseconds(values: pa.Array, place: Place, kind: pa.DataType) -> pa.Array:
    if values.type.unit == "ns":
        count = values.view(pa.int64())
        whole = pc.multiply(pc.divide(count, _NANOSECONDS), _NANOSECONDS)
        place.refuse(pc.not_equal(whole, count), "finer than a microsecond", hint="round it in `transform`")
    return values.cast(kind)


def _without_zeros(text: pa.StringArray, length: int) -> pa.StringArray:
    """Cut the fraction of those that have none; `length` is that of the text up to the second."""
    short = pc.utf8_slice_codeunits(text, 0, length)
    whole = pc.ends_with(text, ".000000")
    every = pc.all(whole).as_py()
    return short if every or every is None else pc.if_else(whole, short, text)


def _base64(values: pa.Array, _: Place) -> pa.StringArray:
    return pa.array([None if v is None else b64encode(v).decode() for v in values.to_pylist()], pa.string())


def _extension(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and (
        kind.extension_name == "arrow.uuid" or any(fits(kind.storage_type) for fits, _ in _FORMS)
    )


def _dictionary(kind: pa.DataType) -> bool:
    return bool(kinds.is_dictionary(kind)) and any(fits(kind.value_type) for fits, _ in _FORMS)


_FORMS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array, Place], pa.StringArray]], ...] = (
    (_extension, _extended),
    (_dictionary, _encoded),
    (textual, _cast),
    (kinds.is_integer, _cast),
    (kinds.is_boolean, _cast),
    (kinds.is_null, _cast),
    (kinds.is_decimal, _decimal),
    (kinds.is_floating, _float),
    (kinds.is_date, _date),
    (kinds.is_time, _time),
    (kinds.is_timestamp, _timestamp),
    (binary, _base64),
)
