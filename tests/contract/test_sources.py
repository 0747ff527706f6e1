"""Does every kind of source keep what the port promises?"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.parquet
import pytest
from sqlalchemy.exc import SQLAlchemyError

from landbridge.sources.stream import BYTES, ROWS
from tests.contract.bridge import SLOT, JumpingClock, adapter, around, read
from tests.servers import api as servers
from tests.servers.api import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.ports import Source
    from tests.servers.api import Answer, Asked

pytestmark = pytest.mark.postgres

COUNT = 70_000
"""More than one batch may hold."""
WIDE = "x" * 100_000
"""Four hundred of these are more than one batch may hold."""


def _row(number: int) -> dict[str, Any]:
    return {"n": number, "text": f"row {number}"}


@pytest.fixture(
    params=["rest", "postgresql", "sqlite", "alchemy", "csv", "jsonl", "parquet", "python", "python-arrow"]
)
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Declarations of one source of each kind with COUNT rows; the path of it is the test's folder."""
    made = request.getfixturevalue
    match request.param:
        case "rest":
            with servers.running() as api:
                api.routes["/"] = _pages
                paging = {"kind": "cursor", "path": "next", "parameter": "c"}
                columns = {"n": "int64", "text": "string"}
                yield {
                    "kind": "rest",
                    "url": api.url,
                    "records": "items",
                    "paging": paging,
                    "columns": columns,
                }
        case "postgresql":
            sql = f"SELECT n::bigint, 'row ' || n AS text FROM generate_series(0, {COUNT - 1}) n"
            yield {"kind": "sql", "url": made("postgres").url, "query": sql}
        case "alchemy":
            sql = f"SELECT n\\:\\:bigint, 'row ' || n AS text FROM generate_series(0, {COUNT - 1}) n".replace(
                "\\", ""
            )
            url = made("postgres").url.replace("postgresql://", "postgresql+psycopg://")
            yield {"kind": "sql", "url": url, "query": sql}
        case "sqlite":
            with sqlite3.connect(tmp_path / "x.db") as database:
                database.execute("CREATE TABLE t (n INTEGER, text TEXT)")
                rows = (tuple(_row(number).values()) for number in range(COUNT))
                database.executemany("INSERT INTO t VALUES (?, ?)", rows)
            database.close()
            yield {"kind": "sql", "url": "sqlite:///x.db", "query": "SELECT * FROM t"}
        case "csv":
            lines = (f"{number},row {number}\n" for number in range(COUNT))
            (tmp_path / "a.csv").write_text("n,text\n" + "".join(lines))
            yield {
                "kind": "files",
                "path": "a.csv",
                "format": "csv",
                "columns": {"n": "int64", "text": "string"},
            }
        case "jsonl":
            (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(_row(n))}\n" for n in range(COUNT)))
            yield {"kind": "files", "path": "a.jsonl", "format": "jsonl"}
        case "parquet":
            pa.parquet.write_table(
                pa.Table.from_pylist([_row(n) for n in range(COUNT)]), tmp_path / "a.parquet"
            )
            yield {"kind": "files", "path": "*.parquet", "format": "parquet"}
        case "python":
            (tmp_path / "mine.py").write_text(
                f"def rows(slot):\n    for n in range({COUNT}):\n        yield {{'n': n, 'text': f'row {{n}}'}}\n"
            )
            yield {"kind": "python", "function": "mine:rows"}
        case _:
            (tmp_path / "mine.py").write_text(
                "import pyarrow as pa\ndef rows(slot):\n"
                f"    return pa.table({{'n': range({COUNT}), 'text': [f'row {{n}}' for n in range({COUNT})]}})\n"
            )
            yield {"kind": "python", "function": "mine:rows"}


def _pages(asked: Asked) -> Answer:
    start = int(asked.query.get("c", "0"))
    end = min(COUNT, start + 25_000)
    return as_json({"items": [_row(n) for n in range(start, end)], "next": end if end < COUNT else None})


def test_all_rows_come_in_bounded_batches_with_exactly_one_fact(keys: dict[str, Any], tmp_path: Path) -> None:
    clock = JumpingClock()
    taken = read(around(tmp_path, clock=clock), **keys)
    assert taken.types == {"n": "int64", "text": "string"}
    assert taken.rows == [_row(number) for number in range(COUNT)]
    assert max(taken.sizes) <= ROWS
    assert len(taken.sizes) <= 12  # small pages are joined
    assert (taken.fact.name, taken.fact.kind, taken.fact.rows) == ("s", keys["kind"], COUNT)
    assert taken.fact.began_at == taken.fact.ended_at == clock.now()
    assert taken.fact.query


def test_the_same_data_has_the_same_digest(keys: dict[str, Any], tmp_path: Path) -> None:
    first, second = (read(around(tmp_path), **keys).fact.sha256 for _ in range(2))
    assert first == second
    assert len(first) == 64


def test_closing_early_states_no_fact_and_the_source_can_be_opened_again(
    keys: dict[str, Any], tmp_path: Path
) -> None:
    with adapter(around(tmp_path), **keys) as source:
        with source.open(SLOT) as extract:
            next(extract.batches)
        assert extract.fact == []
        with source.open(SLOT) as extract:
            assert sum(batch.num_rows for batch in extract.batches) == COUNT
        assert len(extract.fact) == 1


@pytest.mark.parametrize(
    "error",
    [
        KeyError,
        OSError,
        pa.ArrowInvalid,
        psycopg.OperationalError,
        sqlite3.Error,
        SQLAlchemyError,
        ValueError,
    ],
)
def test_a_failure_of_the_consumer_passes_through(
    keys: dict[str, Any], tmp_path: Path, error: type[Exception]
) -> None:
    def fail(source: Source) -> None:
        with source.open(SLOT) as extract:
            next(extract.batches)
            raise error("the consumer's own")

    with adapter(around(tmp_path), **keys) as source, pytest.raises(error, match="the consumer's own"):
        fail(source)


def test_long_rows_make_short_batches(postgres: Any, tmp_path: Path) -> None:
    sql = "SELECT repeat('x', 100000) AS v FROM generate_series(1, 400)"
    (tmp_path / "mine.py").write_text("def rows(slot):\n    return [{'v': 'x' * 100000}] * 400\n")
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("CREATE TABLE t (v TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [(WIDE,)] * 400)
    database.close()
    for keys in (
        {"kind": "sql", "url": postgres.url, "query": sql},
        {"kind": "sql", "url": "sqlite:///x.db", "query": "SELECT v FROM t"},
        {"kind": "python", "function": "mine:rows"},
    ):
        with adapter(around(tmp_path), **keys) as source, source.open(SLOT) as extract:
            batches = list(extract.batches)
        assert sum(batch.num_rows for batch in batches) == 400
        assert max(batch.nbytes for batch in batches) <= BYTES


def test_postgresql_keeps_no_connection(postgres: Any, tmp_path: Path) -> None:
    query = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'landbridge'"
    with (
        adapter(around(tmp_path), kind="sql", url=postgres.url, query=query) as source,
        source.open(SLOT) as extract,
    ):
        assert [batch.to_pylist() for batch in extract.batches] == [
            [{"n": 2}]
        ]  # one holds the snapshot, one streams
    with psycopg.connect(postgres.url, autocommit=True) as look:
        for _ in range(200):
            if look.execute(query).fetchone() == (0,):
                break
            look.execute("SELECT pg_sleep(0.02)")
        assert look.execute(query).fetchone() == (0,)
