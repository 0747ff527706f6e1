"""What do the tests of steps read from: a source that holds its rows in memory and keeps the port's promise."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from landbridge.facts import Slot, SourceFact
from landbridge.feed import Feed
from landbridge.ports import Extract


@dataclass
class Memory:
    """A source over a table."""

    table: pa.Table
    rows_a_batch: int = 2
    fails_after: int | None = None
    """Batches after which it raises LookupError."""
    read: int = 0
    """Batches given so far."""
    closed: int = 0
    slots: list[Slot] = field(default_factory=list)

    @contextmanager
    def open(self, slot: Slot) -> Iterator[Extract]:
        fact: list[SourceFact] = []
        self.slots.append(slot)
        try:
            yield Extract(self.table.schema, self._batches(fact), fact)
        finally:
            self.closed += 1

    def _batches(self, fact: list[SourceFact]) -> Iterator[pa.RecordBatch]:
        began = datetime.now(UTC)
        for batch in self.table.to_batches(max_chunksize=self.rows_a_batch):
            if self.read == self.fails_after:
                raise LookupError("the source is gone")
            self.read += 1
            yield batch
        rows = self.table.num_rows
        fact.append(SourceFact("memory", "memory", "", {}, rows, began, datetime.now(UTC)))


def feed(*names: str, **declared: object) -> Feed:
    """Declare a feed over sources of these names, with a CSV file unless `file` says otherwise."""
    body: Mapping[str, object] = {
        "feed": "trades",
        "owner": "team@example.org",
        "schedule": {"cron": "0 6 * * *"},
        "sources": {name: {"kind": "python", "function": "rows:of"} for name in names},
        "file": {"name": "x", "folder": "y"},
        "contract": {"file": "contracts/trades.odcs.yaml"},
        **declared,
    }
    return Feed.model_validate_json(json.dumps(body))
