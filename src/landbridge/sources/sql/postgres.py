"""How does a PostgreSQL query become batches? By binary COPY into Arrow, streamed, all queries in one snapshot.

One connection (psycopg) holds the snapshot, describes each query and is never busy; each query is streamed over one of
its own (ADBC), which joins the snapshot. Types that the driver does not carry exactly travel as their text.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import stamina
from psycopg import sql as compose
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ExecStatus, TransactionStatus

from landbridge.errors import ContractBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.sources.columns import WIDEST_DECIMAL, decimal_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta
    from decimal import Decimal

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
_WIDE = 38
_QUERY_CANCELLED = "57014"
_HEADER = 4
"""Added to the type modifier of a numeric (PostgreSQL: VARHDRSZ)."""
_NUMERIC = 1700
_OID = 26
# Types of pg_type.dat that the driver carries exactly; every other type travels as the text that PostgreSQL writes.
_EXACT: dict[int, pa.DataType] = {
    16: pa.bool_(),
    17: pa.binary(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    700: pa.float32(),
    701: pa.float64(),
    1042: pa.string(),
    1043: pa.string(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}
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
                    columns = _described(source, main, text)
                connection = opened.enter_context(self._joined(timeout))
                statement = opened.enter_context(_statement(connection))
                statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_CHUNK)})
                statement.set_sql_query(_as_carried(text, columns))
                handle, _ = statement.execute_query()
                reader = pa.RecordBatchReader._import_from_c(handle.address)  # noqa: SLF001 - Arrow's C stream
                opened.enter_context(reader)
            schema = pa.schema([(column.name, column.type) for column in columns])
            yield schema, self._watched(source, reader, schema)

    def first_value(self, source: str, query: Query, timeout: timedelta) -> object:
        """Give the first value of the first row, None without rows."""
        with self._translated(source), self._lock:
            main = self._connection()
            row = main.execute(_raw(self._prepared(main, query, timeout))).fetchone()
            return row[0] if row else None

    def _connection(self) -> psycopg.Connection:
        """Give the connection that holds the snapshot; a new one, with a new snapshot, after a query that failed."""
        if self._main is not None and self._main.info.transaction_status != TransactionStatus.INTRANS:
            self.close()
        if self._main is None:
            connection = _connected(self._url)
            connection.execute(_raw(_SESSION))
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            self._exported = str(row[0]) if row else ""
            self._main = connection
        return self._main

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
        connection.execute(_raw(_timeout(timeout)))
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


def _raw(text: str) -> compose.SQL:
    """Mark text as SQL: it is the project's own query, with literals that psycopg quoted."""
    return compose.SQL(text)


@dataclass(frozen=True)
class _Column:
    name: str
    type: pa.DataType
    cast: str
    """What it is cast to on the server, empty when the driver carries it as it is."""


def _described(source: str, connection: psycopg.Connection, text: str) -> list[_Column]:
    raw = connection.pgconn
    result = raw.prepare(b"", text.encode())
    if result.status == ExecStatus.COMMAND_OK:
        result = raw.describe_prepared(b"")
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
    count = result.nfields
    names = [(result.fname(number) or b"").decode() for number in range(count)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or not names:
        raise ContractBroken(
            f"source `{source}`: the query gives "
            + (f"several columns named `{doubled[0]}`" if doubled else "no columns"),
            expected="named columns, each once (`AS name`)",
        )
    kinds = [(result.ftype(number), result.fmod(number)) for number in range(count)]
    return [
        _column(source, connection, text, name, oid, modifier)
        for name, (oid, modifier) in zip(names, kinds, strict=True)
    ]


def _column(
    source: str, connection: psycopg.Connection, text: str, name: str, oid: int, modifier: int
) -> _Column:
    if oid in _EXACT:
        return _Column(name, _EXACT[oid], "")
    if oid == _OID:
        return _Column(name, pa.int64(), "bigint")
    if oid == _NUMERIC:
        return _Column(name, _decimal(source, connection, text, name, modifier), "text")
    return _Column(name, pa.string(), "text")


def _decimal(source: str, connection: psycopg.Connection, text: str, name: str, modifier: int) -> pa.DataType:
    if modifier < 0:
        return _measured(source, connection, text, name)
    precision = (modifier - _HEADER) >> 16 & 0xFFFF
    scale = ((modifier - _HEADER) & 0x7FF ^ 1024) - 1024
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    if precision > WIDEST_DECIMAL:
        return _measured(source, connection, text, name)
    return decimal_type(precision, scale)


def _measured(source: str, connection: psycopg.Connection, text: str, name: str) -> pa.DataType:
    """Give the narrowest decimal for a column without declared digits (`sum(x)`): one more query on the same snapshot."""
    column = compose.Identifier(name)
    row = connection.execute(
        compose.SQL("SELECT max(scale({c})), max(abs({c})) FROM ({q}\n) AS measured").format(
            c=column, q=_raw(text)
        )
    ).fetchone()
    scale, largest = row or (None, None)
    if largest is None:
        return decimal_type(_WIDE, 0)
    value = cast("Decimal", largest)
    digits = value.adjusted() + 1 if value.is_finite() else WIDEST_DECIMAL + 1
    needed = max(digits, 0) + (scale or 0)
    if not value.is_finite() or needed > WIDEST_DECIMAL:
        raise ContractBroken(
            f"source `{source}`: the column `{name}` does not fit into a decimal",
            expected=f"finite numbers of at most {WIDEST_DECIMAL} digits",
            seen=f"{needed} digits" if value.is_finite() else "NaN or Infinity",
            hint=f"cast it in the query: `CAST({name} AS numeric(18,2))`",
        )
    return decimal_type(max(needed, _WIDE), scale or 0)


def _as_carried(text: str, columns: Sequence[_Column]) -> str:
    """Give the query with casts around it where the driver needs them. A plain projection keeps the order of its rows."""
    if not any(column.cast for column in columns):
        return f"{text}\n"
    names = [compose.Identifier(column.name).as_string() for column in columns]
    picked = [
        f"{name}::{column.cast} AS {name}" if column.cast else name
        for name, column in zip(names, columns, strict=True)
    ]
    return f"SELECT {', '.join(picked)} FROM ({text}\n) AS carried"  # noqa: S608 - around the project's own query


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
