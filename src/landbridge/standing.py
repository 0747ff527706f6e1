"""Where does each slot stand? Pure: what is known of a slot, and the time, give its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from landbridge.facts import SlotState, Verdict

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from landbridge.facts import Commitment, Receipt, Slot

QUIET = frozenset({SlotState.SKIPPED, SlotState.WAIVED, SlotState.UPCOMING})
"""States in which no file is owed."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger and the reports store hold of one slot."""

    commitment: Commitment | None = None
    """Of the newest revision."""
    released: bool = False
    """Whether that revision's manifest is written."""
    receipt: Receipt | None = None
    """Of that revision; only one whose signature holds."""
    doubt: str = ""
    """Why something on record cannot be believed: a receipt that does not hold, an entry of the ledger that was changed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One slot with its state."""

    slot: Slot
    state: SlotState
    late: bool
    known: Known
    scheduled: bool = True
    """False for a slot the ledger knows and today's schedule does not."""

    @property
    def alarming(self) -> bool:
        """Tell whether somebody has to look: late, missing, quarantined, or with a receipt that does not hold."""
        return self.late or self.state in {SlotState.MISSING, SlotState.QUARANTINED} or bool(self.known.doubt)


def standing(
    slot: Slot, known: Known, *, now: datetime, missing_after: timedelta, scheduled: bool = True
) -> Standing:
    """Judge one slot at `now`.

    A slot without any verdict is missing `missing_after` its deadline (or its time, without a deadline).
    Late: its file was not on the share at the deadline, whatever happened since.
    """
    state = _state(slot, known, now, missing_after)
    return Standing(slot, state, _late(slot, state, known, now), known, scheduled)


def _state(slot: Slot, known: Known, now: datetime, missing_after: timedelta) -> SlotState:
    if known.commitment is None:
        if now < slot.scheduled_at:
            return SlotState.UPCOMING
        overdue = now > (slot.deadline or slot.scheduled_at) + missing_after
        return SlotState.MISSING if overdue else SlotState.DUE
    match known.commitment.verdict:
        case Verdict.SKIP:
            return SlotState.SKIPPED
        case Verdict.QUARANTINE:
            return SlotState.QUARANTINED
        case Verdict.RELEASE if known.receipt is not None:
            return SlotState.DELIVERED
        case Verdict.RELEASE:
            return SlotState.RELEASED if known.released else SlotState.COMMITTED
        case _:
            assert_never(known.commitment.verdict)


def _late(slot: Slot, state: SlotState, known: Known, now: datetime) -> bool:
    if slot.deadline is None or state in QUIET:
        return False
    return (known.receipt.landed_at if known.receipt else now) > slot.deadline
