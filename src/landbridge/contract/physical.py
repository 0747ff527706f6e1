"""What does a `physicalType` say beyond the `logicalType`? Digits, sizes, lengths and zones, in the words of common databases."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from landbridge.contract.columns import Kind

_SHAPE = re.compile(
    r"\s*([A-Za-z][A-Za-z0-9_ ]*?)\s*(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\)\s*([A-Za-z ]*?)\s*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Physical:
    """A physical type, as far as a file can keep it."""

    kind: Kind
    bits: Literal[8, 16, 32, 64, 128] = 64
    signed: bool = True
    zoned: bool = False
    precision: int | None = None
    scale: int = 0
    longest: int | None = None
    """Characters of a text."""


_INT = {
    8: "tinyint",
    16: "smallint int2 smallserial",
    32: "int integer int4 serial mediumint",
    64: "bigint int8 bigserial long",
}
_UNSIGNED = {8: "utinyint", 16: "usmallint", 32: "uinteger", 64: "ubigint", 128: "uhugeint"}
_KINDS: dict[Kind, str] = {
    "string": "varchar char character nvarchar nchar varchar2 nvarchar2 bpchar text string clob tinytext mediumtext longtext",
    "decimal": "decimal numeric number dec",
    "boolean": "boolean bool bit",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp datetime datetime2 timestamp_ntz smalldatetime",
    "binary": "blob binary varbinary bytea bytes",
}
_PHRASES = {
    "character varying": Physical("string"),
    "double precision": Physical("float"),
    "timestamp without time zone": Physical("timestamp"),
    "timestamp with time zone": Physical("timestamp", zoned=True),
    "time without time zone": Physical("time"),
}
_KNOWN: dict[str, Physical] = {
    **{word: Physical("integer", bits=bits) for bits, words in _INT.items() for word in words.split()},  # type: ignore[arg-type]
    "hugeint": Physical("integer", bits=128),
    **{word: Physical("integer", bits=bits, signed=False) for bits, word in _UNSIGNED.items()},  # type: ignore[arg-type]
    **{word: Physical(kind) for kind, words in _KINDS.items() for word in words.split()},
    **dict.fromkeys(
        ("timestamptz", "timestamp_tz", "timestamp_ltz", "datetimeoffset"), Physical("timestamp", zoned=True)
    ),
    **dict.fromkeys(("double", "float8", "float64"), Physical("float")),
    **dict.fromkeys(("float", "real", "float4", "float32"), Physical("float", bits=32)),
    **_PHRASES,
}


def physical(text: str) -> Physical | None:
    """Read a type such as `DECIMAL(15,2)` or `timestamp(6) with time zone`; None for a word that is not known here."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    word, first, second, rest = found.groups()
    known = _KNOWN.get(" ".join(f"{word} {rest or ''}".lower().split()))
    if known is None or first is None or first.lower() == "max":
        return known
    if known.kind == "string":
        return replace(known, longest=int(first))
    if known.kind == "decimal":
        return replace(known, precision=int(first), scale=int(second or 0))
    return known
