"""A cloud side in memory, for tests that are about what is decided and not about where bytes lie."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa

from landbridge.facts import GateReport, RuleResult, Slot
from landbridge.ledger import Ledger
from landbridge.world import Cloud, Evidence
from tests.core.formats import Silent
from tests.core.sources import Memory, feed
from tests.fakes.memory_store import MemoryStore
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from landbridge.facts import Location
    from landbridge.feed import Feed
    from landbridge.ports import Progress, Source, Store

ENVIRONMENT = "DEV"
NAMED = {"name": "T_{business_date:%Y%m%d}_{revision:03d}.csv", "folder": "trades"}


def trades(**file: object) -> Feed:
    """Declare a daily feed whose file has its revision in its name."""
    return feed("rows", schedule={"cron": "0 6 * * *", "deadline": "1h"}, file={**NAMED, **file})


def slot(day: date = date(2026, 11, 20)) -> Slot:
    six = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    return Slot("trades", f"{day}", day, six, six + timedelta(hours=1))


@dataclass
class Rows:
    """What the source gives, and whether the gate lets it pass."""

    ids: list[int] = field(default_factory=lambda: [1, 2, 3])
    good: bool = True
    runs: int = 0
    text: str = "id: trades"
    """Of the contract."""
    fails: dict[str, BaseException] = field(default_factory=dict)
    """By occurrence, what opening the sources raises."""

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        rows = len(path.read_text().splitlines()) - 1
        rule = RuleResult("unique", "id", self.good, rows, 0 if self.good else 1, "= 0")
        return GateReport("trades", "1.0.0", rows, (rule,), ())


@dataclass
class MemoryWorld:
    """Stores that all clouds of a test share, and who acts on them."""

    rows: Rows = field(default_factory=Rows)
    staging: MemoryStore = field(default_factory=MemoryStore)
    reports: MemoryStore = field(default_factory=MemoryStore)
    entries: MemoryStore = field(default_factory=MemoryStore)
    clock: SetClock = field(default_factory=lambda: SetClock(datetime(2026, 11, 20, 6, 1, tzinfo=UTC)))

    def cloud(self, actor: str = "cron", reason: str = "", run_id: str = "") -> Cloud:
        return Cloud(
            environment=ENVIRONMENT,
            variables={},
            staging=self.staging,
            reports=self.reports,
            ledger=Ledger(self.entries, ENVIRONMENT),
            sources=self._sources,
            gate=lambda _feed, _folder: self.rows,
            places=lambda _feed, _commitment: {},
            recipients=lambda _feed: (),
            scratch=scratch,
            clock=self.clock,
            progress=Silent(),
            run_id=run_id or f"run of {actor}",
            actor=actor,
            reason=reason,
        )

    @contextmanager
    def _sources(self, _feed: Feed, at: Slot) -> Iterator[Mapping[str, Source]]:
        if error := self.rows.fails.get(at.occurrence):
            raise error
        self.rows.runs += 1
        yield {"rows": Memory(pa.table({"id": pa.array(self.rows.ids, pa.int64())}))}

    def evidence(self, *receipt_keys: str) -> Evidence:
        stores = {store.name: store for store in (self.staging, self.reports, self.entries)}

        def store_of(at: Location) -> Store:
            return stores[at.store]

        return Evidence(
            environment=ENVIRONMENT,
            ledger=Ledger(self.entries, ENVIRONMENT),
            reports=self.reports,
            staging=self.staging,
            receipt_keys=receipt_keys,
            share=None,
            store_of=store_of,
        )


def with_reason(cloud: Cloud, reason: str) -> Cloud:
    return replace(cloud, reason=reason)


@contextmanager
def scratch() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)
