"""Which check does one quality rule ask for? Library metrics, SQL, and our own `custom` engine; anything else is a problem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from landbridge.contract import texts
from landbridge.contract.checks import (
    Bound,
    CountCheck,
    KeyCheck,
    Operator,
    RowCheck,
    SqlCheck,
    TotalCheck,
)
from landbridge.contract.clauses import shown, value_of
from landbridge.contract.folding import folded
from landbridge.contract.places import nearest
from landbridge.contract.sql import any_of, name, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from open_data_contract_standard.model import DataQuality

    from landbridge.contract.checks import Check, Place, Severity
    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.places import Document, Path_
    from landbridge.contract.sql import Value

_OPERATORS: dict[str, Operator] = {
    "mustBe": "=",
    "mustNotBe": "!=",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "<=",
    "mustBeBetween": "between",
    "mustNotBeBetween": "not between",
}
_ARGUMENTS = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "info": "warning"}
ENGINE = "landbridge"
"""The `engine` of a `custom` rule that this product judges."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A quality rule with its place: of one column, or of the whole object when `column` is None."""

    document: Document
    path: Path_
    declared: DataQuality
    column: ColumnRule | None
    columns: Mapping[str, ColumnRule]
    """Every column of the object by its name in the contract."""
    table: str
    """Name of the object, which SQL rules may select from."""

    def wrong(self, *steps: str | int, what: str, expected: str = "", seen: str = "", hint: str = "") -> None:
        """Note a problem in this rule."""
        self.document.wrong((*self.path, *steps), what, expected=expected, seen=seen, hint=hint)

    @property
    def place(self) -> Place:
        """Where the rule begins."""
        return self.document.place(self.path)


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
            return _sql(rule, severity)
        case "custom" if declared.engine == ENGINE:
            return _control_total(rule, severity)
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
    bounds = _bounds(rule)
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
    arguments = rule.declared.arguments or {}
    breaks, promises = [], []
    if "validValues" in arguments:
        valid: list[Value] = []
        for index, value in enumerate(_listed(rule, "validValues")):
            try:
                valid.append(value_of(column, value))
            except ValueError as error:
                rule.wrong("arguments", "validValues", index, what=str(error))
        if valid:
            breaks.append(
                f"{name(column.name)} NOT IN {any_of(value for value in valid if value is not None)}"
            )
            promises.append(f"one of {shown(valid)}")
    if "pattern" in arguments:
        try:
            breaks.append(texts.mismatch(name(column.name), str(arguments["pattern"])))
            promises.append(f"text that matches {arguments['pattern']}")
        except ValueError as error:
            rule.wrong("arguments", "pattern", what=str(error))
        if column.kind != "string":
            rule.wrong(
                "arguments",
                "pattern",
                what=f"a pattern of a {column.kind} is not supported",
                expected="a string",
            )
    if not breaks:
        rule.wrong("arguments", what="`invalidValues` needs `validValues` or `pattern` in its `arguments`")
        return None
    return RowCheck(
        "invalidValues",
        column.name,
        " OR ".join(breaks),
        " and ".join(promises),
        rule.place,
        bounds,
        severity,
    )


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


def _bounds(rule: Rule) -> tuple[Bound, ...]:
    """Read every operator of the rule; all of them must hold."""
    unit = rule.declared.unit or "rows"
    if unit not in ("rows", "percent"):
        rule.wrong("unit", what=f"unit `{unit}` is not supported", expected="rows or percent")
    found = []
    for word, operator in _OPERATORS.items():
        value = getattr(rule.declared, word)
        if value is None:
            continue
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, bool) or not isinstance(one, int | float) for one in values):
            rule.wrong(word, what=f"`{word}` must be a number", seen=str(value))
            continue
        exact = tuple(Decimal(str(one)) for one in values)
        if exact[0] > exact[-1]:
            rule.wrong(word, what=f"`{word}` wants the smaller number first", seen=str(value))
        found.append(Bound(operator, exact, "percent" if unit == "percent" else "rows"))
    if not found and not any(getattr(rule.declared, word) is not None for word in _OPERATORS):
        rule.wrong(what="a rule without an operator", expected=", ".join(_OPERATORS))
    return tuple(found)


_PLACEHOLDER = re.compile(r"\$?\{(\w+)\}")
_OBJECT_WORDS = ("object", "table", "schema", "model")
_COLUMN_WORDS = ("property", "column", "field")


def _sql(rule: Rule, severity: Severity) -> Check | None:
    query = (rule.declared.query or "").strip().rstrip(";")
    if not query:
        rule.wrong(what="a `sql` rule without a `query`")
        return None
    if rule.declared.unit not in (None, "rows"):
        rule.wrong("unit", what="a `sql` rule gives a plain number", expected="no unit, or rows")
    words = dict.fromkeys(_OBJECT_WORDS, name(rule.table))
    words |= dict.fromkeys(_COLUMN_WORDS, name(rule.column.name)) if rule.column else {}
    for unknown in sorted(set(_PLACEHOLDER.findall(query)) - set(words)):
        rule.wrong(
            "query",
            what=f"`{{{unknown}}}` is not supported here",
            expected=", ".join(f"{{{word}}}" for word in words),
        )
        return None
    query = _PLACEHOLDER.sub(lambda found: words[found.group(1)], query)
    expression = _bound(rule, query)
    if expression is None:
        return None
    column = rule.column.name if rule.column else ""
    label = rule.declared.name or "sql"
    for word in ("mustBe", "mustNotBe"):
        value = getattr(rule.declared, word)
        if isinstance(value, bool | str):
            negated = word == "mustNotBe"
            return SqlCheck(label, column, query, rule.place, (), value, negated, severity, expression)
    return SqlCheck(label, column, query, rule.place, _bounds(rule), severity=severity, folded=expression)


def _bound(rule: Rule, query: str) -> str | None:
    """Give the query folded into one aggregate (empty when it is more), or None when it does not fit the columns; it is not run."""
    import duckdb

    columns = ", ".join(f"{name(column.name)} {type_of(column)}" for column in rule.columns.values())
    with duckdb.connect(config={"threads": 1, "enable_external_access": False}) as connection:
        try:
            connection.execute(f"CREATE TABLE {name(rule.table)} ({columns})")
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                rule.wrong("query", what="a `sql` rule is one SELECT")
                return None
            width = len(connection.execute(f"DESCRIBE {query}").fetchall())
            expression = folded(connection, query, rule.table)
        except duckdb.Error as error:
            rule.wrong("query", what="the query does not fit the columns", seen=str(error).partition("\n")[0])
            return None
    if width != 1:
        rule.wrong("query", what="a `sql` rule gives one value", seen=f"{width} columns")
        return None
    return expression


_TOTAL_WORDS = ("record", "field", "equals", "column")


def _control_total(rule: Rule, severity: Severity) -> Check | None:
    """Read `{record: trailing, field: 2, equals: rows | records | total, column: amount}`."""
    words = rule.declared.implementation
    if not isinstance(words, dict):
        rule.wrong("implementation", what="a control total is a mapping", expected=", ".join(_TOTAL_WORDS))
        return None
    for word in words:
        if word not in _TOTAL_WORDS:
            rule.wrong(
                "implementation",
                word,
                what=f"`{word}` is no word of a control total",
                hint=nearest(str(word), _TOTAL_WORDS),
            )
    record, field, equals = words.get("record", "trailing"), words.get("field"), words.get("equals")
    if record not in ("leading", "trailing"):
        rule.wrong("implementation", "record", what="`record` is `leading` or `trailing`", seen=str(record))
        return None
    if not isinstance(field, int) or isinstance(field, bool) or field < 1:
        rule.wrong(
            "implementation", "field", what="`field` is the position in the record, from 1", seen=str(field)
        )
        return None
    label = rule.declared.name or "controlTotal"
    match equals:
        case "rows" | "records":
            return TotalCheck(label, record, field, equals, "", rule.place, severity)
        case "total":
            column = _added_up(rule, str(words.get("column")))
            return TotalCheck(label, record, field, "total", column, rule.place, severity) if column else None
        case _:
            rule.wrong(
                "implementation", "equals", what="`equals` is `rows`, `records` or `total`", seen=str(equals)
            )
            return None


def _added_up(rule: Rule, asked: str) -> str:
    column = rule.columns.get(asked)
    if column is not None and column.kind in ("integer", "decimal"):
        return column.name
    rule.wrong(
        "implementation",
        "column",
        what="`column` names an integer or decimal property to add up",
        seen=asked,
        hint=nearest(asked, rule.columns),
    )
    return ""
