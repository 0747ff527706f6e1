"""Which column does one property of an ODCS object describe: its type, digits, spelling, and whether it is personal?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.contract import standard
from landbridge.contract.columns import ColumnRule, parts_of
from landbridge.contract.physical import Physical, physical
from landbridge.contract.places import nearest

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaProperty

    from landbridge.contract.clauses import Clauses
    from landbridge.contract.columns import Kind, Part

_MOST_DIGITS = 38
_LOGICAL: dict[str, Kind] = {
    "string": "string",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "integer": "integer",
    "number": "float",
    "boolean": "boolean",
}
_FAMILY: dict[str, set[Kind]] = {
    "string": {"string", "binary"},
    "integer": {"integer", "decimal"},
    "number": {"decimal", "float", "integer"},
    **{word: {kind} for word, kind in _LOGICAL.items() if word not in ("string", "integer", "number")},
}
_INTEGER = re.compile(r"([iu])(8|16|32|64|128)")


def column_of(clauses: Clauses) -> ColumnRule | None:
    """Give the column, or None when its type cannot be told (the problem is noted)."""
    declared, options = clauses.declared, clauses.options
    if declared.semanticType not in (None, "column"):
        clauses.wrong(
            "semanticType", what="not supported: only columns can be in a file", seen=declared.semanticType
        )
    shape = _shape(clauses)
    if shape is None:
        return None
    form = str(options.get("format", "")) if shape.kind in ("date", "time", "timestamp") else ""
    parts = _spelled(clauses, shape.kind, form) if form else ()
    zoned = bool(options.get("timezone", shape.zoned)) or any(part.letter == "X" for part in parts)
    if zoned and shape.kind == "time":
        clauses.wrong("logicalTypeOptions", "timezone", what="a time with a zone is not supported")
    return ColumnRule(
        name=declared.physicalName or declared.name or "",
        kind=shape.kind,
        precision=shape.precision or _MOST_DIGITS,
        scale=shape.scale,
        bits=shape.bits,
        signed=shape.signed,
        zoned=zoned,
        format=form,
        form=parts,
        required=bool(declared.required or declared.primaryKey),
        personal=personal(declared),
    )


def _spelled(clauses: Clauses, kind: Kind, form: str) -> tuple[Part, ...]:
    """Take a date format apart; it must spell all of a day, a time or both, as the kind asks."""
    try:
        parts = parts_of(form)
    except ValueError as error:
        expected = "such as `yyyy-MM-dd` or `dd/MM/yyyy HH:mm:ss`"
        clauses.wrong("logicalTypeOptions", "format", what=str(error), expected=expected)
        return ()
    letters = {part.letter for part in parts}
    needed = {"date": {"y"}, "time": {"H"}, "timestamp": {"y", "H"}}[kind]
    strange = {"date": {"H", "X"}, "time": {"y", "X"}}.get(kind, set())
    if not needed <= letters or letters & strange:
        what = f"this format does not spell a {kind}"
        clauses.wrong("logicalTypeOptions", "format", what=what, seen=form)
    return parts


def _shape(clauses: Clauses) -> Physical | None:
    declared = clauses.declared
    refined = physical(declared.physicalType or "")
    if declared.logicalType is None:
        if refined is None:
            clauses.wrong(
                what="a property without a type", expected="`logicalType`", seen=declared.physicalType or ""
            )
            return None
        shape = refined
    elif declared.logicalType not in _LOGICAL:
        clauses.wrong(
            "logicalType",
            what=f"logicalType `{declared.logicalType}` is not supported",
            expected=" or ".join(_LOGICAL),
            hint=nearest(declared.logicalType, _LOGICAL),
        )
        return None
    elif refined is not None and refined.kind in _FAMILY[declared.logicalType]:
        shape = refined
    else:
        # The physical type is of another family: the source keeps a date as text, say. The file follows the logical one.
        shape = Physical(_LOGICAL[declared.logicalType])
    return _sized(clauses, shape)


def _sized(clauses: Clauses, shape: Physical) -> Physical | None:
    """Let `format` say the size, and see that a decimal has digits that can be kept."""
    logical, form = clauses.declared.logicalType, clauses.options.get("format")
    match logical, form:
        case "integer", str() if found := _INTEGER.fullmatch(form):
            return Physical("integer", bits=int(found.group(2)), signed=found.group(1) == "i")  # type: ignore[arg-type]
        case "number", "f32" | "f64" if shape.kind == "float":
            return Physical("float", bits=32 if form == "f32" else 64)
        case ("integer", None) | ("number", None | "f32" | "f64"):
            pass  # the physical type has told the size
        case "string", "byte" | "binary":
            return Physical("binary")
        case "integer" | "number", _:
            expected = "f32 or f64" if logical == "number" else "i8 to i128 or u8 to u128"
            what = f"{logical} format `{form}` is not supported"
            clauses.wrong("logicalTypeOptions", "format", what=what, expected=expected)
            return None
        case _:
            pass  # a format of a text or a moment has no size
    return _exact(clauses, shape) if shape.kind == "decimal" else shape


def _exact(clauses: Clauses, shape: Physical) -> Physical | None:
    seen = clauses.declared.physicalType or ""
    if shape.precision is None and clauses.declared.logicalType == "integer":
        return Physical("integer")
    if shape.precision is None:
        clauses.wrong(
            "physicalType", what="a decimal without its digits", expected="such as `DECIMAL(15,2)`", seen=seen
        )
        return None
    if not 0 <= shape.scale <= shape.precision <= _MOST_DIGITS:
        expected = f"at most {_MOST_DIGITS}"
        clauses.wrong("physicalType", what="these digits are not supported", expected=expected, seen=seen)
        return None
    return shape


def personal(declared: SchemaProperty) -> bool:
    """Tell whether values of the property must never be shown (see docs/contracts.md)."""
    if (declared.classification or "public").strip().lower() not in standard.PUBLIC:
        return True
    if any(tag.strip().lower() in standard.PERSONAL_TAGS for tag in declared.tags or ()):
        return True
    return any(
        (custom.property or "").strip().lower() in standard.PERSONAL_TAGS
        and str(custom.value).strip().lower() not in standard.UNTRUE
        for custom in declared.customProperties or ()
    )
