"""How does a query on any other database become batches? Through SQLAlchemy, streamed where the driver can."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import exc

from landbridge.errors import ContractBroken, Unavailable, UsageError
from landbridge.sources.sql.rows import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    import pyarrow as pa

    from landbridge.errors import LandbridgeError
    from landbridge.sources.sql.query import Query

_PREFETCH = 4096
# The level at which all queries of a transaction see one state without locking writers out, by dialect.
_ONE_STATE = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
    "mssql": "SNAPSHOT",
}
_WIDE = 38
_ABOUT_THE_QUERY = (exc.ProgrammingError, exc.DataError, exc.NotSupportedError, exc.IntegrityError)
_AWAY = re.compile(r"unable to open|locked|disk I/O")
"""SQLite's driver has one error for a wrong query and for a file that cannot be read."""


class AlchemySnapshot:
    """One connection with one transaction, at the best isolation level that the dialect has."""

    def __init__(self, url: str, shown: Callable[[str], str]) -> None:
        self._url = url
        self._shown = shown
        self._engine: sqlalchemy.Engine | None = None
        self._connection: sqlalchemy.Connection | None = None

    def close(self) -> None:
        """End the transaction without changing anything. Idempotent."""
        if self._connection is not None:
            self._connection.rollback()
            self._connection.close()
            self._connection = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def rows(
        self, source: str, query: Query, timeout: timedelta
    ) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Give the schema and the batches of a query; see ports.Source for the errors."""
        with ExitStack() as opened:
            with self._translated(source):  # not around the yield: the consumer's errors are its own
                result = opened.enter_context(closing(self._executed(query, timeout)))
                schema, converted = batches(source, list(result.keys()), result.fetchmany, _words(result))
            yield schema, self._watched(source, converted)

    def first_value(self, source: str, query: Query, timeout: timedelta) -> object:
        """Give the first value of the first row, None without rows."""
        with self._translated(source):
            row = self._executed(query, timeout).fetchone()
            return row[0] if row else None

    def _watched(self, source: str, converted: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with self._translated(source):
            yield from converted

    def _executed(self, query: Query, timeout: timedelta) -> sqlalchemy.CursorResult[Any]:
        if self._connection is None:
            self._connection = self._connected()
        if self._connection.dialect.name == "postgresql":
            milliseconds = int(timeout.total_seconds() * 1000)
            self._connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
        # A backslash keeps SQLAlchemy from taking a quoted or cast colon for a parameter.
        text = query.rewritten(lambda name: f":{name}", lambda other: other.replace(":", "\\:"))
        kinds: dict[type, Any] = {dt.date: sqlalchemy.Date(), dt.datetime: sqlalchemy.DateTime(timezone=True)}
        values = [
            sqlalchemy.bindparam(name, value, type_=kinds.get(type(value)))
            for name, value in query.values.items()
        ]
        return self._connection.execute(
            sqlalchemy.text(text).bindparams(*values),
            execution_options={"stream_results": True, "max_row_buffer": _PREFETCH},
        )

    def _connected(self) -> sqlalchemy.Connection:
        try:
            self._engine = sqlalchemy.create_engine(
                self._url, hide_parameters=True, poolclass=sqlalchemy.NullPool
            )
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise UsageError(
                f"the database URL cannot be used: {type(error).__name__}",
                expected="a SQLAlchemy URL whose driver is installed",
                hint="install the driver of the database beside Landbridge",
            ) from error
        level = _ONE_STATE.get(self._engine.dialect.name)
        options: dict[str, Any] = {"isolation_level": level} if level else {}
        if self._engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        return self._engine.connect().execution_options(**options)

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise self._translation(source, error) from error

    def _translation(self, source: str, error: exc.SQLAlchemyError) -> LandbridgeError:
        cause = error.orig if isinstance(error, exc.DBAPIError) else None
        said = self._shown(" ".join(str(cause or type(error).__name__).split()))
        about_sqlite = self._engine is not None and self._engine.dialect.name == "sqlite"
        if isinstance(error, _ABOUT_THE_QUERY) or (about_sqlite and not _AWAY.search(said)):
            return ContractBroken(f"source `{source}`: the database cannot answer the query", seen=said)
        return Unavailable(f"source `{source}`: the database did not answer properly", seen=said)


def _words(result: sqlalchemy.CursorResult[Any]) -> Mapping[str, str]:
    """Give the decimals whose digits the driver describes (DB-API 2: precision and scale); nothing else is described alike."""
    words: dict[str, str] = {}
    description: Sequence[Sequence[Any]] = result.cursor.description or ()
    for name, _, _, _, precision, scale, *_ in description:
        if isinstance(precision, int) and isinstance(scale, int) and 0 < scale <= precision <= _WIDE:
            words[name] = f"decimal({precision},{scale})"
    return words
