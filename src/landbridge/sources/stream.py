"""How does a stream of batches stay bounded, and leave exactly one fact behind?"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.facts import SourceFact
from landbridge.ports import Extract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    import pyarrow as pa

    from landbridge.ports import Clock, Progress

ROWS = 64 * 1024
BYTES = 16 << 20
"""A batch has at most this many rows, and about this many bytes unless a single row is larger."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source was asked, fit to be shown; the fact about it says the same."""

    name: str
    kind: str
    query: str
    parameters: Mapping[str, str]
    began_at: datetime


@contextmanager
def asking(name: str, progress: Progress) -> Iterator[None]:
    """Tell who watches that the source has been asked and has not answered yet."""
    step = f"ask {name}"
    progress.start(step, None, "")
    try:
        yield
    finally:
        progress.finish(step)


def extract(
    asked: Asked, schema: pa.Schema, batches: Iterable[pa.RecordBatch], clock: Clock, progress: Progress
) -> Extract:
    """Bound the batches, watch them pass, and state the fact when the last one has been taken."""
    fact: list[SourceFact] = []
    return Extract(schema=schema, batches=_watched(asked, schema, batches, clock, progress, fact), fact=fact)


def _watched(
    asked: Asked,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    clock: Clock,
    progress: Progress,
    fact: list[SourceFact],
) -> Iterator[pa.RecordBatch]:
    step = f"read {asked.name}"
    rows = 0
    digest = _Digest(schema)
    progress.start(step, None, "rows")
    try:
        for batch in bounded(batches):
            rows += batch.num_rows
            digest.add(batch)
            progress.advance(step, batch.num_rows)
            yield batch
    finally:
        progress.finish(step)
    fact.append(
        SourceFact(
            name=asked.name,
            kind=asked.kind,
            query=asked.query,
            parameters=asked.parameters,
            rows=rows,
            began_at=asked.began_at,
            ended_at=clock.now(),
            sha256=digest.end(),
        )
    )


def bounded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut large batches and join small ones, in order; empty ones vanish."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for piece in _pieces(batch):
            if waiting and (rows + piece.num_rows > ROWS or size + piece.nbytes > BYTES):
                yield _joined(waiting)
                waiting, rows, size = [], 0, 0
            waiting.append(piece)
            rows += piece.num_rows
            size += piece.nbytes
    if waiting:
        yield _joined(waiting)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.num_rows == 0:
        return
    count = max(-(-batch.num_rows // ROWS), -(-batch.nbytes // BYTES))
    if count == 1 or batch.num_rows == 1:
        yield batch
        return
    step = -(-batch.num_rows // count)
    for start in range(0, batch.num_rows, step):
        piece = batch.slice(start, step)
        if piece.nbytes > BYTES and piece.num_rows < batch.num_rows:
            yield from _pieces(piece)  # the long rows sit together
        else:
            yield piece


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    import pyarrow as pa

    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


class _Digest:
    """The sha256 of the batches as an Arrow IPC stream."""

    def __init__(self, schema: pa.Schema) -> None:
        import pyarrow as pa

        self._sum = hashlib.sha256()
        self._writer = pa.ipc.new_stream(_Sink(self._sum), schema)

    def add(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def end(self) -> str:
        self._writer.close()
        return self._sum.hexdigest()


class _Sink:
    """A file that only remembers the digest of what was written to it."""

    closed = False

    def __init__(self, digest: hashlib._Hash) -> None:
        self._digest = digest

    def write(self, body: bytes) -> int:
        self._digest.update(body)
        return len(body)

    def flush(self) -> None:
        """Do nothing: nothing waits."""

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: the digest stays."""
