"""What does a run stand on? The ports of one side and environment, filled in by wiring.py."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from landbridge.alarms import Watch
    from landbridge.errors import IntegrityBroken
    from landbridge.facts import Commitment, Location, Manifest, Slot
    from landbridge.feed import Feed
    from landbridge.ledger import Ledger
    from landbridge.ports import (
        Clock,
        Erasable,
        Gate,
        Meter,
        Place,
        Progress,
        Remote,
        Share,
        Source,
        Store,
        Teller,
    )
    from landbridge.retention import Retention


@dataclass(frozen=True, slots=True)
class Cloud:
    """The cloud side of one environment."""

    environment: str
    variables: Mapping[str, str]
    staging: Store
    reports: Store
    ledger: Ledger
    sources: Callable[[Feed, Slot], AbstractContextManager[Mapping[str, Source]]]
    """Waits until the feed's upstream is ready, then opens its sources."""
    gate: Callable[[Feed, Path], Gate]
    """The gate for a feed's contract and file; the folder is for what it spills."""
    places: Callable[[Feed, Commitment], Mapping[str, Place]]
    recipients: Callable[[Feed], tuple[str, ...]]
    """Armoured public keys of the feed's recipients."""
    scratch: Callable[[], AbstractContextManager[Path]]
    """A private folder on this machine that is gone afterwards."""
    clock: Clock
    progress: Progress
    run_id: str
    actor: str
    revision: int = 1
    """The revision being made. `run` only ever makes the first; corrections are made on purpose."""
    reason: str = ""
    """Why a later revision is made."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an operator of one environment may read. Nothing here can be written."""

    environment: str
    ledger: Ledger
    reports: Store
    staging: Store
    receipt_keys: tuple[str, ...]
    """Public keys (PEM) that receipts are checked against."""
    share: Path | None
    """Root of the share, where this machine sees it."""
    store_of: Callable[[Location], Store]
    """The store that a location names, whichever kind it is."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What the look at all slots of one environment stands on."""

    declared: Watch
    evidence: Evidence
    cloud: Cloud
    """For what was missed."""
    retention: Retention
    """By which is seen whether the reaper does its work, where it is scheduled."""
    memory: Store
    """Where what was told is remembered."""
    tellers: tuple[Teller, ...]
    meter: Meter | None
    """Where an alarm listens."""
    clock: Clock


@dataclass(frozen=True, slots=True)
class Reaping:
    """What the removal of files that have had their time stands on. Nothing of it can write."""

    retention: Retention
    staging_days: int
    evidence: Evidence
    reports: Erasable
    staging: Erasable
    slot_of: Callable[[str, str], Slot | None]
    """The slot of a feed and an occurrence, as the declaration has it."""
    now: datetime
    progress: Progress


@dataclass(frozen=True, slots=True)
class Ground:
    """The on-prem side of one environment: what a collection stands on."""

    environment: str
    remote: Remote
    share: Share
    receipt_key: str = field(repr=False)
    """Ed25519 private key (PEM) that signs receipts."""
    receipt_keys: tuple[str, ...]
    """Public keys (PEM) of all collectors, that receipts on the server are checked against."""
    clock: Clock
    progress: Progress
    parallel: int = 4
    """Large files downloaded at once."""
    in_vain: dict[Manifest, tuple[datetime, IntegrityBroken]] = field(default_factory=dict, compare=False)
    """What this run downloaded and refused for its bytes, and until when it is not downloaded again."""
    threads: Callable[[int, str], Executor] = ThreadPoolExecutor
    """Gives so many threads, named so; whoever asked ends them. A simulation has all their work done in order, on its own thread."""
