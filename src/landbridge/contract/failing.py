"""Which rows broke a rule? A second pass, only after a failure: the first rows with record, line, byte offset and value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.contract.columns import MASK, MOST_DEFECTS
from landbridge.contract.query import grouped
from landbridge.contract.sql import name
from landbridge.facts import Defect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import duckdb

    from landbridge.contract.checks import KeyCheck, RowCheck
    from landbridge.contract.columns import ColumnRule

_WIDEST = 80


@dataclass(frozen=True, slots=True)
class _Row:
    rule: str
    record: int
    column: str
    message: str
    value: str


def first_failing(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[ColumnRule],
    failed: Sequence[RowCheck | KeyCheck],
    locate: Callable[[Sequence[int]], list[tuple[int, int]]],
) -> tuple[Defect, ...]:
    """Give the first `MOST_DEFECTS` rows of each failed check, in the order of the checks and then of the file.

    One scan for all row checks, two for each key.
    """
    from landbridge.contract.checks import RowCheck

    rules = {column.name: column for column in columns}
    numbered = f"(SELECT row_number() OVER () AS {name(_RECORD)}, * FROM {table})"
    rows = _broken(connection, numbered, rules, [check for check in failed if isinstance(check, RowCheck)])
    for check in failed:
        if not isinstance(check, RowCheck):
            rows += _repeated(connection, table, numbered, rules, check)
    records = sorted({row.record for row in rows})
    places = dict(zip(records, locate(records), strict=True)) if records else {}
    return tuple(
        Defect(row.rule, row.record, *places[row.record], row.column, row.message, row.value) for row in rows
    )


_RECORD = "landbridge record"


def _shown(column: str) -> str:
    """Write a value as text, shortened; long text is cut before it leaves the query."""
    return f"left(CAST({name(column)} AS VARCHAR), {_WIDEST})"


def _broken(
    connection: duckdb.DuckDBPyConnection,
    numbered: str,
    rules: Mapping[str, ColumnRule],
    failed: Sequence[RowCheck],
) -> list[_Row]:
    if not failed:
        return []
    record = name(_RECORD)
    selected = []
    for check in failed:
        # A personal value does not even leave the query.
        value = "NULL" if rules[check.column].personal else _shown(check.column)
        selected.append(
            f"arg_min({{'record': {record}, 'value': {value}}}, {record}, {MOST_DEFECTS}) FILTER (WHERE {check.breaks})"
        )
    found = connection.execute(f"SELECT {', '.join(selected)} FROM {numbered}").fetchone() or ()
    return [
        _Row(
            check.rule,
            int(row["record"]),
            check.column,
            f"expected {check.promise}",
            MASK if rules[check.column].personal else row["value"] or "",
        )
        for check, listed in zip(failed, found, strict=True)
        for row in listed or ()
    ]


def _repeated(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    numbered: str,
    rules: Mapping[str, ColumnRule],
    check: KeyCheck,
) -> list[_Row]:
    """Find the first rows whose key an earlier row has."""
    keys = ", ".join(name(column) for column in check.columns)
    joined = " AND ".join(f"r.{name(column)} = d.{name(column)}" for column in check.columns)
    personal = any(rules[column].personal for column in check.columns)
    value = (
        "NULL" if personal else f"concat_ws(', ', {', '.join(_shown(column) for column in check.columns)})"
    )
    record = name(_RECORD)
    repeated = f"SELECT r.* FROM {numbered} r SEMI JOIN ({grouped(table, check.columns)}) d ON {joined}"
    found = connection.execute(
        f"SELECT {record}, prior, {value} FROM ("
        f"SELECT {record}, {keys}, first_value({record}) OVER (PARTITION BY {keys} ORDER BY {record}) AS prior"
        f" FROM ({repeated})) WHERE prior < {record} ORDER BY {record} LIMIT {MOST_DEFECTS}"
    ).fetchall()
    return [
        _Row(
            check.rule,
            int(found_record),
            ", ".join(check.columns),
            f"the same key as record {prior}",
            MASK if personal else text[:_WIDEST],
        )
        for found_record, prior, text in found
    ]
