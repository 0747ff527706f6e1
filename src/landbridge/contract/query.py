"""How does one query over every column measure everything a contract asks, and how do the measures become results?

Counts of broken rows, nulls, sums and the order of keys come out of a single scan. A key is proven unique in that
scan when every row's key is greater than the one before (files with a declared order are); only a file in another
order needs a second, grouped scan of the key's columns, which spills. Grouping in the same scan was measured: it
costs twice the memory and half as much CPU again on files that are in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from landbridge.contract.checks import EXACT, KeyCheck, RowCheck, SqlCheck, TotalCheck
from landbridge.contract.sql import name, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from landbridge.contract.checks import Contract
    from landbridge.contract.columns import ColumnRule

Scalar = int | Decimal | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Measures:
    """What the one query saw."""

    rows: int
    broken: dict[str, int] = field(default_factory=dict)
    """Rows that break a condition, by the condition."""
    totals: dict[str, Decimal] = field(default_factory=dict)
    """Exact sums by column; 0 of no values."""
    duplicates: dict[tuple[str, ...], int] = field(default_factory=dict)
    """Rows whose key an earlier row has, by the key's columns."""
    answers: dict[str, Scalar] = field(default_factory=dict)
    """Values of the contract's own queries that joined the scan, by their expressions."""


def measure(connection: duckdb.DuckDBPyConnection, table: str, contract: Contract) -> Measures:
    """Run the one query over `table`, and one more for each key that is not in ascending order.

    A query of the contract's own that fails on some value would fail the whole scan: then it is run without them.
    """
    checks = contract.checks
    keys = list(dict.fromkeys(check.columns for check in checks if isinstance(check, KeyCheck)))
    conditions = list(dict.fromkeys(check.breaks for check in checks if isinstance(check, RowCheck)))
    sums = list(
        dict.fromkeys(check.column for check in checks if isinstance(check, TotalCheck) and check.column)
    )
    own = list(
        dict.fromkeys(check.folded for check in checks if isinstance(check, SqlCheck) and check.folded)
    )
    present = {f"{name(column.name)} IS NULL": position for position, column in enumerate(contract.columns)}
    selected = ["count(*)", *(f"count({name(column.name)})" for column in contract.columns)]
    selected += [f"count(*) FILTER (WHERE {breaks})" for breaks in conditions if breaks not in present]
    kinds = {column.name: column for column in contract.columns}
    selected += [piece for column in sums for piece in _sum(kinds[column])]
    selected += [_out_of_order(key, number) for number, key in enumerate(keys)]
    source = f"{_with_previous(table, keys) if keys else table} AS {name(contract.schema_object)}"
    values = iter(_scanned(connection, selected, own, source))
    rows = int(next(values))
    filled = [int(next(values)) for _ in contract.columns]
    broken = {
        breaks: rows - filled[present[breaks]] if breaks in present else int(next(values))
        for breaks in conditions
    }
    totals = {column: _total(values) for column in sums}
    # The first row has no row before it.
    unordered = {key: int(next(values)) > 1 for key in keys}
    answers = dict(zip(own, values, strict=False))
    duplicates = {key: _duplicates(connection, table, key) if unordered[key] else 0 for key in keys}
    return Measures(rows, broken, totals, duplicates, answers)


def _scanned(
    connection: duckdb.DuckDBPyConnection, selected: list[str], own: list[str], source: str
) -> tuple[Any, ...]:
    """Give the values of `selected` and, unless one of them fails, of `own`."""
    import duckdb

    try:
        return connection.execute(f"SELECT {', '.join(selected + own)} FROM {source}").fetchone() or ()
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error:
        if not own:
            raise
        return _scanned(connection, selected, [], source)


_HALF = 1 << 64
_WIDEST = 128
"""Bits of the integers whose sum is taken in two parts."""


def _sum(column: ColumnRule) -> tuple[str, str]:
    """Give a column's sum in two parts, high and low: DuckDB adds unsigned integers of 128 bits up as doubles, and others may overflow."""
    quoted = name(column.name)
    if column.bits != _WIDEST:
        return "0", f"sum({quoted})"
    half = f"CAST({_HALF} AS {type_of(column)})"
    return tuple(f"sum(CAST({quoted} {sign} {half} AS HUGEINT))" for sign in ("//", "%"))  # type: ignore[return-value] # two


def _total(values: Iterator[Any]) -> Decimal:
    high, low = int(next(values) or 0), Decimal(next(values) or 0)
    return EXACT.add(Decimal(high * _HALF), low)


def _previous(number: int, position: int) -> str:
    return name(f"landbridge previous {number} {position}")


def _with_previous(table: str, keys: Sequence[tuple[str, ...]]) -> str:
    """Add the key columns of the row before. `lag` over no order streams in the order of the file."""
    lagged = [
        f"lag({name(column)}) OVER () AS {_previous(number, position)}"
        for number, key in enumerate(keys)
        for position, column in enumerate(key)
    ]
    return f"(SELECT *, {', '.join(lagged)} FROM {table})"


def _out_of_order(key: tuple[str, ...], number: int) -> str:
    """Count the rows whose key is not greater than the one before; a null proves nothing."""
    greater = "false"
    for position in range(len(key) - 1, -1, -1):
        column, before = name(key[position]), _previous(number, position)
        greater = f"({column} > {before} OR ({column} = {before} AND {greater}))"
    return f"count(*) FILTER (WHERE NOT coalesce({greater}, false))"


def grouped(table: str, key: tuple[str, ...]) -> str:
    """Give the keys that several rows have, with their number; a key with a null in it has no duplicates."""
    listed = ", ".join(name(column) for column in key)
    whole = " AND ".join(f"{name(column)} IS NOT NULL" for column in key)
    return f"SELECT {listed}, count(*) AS n FROM {table} WHERE {whole} GROUP BY {listed} HAVING count(*) > 1"


def _duplicates(connection: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...]) -> int:
    row = connection.execute(f"SELECT coalesce(sum(n - 1), 0) FROM ({grouped(table, key)})").fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contract's own query gave."""

    value: Scalar
    rows: int
    """One is right."""
    failure: str = ""
    """Kind of the error that stopped it. Its words may hold a value, so they are left out."""


def answer(connection: duckdb.DuckDBPyConnection, check: SqlCheck, measures: Measures) -> Answer:
    """Give the first value of a contract's own query: from the one scan, or by running it now."""
    import duckdb

    if check.folded in measures.answers:
        return Answer(_scalar(measures.answers[check.folded]), 1)
    try:
        rows = connection.execute(check.query).fetchmany(2)
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        return Answer(None, 0, type(error).__name__)
    return Answer(_scalar(rows[0][0]) if rows else None, len(rows))


def _scalar(value: object) -> Scalar:
    return value if isinstance(value, int | Decimal | float | str | bool) else None
