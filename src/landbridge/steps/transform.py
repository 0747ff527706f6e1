"""How are the sources' rows joined, shaped and put in order?

DuckDB runs the declared query over the sources by name, on one thread, so that the same rows give the same rows out;
it sees neither files nor the network nor this program's variables.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.errors import (
    ContractBroken,
    DeclarationWrong,
    DiskFailed,
    LandbridgeError,
    Problem,
    UsageError,
)
from landbridge.halted import halted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    import duckdb
    import pyarrow as pa

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.ports import Extract

_BATCH_ROWS = 16_384
_LINE = re.compile(r"^LINE (\d+): ", re.MULTILINE)
_VALUE = re.compile("'.*'")
"""What an engine's message quotes from the rows: it may be personal."""
_ENGINE_SHARE = 2
"""The engine gets half of the feed's memory; the rest is for the sources, the writer and the program itself."""
_MISTAKES = ("Parser", "Binder", "Catalog", "Permission", "Syntax", "Not implemented")
"""Kinds of error that lie in the query; the others lie in the rows."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A stream of rows with one schema, good for one pass."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


@contextmanager
def shaped(feed: Feed, slot: Slot, extracts: Mapping[str, Extract], scratch: Path) -> Iterator[Rows]:
    """Give the rows of the feed's file: the sources through `transform`, sorted by `order_by`.

    `$business_date` (DATE) and `$scheduled_at` (TIMESTAMPTZ) are bound. Rows are ordered by the columns of `order_by`,
    then by all others: nulls last, text by its UTF-8 bytes; so the same rows come in one order only.
    What does not fit in the feed's memory goes to a folder in `scratch` that is gone afterwards.

    Raises:
        DeclarationWrong: the query is not one SELECT over these sources; names its line.
        ContractBroken: the rows cannot be computed, for instance a text that is no number.
        UsageError: the query needs more memory than the feed has.
    """
    if feed.transform is None and not feed.order_by:
        (extract,) = extracts.values()
        yield Rows(extract.schema, extract.batches)
        return
    import duckdb

    failure = _Failure()
    with (
        TemporaryDirectory(dir=scratch, prefix="spill-") as spill,
        duckdb.connect(":memory:") as engine,
        _translated(feed, failure),
    ):
        _settle(engine, feed.memory, spill)
        query = _Query(feed, _text(engine, feed, extracts), _bound(slot))
        query.offer(engine, extracts, failure)
        relation = query.run(engine)
        reader = relation.to_arrow_reader(_BATCH_ROWS)
        yield Rows(reader.schema, _each(reader, feed, failure))


def _settle(engine: duckdb.DuckDBPyConnection, memory: int, spill: str) -> None:
    for setting, value in (
        ("threads", "1"),
        ("TimeZone", "'UTC'"),
        ("memory_limit", f"'{memory // _ENGINE_SHARE}MiB'"),
        ("temp_directory", "'" + spill.replace("'", "''") + "'"),
        ("python_enable_replacements", "false"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("enable_external_access", "false"),
        ("lock_configuration", "true"),
    ):
        engine.execute(f"SET {setting} = {value}")


def _bound(slot: Slot) -> dict[str, object]:
    return {"business_date": slot.business_date, "scheduled_at": slot.scheduled_at}


def _text(engine: duckdb.DuckDBPyConnection, feed: Feed, extracts: Mapping[str, Extract]) -> str:
    """Give the declared query, checked to be one SELECT; without one, all rows of the single source."""
    if feed.transform is None:
        (name,) = extracts
        return f"SELECT * FROM {_quoted(name)}"  # noqa: S608 # a declared name, quoted
    statements = engine.extract_statements(feed.transform)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        raise _wrong(feed, 1, "the transform is not one SELECT", seen=counted(len(statements), "statement"))
    unknown = sorted(statements[0].named_parameters - {"business_date", "scheduled_at"})
    if unknown:
        raise _wrong(feed, 1, f"unknown parameter `${unknown[0]}`", seen=f"${unknown[0]}")
    return statements[0].query.rstrip().rstrip(";")


@dataclass(frozen=True, slots=True)
class _Query:
    feed: Feed
    text: str
    values: Mapping[str, object]

    def offer(
        self, engine: duckdb.DuckDBPyConnection, extracts: Mapping[str, Extract], failure: _Failure
    ) -> None:
        """Make the sources visible by name: one that is read once as a stream, else as tables that spill.

        Tables also tell the engine their sizes, so that it joins in a good order.
        """
        import pyarrow as pa

        for name, extract in extracts.items():
            stream = pa.RecordBatchReader.from_batches(extract.schema, failure.watching(extract.batches))
            engine.register(name, stream)
        if len(extracts) == 1 and self._scans(engine) <= 1:
            return
        for number, name in enumerate(extracts):
            engine.execute(f"CREATE TEMP TABLE _copy_{number} AS SELECT * FROM {_quoted(name)}")  # noqa: S608 # as above
            engine.unregister(name)
            engine.execute(f"ALTER TABLE _copy_{number} RENAME TO {_quoted(name)}")

    def run(self, engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """Start the query, in order."""
        if not self.feed.order_by:
            return engine.sql(self.text, params=self._parameters(self.text))
        columns = engine.sql(self.text, params=self._parameters(self.text)).columns
        missing = [column for column in self.feed.order_by if column not in columns]
        if missing:
            raise _wrong(
                self.feed,
                1,
                f"`order_by` names `{missing[0]}`, which is no column of the rows",
                seen=", ".join(columns),
                path="order_by",
            )
        order = [*self.feed.order_by, *(column for column in columns if column not in self.feed.order_by)]
        by = ", ".join(f"{_quoted(column)} ASC NULLS LAST" for column in order)
        ordered = f"SELECT * FROM ({self.text}\n) AS shaped ORDER BY {by}"  # noqa: S608 # the declared query itself
        return engine.sql(ordered, params=self._parameters(self.text))

    def _scans(self, engine: duckdb.DuckDBPyConnection) -> int:
        found = engine.execute(f"EXPLAIN (FORMAT json) {self.text}", self._parameters(self.text)).fetchall()
        return sum(_scans(node) for node in json.loads(found[0][1]))

    def _parameters(self, text: str) -> dict[str, object]:
        import duckdb

        asked = duckdb.extract_statements(text)[0].named_parameters
        return {name: value for name, value in self.values.items() if name in asked}


def _scans(node: Mapping[str, object]) -> int:
    children = node["children"]
    below = sum(_scans(child) for child in children) if isinstance(children, list) else 0
    return below + str(node["name"]).endswith("ARROW_SCAN")


class _Failure:
    """Keeps what a source raised while the engine read it: the engine passes on only its text."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def watching(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass the batches on, keeping the error that ends them; a reader that stops early leaves the rest unread."""
        with self:
            for batch in batches:  # noqa: UP028 # `yield from` would close the source when the engine has enough
                yield batch

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, GeneratorExit):
            self.error = error


def _each(reader: pa.RecordBatchReader, feed: Feed, failure: _Failure) -> Iterator[pa.RecordBatch]:
    with _translated(feed, failure):
        yield from reader


@contextmanager
def _translated(feed: Feed, failure: _Failure) -> Iterator[None]:
    """Turn the engine's errors into ours; one that a source raised comes through as it was."""
    import duckdb
    import pyarrow as pa

    try:
        with halted():
            yield
    except LandbridgeError:
        raise
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if failure.error is not None:
            raise failure.error from None
        raise _ours(feed, str(error)) from error


def _ours(feed: Feed, said: str) -> LandbridgeError:
    """Sort an engine's message; arrow's stream passes it on as text only."""
    line = _LINE.search(said)
    first = said.split("\n\n", 1)[0].replace("\n", " ")
    if said.startswith("Out of Memory"):
        return UsageError(
            f"the transform of `{feed.feed}` needs more than its memory",
            seen=first,
            hint=f"raise `memory` in the feed; it is {feed.memory} MiB",
        )
    if said.startswith("IO Error"):
        return DiskFailed(f"the transform of `{feed.feed}` could not spill to disk", seen=first)
    if said.startswith(_MISTAKES):
        return _wrong(feed, int(line[1]) if line else 1, first)
    where = f" (line {line[1]} of the query)" if line else ""
    return ContractBroken(
        f"the transform of `{feed.feed}` failed on these rows{where}", seen=_VALUE.sub("'***'", first)
    )


def _wrong(feed: Feed, line: int, what: str, *, seen: str = "", path: str = "transform") -> DeclarationWrong:
    return DeclarationWrong(
        [
            Problem(
                file=f"{feed.feed}.{path}",
                line=line,
                column=1,
                path=path,
                what=what,
                expected="one SELECT over " + ", ".join(f"`{name}`" for name in feed.sources),
                seen=seen,
            )
        ]
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
