"""What do all suites of sources stand on: a slot, a clock that jumps, secrets, and a way to read a source to its end."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from landbridge.errors import UsageError
from landbridge.facts import Slot, SourceFact
from landbridge.feed.inputs import SourceDeclared
from landbridge.sources.around import Around, Silent
from landbridge.sources.sql.source import Snapshots
from landbridge.sources.table import source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from landbridge.ports import Source, Store

SLOT = Slot("eidv", "2026-11-20", date(2026, 11, 20), datetime(2026, 11, 21, 6, 0, tzinfo=UTC))
_DECLARED: TypeAdapter[SourceDeclared] = TypeAdapter(SourceDeclared)


@dataclass
class JumpingClock:
    """Time that passes only when somebody sleeps."""

    moment: datetime = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True)
class KnownSecrets:
    values: Mapping[str, str]

    def resolve(self, reference: str) -> str:
        if reference not in self.values:
            raise UsageError(f"no secret `{reference}`")
        return self.values[reference]


@dataclass(frozen=True)
class Taken:
    """All that a source gave."""

    rows: list[dict[str, Any]]
    types: dict[str, str]
    sizes: list[int]
    fact: SourceFact


def declared(**keys: Any) -> SourceDeclared:
    return _DECLARED.validate_json(json.dumps(keys))


def around(
    folder: Path,
    secrets: Mapping[str, str] | None = None,
    clock: JumpingClock | None = None,
    stores: Callable[[str], Store] | None = None,
) -> Around:
    return Around(
        folder,
        "DEV",
        {"region": "GB"},
        KnownSecrets(secrets or {}),
        clock or JumpingClock(),
        Silent(),
        stores,
    )


@contextmanager
def adapter(given: Around, **keys: Any) -> Iterator[Source]:
    """Lend the adapter of one declared source named `s`."""
    snapshots = Snapshots(given)
    try:
        yield source("s", declared(**keys), given, snapshots)
    finally:
        snapshots.close()


def read(given: Around, **keys: Any) -> Taken:
    """Read a declared source to its end."""
    with adapter(given, **keys) as opened, opened.open(SLOT) as extract:
        assert extract.fact == []
        batches = list(extract.batches)
        assert all(batch.schema.equals(extract.schema) for batch in batches)
        [fact] = extract.fact
        return Taken(
            [row for batch in batches for row in batch.to_pylist()],
            {field.name: str(field.type) for field in extract.schema},
            [batch.num_rows for batch in batches],
            fact,
        )
