"""How do rows from a driver (tuples of Python values) become batches of one schema?"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from landbridge.errors import ContractBroken
from landbridge.sources import records
from landbridge.sources.stream import BYTES, ROWS

if TYPE_CHECKING:
    import pyarrow as pa

    from landbridge.sources.records import Record

_FIRST = 10_000
"""Rows that the types follow from, where the database does not tell them, and the size of a row."""
_LEAST = 256

Rows = Callable[[int], Sequence[Sequence[Any]]]
"""Gives at most so many further rows, none at the end."""


def batches(
    source: str, names: Sequence[str], fetch: Rows, words: Mapping[str, str] | None = None
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Give the schema that follows from the first rows, and the batches.

    `words` are types that the database describes; the others follow from the first rows, and a later value of
    another type is an error.

    Raises:
        ContractBroken: two columns have one name, or a value is not of its column's type.
    """
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ContractBroken(
            f"source `{source}`: the query gives several columns named `{doubled[0]}`",
            expected="named columns, each once (`AS name`)",
        )
    first = _records(names, fetch(_FIRST))
    known = {**dict.fromkeys(names, "string"), **(words or {})} if not first else words
    shape = records.inferred(source, first or [dict.fromkeys(names)], "the first rows", known)
    return shape.schema, _converted(shape, names, fetch, first)


def _converted(
    shape: records.Shape, names: Sequence[str], fetch: Rows, first: list[Record]
) -> Iterator[pa.RecordBatch]:
    before = 0
    count = ROWS
    page = first
    while page:
        batch = shape.batch(page, "the result", before + 1)
        yield batch
        before += len(page)
        count = max(_LEAST, min(ROWS, BYTES // max(1, batch.nbytes // len(page))))
        page = _records(names, fetch(count))


def _records(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Record]:
    kinds = {type(value) for row in islice(rows, 1) for value in row}
    if uuid.UUID in kinds or memoryview in kinds:
        rows = [tuple(map(_simple, row)) for row in rows]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _simple(value: object) -> object:
    if isinstance(value, uuid.UUID):
        return str(value)
    return bytes(value) if isinstance(value, memoryview) else value
