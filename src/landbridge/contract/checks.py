"""What does a contract ask of a file, once the standard's many spellings are read? Data only; the query renders it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import TYPE_CHECKING, Literal, assert_never

if TYPE_CHECKING:
    from landbridge.contract.columns import ColumnRule

Severity = Literal["error", "warning"]
Operator = Literal["=", "!=", ">", ">=", "<", "<=", "between", "not between"]

EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Python's own context rounds a product to 28 digits; columns have up to 39."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the contract's text a clause stands; line and column count from 1."""

    file: str
    line: int
    column: int
    path: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What a measured number must be. A percentage is of all data rows (0 % of none)."""

    operator: Operator
    values: tuple[Decimal, ...]
    unit: Literal["rows", "percent"] = "rows"

    def holds(self, measured: int | Decimal, rows: int) -> bool:
        """Compare exactly; `rows` is what a percentage is taken of."""
        value, first, last = Decimal(measured), self.values[0], self.values[-1]
        if self.unit == "percent":
            # Both sides times the rows: a division would round.
            of = Decimal(max(rows, 1))
            value, first, last = (
                EXACT.multiply(value, Decimal(100)),
                EXACT.multiply(first, of),
                EXACT.multiply(last, of),
            )
        match self.operator:
            case "=":
                return value == first
            case "!=":
                return value != first
            case ">":
                return value > first
            case ">=":
                return value >= first
            case "<":
                return value < first
            case "<=":
                return value <= first
            case "between":
                return first <= value <= last
            case "not between":
                return not first <= value <= last
            case _:
                assert_never(self.operator)

    def __str__(self) -> str:
        """Say it in words: `= 0`, `< 1 %`, `between 1 and 500`."""
        text = " and ".join(f"{value:f}" for value in self.values)
        return f"{self.operator} {text}" + (" %" if self.unit == "percent" else "")


NONE_BROKEN = (Bound("=", (Decimal(0),)),)


@dataclass(frozen=True, slots=True)
class RowCheck:
    """Counts the rows for which `breaks` is true."""

    rule: str
    column: str
    """Name in the file."""
    breaks: str
    """SQL over the columns by name; true for a row that breaks the rule, false or null otherwise."""
    promise: str
    """What a value should be, in words."""
    at: Place
    bounds: tuple[Bound, ...] = NONE_BROKEN
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Counts the rows whose key an earlier row already has. A key with a null in it is nobody's duplicate."""

    rule: str
    columns: tuple[str, ...]
    at: Place
    bounds: tuple[Bound, ...] = NONE_BROKEN
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class CountCheck:
    """Bounds the number of data rows."""

    rule: str
    bounds: tuple[Bound, ...]
    at: Place
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class SqlCheck:
    """One query of the contract that gives one value."""

    rule: str
    column: str
    query: str
    """Names already put in; the file is the table `object`."""
    at: Place
    bounds: tuple[Bound, ...] = ()
    equals: bool | str | None = None
    """What a yes-no or text answer must be (or, with `negated`, must not)."""
    negated: bool = False
    severity: Severity = "error"
    folded: str = ""
    """The query as one aggregate with a filter, where it is no more than that; then it joins the one scan."""


@dataclass(frozen=True, slots=True)
class TotalCheck:
    """A field of the leading or trailing record says what the data adds up to."""

    rule: str
    record: Literal["leading", "trailing"]
    field: int
    """Position in the record, from 1."""
    measure: Literal["rows", "records", "total"]
    """Data rows; data rows with leading and trailing records; exact sum of `column`."""
    column: str
    at: Place
    severity: Severity = "error"
    pattern: str = ""
    """Regular expression of the whole field, the number in its one group; a bare number without it."""


Check = RowCheck | KeyCheck | CountCheck | SqlCheck | TotalCheck


@dataclass(frozen=True, slots=True)
class Contract:
    """One object of a data contract: the columns of a file in order, and every check of its values."""

    name: str
    version: str
    schema_object: str
    columns: tuple[ColumnRule, ...]
    checks: tuple[Check, ...]
    text: str = field(repr=False)
    """All of it as it was written, byte for byte: what a verdict is held against years later."""
