"""A contract's own query joins the one scan where it can, and gives the value that it gives alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from landbridge.contract.checks import SqlCheck
from landbridge.contract.folding import folded
from landbridge.contract.odcs import load
from tests.contract.odcs_texts import judged, named, written

if TYPE_CHECKING:
    from pathlib import Path

JOINS = [
    "SELECT count(*) FROM things",
    "select count(*) as n from things where a > 1",
    "SELECT sum(a) FROM things WHERE b = 'x' OR b IS NULL",
    "SELECT max(things.a) FROM things WHERE (a < 3) AND (b <> 'where')",
    'SELECT min(b)\n  FROM "things"\nWHERE a IN (1, 3) -- the small ones',
    "SELECT avg(a) FROM things WHERE false",
    "SELECT count(b) FROM things WHERE a % 2 = 1 /* odd */",
]
STAYS_ALONE = [
    "SELECT count(*) FROM things t WHERE t.a > 1",
    "SELECT count(DISTINCT b) FROM things",
    "SELECT sum(a) FILTER (WHERE a > 1) FROM things",
    "SELECT sum(CAST(b AS INT)) FROM things WHERE a = 9",
    "SELECT count(*) FROM things WHERE a > (SELECT avg(a) FROM things)",
    "SELECT count(*) FROM things GROUP BY b LIMIT 1",
    "SELECT count(*) FROM (SELECT a FROM things GROUP BY a HAVING count(*) > 1)",
    "SELECT count(*) FROM things, things AS other",
    "SELECT count(*) > 1 FROM things",
    "WITH x AS (SELECT 1) SELECT count(*) FROM things",
    "SELECT count(*) FROM things WHERE b = 'é'",
    "SELECT 1",
    "SELECT lower(b) FROM things",
    "SELECT count(*), 1 FROM things",
    "SELECT count(*) FROM others",
    "SELECT count(*) FROM things LIMIT 0",
    "SELECT count(*) FROM things TABLESAMPLE 1 ROWS",
    "SELECT count(*) FROM things HAVING count(*) > 9",
    "SELECT count(*) OVER () FROM things",
    "SELECT sum(a) OVER (PARTITION BY b) FROM things WHERE a = 1",
]
DATA = "(VALUES (1, 'x'), (2, NULL), (3, 'where'), (NULL, 'x'), (3, 'x')) AS things(a, b)"


@pytest.mark.parametrize("query", JOINS)
def test_the_value_is_the_same_in_the_scan(query: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE things AS SELECT * FROM {DATA}")
        expression = folded(connection, query, "things")
        assert expression
        alone = connection.execute(query).fetchone()
        assert connection.execute(f"SELECT {expression}, 1 FROM {DATA}").fetchone() == (*(alone or ()), 1)


@pytest.mark.parametrize("query", STAYS_ALONE)
def test_anything_more_is_run_alone(query: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE things AS SELECT * FROM {DATA}")
        connection.execute("CREATE TABLE others AS SELECT * FROM things")
        assert folded(connection, query, "things") == ""


def test_a_query_that_fails_on_a_value_breaks_its_own_rule_only(tmp_path: Path) -> None:
    columns = [
        "name: a, logicalType: integer, logicalTypeOptions: {maximum: 1}",
        "name: b, logicalType: string",
    ]
    rules = [
        "type: sql, name: fails, query: 'SELECT count(*) FROM {object} WHERE CAST(b AS INT) > 0', mustBe: 0",
        "type: sql, name: fine, query: 'SELECT count(*) FROM {object} WHERE a > 0', mustBe: 2",
    ]
    contract = written(tmp_path, columns, rules)
    assert all(check.folded for check in load(contract).checks if isinstance(check, SqlCheck))
    report = judged(contract, b"a,b\n1,secret\n2,y\n")
    assert (named(report, "fine").passed, named(report, "fails").passed) == (True, False)
    assert named(report, "maximum").broken == 1
    assert named(report, "fails").message == "the query gave no answer (ConversionException)"
