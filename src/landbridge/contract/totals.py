"""Do the leading and trailing records say what the data adds up to?

Two ways to ask: a contract's control total names a field of the record; the feed's own declaration of the record
(`{rows}`, `{total:amount}`) asks by itself.
"""

from __future__ import annotations

import re
from decimal import Decimal
from string import Formatter
from typing import TYPE_CHECKING, Literal

from landbridge.contract.checks import Place, TotalCheck
from landbridge.contract.columns import MASK
from landbridge.facts import RuleResult
from landbridge.feed.outputs import Csv, Fixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.contract.columns import ColumnRule, StrictReport
    from landbridge.contract.query import Measures
    from landbridge.feed.outputs import Format, Record

_NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?)"
_SPACED = r"([ ,_]*[0-9][ 0-9,_]*)"
"""A count in a form of its own (`{rows:,}`, `{rows:8d}`): digits in groups, or behind blanks."""
_GROUPS = str.maketrans("", "", " ,_")


def declared(form: Format, columns: Sequence[ColumnRule]) -> tuple[TotalCheck, ...]:
    """Give the checks that the file's own leading and trailing records ask for: one for each such word in a field."""
    if not isinstance(form, Csv | Fixed):
        return ()
    exact = {column.name for column in columns if column.kind in ("integer", "decimal")}
    records: dict[Literal["leading", "trailing"], Record | None] = {
        "leading": form.leading,
        "trailing": form.trailing,
    }
    return tuple(
        check
        for record, shape in records.items()
        for position, text in enumerate(shape.fields if shape else (), start=1)
        for check in _of_field(record, position, text, exact)
    )


def _of_field(
    record: Literal["leading", "trailing"], position: int, text: str, exact: set[str]
) -> Iterator[TotalCheck]:
    at = Place("", 0, 0, f"file.format.{record}.fields[{position - 1}]")
    pieces = [(literal, word, spec or "") for literal, word, spec, _ in Formatter().parse(text)]
    for asked, (_, word, spec) in enumerate(pieces):
        wanted = _SPACED if spec and word in ("rows", "records") else _NUMBER
        pattern = "".join(
            re.escape(literal) + ("" if other is None else wanted if number == asked else ".*?")
            for number, (literal, other, _) in enumerate(pieces)
        )
        match word:
            case "rows" | "records":
                yield TotalCheck(f"{record} record", record, position, word, "", at, pattern=pattern)
            case "total" if spec in exact:
                yield TotalCheck(f"{record} record", record, position, "total", spec, at, pattern=pattern)
            case _:
                pass  # other words, and a total without an exact sum, which the writer refuses


def known_by_its_text(form: Format, record: Literal["leading", "trailing"]) -> bool:
    """Tell whether the record has literal text, which the strict half has compared: without it, a row of the data would pass for it."""
    if not isinstance(form, Csv | Fixed):
        return False
    shape = form.leading if record == "leading" else form.trailing
    return any(
        literal for field in (shape.fields if shape else ()) for literal, *_ in Formatter().parse(field)
    )


def result(check: TotalCheck, seen: StrictReport, measures: Measures, *, shown: bool) -> RuleResult:
    """Compare one field with what the data adds up to, exactly; what the field says is told when it may be `shown`."""
    fields = seen.leading if check.record == "leading" else seen.trailing
    around = sum(record is not None for record in (seen.leading, seen.trailing))
    match check.measure:
        case "rows":
            wanted, measure = Decimal(measures.rows), "rows"
        case "records":
            wanted, measure = Decimal(measures.rows + around), "records"
        case _:
            wanted, measure = measures.totals[check.column], f"total of {check.column}"
    said = fields[check.field - 1] if fields is not None and check.field <= len(fields) else None
    passed, message = False, f"the file has no field {check.field} in a {check.record} record"
    if said is not None:
        found = re.fullmatch(check.pattern or _NUMBER, said.strip(), re.ASCII)
        passed = found is not None and Decimal(found.group(1).translate(_GROUPS)) == wanted
        message = (
            ""
            if passed
            else f"field {check.field} of the {check.record} record says `{said[:80] if shown else MASK}`"
        )
    return RuleResult(
        rule=check.rule,
        column=check.column,
        passed=passed,
        checked=measures.rows,
        broken=0 if passed else 1,
        threshold=f"{measure} = {wanted:f}",
        severity=check.severity,
        message=message,
    )
