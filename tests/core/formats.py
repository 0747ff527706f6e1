"""What do the tests of formats share: a feed's file as declared, rows in batches, and one call that writes them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from landbridge.facts import Slot
from landbridge.feed.outputs import File
from landbridge.formats.write import Words, Written, write

SLOT = Slot("trades", "2026-11-20", date(2026, 11, 20), datetime(2026, 11, 20, 6, tzinfo=UTC))
WORDS = Words(SLOT, environment="DEV", revision=2, variables={"site": "north"})


class Silent:
    """Nobody watches."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, step: str, amount: int) -> None:
        """Say nothing."""

    def finish(self, step: str) -> None:
        """Say nothing."""


def declared(form: Mapping[str, object] | None = None, **file: object) -> File:
    """Read a file's declaration from plain data, as YAML would give it."""
    body: dict[str, object] = {"name": "x", "folder": "y", **file}
    if form is not None:
        body["format"] = form
    return File.model_validate_json(json.dumps(body))


def batches(table: pa.Table, sizes: Sequence[int] = (3,)) -> Iterator[pa.RecordBatch]:
    """Cut a table into batches of these sizes, again and again; an empty batch in front, as a source may give."""
    yield _batch(table, 0, 0)
    at = number = 0
    while at < table.num_rows:
        size = sizes[number % len(sizes)]
        yield _batch(table, at, size)
        at, number = at + size, number + 1


def written(file: File, table: pa.Table, path: Path, sizes: Sequence[int] = (3, 5000)) -> Written:
    """Write a table's rows into `path`."""
    return write(file, table.schema, batches(table, sizes), path, WORDS, progress=Silent())


def text(form: Mapping[str, object], table: pa.Table, folder: Path, **file: object) -> str:
    """Give what the file holds, as text."""
    path = folder / "out"
    written(declared(form, **file), table, path)
    body = path.read_bytes().decode()
    path.unlink()
    return body


def _batch(table: pa.Table, at: int, size: int) -> pa.RecordBatch:
    piece = table.slice(at, size)
    return pa.RecordBatch.from_arrays(
        [
            column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
            for column in piece.combine_chunks().columns
        ]
        if size
        else [pa.array([], field.type) for field in table.schema],
        schema=table.schema,
    )
