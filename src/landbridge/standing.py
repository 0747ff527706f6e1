"""Where does each slot stand? Pure: what is known of a slot, and the time, give its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from landbridge.facts import SlotState, Verdict

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from landbridge.facts import Commitment, Failure, Receipt, Slot

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
    earlier: tuple[Receipt, ...] = ()
    """Of the revisions before it, the oldest first; those whose signature holds."""
    failed: Failure | None = None
    """The last attempt that failed, where none has come to its end since: why there is no verdict, or no release of one."""
    doubt: str = ""
    """Why something on record cannot be believed: a receipt that does not hold, an entry of the ledger that was changed."""

    @property
    def in_force(self) -> Receipt | None:
        """The receipt of the file that the consumer has and is to go by.

        The newest revision's. Where that brings no file (rejected, skipped, waived, in quarantine), the one that landed last before
        it. None while a released revision has not landed: it supersedes what has.
        """
        if self.receipt or not self.earlier:
            return self.receipt
        decided = self.commitment
        return None if decided and decided.verdict is Verdict.RELEASE else self.earlier[-1]


@dataclass(frozen=True, slots=True)
class SlotFile:
    """The file that landed for a slot; before that, the one its last verdict is about."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    rows: int | None
    """None for what an earlier revision landed: its receipt does not say."""


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
    def verdict(self) -> Verdict | None:
        """What was decided last, if anything was."""
        return self.known.commitment.verdict if self.known.commitment else None

    @property
    def landed(self) -> Receipt | None:
        """The receipt of the file in force; None as long as none has landed, or a correction is on its way."""
        return self.known.in_force

    @property
    def file(self) -> SlotFile | None:
        """Which file is in force, or will be; None where nothing was decided, or a waiver says that none will come."""
        decided, landed = self.known.commitment, self.landed
        rows = decided.delivered.rows if decided else None
        if landed is not None:
            same = decided is not None and decided.revision == landed.revision
            return SlotFile(landed.landed_path, landed.size, landed.sha256, rows if same else None)
        if decided is None or decided.verdict is Verdict.WAIVE:
            return None
        content = decided.delivered
        return SlotFile(decided.target.landed_name, content.size, content.sha256, rows)

    @property
    def alarming(self) -> bool:
        """Tell whether somebody has to look: late, missing, in quarantine and not decided on, or with a receipt that does not hold."""
        undecided = self.state is SlotState.MISSING or self.verdict is Verdict.QUARANTINE
        return self.late or undecided or bool(self.known.doubt)


def why_not(failed: Failure) -> str:
    """Say in one line why an attempt came to nothing."""
    return f"{failed.step} failed, exit code {failed.exit}: {failed.reason}"


def standing(
    slot: Slot, known: Known, *, now: datetime, missing_after: timedelta, scheduled: bool = True
) -> Standing:
    """Judge one slot at `now`.

    A slot without any verdict is missing `missing_after` its deadline (or its time, without a deadline).
    Late: no file of it was on the share at the deadline, whatever happened since. The correction of a file that had come in
    time is late as long as it is not there `missing_after` its commit.
    """
    state = _state(slot, known, now, missing_after)
    return Standing(slot, state, _late(slot, state, known, now, missing_after), known, scheduled)


def _state(slot: Slot, known: Known, now: datetime, missing_after: timedelta) -> SlotState:
    if known.commitment is None:
        if now < slot.scheduled_at:
            return SlotState.UPCOMING
        overdue = now > (slot.deadline or slot.scheduled_at) + missing_after
        return SlotState.MISSING if overdue else SlotState.DUE
    match known.commitment.verdict:
        case Verdict.SKIP | Verdict.REJECT | Verdict.WAIVE if known.earlier:
            return SlotState.DELIVERED  # nothing came of a correction: what landed before stands
        case Verdict.SKIP:
            return SlotState.SKIPPED
        case Verdict.QUARANTINE | Verdict.REJECT:
            return SlotState.QUARANTINED
        case Verdict.WAIVE:
            return SlotState.WAIVED
        case Verdict.RELEASE if known.receipt is not None:
            return SlotState.DELIVERED
        case Verdict.RELEASE:
            return SlotState.RELEASED if known.released else SlotState.COMMITTED
        case _:
            assert_never(known.commitment.verdict)


def _late(slot: Slot, state: SlotState, known: Known, now: datetime, missing_after: timedelta) -> bool:
    if slot.deadline is None or state in QUIET:
        return False
    decided = known.commitment
    receipts = (*known.earlier, known.receipt) if known.receipt else known.earlier
    if receipts and min(receipt.landed_at for receipt in receipts) <= slot.deadline:
        if decided is None or state is SlotState.DELIVERED:
            return False
        return now > decided.committed_at + missing_after
    if decided is not None and decided.verdict is Verdict.REJECT and not receipts:
        return False  # somebody has decided that this file is not to come: nobody waits for it
    return (receipts[0].landed_at if receipts else now) > slot.deadline
