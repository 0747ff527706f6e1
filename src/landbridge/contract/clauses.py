"""Which column, and which checks, does one property of an ODCS object ask for?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from landbridge.contract import standard, texts
from landbridge.contract.checks import RowCheck
from landbridge.contract.columns import ColumnRule, parts_of
from landbridge.contract.physical import Physical, physical
from landbridge.contract.places import nearest
from landbridge.contract.sql import Value, any_of, literal, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from open_data_contract_standard.model import SchemaProperty

    from landbridge.contract.columns import Kind, Part
    from landbridge.contract.places import Document, Path_

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


@dataclass(frozen=True, slots=True)
class Clauses:
    """A property with its place, and the document that collects what is wrong with it."""

    document: Document
    path: Path_
    declared: SchemaProperty

    def wrong(self, *steps: str | int, what: str, expected: str = "", seen: str = "", hint: str = "") -> None:
        """Note a problem below this property."""
        self.document.wrong((*self.path, *steps), what, expected=expected, seen=seen, hint=hint)

    @property
    def options(self) -> Mapping[str, object]:
        """The `logicalTypeOptions`, empty when there are none."""
        return self.declared.logicalTypeOptions or {}


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
    zoned = bool(options.get("timezone", shape.zoned))
    parts: tuple[Part, ...] = ()
    if form:
        try:
            parts = parts_of(form)
        except ValueError as error:
            clauses.wrong(
                "logicalTypeOptions",
                "format",
                what=str(error),
                expected="such as `yyyy-MM-dd` or `dd/MM/yyyy HH:mm:ss`",
            )
        zoned = zoned or any(part.letter == "X" for part in parts)
        _check_form(clauses, shape.kind, {part.letter for part in parts})
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


def _check_form(clauses: Clauses, kind: Kind, letters: set[str]) -> None:
    needed = {"date": {"y"}, "time": {"H"}, "timestamp": {"y", "H"}}[kind]
    strange = {"date": {"H", "X"}, "time": {"y", "X"}}.get(kind, set())
    if letters and (not needed <= letters or letters & strange):
        clauses.wrong(
            "logicalTypeOptions",
            "format",
            what=f"this format does not spell a {kind}",
            seen=str(clauses.options["format"]),
        )


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
    logical, form = clauses.declared.logicalType, clauses.options.get("format")
    if logical == "integer" and form is not None:
        found = _INTEGER.fullmatch(str(form))
        if found is None:
            clauses.wrong(
                "logicalTypeOptions",
                "format",
                what=f"integer format `{form}` is not supported",
                expected="i8 to i128 or u8 to u128",
            )
            return None
        return Physical("integer", bits=int(found.group(2)), signed=found.group(1) == "i")  # type: ignore[arg-type]
    if logical == "number" and form is not None and form not in ("f32", "f64"):
        clauses.wrong(
            "logicalTypeOptions",
            "format",
            what=f"number format `{form}` is not supported",
            expected="f32 or f64",
        )
    if logical == "number" and form in ("f32", "f64") and shape.kind == "float":
        return Physical("float", bits=32 if form == "f32" else 64)
    if logical == "string" and form in ("byte", "binary"):
        return Physical("binary")
    if shape.kind == "decimal" and shape.precision is None:
        if logical == "integer":
            return Physical("integer")
        clauses.wrong(
            "physicalType",
            what="a decimal without its digits",
            expected="such as `DECIMAL(15,2)`",
            seen=clauses.declared.physicalType or "",
        )
        return None
    if shape.kind == "decimal" and not 0 <= shape.scale <= (shape.precision or 0) <= _MOST_DIGITS:
        clauses.wrong(
            "physicalType",
            what="these digits are not supported",
            expected=f"at most {_MOST_DIGITS}",
            seen=clauses.declared.physicalType or "",
        )
        return None
    return shape


def personal(declared: SchemaProperty) -> bool:
    """Tell whether values of the property must never be shown (see docs/contracts.md)."""
    if (declared.classification or "public").strip().lower() not in standard.PUBLIC:
        return True
    if any(tag.strip().lower() in standard.PERSONAL_TAGS for tag in declared.tags or ()):
        return True
    return any(
        (custom.property or "").lower() in standard.PERSONAL_TAGS and custom.value is True
        for custom in declared.customProperties or ()
    )


def value_of(column: ColumnRule, value: object) -> Value:
    """Give `value`, as YAML has it, in the type of the column; a null stays a null.

    Raises:
        ValueError: no value of this column can be it.
    """
    match column.kind, value:
        case _, None:
            return None
        case "string" | "binary", str() | int() | float() | Decimal() if not isinstance(value, bool):
            return str(value)
        case "boolean", bool():
            return value
        case "boolean", "true" | "false":
            return value == "true"
        case "integer", int() if not isinstance(value, bool):
            return value
        case "integer", str() if re.fullmatch("-?[0-9]+", value):
            return int(value)
        case "decimal" | "float", int() | float() | str() if not isinstance(value, bool):
            return _decimal(str(value))
        case "date" | "time" | "timestamp", str() | date() | time():
            return _moment(column, value)
        case _:
            message = f"`{value}` is no {column.kind}"
            raise ValueError(message)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        message = f"`{text}` is no number"
        raise ValueError(message)
    return number


def _moment(column: ColumnRule, value: str | date | time) -> date | time | datetime:
    kinds: dict[str, type[date | time]] = {"date": date, "time": time, "timestamp": datetime}
    kind = kinds[column.kind]
    if isinstance(value, str):
        value = texts.moment(value, column) if column.form else texts.iso(value, kind)
    if type(value) is date and kind is datetime:
        value = datetime.combine(value, time())  # the zone follows below
    if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
        message = f"`{value}` is no {column.kind}"
        raise ValueError(message)
    if isinstance(value, datetime):
        from datetime import UTC

        if column.zoned and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        if not column.zoned and value.tzinfo is not None:
            message = f"`{value}` has a zone and the column has none"
            raise ValueError(message)
    return value


def checks_of(clauses: Clauses, column: ColumnRule) -> Iterable[RowCheck]:
    """Yield the checks of every clause of the property itself; keys and quality rules come from elsewhere."""
    quoted = name(column.name)
    declared = clauses.declared
    if column.required:
        path = "required" if declared.required else "primaryKey"
        yield RowCheck(
            "required",
            column.name,
            f"{quoted} IS NULL",
            "a value",
            clauses.document.place((*clauses.path, path)),
        )
    if declared.enum:
        yield from _enumeration(clauses, column)
    longest = physical(declared.physicalType or "")
    if column.kind == "string" and longest is not None and longest.longest is not None:
        yield RowCheck(
            "physicalType",
            column.name,
            f"length({quoted}) > {longest.longest}",
            f"at most {longest.longest} characters",
            clauses.document.place((*clauses.path, "physicalType")),
        )
    for option, value in clauses.options.items():
        yield from _option(clauses, column, option, value)


def _enumeration(clauses: Clauses, column: ColumnRule) -> Iterable[RowCheck]:
    allowed: list[Value] = []
    for index, entry in enumerate(clauses.declared.enum or ()):
        try:
            allowed.append(value_of(column, entry.value))
        except ValueError as error:
            clauses.wrong("enum", index, "value", what=str(error))
    yield RowCheck(
        "enum",
        column.name,
        f"{name(column.name)} NOT IN {any_of(allowed)}",
        f"one of {shown(allowed)}",
        clauses.document.place((*clauses.path, "enum")),
    )


def shown(values: Iterable[Value], most: int = 12) -> str:
    """Write a list for people, shortened."""
    texts_ = ["null" if value is None else str(value) for value in values]
    return ", ".join(texts_[:most]) + (f" and {len(texts_) - most} more" if len(texts_) > most else "")


_COMPARED = {
    "minimum": ("<", "at least"),
    "maximum": (">", "at most"),
    "exclusiveMinimum": ("<=", "more than"),
    "exclusiveMaximum": (">=", "less than"),
}


def _option(clauses: Clauses, column: ColumnRule, option: str, value: object) -> Iterable[RowCheck]:
    declared = clauses.declared.logicalType or ""
    known = standard.OPTIONS.get(declared, frozenset())
    place = clauses.document.place((*clauses.path, "logicalTypeOptions", option))
    quoted = name(column.name)
    try:
        match option, value:
            case _ if option not in known:
                clauses.wrong(
                    "logicalTypeOptions",
                    option,
                    what=f"`{option}` is not supported for logicalType `{declared}`",
                    expected=", ".join(sorted(known)),
                    hint=nearest(option, known),
                )
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", _ if value is not None:
                sign, words = _COMPARED[option]
                bound = literal(value_of(column, value))
                yield RowCheck(option, column.name, f"{quoted} {sign} {bound}", f"{words} {value!s}", place)
            case "minLength" | "maxLength", int():
                sign, words = ("<", "at least") if option == "minLength" else (">", "at most")
                yield RowCheck(
                    option,
                    column.name,
                    f"length({quoted}) {sign} {value}",
                    f"{words} {value} characters",
                    place,
                )
            case "pattern", str():
                yield RowCheck(
                    option, column.name, texts.mismatch(quoted, value), f"text that matches {value}", place
                )
            case "multipleOf", int() | float() if column.kind != "float":
                step = literal(_decimal(str(value)))
                yield RowCheck(
                    option, column.name, f"{quoted} % {step} <> 0", f"a multiple of {value!s}", place
                )
            case "format", str() if declared == "string":
                yield from _text_format(clauses, column, value)
            case "format" | "timezone" | "defaultTimezone", _:
                pass  # column_of has judged the first two; the third names a zone and refuses no text
            case _:
                clauses.wrong("logicalTypeOptions", option, what=f"`{option}` cannot be `{value}` here")
    except ValueError as error:
        clauses.wrong("logicalTypeOptions", option, what=str(error))


def _text_format(clauses: Clauses, column: ColumnRule, form: str) -> Iterable[RowCheck]:
    if form in texts.FORMATS:
        place = clauses.document.place((*clauses.path, "logicalTypeOptions", "format"))
        yield RowCheck(
            "format",
            column.name,
            texts.not_in_form(name(column.name), form),
            f"{texts.ARTICLES[form]} {form}",
            place,
        )
    elif form not in ("password", "byte", "binary"):
        clauses.wrong(
            "logicalTypeOptions",
            "format",
            what=f"string format `{form}` is not supported",
            expected=", ".join((*texts.FORMATS, "password", "byte", "binary")),
            hint=nearest(form, texts.FORMATS),
        )
