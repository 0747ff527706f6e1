"""Which check does one quality rule ask for? Library metrics, SQL, and our own `custom` engine; anything else is a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.contract import texts
from landbridge.contract.checks import CountCheck, KeyCheck, RowCheck
from landbridge.contract.own_rules import ENGINE, control_total, sql
from landbridge.contract.places import nearest
from landbridge.contract.rules import bounds_of
from landbridge.contract.sql import any_of, name, outside
from landbridge.contract.values import shown, value_of

if TYPE_CHECKING:
    from landbridge.contract.checks import Bound, Check, Severity
    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.rules import Rule
    from landbridge.contract.sql import Value

_ARGUMENTS = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "info": "warning"}


def check_of(rule: Rule) -> Check | None:
    """Give the rule's check, or None when it is wrong or not supported (the problem is noted)."""
    declared = rule.declared
    severity = _SEVERITIES.get((declared.severity or "error").strip().lower())
    if severity is None:
        rule.wrong(
            "severity",
            what=f"severity `{declared.severity}` is not supported",
            expected="error, warning or info",
        )
        severity = "error"
    kind = declared.type or "library"
    match kind:
        case "library":
            return _library(rule, severity)
        case "sql":
            return sql(rule, severity)
        case "custom" if declared.engine == ENGINE:
            return control_total(rule, severity)
        case "custom":
            rule.wrong(
                "engine",
                what=f"custom rules of the engine `{declared.engine}` are not supported",
                expected=f"`{ENGINE}`",
            )
        case "text":
            rule.wrong(
                "type",
                what="quality rules of type `text` are not supported: nobody but a person can judge them",
                hint="say it in `description`, or as a `sql` rule",
            )
        case _:
            rule.wrong(
                "type",
                what=f"quality rules of type `{kind}` are not supported",
                expected="library, sql or custom",
            )
    return None


def _library(rule: Rule, severity: Severity) -> Check | None:
    metric = _metric(rule)
    if metric is None:
        return None
    bounds = bounds_of(rule)
    match metric, rule.column:
        case "rowCount", None:
            if any(bound.unit == "percent" for bound in bounds):
                rule.wrong("unit", what="a row count in percent means nothing", expected="rows")
            return CountCheck("rowCount", bounds, rule.place, severity)
        case "duplicateValues", _:
            return _duplicates(rule, bounds, severity)
        case ("rowCount", _) | (_, None):
            rule.wrong(
                what=f"`{metric}` is not supported here",
                expected="in the `quality` of " + ("the object" if metric == "rowCount" else "a property"),
            )
            return None
        case "nullValues", column:
            return RowCheck(
                "nullValues",
                column.name,
                f"{name(column.name)} IS NULL",
                "a value",
                rule.place,
                bounds,
                severity,
            )
        case "missingValues", column:
            return _missing(rule, column, bounds, severity)
        case _, column:
            return _invalid(rule, column, bounds, severity)


def _metric(rule: Rule) -> str | None:
    """Give the metric, or None when it is none of the standard's; its arguments are checked by name."""
    declared = rule.declared
    metric = declared.metric or declared.rule
    if metric not in _ARGUMENTS:
        rule.wrong(
            "metric" if declared.metric else "rule",
            what=f"metric `{metric}` is not supported" if metric else "a rule without a `metric`",
            expected=", ".join(_ARGUMENTS),
            hint=nearest(metric or "", _ARGUMENTS),
        )
        return None
    known = _ARGUMENTS[metric]
    for argument in declared.arguments or {}:
        if argument not in known:
            rule.wrong(
                "arguments",
                argument,
                what=f"`{argument}` is no argument of `{metric}`",
                hint=nearest(argument, known),
            )
    return metric


def _listed(rule: Rule, argument: str) -> list[object]:
    values = (rule.declared.arguments or {}).get(argument)
    if not isinstance(values, list) or not values:
        rule.wrong("arguments", argument, what=f"`{argument}` must be a list with something in it")
        return []
    return values


def _missing(rule: Rule, column: ColumnRule, bounds: tuple[Bound, ...], severity: Severity) -> Check:
    listed = _listed(rule, "missingValues")
    values: list[Value] = []
    for value in listed:
        try:
            values.append(value_of(column, value))
        except ValueError:
            continue  # no value of this column can be it: the strict half refuses such a text, so none is missed
    present = [value for value in values if value is not None]
    parts = [f"{name(column.name)} IS NULL"] if None in values else []
    parts += [f"{name(column.name)} IN {any_of(present)}"] if present else []
    breaks = " OR ".join(parts) or "false"
    return RowCheck(
        "missingValues", column.name, breaks, f"none of {shown(values)}", rule.place, bounds, severity
    )


def _invalid(rule: Rule, column: ColumnRule, bounds: tuple[Bound, ...], severity: Severity) -> Check | None:
    found = [each for each in (_outside(rule, column), _unlike(rule, column)) if each is not None]
    if not {"validValues", "pattern"} & (rule.declared.arguments or {}).keys():
        rule.wrong("arguments", what="`invalidValues` needs `validValues` or `pattern` in its `arguments`")
    if not found:
        return None
    breaks, promise = (
        " OR ".join(breaks for breaks, _ in found),
        " and ".join(promise for _, promise in found),
    )
    return RowCheck("invalidValues", column.name, breaks, promise, rule.place, bounds, severity)


def _outside(rule: Rule, column: ColumnRule) -> tuple[str, str] | None:
    """Give the condition of a value outside `validValues`, and the promise; None without such an argument."""
    if "validValues" not in (rule.declared.arguments or {}):
        return None
    valid: list[Value] = []
    for index, value in enumerate(_listed(rule, "validValues")):
        try:
            valid.append(value_of(column, value))
        except ValueError as error:
            rule.wrong("arguments", "validValues", index, what=str(error))
    if not valid:
        return None
    return outside(name(column.name), valid), f"one of {shown(valid)}"


def _unlike(rule: Rule, column: ColumnRule) -> tuple[str, str] | None:
    """Give the condition of a text that does not match `pattern`, and the promise; None without such an argument."""
    pattern = (rule.declared.arguments or {}).get("pattern")
    if pattern is None:
        return None
    if column.kind != "string":
        what = f"a pattern of a {column.kind} is not supported"
        rule.wrong("arguments", "pattern", what=what, expected="a string")
        return None
    try:
        return texts.mismatch(name(column.name), str(pattern)), f"text that matches {pattern}"
    except ValueError as error:
        rule.wrong("arguments", "pattern", what=str(error))
        return None


def _duplicates(rule: Rule, bounds: tuple[Bound, ...], severity: Severity) -> Check | None:
    if rule.column is not None:
        if "properties" in (rule.declared.arguments or {}):
            rule.wrong(
                "arguments",
                "properties",
                what="`properties` belongs to a rule of the object, not of one property",
            )
        return KeyCheck("duplicateValues", (rule.column.name,), rule.place, bounds, severity)
    found = []
    for index, listed in enumerate(_listed(rule, "properties")):
        if str(listed) in rule.columns:
            found.append(rule.columns[str(listed)].name)
        else:
            rule.wrong(
                "arguments",
                "properties",
                index,
                what=f"no property `{listed}`",
                hint=nearest(str(listed), rule.columns),
            )
    return KeyCheck("duplicateValues", tuple(found), rule.place, bounds, severity) if found else None
