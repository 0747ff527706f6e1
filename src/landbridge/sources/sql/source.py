"""How does one declared query become a source, and which queries share a snapshot?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import unquote

from landbridge.errors import UsageError
from landbridge.ports import Lines
from landbridge.sources import stream
from landbridge.sources.around import inside, without_user
from landbridge.sources.sql.query import bound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from contextlib import AbstractContextManager
    from datetime import timedelta

    import pyarrow as pa

    from landbridge.facts import Slot
    from landbridge.feed.inputs import SqlSource
    from landbridge.feed.outputs import Csv
    from landbridge.formats.formulas import Policy
    from landbridge.ports import Extract
    from landbridge.sources.around import Around
    from landbridge.sources.sql.query import Query

_SQLITE = "sqlite:///"


class Snapshot(Protocol):
    """One state of one database, for all queries of a feed that name its URL. Connects on first use."""

    def rows(
        self, source: str, query: Query, timeout: timedelta
    ) -> AbstractContextManager[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Give the schema and the batches of a query; see ports.Source for the errors."""
        ...

    def first_value(self, source: str, query: Query, timeout: timedelta) -> object:
        """Give the first value of the first row, None without rows."""
        ...

    def close(self) -> None:
        """End it. Idempotent."""
        ...


def snapshot(url: str, around: Around) -> Snapshot:
    """Give the snapshot that fits a URL; the drivers are imported here, so that other feeds do not pay for them.

    Raises:
        UsageError: the URL is none of a database.
    """
    scheme = url.partition("://")[0]
    if scheme in {"postgresql", "postgres"}:
        from landbridge.sources.sql.postgres import PostgresSnapshot

        return PostgresSnapshot(url, around.shown)
    if url.startswith(_SQLITE):
        from landbridge.sources.sql.sqlite import SqliteSnapshot

        return SqliteSnapshot(inside(around.folder, unquote(url.removeprefix(_SQLITE).partition("?")[0])))
    if "://" not in url:
        raise UsageError(
            "the database URL cannot be read", expected="postgresql://..., sqlite:///... or a SQLAlchemy URL"
        )
    from landbridge.sources.sql.alchemy import AlchemySnapshot

    return AlchemySnapshot(url, around.shown)


@runtime_checkable
class Lining(Snapshot, Protocol):
    """A database that can also write each row as a line of CSV itself."""

    def lines(
        self,
        source: str,
        query: Query,
        timeout: timedelta,
        csv: Csv,
        formulas: Policy,
        beside: Collection[str],
    ) -> AbstractContextManager[tuple[pa.Schema, pa.Schema, Iterator[pa.RecordBatch]] | None]:
        """Give the schema of the columns, and schema and batches of their lines; see ports.SourceLines."""
        ...


class Snapshots:
    """The snapshots of one feed, by URL."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._open: dict[str, Snapshot] = {}

    def of(self, url: str) -> Snapshot:
        """Give the one snapshot for `url`."""
        if url not in self._open:
            self._open[url] = snapshot(url, self._around)
        return self._open[url]

    def close(self) -> None:
        """End all of them."""
        for opened in self._open.values():
            opened.close()


class Sql:
    """One declared query."""

    def __init__(self, name: str, declared: SqlSource, around: Around, snapshots: Snapshots) -> None:
        self._name = name
        self._declared = declared
        self._around = around
        self._snapshots = snapshots

    @contextmanager
    def open(self, slot: Slot) -> Iterator[Extract]:
        """Run the query now; rows come as the batches are taken; see ports.Source."""
        query, asked, taken = self._asked(slot)
        with taken.rows(self._name, query, self._declared.timeout) as (schema, batches):
            yield stream.extract(asked, schema, batches, self._around.clock, self._around.progress)

    @contextmanager
    def open_lines(
        self, slot: Slot, csv: Csv, formulas: Policy, beside: Collection[str]
    ) -> Iterator[Lines | None]:
        """Run the query now, its rows written as lines by the database, where that can; see ports.SourceLines."""
        query, asked, taken = self._asked(slot)
        if not isinstance(taken, Lining):
            yield None
            return
        with taken.lines(self._name, query, self._declared.timeout, csv, formulas, beside) as given:
            if given is None:
                yield None
                return
            columns, schema, batches = given
            read = stream.extract(asked, schema, batches, self._around.clock, self._around.progress)
            yield Lines(columns, read.batches, read.fact)

    def _asked(self, slot: Slot) -> tuple[Query, stream.Asked, Snapshot]:
        declared, around = self._declared, self._around
        began = around.clock.now()
        url = around.resolved(declared.url, slot)
        query = bound(self._name, declared.query, declared.parameters, slot, around)
        asked = stream.Asked(
            self._name,
            "sql",
            around.shown(f"{without_user(url)}: {query.sql}"),
            {name: around.shown(value) for name, value in query.shown().items()},
            began,
        )
        return query, asked, self._snapshots.of(url)
