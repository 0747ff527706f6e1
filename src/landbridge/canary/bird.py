"""What is the file that is sent: its feed, its slot, its rows, its contract?"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.facts import Slot
from landbridge.feed import Feed
from landbridge.naming import CANARY_FEED
from landbridge.sources import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.ports import Clock, Extract, Gate, Progress

_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_ROWS = 3


def named(now: datetime, random: str) -> str:
    """Name a canary: `20261128T071500Z-0123abcd`, so that a listing is in the order of time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{random}"


def sent_at(canary: str) -> datetime:
    """Give the instant in a canary's name.

    Raises:
        UsageError: it is no canary's name.
    """
    match = _NAME.fullmatch(canary)
    try:
        if match:
            return datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise UsageError(
        f"{canary!r:.80} is no canary's name",
        expected="`20261128T071500Z-0123abcd`, as the cloud side prints it",
    )


def is_name(text: str) -> bool:
    """Tell whether a name that comes from the other side is a canary's."""
    try:
        sent_at(text)
    except UsageError:
        return False
    return True


def slot_of(canary: str) -> Slot:
    """Give the slot of a canary; it is in no calendar and no day of the ledger."""
    at = sent_at(canary)
    return Slot(CANARY_FEED, f"{at:%Y%m%dT%H%MZ}", at.date(), at.replace(second=0))


@cache
def feed() -> Feed:
    """Give the feed of all canaries: as any other, but in no declaration."""
    declared = {
        "feed": CANARY_FEED,
        "owner": "landbridge canary",
        "schedule": {"cron": "* * * * *", "time_zone": "UTC"},
        "sources": {"seed": {"kind": "python", "function": "canary:seed"}},
        "file": {
            "name": "canary_{ENVIRONMENT}_{scheduled_at:%Y%m%dT%H%MZ}.csv",
            "folder": CANARY_FEED,
            "format": {"kind": "csv"},
        },
        "contract": {"file": "canary.odcs.yaml"},
    }
    return Feed.model_validate_json(json.dumps(declared))


def gate(_: Feed, spill: Path) -> Gate:
    """Give the gate of the canary's own contract."""
    from landbridge.contract.gate import gate_for
    from landbridge.contract.odcs import load

    contract = load(Path(__file__).with_name("canary.odcs.yaml"))
    return gate_for(contract, feed().file, memory=feed().memory, spill=spill)


class Seed:
    """A source that gives three rows with the canary's name; obeys ports.Source."""

    def __init__(self, canary: str, clock: Clock, progress: Progress) -> None:
        self._canary = canary
        self._clock = clock
        self._progress = progress

    @contextmanager
    def open(self, _: Slot) -> Iterator[Extract]:
        """See ports.Source."""
        import pyarrow as pa  # 0.1 s of CPU, which a collection that only knows a canary's name can do without

        rows = {
            "canary": [f"{self._canary}/{line}" for line in range(1, _ROWS + 1)],
            "line": list(range(1, _ROWS + 1)),
        }
        batch = pa.RecordBatch.from_pydict(rows)
        asked = stream.Asked("seed", "python", "canary:seed", {"canary": self._canary}, self._clock.now())
        yield stream.extract(asked, batch.schema, iter([batch]), self._clock, self._progress)
