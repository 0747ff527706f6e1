"""What does a pod of the simulation stand on? The product's own run, over a bucket in memory, a source and a gate of our own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from landbridge.errors import DiskFailed
from landbridge.facts import GateReport, RuleResult, SourceFact
from landbridge.ledger import Ledger
from landbridge.ports import Extract, Lines
from landbridge.retention import Retention
from landbridge.world import Cloud, Evidence, Reaping
from reliability.kinds import ENVIRONMENT, receipt_key
from reliability.memory_s3 import MemoryStore
from reliability.through import Through

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from landbridge.facts import Commitment, Slot
    from landbridge.feed import Feed
    from landbridge.feed.outputs import Csv
    from landbridge.ports import Clock, Gate, Place, Progress, Source
    from landbridge.stores.s3_parts import Sizes
    from reliability.memory_s3 import MemoryS3
    from reliability.through import Passing

_SCHEMA = pa.schema([("id", pa.string())])
_LINES = pa.schema([("", pa.string())])
CONTRACT = "simulated"


class Quiet:
    """Obeys ports.Progress; nobody watches."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """See ports.Progress."""

    def advance(self, step: str, amount: int) -> None:
        """See ports.Progress."""

    def finish(self, step: str) -> None:
        """See ports.Progress."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A source whose rows may be others each time it is asked; obeys ports.SourceLines, since lines cost the least to write."""

    rows: tuple[str, ...]
    asked: Callable[[], int]
    clock: Clock

    @contextmanager
    def open(self, slot: Slot) -> Iterator[Extract]:
        """See ports.Source."""
        with self._opened(slot, _SCHEMA, "") as (batches, fact):
            yield Extract(_SCHEMA, batches, fact)

    @contextmanager
    def open_lines(self, slot: Slot, _csv: Csv, _formulas: str, _beside: Collection[str]) -> Iterator[Lines]:
        """See ports.SourceLines; no row needs quotes."""
        with self._opened(slot, _LINES, "\n") as (batches, fact):
            yield Lines(_SCHEMA, batches, fact)

    @contextmanager
    def _opened(
        self, slot: Slot, schema: pa.Schema, end: str
    ) -> Iterator[tuple[Iterator[pa.RecordBatch], list[SourceFact]]]:
        began, fact = self.clock.now(), list[SourceFact]()
        values = [f"{row}{self.asked()}" if row == "changes" else row for row in self.rows]

        def batches() -> Iterator[pa.RecordBatch]:
            yield pa.record_batch([pa.array([f"{slot.feed}-{value}{end}" for value in values])], schema)
            fact.append(SourceFact("rows", "simulated", "rows", {}, len(values), began, self.clock.now()))

        yield batches(), fact


@dataclass(frozen=True, slots=True)
class Strict:
    """A gate that breaks on a row that ends in `bad`; obeys ports.Gate."""

    judged: Callable[[bytes, bool], None]
    """Is told of every file and whether it passed."""
    text: str = "rows end in anything but `bad`"

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:  # noqa: ARG002 # the port's
        """See ports.Gate."""
        try:
            body = path.read_bytes()
        except OSError as error:
            raise DiskFailed(f"{path} cannot be read") from error
        rows = body.splitlines()[1:]
        broken = sum(row.endswith(b"-bad") for row in rows)
        rule = RuleResult("no bad rows", "id", not broken, len(rows), broken, "= 0")
        self.judged(body, not broken)
        return GateReport(CONTRACT, "1", len(rows), (rule,), ())


_IN_MEMORY = Path("/dev/shm")  # noqa: S108 # a folder with a name of chance is made there


@cache
def _scratch_root() -> Path:
    home = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="landbridge-simulated-", dir=home))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


@cache
def _scratch(process: int, actor: str) -> Path:
    folder = _scratch_root() / f"{process}-{actor}"
    folder.mkdir()
    return folder


@contextmanager
def scratch(actor: str) -> Iterator[Path]:
    """Lend a folder that is empty at first. It is used again by the next history: making one costs more than a run."""
    folder = _scratch(os.getpid(), actor)
    for left in folder.iterdir():  # of a pod that was killed
        left.unlink()
    yield folder


def cloud(  # what differs between pods
    server: MemoryS3,
    name: str,
    passing: Passing,
    clock: Clock,
    *,
    source: Source,
    gate: Gate,
    recipients: tuple[str, ...],
    sizes: Sizes,
) -> Cloud:
    """Fill in the ports of one pod; every call of each passes `passing`."""
    s3 = cast("MemoryS3", Through(server, "s3", passing))
    seen: Any = Through(source, "source", passing)
    judging: Any = Through(gate, "gate", passing)

    @contextmanager
    def sources(_feed: Feed, _slot: Slot) -> Iterator[Mapping[str, Source]]:
        yield {"rows": seen}

    def places(_feed: Feed, _commitment: Commitment) -> Mapping[str, Place]:
        return {}

    return Cloud(
        environment=ENVIRONMENT,
        variables={},
        staging=MemoryStore(s3, "staging", sizes=sizes),
        reports=MemoryStore(s3, "reports", sizes=sizes),
        ledger=Ledger(MemoryStore(s3, "ledger", sizes=sizes), ENVIRONMENT),
        sources=sources,
        gate=lambda _feed, _scratch: judging,
        places=places,
        recipients=lambda _feed: recipients,
        scratch=lambda: scratch(name),
        clock=clock,
        progress=Quiet(),
        run_id=name,
        actor="cron@pod",
    )


STAGING_DAYS = 7


def reaping(server: MemoryS3, passing: Passing, clock: Clock, slots: Sequence[Slot]) -> Reaping:
    """Fill in what a reaper stands on; every call of its stores passes `passing`."""
    s3 = cast("MemoryS3", Through(server, "s3", passing))
    staging, reports, entries = (MemoryStore(s3, name) for name in ("staging", "reports", "ledger"))
    stores = {store.name: store for store in (staging, reports, entries)}
    by_name = {(slot.feed, slot.occurrence): slot for slot in slots}
    evidence = Evidence(
        environment=ENVIRONMENT,
        ledger=Ledger(entries, ENVIRONMENT),
        reports=reports,
        staging=staging,
        receipt_keys=(receipt_key().public_pem,),
        share=None,
        store_of=lambda at: stores[at.store],
    )
    return Reaping(
        retention=Retention(),
        staging_days=STAGING_DAYS,
        evidence=evidence,
        reports=reports,
        staging=staging,
        slot_of=lambda feed, occurrence: by_name.get((feed, occurrence)),
        now=clock.now(),
        progress=Quiet(),
    )
