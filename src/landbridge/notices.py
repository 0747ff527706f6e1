"""What is told of slots that need somebody, and what is remembered of it?

Frozen facts, as in facts.py. Instants are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the memory is read with these annotations when the program runs
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - as Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.facts import Slot


REAPER = "the reaper"
"""Name of what is told of `landbridge reap`; no slot's, which has a `/`."""


class Kind(StrEnum):
    """Why somebody has to look at a slot; the first that applies, the most serious one first."""

    DOUBT = "doubtful"
    """What is on record cannot be believed: a receipt that does not hold, a changed entry of the ledger."""
    QUARANTINED = "quarantined"
    """The file broke its contract."""
    MISSING = "missing"
    """No verdict, long after it was due."""
    STUCK = "stuck"
    """Its verdict is `release`, and its file is not released: staging forgets it one day."""
    LATE = "late"
    """Not on the share at its deadline, and still not."""
    UNREAPED = "unreaped"
    """Files stay that the reaper's schedule should have removed: told of all of them at once."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One slot that somebody has to look at."""

    slot: Slot
    kind: Kind
    says: str
    """What is so, in a sentence."""

    @property
    def name(self) -> str:
        """What it is remembered by: `feed/occurrence`; what is not of one slot, by its own name."""
        return REAPER if self.kind is Kind.UNREAPED else str(self.slot)


@dataclass(frozen=True, slots=True)
class Cleared:
    """A slot that was told and needs nobody any more."""

    name: str
    """`feed/occurrence`."""
    says: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What one look has to tell one reader; nothing of it was told before, but what is a reminder."""

    project: str
    environment: str
    at: datetime
    news: tuple[Concern, ...] = ()
    reminders: tuple[Concern, ...] = ()
    cleared: tuple[Cleared, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to say."""
        return not (self.news or self.reminders or self.cleared)


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader knows of a slot."""

    kind: Kind
    first: datetime
    last: datetime
    """When it was told first and last."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the reaper is declared to do, and since when a look has seen it declared so."""

    schedule: str
    outbound_days: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What each reader was told and is still so."""

    written_at: datetime
    told: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)
    """Reader -> `feed/occurrence` -> what it was told."""
    reaper: Expected | None = None
    """None where nothing schedules the reaper."""
