"""Which Arrow type does a declared column type stand for?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
WIDEST_DECIMAL = 76
_WIDEST_128 = 38


def arrow_type(word: str) -> pa.DataType:
    """Give the Arrow type of a declared one; timestamps count microseconds, `timestamptz` is in UTC.

    Raises:
        UsageError: a decimal that Arrow cannot hold.
    """
    import pyarrow as pa

    if found := _DECIMAL.fullmatch(word):
        return decimal_type(int(found[1]), int(found[2]))
    plain: dict[str, pa.DataType] = {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "binary": pa.binary(),
    }
    return plain[word]


def times(texts: pa.Array) -> pa.Array:
    """Convert text such as `10:00`, `10:00:00` or `10:00:00.5` to times of day.

    Raises:
        pa.ArrowInvalid: a text is none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    # Arrow has no cast from text to a time; a timestamp of any day has one.
    moments = pc.binary_join_element_wise("1970-01-01T", texts, "").cast(pa.timestamp("us"))
    return moments.cast(pa.time64("us"))


def decimal_type(precision: int, scale: int) -> pa.DataType:
    """Give the narrowest Arrow decimal with `precision` digits, `scale` of them after the point."""
    import pyarrow as pa

    if not 1 <= precision <= WIDEST_DECIMAL or not 0 <= scale <= precision:
        raise UsageError(
            f"decimal({precision},{scale}) cannot be held",
            expected=f"1 to {WIDEST_DECIMAL} digits, not fewer than those after the point",
        )
    if precision <= _WIDEST_128:
        return pa.decimal128(precision, scale)
    return pa.decimal256(precision, scale)
