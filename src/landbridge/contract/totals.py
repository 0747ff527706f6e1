"""Do the leading and trailing records say what the data adds up to?

Two ways to ask: a contract's control total names a field of the record; the feed's own declaration of the record
(`{rows}`, `{total:amount}`) asks by itself.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal

from landbridge.contract.checks import Place, TotalCheck
from landbridge.facts import RuleResult
from landbridge.feed.outputs import Csv, Fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.contract.columns import ColumnRule, StrictReport
    from landbridge.contract.query import Measures
    from landbridge.feed.outputs import Format, Record

_WORD = re.compile(r"\{(rows|records|total)(?::([^{}]*))?\}")
_RECORDS: tuple[Literal["leading", "trailing"], ...] = ("leading", "trailing")


def declared(form: Format, columns: Sequence[ColumnRule]) -> tuple[TotalCheck, ...]:
    """Give the checks that the file's own leading and trailing records ask for: fields that are one such word."""
    if not isinstance(form, Csv | Fixed):
        return ()
    exact = {column.name for column in columns if column.kind in ("integer", "decimal")}
    found = []
    records: dict[Literal["leading", "trailing"], Record | None] = {
        "leading": form.leading,
        "trailing": form.trailing,
    }
    for record, shape in records.items():
        for position, text in enumerate(shape.fields if shape else (), start=1):
            word = _WORD.fullmatch(text)
            if word is None:
                continue
            at = Place("", 0, 0, f"file.format.{record}.fields[{position - 1}]")
            rule, argument = f"{record} record", word.group(2) or ""
            match word.group(1):
                case "total" if argument in exact:
                    found.append(TotalCheck(rule, record, position, "total", argument, at))
                case "rows":
                    found.append(TotalCheck(rule, record, position, "rows", "", at))
                case "records":
                    found.append(TotalCheck(rule, record, position, "records", "", at))
                case _:
                    pass  # a total of something that has no exact sum: the declaration's own check refuses it
    return tuple(found)


def result(check: TotalCheck, seen: StrictReport, measures: Measures) -> RuleResult:
    """Compare one field with what the data adds up to, exactly."""
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
        passed = _number(said) == wanted
        message = "" if passed else f"field {check.field} of the {check.record} record says `{said[:80]}`"
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


def _number(text: str) -> Decimal | None:
    plain = text.strip()
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain, re.ASCII):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None
