"""How do rows become Parquet, the same bytes however they came in batches?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from landbridge.formats.compression import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.feed.outputs import Parquet
    from landbridge.formats.compression import Sink


def write_parquet(parquet: Parquet, schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: Sink) -> None:
    """Write row groups of exactly the declared number of rows (the last one fewer), holding one in memory."""
    with pq.ParquetWriter(
        pa.PythonFile(Stream(sink), "w"), schema, compression=parquet.codec, version="2.6"
    ) as writer:
        for group in _groups(schema, batches, parquet.row_group_rows):
            writer.write_table(group, row_group_size=parquet.row_group_rows)


def _groups(schema: pa.Schema, batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    kept: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        at = 0
        while count + len(batch) - at >= rows:
            kept.append(batch.slice(at, rows - count))
            at += rows - count
            yield pa.Table.from_batches(kept, schema).combine_chunks()
            kept, count = [], 0
        if at < len(batch):
            kept.append(batch.slice(at))
            count += len(batch) - at
    if kept:
        yield pa.Table.from_batches(kept, schema).combine_chunks()
