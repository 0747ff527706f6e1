"""How does a PostgreSQL query become batches? By binary COPY into Arrow, streamed, all queries in one snapshot.

One connection (psycopg) holds the snapshot, describes each query and is never busy; each query is streamed over one of
its own (ADBC), which joins the snapshot. Types that the driver does not carry exactly travel as their text.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql as compose
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from landbridge.errors import ContractBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.retries import stamina
from landbridge.sources.sql import spelled
from landbridge.sources.sql.described import described, raw_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import timedelta

    from landbridge.feed.outputs import Csv
    from landbridge.formats.formulas import Policy
    from landbridge.sources.sql.described import Column
    from landbridge.sources.sql.query import Query

_CHUNK = 4 << 20
"""Bytes of COPY data that make a batch."""
_ATTEMPTS = 4
_SESSION = """
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex'
"""
_CONNECTION = {
    "connect_timeout": "15",
    "application_name": "landbridge",
    "client_encoding": "UTF8",
    # libpq would read these from the environment and the home folder.
    "options": "",
    "passfile": f"{os.devnull}/none",
    "sslmode": "prefer",
}
_QUERY_CANCELLED = "57014"
# Infinity, and days before the year 1 or after 9999, come as numbers that no text of a date has.
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
_DAY = 86_400_000_000
_REFUSED_LOGIN = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist"
)
_TIMED_OUT = re.compile(r"statement timeout|user request")
_CUT = re.compile(
    r"server closed|terminating connection|could not receive|SSL error|connection", re.IGNORECASE
)


class PostgresSnapshot:
    """One read-only snapshot of a server, from the first use to the end."""

    def __init__(self, url: str, shown: Callable[[str], str]) -> None:
        self._url = url
        self._shown = shown
        self._main: psycopg.Connection | None = None
        self._exported = ""
        self._known: dict[str, list[Column]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the snapshot. Idempotent."""
        if self._main is not None:
            self._main.close()
            self._main = None

    @contextmanager
    def rows(
        self, source: str, query: Query, timeout: timedelta
    ) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Give the schema and the batches of a query; see ports.Source for the errors."""
        with ExitStack() as opened:
            with self._translated(source):  # not around the yield: the consumer's errors are its own
                with self._lock:
                    main = self._connection()
                    text = self._prepared(main, query, timeout)
                    columns = self._described(source, main, text)
                reader = opened.enter_context(self._streamed(_as_carried(text, columns), timeout))
            schema = _schema(columns)
            yield schema, self._watched(source, reader, schema)

    @contextmanager
    def lines(
        self,
        source: str,
        query: Query,
        timeout: timedelta,
        csv: Csv,
        formulas: Policy,
        beside: Collection[str],
    ) -> Iterator[tuple[pa.Schema, pa.Schema, Iterator[pa.RecordBatch]] | None]:
        """Give the schema of the columns, and schema and batches of their lines; None where the server cannot write them.

        See ports.SourceLines for what a line promises, and for the errors.
        """
        with ExitStack() as opened:
            with self._translated(source):
                with self._lock:
                    main = self._connection()
                    text = self._prepared(main, query, timeout)
                    columns = self._described(source, main, text)
                    line = spelled.line(columns, csv, formulas, main)
                kept = [column for column in columns if column.name in beside]
                # A line names each column several times: the fence (OFFSET 0) has its expression computed once.
                picked = ", ".join([f"{line} AS line", *(column.carried for column in kept)])
                around = f"SELECT {picked} FROM (SELECT * FROM ({text}\n) AS asked OFFSET 0) AS carried"  # noqa: S608 - as _as_carried
                reader = opened.enter_context(self._streamed(around, timeout)) if line else None
            if reader is None:
                yield None
                return
            # No column of PostgreSQL has an empty name.
            schema = pa.schema([("", pa.string()), *_schema(kept)])
            yield _schema(columns), schema, self._watched(source, reader, schema)

    def first_value(self, source: str, query: Query, timeout: timedelta) -> object:
        """Give the first value of the first row, None without rows."""
        with self._translated(source), self._lock:
            main = self._connection()
            row = main.execute(raw_sql(self._prepared(main, query, timeout))).fetchone()
            return row[0] if row else None

    def _described(self, source: str, main: psycopg.Connection, text: str) -> list[Column]:
        """Give the columns of a query, asked once: measuring a decimal reads all of its rows."""
        if text not in self._known:
            self._known[text] = described(source, main, text)
        return self._known[text]

    def _connection(self) -> psycopg.Connection:
        """Give the connection that holds the snapshot; a new one, with a new snapshot, after a query that failed."""
        if self._main is not None and self._main.info.transaction_status != TransactionStatus.INTRANS:
            self.close()
        if self._main is None:
            connection = _connected(self._url)
            connection.execute(raw_sql(_SESSION))
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            self._exported = str(row[0]) if row else ""
            self._known.clear()
            self._main = connection
        return self._main

    @contextmanager
    def _streamed(self, sql: str, timeout: timedelta) -> Iterator[pa.RecordBatchReader]:
        """Run a query on a connection of its own and lend its batches."""
        with self._joined(timeout) as connection, _statement(connection) as statement:
            statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_CHUNK)})
            statement.set_sql_query(sql)
            handle, _ = statement.execute_query()
            with pa.RecordBatchReader._import_from_c(handle.address) as reader:  # noqa: SLF001 - Arrow's C stream
                yield reader

    @contextmanager
    def _joined(self, timeout: timedelta) -> Iterator[adbc.AdbcConnection]:
        """Lend a further connection that sees the same snapshot."""
        exported = compose.Literal(self._exported).as_string(self._main)
        with (
            adbc_driver_postgresql.connect(_conninfo(self._url)) as database,
            adbc.AdbcConnection(database) as connection,
        ):
            for sql in (
                "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                f"SET TRANSACTION SNAPSHOT {exported}",
                *_SESSION.strip().split(";"),
                _timeout(timeout),
            ):
                with _statement(connection) as statement:
                    statement.set_sql_query(sql)
                    statement.execute_update()
            yield connection

    def _prepared(self, connection: psycopg.Connection, query: Query, timeout: timedelta) -> str:
        connection.execute(raw_sql(_timeout(timeout)))
        return query.rewritten(lambda name: compose.Literal(query.values[name]).as_string(connection))

    def _watched(
        self, source: str, reader: pa.RecordBatchReader, schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        with self._translated(source):
            for batch in reader:
                yield _as_described(source, batch, schema)

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            raise _translation(source, error.sqlstate or "", self._shown(said)) from error
        except adbc.Error as error:
            said = _said(str(error))
            raise _translation(source, error.sqlstate or "", self._shown(said)) from error
        except (OSError, pa.ArrowException) as error:  # how a stream that breaks off on the way says so
            said = _said(str(error))
            state = "" if _CUT.search(said) else _QUERY_CANCELLED if _TIMED_OUT.search(said) else "22000"
            raise _translation(source, state, self._shown(said)) from error


def _statement(connection: adbc.AdbcConnection) -> adbc.AdbcStatement:
    return adbc.AdbcStatement(connection)


def _timeout(timeout: timedelta) -> str:
    return f"SET LOCAL statement_timeout = {int(timeout.total_seconds() * 1000)}"


def _conninfo(url: str) -> str:
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        raise UsageError(
            "the database URL cannot be read", expected="postgresql://user@host:port/database"
        ) from error
    return make_conninfo(**{**_CONNECTION, **given})


def _connected(url: str) -> psycopg.Connection:
    where = _conninfo(url)
    for attempt in stamina.retry_context(on=_may_pass, attempts=_ATTEMPTS, wait_initial=0.5, wait_max=5.0):
        with attempt:
            connection = psycopg.connect(where)
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            return connection
    raise AssertionError("a retry context ends in a connection or an error")


def _may_pass(error: Exception) -> bool:
    return isinstance(error, psycopg.OperationalError) and not _REFUSED_LOGIN.search(str(error))


def _as_carried(text: str, columns: Sequence[Column]) -> str:
    """Give the query with casts around it where the driver needs them. A plain projection keeps the order of its rows."""
    if not any(column.cast for column in columns):
        return f"{text}\n"
    picked = ", ".join(column.carried for column in columns)
    return f"SELECT {picked} FROM ({text}\n) AS carried"  # noqa: S608 - around the project's own query


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([(column.name, column.type) for column in columns])


def _as_described(source: str, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for values, field in zip(batch.columns, schema, strict=True):
        try:
            array = values.cast(field.type)
        except pa.ArrowInvalid as error:  # `NaN` in a numeric
            raise _not_held(source, field) from error
        if not _in_calendar(array):
            raise _not_held(source, field)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _in_calendar(array: pa.Array) -> bool:
    kind = array.type
    if pa.types.is_time(kind):
        latest = pc.max(array.cast(pa.int64())).as_py()
        return latest is None or latest < _DAY
    if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return True
    bounds = pc.min_max(array.cast(pa.int32() if pa.types.is_date(kind) else pa.int64()))
    if bounds["min"].as_py() is None:
        return True
    unit = 1 if pa.types.is_date(kind) else _DAY
    first, last = ((day - date(1970, 1, 1)).days for day in (_FIRST, _LAST))
    return bool(bounds["min"].as_py() >= first * unit and bounds["max"].as_py() < (last + 1) * unit)


def _not_held(source: str, field: pa.Field) -> ContractBroken:
    return ContractBroken(
        f"source `{source}`: a value of `{field.name}` cannot be held",
        expected=f"{field.type}: no infinity, no day outside the years 1 to 9999, no 24:00, no NaN",
        hint="change or cast it in the query",
    )


def _said(text: str) -> str:
    """Give what the server said, without the driver's words and without the query."""
    text = re.sub(r"\s*Query was:.*", "", text, flags=re.DOTALL)
    return text.rpartition("ERROR:")[2] or text


def _translation(source: str, state: str, text: str) -> LandbridgeError:
    said = " ".join(text.split())
    if state == _QUERY_CANCELLED:
        return Unavailable(
            f"source `{source}`: the query was cancelled",
            seen=said,
            hint="raise the source's `timeout`, or make it faster",
        )
    if state in {"42501", "28000", "28P01"} or (not state and _REFUSED_LOGIN.search(said)):
        return NotPermitted(f"source `{source}`: the database refuses it", seen=said)
    if state == "25006":
        return ContractBroken(
            f"source `{source}`: the query would change the database",
            expected="a query that only reads",
            seen=said,
        )
    if state[:2] in {"22", "42", "0A", "21", "34"}:
        hidden = re.sub(r'(invalid input syntax[^"]*)"[^"]*"', r"\1(hidden)", said)
        return ContractBroken(f"source `{source}`: the database cannot answer the query", seen=hidden)
    return Unavailable(f"source `{source}`: the database did not answer properly", seen=said)
