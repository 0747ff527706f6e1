"""Which checks does one property of an ODCS object ask for?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.contract import standard, texts
from landbridge.contract.checks import RowCheck
from landbridge.contract.physical import physical
from landbridge.contract.places import nearest
from landbridge.contract.sql import literal, name, outside
from landbridge.contract.values import Reach, exact, reach, shown, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from open_data_contract_standard.model import SchemaProperty

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.places import Document, Path_
    from landbridge.contract.sql import Value


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
        outside(name(column.name), allowed),
        f"one of {shown(allowed)}",
        clauses.document.place((*clauses.path, "enum")),
    )


_ELSEWHERE = ("format", "timezone", "defaultTimezone")
"""Options that shapes.py has judged; the last names a zone and refuses no text."""
_COMPARED = {
    "minimum": ("<", "at least"),
    "maximum": (">", "at most"),
    "exclusiveMinimum": ("<=", "more than"),
    "exclusiveMaximum": (">=", "less than"),
}


def _option(clauses: Clauses, column: ColumnRule, option: str, value: object) -> Iterable[RowCheck]:
    declared = clauses.declared.logicalType or ""
    known = standard.OPTIONS.get(declared, frozenset())
    if option not in known:
        clauses.wrong(
            "logicalTypeOptions",
            option,
            what=f"`{option}` is not supported for logicalType `{declared}`",
            expected=", ".join(sorted(known)),
            hint=nearest(option, known),
        )
    elif option == "format" and declared == "string":
        yield from _text_format(clauses, column, str(value))
    elif option not in _ELSEWHERE:
        try:
            breaks, promise = _broken_by(column, option, value)
        except ValueError as error:
            clauses.wrong("logicalTypeOptions", option, what=str(error))
        else:
            place = clauses.document.place((*clauses.path, "logicalTypeOptions", option))
            yield RowCheck(option, column.name, breaks, promise, place)


def _broken_by(column: ColumnRule, option: str, value: object) -> tuple[str, str]:
    """Give the condition that breaks an option, and its promise in words.

    Raises:
        ValueError: the option cannot have this value.
    """
    quoted = name(column.name)
    match option, value:
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", _ if value is not None:
            sign, words = _COMPARED[option]
            return _compared(column, sign, value), f"{words} {value!s}"
        case "minLength" | "maxLength", int() if not isinstance(value, bool) and value >= 0:
            sign, words = ("<", "at least") if option == "minLength" else (">", "at most")
            return f"length({quoted}) {sign} {value}", f"{words} {value} characters"
        case "pattern", str():
            return texts.mismatch(quoted, value), f"text that matches {value}"
        case "multipleOf", int() | float() if column.kind != "float" and value > 0:
            return f"{quoted} % {literal(exact(str(value)))} <> 0", f"a multiple of {value!s}"
        case _:
            message = f"`{option}` cannot be `{value}` here"
            raise ValueError(message)


def _compared(column: ColumnRule, sign: str, bound: object) -> str:
    """Give a comparison that is exact: a decimal is held against the last of its own values that the bound lets pass."""
    quoted = name(column.name)
    if column.kind != "decimal":
        return f"{quoted} {sign} {literal(value_of(column, bound))}"
    match reach(column, exact(str(bound)), up=sign in ("<", ">=")):
        case Reach.BEYOND:
            return f"{quoted} IS NOT NULL" if sign in ("<", "<=") else "false"
        case Reach.BELOW:
            return f"{quoted} IS NOT NULL" if sign in (">", ">=") else "false"
        case own:
            return f"{quoted} {sign} {literal(own)}"


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
