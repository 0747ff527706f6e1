"""Do SQL sources keep types exactly, bind safely, and see one state of the database?"""

from __future__ import annotations

import sqlite3
import sys
import threading
import uuid
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy

from landbridge.errors import ContractBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.feed import Feed
from landbridge.feed.outputs import Csv
from landbridge.sources.sql import rows
from landbridge.sources.sql.query import Query, bound
from landbridge.sources.sql.source import Sql, snapshot
from landbridge.sources.table import open_sources
from tests.contract.bridge import SLOT, JumpingClock, KnownSecrets, adapter, around, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from examples.servers.postgres import Postgres
    from landbridge.sources.sql.source import Snapshot

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> Iterator[str]:
    """A database of this module's own."""
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS sources")
        admin.execute("CREATE DATABASE sources")
        admin.execute("DROP ROLE IF EXISTS reader")
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'p@ss w0rd/'")
    url = postgres.url_of("sources")
    with psycopg.connect(url) as made:
        made.execute("CREATE TABLE secrets (x int)")
        made.execute("CREATE SEQUENCE counted")
        made.execute(
            "CREATE TABLE numbers AS SELECT n::bigint AS n, 'row ' || n AS name FROM generate_series(1, 200000) n"
        )
    yield url
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("DROP DATABASE sources WITH (FORCE)")


TYPES = """
SELECT * FROM (VALUES (
  1::smallint, 2, 3::bigint, 1.5::real, 0.1::float8, 12.50::numeric(10,2), true, 'x'::text, '',
  E'a "quoted"\\nline, with \\\\ and \\t', date '2026-11-20', time '10:00:00.5',
  timestamp '2026-11-20 10:00:00.123', timestamptz '2026-11-20 10:00:00+05:30', '\\x00ff'::bytea,
  '{"a": [1]}'::jsonb, '11111111-2222-3333-4444-555555555555'::uuid, ARRAY['p', NULL], interval '1 day 2 hours'
)) AS v(small, int, big, real, double, money, bool, text, empty, odd, date, time, stamp, instant, bytes, json, uuid, list, span)
UNION ALL
SELECT null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
"""


def test_postgresql_types_arrive_exactly(url: str, tmp_path: Path) -> None:
    taken = read(
        around(tmp_path), kind="sql", url=url, query=f"{TYPES};  -- the end\n".replace("-- the end", "")
    )
    assert taken.types == {
        "small": "int16", "int": "int32", "big": "int64", "real": "float", "double": "double",
        "money": "decimal128(38, 2)", "bool": "bool", "text": "string", "empty": "string", "odd": "string",
        "date": "date32[day]", "time": "time64[us]", "stamp": "timestamp[us]", "instant": "timestamp[us, tz=UTC]",
        "bytes": "binary", "json": "string", "uuid": "string", "list": "string", "span": "string",
    }  # fmt: skip
    row = {key: str(value) for key, value in taken.rows[0].items()}
    assert row == {
        "small": "1", "int": "2", "big": "3", "real": "1.5", "double": "0.1", "money": "12.50", "bool": "True",
        "text": "x", "empty": "", "odd": 'a "quoted"\nline, with \\ and \t', "date": "2026-11-20",
        "time": "10:00:00.500000", "stamp": "2026-11-20 10:00:00.123000", "instant": "2026-11-20 04:30:00+00:00",
        "bytes": str(b"\x00\xff"), "json": '{"a": [1]}', "uuid": "11111111-2222-3333-4444-555555555555",
        "list": "{p,NULL}", "span": "P1DT2H",
    }  # fmt: skip
    assert set(taken.rows[1].values()) == {None}


@pytest.mark.parametrize(
    ("numeric", "arrow", "value"),
    [
        ("12.5::numeric(10,2)", "decimal128(10, 2)", "12.50"),
        ("1.234::numeric", "decimal128(38, 3)", "1.234"),
        ("sum(n)::numeric", "decimal128(38, 0)", "20000100000"),
        ("avg(n)", "decimal128(38, 12)", None),
        ("null::numeric", "decimal128(38, 0)", None),
        ("1e40::numeric", "decimal256(41, 0)", "1" + "0" * 40),
        ("1500::numeric(3,-2)", "decimal128(5, 0)", "1500"),
    ],
)
def test_numerics_keep_every_digit(
    url: str, tmp_path: Path, numeric: str, arrow: str, value: str | None
) -> None:
    if "n)" not in numeric:
        numeric = f"max({numeric})" if "(" not in numeric.partition("::")[2] else f"({numeric})"
    single = " LIMIT 1" if not numeric.startswith(("max", "sum", "avg")) else ""
    taken = read(around(tmp_path), kind="sql", url=url, query=f"SELECT {numeric} AS v FROM numbers{single}")
    assert taken.types == {"v": arrow} or value is None
    if value is not None:
        assert taken.rows == [{"v": Decimal(value)}]


@pytest.mark.parametrize("single", ["SELECT null::text AS v UNION ALL SELECT '' UNION ALL SELECT 'x'"])
def test_null_and_empty_text_stay_apart_in_a_single_column(url: str, tmp_path: Path, single: str) -> None:
    taken = read(around(tmp_path), kind="sql", url=url, query=single)
    assert [row["v"] for row in taken.rows] == [None, "", "x"]


def test_no_rows_keep_their_schema(url: str, tmp_path: Path) -> None:
    taken = read(around(tmp_path), kind="sql", url=url, query="SELECT n, name FROM numbers WHERE false")
    assert taken.rows == []
    assert taken.types == {"n": "int64", "name": "string"}
    assert taken.fact.rows == 0


def _sqlite(folder: Path) -> str:
    with sqlite3.connect(folder / "x.db") as made:
        made.execute("CREATE TABLE t (i INTEGER, r REAL, x TEXT, b BLOB, m)")
        made.execute(
            "INSERT INTO t VALUES (null, null, null, null, null), (1, 2, 'it''s', x'00ff', 1), (2, 2.5, '', x'', 'x')"
        )
    made.close()
    return "sqlite:///x.db"


@pytest.fixture(params=["postgresql", "sqlite", "alchemy-postgresql", "alchemy-sqlite"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A URL for each way into a database."""
    match request.param:
        case "postgresql":
            return str(request.getfixturevalue("url"))
        case "alchemy-postgresql":
            return str(request.getfixturevalue("url")).replace("postgresql://", "postgresql+psycopg://")
        case "sqlite":
            return _sqlite(tmp_path)
        case _:
            _sqlite(tmp_path)
            return f"sqlite+pysqlite:///{tmp_path}/x.db"


def test_parameters_are_bound_by_value_and_slot(door: str, tmp_path: Path) -> None:
    taken = read(
        around(tmp_path), kind="sql", url=door, parameters={"name": "it's; DROP TABLE t; -- {ENVIRONMENT} %s :x"},
        query="""SELECT ':name' AS quoted, :name AS name, CAST(:business_date AS TEXT) AS day, ':business_date' AS "a:b" /* :no */ -- :no""",
    )  # fmt: skip
    [row] = taken.rows
    assert row["quoted"] == ":name"
    assert row["a:b"] == ":business_date"
    assert row["name"] == "it's; DROP TABLE t; -- DEV %s :x"
    assert row["day"] == "2026-11-20"
    assert taken.fact.parameters["name"] == row["name"]


def test_dates_are_bound_as_dates(url: str, tmp_path: Path) -> None:
    query = "SELECT :business_date - 1 AS yesterday, :scheduled_at::timestamptz + interval '1 hour' AS later, 'x'::text AS x"
    for door in (url, url.replace("postgresql://", "postgresql+psycopg://")):
        [row] = read(around(tmp_path), kind="sql", url=door, query=query).rows
        assert str(row["yesterday"]) == "2026-11-19"
        assert row["later"].isoformat() == "2026-11-21T07:00:00+00:00"


@pytest.mark.parametrize(
    ("query", "error", "says"),
    [
        ("SELECT nope", ContractBroken, "cannot answer the query.*nope"),
        ("SELECT 1 AS a, 2 AS a", ContractBroken, "several columns named `a`"),
        ("SELECT :busines_date AS d", UsageError, "did you mean `:business_date`"),
    ],
)
def test_a_query_that_is_wrong_is_told(
    door: str, tmp_path: Path, query: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        read(around(tmp_path), kind="sql", url=door, query=query)


def test_nothing_can_be_changed(door: str, tmp_path: Path) -> None:
    with pytest.raises((ContractBroken, Unavailable)), adapter(
        around(tmp_path), kind="sql", url=door, query="INSERT INTO numbers(n) VALUES (-1) RETURNING n"
    ) as source, source.open(SLOT) as extract:  # fmt: skip
        list(extract.batches)


def _rows(taken: Snapshot, query: Query) -> None:
    with taken.rows("s", query, timedelta(seconds=9)) as (_, gives):
        list(gives)


def _first_value(taken: Snapshot, query: Query) -> None:
    taken.first_value("s", query, timedelta(seconds=9))


@pytest.mark.parametrize("scheme", ["postgresql://", "postgresql+psycopg://"])
@pytest.mark.parametrize("asks", ["rows", "first value"])
def test_not_even_what_outlasts_a_rollback_can_be_changed(
    url: str, tmp_path: Path, scheme: str, asks: str
) -> None:
    """A query may call a function that writes; only a transaction that says it only reads keeps it from that."""
    given = around(tmp_path)
    taken = snapshot(url.replace("postgresql://", scheme), given)
    query = bound("s", "SELECT nextval('counted') AS n", {}, SLOT, given)
    asked = _rows if asks == "rows" else _first_value
    with closing(taken), pytest.raises(LandbridgeError, match="read-only"):
        asked(taken, query)
    with psycopg.connect(url) as look:
        assert look.execute("SELECT is_called FROM counted").fetchone() == (False,)


def test_sqlite_is_given_nothing_to_write_not_even_for_itself(tmp_path: Path) -> None:
    given = around(tmp_path)
    sqlite3.connect(tmp_path / "there.db").close()
    taken = snapshot("sqlite:///there.db", given)
    query = bound("s", "CREATE TEMP TABLE t AS SELECT 1", {}, SLOT, given)
    with closing(taken), pytest.raises(ContractBroken, match="readonly"):
        _first_value(taken, query)


def test_a_parameter_that_is_not_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`x` is declared, but the query does not use it"):
        read(around(tmp_path), kind="sql", url="sqlite:///x.db", query="SELECT 1", parameters={"x": "1"})


def test_sqlite_types_follow_from_all_values(tmp_path: Path) -> None:
    taken = read(
        around(tmp_path), kind="sql", url=_sqlite(tmp_path), query="SELECT i, r, x, b, null AS n FROM t"
    )
    assert taken.types == {"i": "int64", "r": "double", "x": "string", "b": "binary", "n": "string"}
    assert taken.rows[1] == {"i": 1, "r": 2.0, "x": "it's", "b": b"\x00\xff", "n": None}
    assert taken.rows[2]["x"] == ""
    with pytest.raises(ContractBroken, match=r"`m` holds values of several types.*integer, text"):
        read(around(tmp_path), kind="sql", url=_sqlite_again(), query="SELECT m FROM t")


def _sqlite_again() -> str:
    return "sqlite:///x.db"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT 'infinity'::date AS d", "`d` cannot be held"),
        ("SELECT 'NaN'::numeric AS d", "`d` does not fit into a decimal.*NaN"),
        ("SELECT 1 / (n - 150000) AS d FROM numbers", "division by zero"),
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("DELETE FROM numbers", "no columns"),
    ],
)
def test_what_postgresql_cannot_give_is_told(url: str, tmp_path: Path, query: str, says: str) -> None:
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="sql", url=url, query=query)


def test_a_query_that_takes_too_long_is_cancelled(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="raise the source's `timeout`"):
        read(around(tmp_path), kind="sql", url=url, query="SELECT pg_sleep(20)::text AS x", timeout="1s")
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) AS n FROM c"
    with pytest.raises(Unavailable, match="raise the source's `timeout`"):
        read(around(tmp_path), kind="sql", url=_sqlite(tmp_path), query=endless, timeout="1s")


def test_a_password_comes_from_a_reference_and_is_never_shown(url: str, tmp_path: Path) -> None:
    known = url.replace("postgres@", "reader:p%40ss%20w0rd%2F@")
    given = around(tmp_path, {"env:DB": known})
    taken = read(given, kind="sql", url="env:DB", query="SELECT current_user::text AS me")
    assert taken.rows == [{"me": "reader"}]
    assert "w0rd" not in repr(taken.fact)
    assert taken.fact.query.startswith("postgresql://127.0.0.1:")
    with pytest.raises(NotPermitted, match="permission denied"):
        read(given, kind="sql", url="env:DB", query="SELECT * FROM secrets")
    wrong = around(tmp_path, {"env:DB": known.replace("w0rd", "wrong")})
    with pytest.raises(NotPermitted) as caught:
        read(wrong, kind="sql", url="env:DB", query="SELECT 1 AS x")
    assert "wrong" not in str(caught.value)


def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="did not answer properly"):
        read(around(tmp_path), kind="sql", url="postgresql://x@127.0.0.1:9/y", query="SELECT 1 AS x")
    with pytest.raises(Unavailable, match=r"`no\.db` cannot be read"):
        read(around(tmp_path), kind="sql", url="sqlite:///no.db", query="SELECT 1 AS x")
    assert not (tmp_path / "no.db").exists()


def test_a_driver_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="install the driver"):
        read(around(tmp_path), kind="sql", url="oracle+nothing://x/y", query="SELECT 1 AS x")


def _feed(**sources: Any) -> Feed:
    import json

    return Feed.model_validate_json(
        json.dumps(
            {
                "feed": "eidv", "owner": "o", "sources": sources, "transform": "SELECT 1",
                "schedule": {"cron": "0 6 * * *"}, "contract": {"file": "c"}, "file": {"name": "n", "folder": "f"},
            }
        )
    )  # fmt: skip


def test_all_queries_of_a_feed_see_one_state_and_can_be_read_at_the_same_time(
    url: str, tmp_path: Path
) -> None:
    with psycopg.connect(url, autocommit=True) as writer:
        writer.execute("DROP TABLE IF EXISTS moving")
        writer.execute("CREATE TABLE moving AS SELECT n FROM generate_series(1, 200000) n")
        query = {"kind": "sql", "url": url, "query": "SELECT n FROM moving"}
        with open_sources(
            _feed(a=query, b=query, c={**query, "query": "SELECT count(*) AS n FROM moving"}),
            folder=tmp_path, secrets=KnownSecrets({}), environment="DEV", variables={}, clock=JumpingClock(),
        ) as sources, sources["a"].open(SLOT) as first:  # fmt: skip
            one = next(first.batches)
            writer.execute("INSERT INTO moving VALUES (-1)")
            with sources["b"].open(SLOT) as second:
                both = sum(batch.num_rows for batch in second.batches)
            rest = one.num_rows + sum(batch.num_rows for batch in first.batches)
            with sources["c"].open(SLOT) as third:
                [[counted]] = [batch.column(0).to_pylist() for batch in third.batches]
        assert (rest, both, counted) == (200000, 200000, 200000)
        row = writer.execute("SELECT count(*) FROM moving").fetchone()
        assert row == (200001,)


def test_sqlite_queries_of_a_feed_see_one_state(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute(
        "CREATE TABLE t AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 50000) SELECT n FROM c"
    )
    query = {"kind": "sql", "url": "sqlite:///w.db", "query": "SELECT n FROM t"}
    with open_sources(
        _feed(a=query, b=query),
        folder=tmp_path, secrets=KnownSecrets({}), environment="DEV", variables={}, clock=JumpingClock(),
    ) as sources, sources["a"].open(SLOT) as first:  # fmt: skip
        writer.execute("INSERT INTO t VALUES (-1)")
        with sources["b"].open(SLOT) as second:
            pairs = zip(first.batches, second.batches, strict=True)
            assert sum(a.num_rows + b.num_rows for a, b in pairs) == 100000
    writer.close()


def test_sqlite_keeps_the_state_of_the_first_query_also_once_that_is_read(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t AS SELECT 1 AS n")
    query = {"kind": "sql", "url": "sqlite:///w.db", "query": "SELECT n FROM t"}
    seen: list[int] = []
    with open_sources(
        _feed(a=query, b=query),
        folder=tmp_path, secrets=KnownSecrets({}), environment="DEV", variables={}, clock=JumpingClock(),
    ) as sources:  # fmt: skip
        for name in ("a", "b"):
            with sources[name].open(SLOT) as extract:
                seen.append(sum(batch.num_rows for batch in extract.batches))
            writer.execute("INSERT INTO t VALUES (-1)")
    writer.close()
    assert seen == [1, 1]
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def test_nobody_is_left_who_would_cancel_the_next_query_of_sqlite(tmp_path: Path) -> None:
    keys = {"kind": "sql", "url": _sqlite(tmp_path), "query": "SELECT i FROM t"}
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)  # a thread that nobody awaits has no turn
    try:
        with adapter(around(tmp_path), **keys) as source:
            with source.open(SLOT) as extract:
                assert sum(batch.num_rows for batch in extract.batches) > 0
            left = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    finally:
        sys.setswitchinterval(before)
    assert left == []


def test_batches_of_sqlite_may_be_taken_by_another_thread(tmp_path: Path) -> None:
    taken: list[int] = []
    keys = {"kind": "sql", "url": _sqlite(tmp_path), "query": "SELECT i FROM t"}
    with adapter(around(tmp_path), **keys) as source, source.open(SLOT) as extract:
        other = threading.Thread(target=lambda: taken.append(sum(one.num_rows for one in extract.batches)))
        other.start()
        other.join()
    assert taken[0] > 0


def test_sqlite_is_told_an_instant_as_its_own_functions_write_it(tmp_path: Path) -> None:
    query = "SELECT :scheduled_at AS at, :business_date AS day"
    taken = read(around(tmp_path), kind="sql", url=_sqlite(tmp_path), query=query)
    assert taken.rows == [{"at": "2026-11-21 06:00:00", "day": "2026-11-20"}]


def test_a_database_that_writes_no_lines_is_asked_for_its_values(tmp_path: Path) -> None:
    with adapter(around(tmp_path), kind="sql", url=_sqlite(tmp_path), query="SELECT i FROM t") as source:
        assert isinstance(source, Sql)
        with source.open_lines(SLOT, Csv(kind="csv"), "allow", ()) as lines:
            assert lines is None


def test_a_parameter_that_is_always_bound_cannot_be_declared(tmp_path: Path) -> None:
    keys = {"kind": "sql", "url": "sqlite:///x.db", "query": "SELECT :business_date"}
    with pytest.raises(UsageError, match="always bound"):
        read(around(tmp_path), **keys, parameters={"business_date": "2020-01-01"})


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz", "time"])
def test_a_column_of_which_nothing_is_known_is_empty(url: str, tmp_path: Path, kind: str) -> None:
    taken = read(around(tmp_path), kind="sql", url=url, query=f"SELECT null::{kind} AS v")
    assert taken.rows == [{"v": None}]


def test_a_query_that_would_change_something_is_the_querys_fault(url: str, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="would change the database"):
        read(around(tmp_path), kind="sql", url=url, query="DELETE FROM secrets RETURNING x")


def test_what_a_driver_gives_in_its_own_types_is_text_and_bytes() -> None:
    values = [(uuid.UUID(int=7), memoryview(b"x"), 1), (None, None, None)]
    schema, made = rows.batches("s", ["u", "m", "n"], lambda count: [values.pop(0) for _ in values[:count]])
    assert [str(field.type) for field in schema] == ["string", "binary", "int64"]
    assert next(made).to_pylist()[0] == {"u": str(uuid.UUID(int=7)), "m": b"x", "n": 1}


def test_closing_early_ends_the_query_and_the_connection(url: str, tmp_path: Path) -> None:
    mine = f"{url}?application_name=early"
    with adapter(around(tmp_path), kind="sql", url=mine, query="SELECT n FROM numbers") as source:
        with source.open(SLOT) as extract:
            next(extract.batches)
        assert extract.fact == []
        with source.open(SLOT) as again:
            assert sum(batch.num_rows for batch in again.batches) == 200000
    with psycopg.connect(url, autocommit=True) as look:
        row = None
        for _ in range(600):  # a busy server notices late that nobody listens
            row = look.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'early'"
            ).fetchone()
            if row == (0,):
                break
            threading.Event().wait(0.05)
        assert row == (0,)


def test_a_query_through_sqlalchemy_is_cancelled_as_declared_too(url: str, tmp_path: Path) -> None:
    through = url.replace("postgresql://", "postgresql+psycopg://")
    with pytest.raises(Unavailable):
        read(around(tmp_path), kind="sql", url=through, query="SELECT pg_sleep(20)", timeout="1s")


def test_digits_that_a_driver_describes_are_the_columns(url: str, tmp_path: Path) -> None:
    """From the first rows alone, a later value with more digits would be an error."""
    through = url.replace("postgresql://", "postgresql+psycopg://")
    query = "SELECT v::numeric(12,2) AS v, v::numeric AS free FROM (VALUES (1.5), (1.25)) AS t(v)"
    taken = read(around(tmp_path), kind="sql", url=through, query=query)
    assert taken.types == {"v": "decimal128(12, 2)", "free": "decimal128(38, 2)"}


def test_a_snapshot_that_nobody_used_is_closed_as_well(tmp_path: Path) -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/x", "sqlite:///x.db", "sqlite+pysqlite:///x.db"):
        unused = snapshot(url, around(tmp_path))
        unused.close()
        unused.close()


def test_closing_a_snapshot_closes_its_connection(tmp_path: Path) -> None:
    closed: list[object] = []

    def noted(*_: object) -> None:
        closed.append(1)

    taken = snapshot(f"sqlite+pysqlite:///{tmp_path / 'x.db'}", around(tmp_path))
    assert taken.first_value("s", Query("SELECT 1", {}), timedelta(seconds=9)) == 1
    sqlalchemy.event.listen(sqlalchemy.pool.Pool, "close", noted)
    try:
        taken.close()
        assert len(closed) == 1
    finally:
        sqlalchemy.event.remove(sqlalchemy.pool.Pool, "close", noted)
