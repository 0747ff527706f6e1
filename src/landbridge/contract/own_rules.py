"""Which check does a contract's own SQL, or its control total, ask for?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.contract.checks import SqlCheck, TotalCheck
from landbridge.contract.engine import engine
from landbridge.contract.folding import folded
from landbridge.contract.places import nearest
from landbridge.contract.rules import OPERATORS, bounds_of
from landbridge.contract.sql import name, type_of

if TYPE_CHECKING:
    from landbridge.contract.checks import Check, Severity
    from landbridge.contract.rules import Rule

ENGINE = "landbridge"
"""The `engine` of a `custom` rule that this product judges."""


_PLACEHOLDER = re.compile(r"\$?\{(\w+)\}")
_OBJECT_WORDS = ("object", "table", "schema", "model")
_COLUMN_WORDS = ("property", "column", "field")


def sql(rule: Rule, severity: Severity) -> Check | None:
    """Read a `sql` rule: one SELECT that gives one value, with the names of object and property put in."""
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
            if sum(getattr(rule.declared, other) is not None for other in OPERATORS) > 1:
                rule.wrong(
                    word, what=f"`{word}` with a text, true or false stands alone", expected="one operator"
                )
            negated = word == "mustNotBe"
            return SqlCheck(label, column, query, rule.place, (), value, negated, severity, expression)
    return SqlCheck(label, column, query, rule.place, bounds_of(rule), severity=severity, folded=expression)


def _bound(rule: Rule, query: str) -> str | None:
    """Give the query folded into one aggregate (empty when it is more), or None when it does not fit the columns; it is not run."""
    import duckdb

    columns = ", ".join(f"{name(column.name)} {type_of(column)}" for column in rule.columns.values())
    with engine() as connection:
        try:
            connection.execute(f"CREATE TEMP TABLE {name(rule.table)} ({columns})")
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


def control_total(rule: Rule, severity: Severity) -> Check | None:
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
