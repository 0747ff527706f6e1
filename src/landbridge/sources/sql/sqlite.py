"""How does a SQLite query become batches? On one read-only connection, in one read transaction."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from landbridge.errors import ContractBroken, Unavailable
from landbridge.sources.sql.query import Query
from landbridge.sources.sql.rows import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    import pyarrow as pa

    from landbridge.errors import LandbridgeError
    from landbridge.sources.sql.query import Value

_WORDS = {
    frozenset[str](): "string",
    frozenset({"text"}): "string",
    frozenset({"integer"}): "int64",
    frozenset({"real"}): "float64",
    frozenset({"integer", "real"}): "float64",
    frozenset({"blob"}): "binary",
}


class SqliteSnapshot:
    """One read transaction on a database file. Several queries may be read at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """End the transaction. Idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def rows(
        self, source: str, query: Query, timeout: timedelta
    ) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Give the schema and the batches of a query; see ports.Source for the errors."""
        with ExitStack() as opened:
            with self._translated(source):  # not around the yield: the consumer's errors are its own
                opened.enter_context(self._limited(timeout))
                cursor = opened.enter_context(closing(self._executed(query)))
                names = [column[0] for column in cursor.description or ()]
                words = self._types(source, query, names)
                schema, converted = batches(source, names, cursor.fetchmany, words)
            yield schema, self._watched(source, converted)

    def first_value(self, source: str, query: Query, timeout: timedelta) -> object:
        """Give the first value of the first row, None without rows."""
        with self._translated(source), self._limited(timeout), closing(self._executed(query)) as cursor:
            row = cursor.fetchone()
            return row[0] if row else None

    def _types(self, source: str, query: Query, names: Sequence[str]) -> dict[str, str]:
        """Give each column's type from all of its values: SQLite knows types of values only, so one more query asks."""
        if len(set(names)) < len(names):
            return {}
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        asked = ", ".join(f"group_concat(DISTINCT typeof({name}))" for name in quoted)
        sql = f"SELECT {asked} FROM ({query.sql}\n)"  # noqa: S608 - around the project's own query
        measured = Query(sql, query.values)
        with closing(self._executed(measured)) as cursor:
            found = [set((kinds or "").split(",")) - {"", "null"} for kinds in cursor.fetchone()]
        words = {name: _WORDS.get(frozenset(kinds), "") for name, kinds in zip(names, found, strict=True)}
        for (name, word), kinds in zip(words.items(), found, strict=True):
            if not word:
                raise ContractBroken(
                    f"source `{source}`: `{name}` holds values of several types",
                    seen=", ".join(sorted(kinds)),
                    hint=f"cast it in the query: `CAST({name} AS TEXT)`",
                )
        return words

    def _watched(self, source: str, converted: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with self._translated(source):
            yield from converted

    def _executed(self, query: Query) -> sqlite3.Cursor:
        if self._connection is None:
            where = f"file:{quote(str(self._path.absolute()))}?mode=ro"
            # Another thread than the one that opened it may take the batches, one at a time.
            connection = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            self._connection = connection
        values = {name: _text(value) for name, value in query.values.items()}
        return self._connection.execute(query.rewritten(lambda name: f":{name}"), values)

    @contextmanager
    def _limited(self, timeout: timedelta) -> Iterator[None]:
        timer = threading.Timer(timeout.total_seconds(), self._interrupted)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # just too late to be cancelled, it would interrupt the next query

    def _interrupted(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._translation(source, error) from error

    def _translation(self, source: str, error: sqlite3.Error) -> LandbridgeError:
        said = str(error)
        if said == "interrupted":
            return Unavailable(
                f"source `{source}`: the query was cancelled",
                hint="raise the source's `timeout`, or make it faster",
            )
        if "unable to open" in said or "locked" in said or "disk I/O" in said:
            return Unavailable(
                f"source `{source}`: the database `{self._path.name}` cannot be read", seen=said
            )
        return ContractBroken(f"source `{source}`: the database cannot answer the query", seen=said)


def _text(value: Value) -> str:
    """Write dates as SQLite's own functions do: `2026-11-20`, `2026-11-20 06:00:00` (UTC)."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, dt.date) else value
