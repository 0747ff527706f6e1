"""How did each rule end, in words that a person can act on?"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from landbridge.contract.checks import CountCheck, KeyCheck, RowCheck
from landbridge.counted import counted
from landbridge.facts import RuleResult

if TYPE_CHECKING:
    from landbridge.contract.checks import Bound, Contract, Severity, SqlCheck
    from landbridge.contract.columns import StrictReport
    from landbridge.contract.query import Answer, Measures
    from landbridge.facts import Defect

_LOWER = (">", ">=", "not between")


_TYPE = "type."


def of_strict(seen: StrictReport) -> tuple[RuleResult, ...]:
    """Give every rule of the strict half, in its order, those that held included; `type.amount` is the rule `type` of `amount`."""
    rules = dict.fromkeys((*seen.rules, *seen.defects))
    return tuple(
        RuleResult(
            rule=_rule(rule),
            column=rule.removeprefix(_TYPE) if rule.startswith(_TYPE) else "",
            passed=not seen.defects.get(rule, 0),
            checked=seen.rows,
            broken=seen.defects.get(rule, 0),
            threshold="= 0",
            message=next((f"first: {defect.message}" for defect in seen.first if defect.rule == rule), ""),
        )
        for rule in rules
    )


def _rule(rule: str) -> str:
    return "type" if rule.startswith(_TYPE) else rule


def of_first(seen: StrictReport) -> tuple[Defect, ...]:
    """Give the first defects of the strict half under the same names of rules."""
    return tuple(replace(defect, rule=_rule(defect.rule)) for defect in seen.first)


def not_judged(contract: Contract) -> tuple[RuleResult, ...]:
    """Say that the values were not looked at, because the bytes are not sound."""
    return (
        _told(
            f"the bytes are not sound, so {counted(len(contract.checks), 'rule about values was', 'rules about values were')} not judged",
            "warning",
        ),
    )


def disagreement(strict: int, query: int) -> RuleResult:
    """Say that the halves counted different rows; the file is refused."""
    return _told(f"the strict half counts {strict} rows and the query {query}", "error")


def unreadable(kind: str) -> RuleResult:
    """Say that the query could not read what the strict half found sound; the file is refused."""
    return _told(f"the query cannot read values that the strict half found sound ({kind})", "error")


def _told(message: str, severity: Severity) -> RuleResult:
    return RuleResult(
        rule="values",
        column="",
        passed=False,
        checked=0,
        broken=1,
        threshold="= 0",
        severity=severity,
        message=message,
    )


def _words(bounds: tuple[Bound, ...]) -> str:
    return " and ".join(str(bound) for bound in bounds)


def of_measures(check: RowCheck | KeyCheck | CountCheck, measures: Measures) -> RuleResult:
    """Compare what was counted with the bounds of the check."""
    rows = measures.rows
    match check:
        case RowCheck():
            broken, column, message = measures.broken[check.breaks], check.column, f"expected {check.promise}"
        case KeyCheck():
            broken, column = measures.duplicates[check.columns], ", ".join(check.columns)
            message = "expected no key twice"
        case CountCheck():
            broken, column, message = rows, "", f"the file has {counted(rows, 'row')}"
        case _:
            assert_never(check)
    passed = all(bound.holds(broken, rows) for bound in check.bounds)
    if isinstance(check, CountCheck):
        broken = 0 if passed else 1
    return RuleResult(
        rule=check.rule,
        column=column,
        passed=passed,
        checked=rows,
        broken=broken,
        threshold=_words(check.bounds),
        severity=check.severity,
        message="" if passed else message,
    )


def too_many(check: RowCheck | KeyCheck) -> bool:
    """Tell whether the check fails by having too many such rows, so that showing them helps."""
    return any(bound.operator not in _LOWER for bound in check.bounds)


_COUNT = re.compile(
    r"\s*select\s+count\s*\([^()]*\)\s+(as\s+\w+\s+)?from\b(?!.*\b(union|intersect|except)\b).*",
    re.IGNORECASE | re.DOTALL,
)
"""A query whose value is a number of rows. What follows a set operation may be the one row there is, and no count."""


def of_sql(check: SqlCheck, said: Answer, rows: int, *, shown: bool) -> RuleResult:
    """Compare the answer of a contract's own query; unless `shown` only a count of rows, and yes or no, are told."""
    value = said.value
    counted_rows = isinstance(value, int) and _COUNT.fullmatch(check.query)
    told = str(value) if shown or counted_rows or isinstance(value, bool | None) else "a personal value"
    if check.equals is not None:
        passed = (value == check.equals and type(value) is type(check.equals)) != check.negated
        threshold = f"{'!=' if check.negated else '='} {check.equals}"
    else:
        number = None if value is None or isinstance(value, bool | str) else Decimal(str(value))
        passed = (
            number is not None
            and number.is_finite()
            and all(bound.holds(number, rows) for bound in check.bounds)
        )
        threshold = _words(check.bounds)
    if said.failure:
        passed, told = False, f"no answer ({said.failure})"
    elif said.rows != 1:
        passed, told = False, "no row" if said.rows == 0 else "several rows"
    return RuleResult(
        rule=check.rule,
        column=check.column,
        passed=passed,
        checked=rows,
        broken=0 if passed else 1,
        threshold=threshold,
        severity=check.severity,
        message="" if passed else f"the query gave {told}",
    )
