"""Is this text a value of its column? The exact answer, one value at a time.

vector.py answers the same for many values at once, and may only accept what this accepts.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, assert_never

from landbridge.contract.strict.moments import moment_fault
from landbridge.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.contract.columns import ColumnRule

    Fault = Callable[[bytes], str]

_INTEGER = re.compile(rb"-?[0-9]+")
_DECIMAL = re.compile(rb"-?([0-9]+)(?:\.([0-9]+))?")
_FLOAT = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_FULLEST = 64
"""Digits beyond which no integer type reaches; Python refuses to read thousands of them."""

_HABITS = (
    (re.compile(rb"\s.*|.*\s", re.DOTALL), "space around it"),
    (re.compile(rb"[+-]?(nan|inf|infinity)", re.IGNORECASE), "not a finite number"),
    (re.compile(rb"[+-]?0[xX][0-9a-fA-F]+"), "hexadecimal"),
    (re.compile(rb"[+-]?[0-9]+(_[0-9]+)+(\.[0-9]*)?"), "underscores"),
    (re.compile(rb"[+-]?[0-9]+(,[0-9]{3})+(\.[0-9]*)?"), "thousands separators"),
    (re.compile(rb"[+-]?[0-9.]+[eE][+-]?[0-9]+"), "an exponent"),
    (re.compile(rb"-?[0-9]*\.[0-9]*"), "a fraction"),
    (re.compile(rb"\+[0-9.]+"), "a plus sign"),
)


def fault_of(rule: ColumnRule, encoding: str = "utf-8") -> Fault:
    """Make the check of one column: it gives what is wrong with a text, empty when it has the column's lexical form."""
    match rule.kind:
        case "string":
            return lambda _: ""
        case "integer":
            return _integer(rule)
        case "decimal":
            return _decimal(rule)
        case "float":
            return _float(rule)
        case "boolean":
            return lambda text: "" if text in (b"true", b"false") else "not a boolean: expected true or false"
        case "date" | "time" | "timestamp":
            return moment_fault(rule, encoding)
        case "binary":
            return _binary
        case _ as never:
            assert_never(never)


def bounds(rule: ColumnRule) -> tuple[int, int]:
    """Give the least and the greatest integer of `rule`."""
    if rule.signed:
        return -(1 << (rule.bits - 1)), (1 << (rule.bits - 1)) - 1
    return 0, (1 << rule.bits) - 1


def _why(text: bytes, kind: str) -> str:
    habit = next((words for pattern, words in _HABITS if pattern.fullmatch(text)), "")
    return f"not {'an' if kind[0] in 'aeiou' else 'a'} {kind}" + (f": {habit}" if habit else "")


def _integer(rule: ColumnRule) -> Fault:
    least, greatest = bounds(rule)

    def fault(text: bytes) -> str:
        if not _INTEGER.fullmatch(text):
            return _why(text, "integer")
        digits = text.lstrip(b"-").lstrip(b"0")
        fits = (
            len(digits) <= _FULLEST
            and least <= int(text[:1].strip(b"0123456789") + (digits or b"0")) <= greatest
        )
        return "" if fits else f"an integer beyond {rule.bits} bits{'' if rule.signed else ', unsigned'}"

    return fault


def _decimal(rule: ColumnRule) -> Fault:
    def fault(text: bytes) -> str:
        found = _DECIMAL.fullmatch(text)
        if not found:
            return _why(text, "decimal")
        whole, fraction = found[1].lstrip(b"0"), found[2] or b""
        if len(fraction) > rule.scale:
            return f"{counted(len(fraction), 'digit')} after the point, at most {rule.scale}"
        if len(whole) > rule.precision - rule.scale:
            return f"{counted(len(whole), 'digit')} before the point, at most {rule.precision - rule.scale}"
        return ""

    return fault


def _float(rule: ColumnRule) -> Fault:
    def fault(text: bytes) -> str:
        if not _FLOAT.fullmatch(text):
            return _why(text, "float")
        return "" if _finite(float(text), rule.bits) else f"a float beyond {rule.bits} bits"

    return fault


def _finite(value: float, bits: int) -> bool:
    if bits != 32:  # noqa: PLR2004 # bits of a single-precision float
        return math.isfinite(value)
    try:
        struct.pack("<f", value)
    except OverflowError:
        return False
    return math.isfinite(value)


def _binary(text: bytes) -> str:
    return "" if _BASE64.fullmatch(text) else "not base64"
