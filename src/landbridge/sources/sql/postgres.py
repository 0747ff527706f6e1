"""How does a PostgreSQL query become batches? By COPY, row by row from the server, in one snapshot.

COPY's CSV keeps what Arrow must know: null is an empty field, empty text a quoted one. The session's settings fix how
dates, numbers and zones are written, so Arrow's own parser reads them by the types the server describes.
"""

from __future__ import annotations

import os
import re
import selectors
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import psycopg
import pyarrow as pa
import pyarrow.csv
import stamina
from psycopg import sql as compose
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from landbridge.errors import ContractBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.sources.columns import WIDEST_DECIMAL, decimal_type
from landbridge.sources.stream import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import timedelta
    from decimal import Decimal

    from psycopg.pq.abc import PGresult

    from landbridge.sources.sql.query import Query

_CHUNK = 4 << 20
"""Bytes of COPY data that are parsed at once."""
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
_HEADER = 4
"""Added to the type modifier of a numeric (PostgreSQL: VARHDRSZ)."""
_BYTEA = 17
_NUMERIC = 1700
# Types of pg_type.dat whose text Arrow reads exactly; every other type stays the text that PostgreSQL writes.
_TYPES: dict[int, pa.DataType] = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    26: pa.int64(),  # oid
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}
_REFUSED_LOGIN = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist"
)
_UNREADABLE = re.compile(r"In CSV column #(\d+):.*?invalid value '(.*)'", re.DOTALL)


class PostgresSnapshot:
    """One read-only transaction on a server; further ones on the same snapshot while the first is busy."""

    def __init__(self, url: str, shown: Callable[[str], str], *, several: bool) -> None:
        """Connect on first use. `several` says that more than one source may read at the same time."""
        self._url = url
        self._shown = shown
        self._several = several
        self._main: psycopg.Connection | None = None
        self._exported = ""
        self._busy = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the transaction. Idempotent."""
        if self._main is not None:
            self._main.close()
            self._main = None

    @contextmanager
    def rows(
        self, source: str, query: Query, timeout: timedelta
    ) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Give the schema and the batches of a query; see ports.Source for the errors."""
        with self._translated(source), self._connection() as connection:
            text = self._prepared(connection, query, timeout)
            schema = _described(source, connection, text)
            batches = self._copied(source, connection, text, schema)
            try:
                yield schema, batches
            finally:
                batches.close()

    def first_value(self, source: str, query: Query, timeout: timedelta) -> object:
        """Give the first value of the first row, None without rows."""
        with self._translated(source), self._connection() as connection:
            row = connection.execute(_raw(self._prepared(connection, query, timeout))).fetchone()
            return row[0] if row else None

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        with self._lock:
            main = self._main or self._began()
            self._main = main
            busy, self._busy = self._busy, True
        if not busy:
            try:
                yield main
            finally:
                self._busy = False
                if main.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
                    self.close()  # a query that failed or was left early has ended the snapshot
            return
        other = _connected(self._url)
        try:
            other.execute(compose.SQL("SET TRANSACTION SNAPSHOT {}").format(compose.Literal(self._exported)))
            other.execute(_raw(_SESSION))
            yield other
        finally:
            other.close()

    def _began(self) -> psycopg.Connection:
        connection = _connected(self._url)
        connection.execute(_raw(_SESSION))
        if self._several:
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            self._exported = str(row[0]) if row else ""
        return connection

    def _prepared(self, connection: psycopg.Connection, query: Query, timeout: timedelta) -> str:
        milliseconds = int(timeout.total_seconds() * 1000)
        connection.execute(_raw(f"SET LOCAL statement_timeout = {milliseconds}"))
        return query.rewritten(lambda name: compose.Literal(query.values[name]).as_string(connection))

    def _copied(
        self,
        source: str,
        connection: psycopg.Connection,
        text: str,
        schema: pa.Schema,
    ) -> Generator[pa.RecordBatch]:
        with self._translated(source):
            before = 0
            for chunk, rows in _copied_chunks(connection, f"COPY ({text}\n) TO STDOUT (FORMAT csv)"):
                yield _parsed(source, chunk, schema, before)
                before += rows

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise _translation(source, error, self._shown) from error


def _copied_chunks(connection: psycopg.Connection, statement: str) -> Iterator[tuple[bytes, int]]:
    """Give the whole rows of a COPY in chunks, each with its number of rows.

    By libpq's own calls, which give one row each: psycopg's `Copy.read` takes a third more CPU.
    """
    raw = connection.pgconn
    raw.send_query(statement.encode())
    with selectors.DefaultSelector() as arrival:
        arrival.register(raw.socket, selectors.EVENT_READ)
        while raw.is_busy():
            arrival.select()
            raw.consume_input()
        _succeeded(raw.get_result(), psycopg.pq.ExecStatus.COPY_OUT)
        read = raw.get_copy_data
        lines: list[memoryview] = []
        size = 0
        while True:
            length, line = read(1)
            if length > 0:
                lines.append(line)
                size += length
                if size >= _CHUNK or len(lines) >= ROWS:
                    yield b"".join(lines), len(lines)
                    lines.clear()
                    size = 0
            elif length == 0:
                arrival.select()
                raw.consume_input()
            else:
                break
    if lines:
        yield b"".join(lines), len(lines)
    _succeeded(raw.get_result(), psycopg.pq.ExecStatus.COMMAND_OK)
    while raw.get_result() is not None:
        pass


def _succeeded(result: PGresult | None, expected: psycopg.pq.ExecStatus) -> None:
    if result is None or result.status != expected:
        if result is None or result.status != psycopg.pq.ExecStatus.FATAL_ERROR:
            raise psycopg.OperationalError("the server broke off")
        raise psycopg.errors.error_from_result(result, encoding="utf-8")


def _connected(url: str) -> psycopg.Connection:
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
        where = make_conninfo(**{**_CONNECTION, **given})
    except psycopg.ProgrammingError as error:
        raise UsageError(
            "the database URL cannot be read", expected="postgresql://user@host:port/database"
        ) from error
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


def _described(source: str, connection: psycopg.Connection, text: str) -> pa.Schema:
    raw = connection.pgconn
    result = raw.prepare(b"", text.encode())
    if result.status == psycopg.pq.ExecStatus.COMMAND_OK:
        result = raw.describe_prepared(b"")
    if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
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
    oids = [result.ftype(number) for number in range(count)]
    modifiers = [result.fmod(number) for number in range(count)]
    return pa.schema(
        [
            (name, _arrow(source, connection, text, name, oid, modifier))
            for name, oid, modifier in zip(names, oids, modifiers, strict=True)
        ]
    )


def _arrow(
    source: str, connection: psycopg.Connection, text: str, name: str, oid: int, modifier: int
) -> pa.DataType:
    if oid == _BYTEA:
        return pa.binary()
    if oid != _NUMERIC:
        return _TYPES.get(oid, pa.string())
    if modifier < 0:
        return _measured(source, connection, text, name)
    precision = (modifier - _HEADER) >> 16 & 0xFFFF
    scale = ((modifier - _HEADER) & 0x7FF ^ 1024) - 1024
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return (
        decimal_type(precision, scale)
        if precision <= WIDEST_DECIMAL
        else _measured(source, connection, text, name)
    )


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


def _parsed(source: str, chunk: bytes, schema: pa.Schema, before: int) -> pa.RecordBatch:
    names = [str(number) for number in range(len(schema))]
    types = {
        name: pa.string() if _afterwards(f.type) else f.type for name, f in zip(names, schema, strict=True)
    }
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(chunk),
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(chunk) + 1),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        found = _UNREADABLE.search(str(error))
        column = schema.field(int(found[1])) if found else None
        raise ContractBroken(
            f"source `{source}`, after row {before}: "
            + (f"a value of `{column.name}` cannot be held" if column else "the rows cannot be read"),
            expected=str(column.type) if column else "",
            seen=re.sub(r"\d", "9", found[2]) if found else "",
            hint="change or cast it in the query",
        ) from error
    columns = [
        _finished(column.combine_chunks(), field.type)
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _afterwards(arrow: pa.DataType) -> bool:
    """Tell whether Arrow's CSV parser lacks a type, so that it is read as text first."""
    return bool(pa.types.is_binary(arrow) or pa.types.is_decimal256(arrow))


def _finished(column: pa.Array, arrow: pa.DataType) -> pa.Array:
    if not _afterwards(arrow):
        return column
    if pa.types.is_binary(arrow):
        texts = column.to_pylist()
        return pa.array([None if text is None else bytes.fromhex(text[2:]) for text in texts], arrow)
    return column.cast(arrow)


def _translation(source: str, error: psycopg.Error, shown: Callable[[str], str]) -> LandbridgeError:
    said = shown(" ".join((error.diag.message_primary or str(error)).split()))
    state = error.sqlstate or ""
    if state == "57014":
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
