"""What became of every slot of a period, who decided it, and how far is it proved? One row a slot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.facts import Download, SlotState, Verdict
from landbridge.ledger import brought_fact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from landbridge.facts import Brought
    from landbridge.standing import Standing
    from landbridge.world import Evidence

_AT_ONCE = 16
_ENDS = frozenset(
    {
        SlotState.DELIVERED,
        SlotState.SKIPPED,
        SlotState.QUARANTINED,
        SlotState.WAIVED,
        SlotState.MISSING,
    }
)


class Proof(StrEnum):
    """How far the end of a slot is proved."""

    WHOLE = "whole"
    """The slot has ended, and everything that its end calls for is on record and holds."""
    OPEN = "open"
    """It has not ended yet."""
    NONE = "none"
    """It ended without anything on record: it is missing."""
    BROKEN = "broken"
    """Something on record cannot be believed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One slot, as an auditor reads it. What is not known is None, or empty text."""

    slot: str
    feed: str
    environment: str
    business_date: date
    scheduled_at: datetime
    deadline: datetime | None
    scheduled: bool
    """False for a slot that the ledger knows and today's schedule does not."""
    state: SlotState
    ended: bool
    late: bool
    revision: int | None
    verdict: Verdict | None
    decided_at: datetime | None
    actor: str
    reason: str
    """Why, for what a person decided."""
    contract_met: bool | None
    """Whether the bytes that were decided about met their contract; False with the verdict `release` is a release from quarantine."""
    file: str
    rows: int | None
    """None also where only an earlier revision landed: its receipt does not say."""
    size: int | None
    """Bytes."""
    sha256: str
    """Of what landed; before that, of what was to be delivered."""
    contract: str
    """Name and version of the contract."""
    contract_sha256: str
    commitment: str
    """sha256 of the ledger's entry."""
    landed_revision: int | None
    """An earlier one than `revision` where a correction came to nothing and what had landed stands."""
    brought: str
    """How the bytes came that landed: `download`, or `taken` (out of holding, another mover brought them); empty where nobody knows."""
    brought_at: datetime | None
    """When they had come."""
    brought_from: str
    """The server, or the path in holding."""
    landed_at: datetime | None
    collector: str
    failed_at: datetime | None
    """Of the last attempt that failed, where no later one has come to its end: why a slot is missing or late."""
    failed_step: str
    failed_exit: int | None
    failed_reason: str
    evidence: Proof
    doubt: str
    """Why something on record cannot be believed."""


def audit(standings: Sequence[Standing], evidence: Evidence) -> list[Row]:
    """Give a row for each slot, in the order given."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda one: _row(one, evidence), standings))


def proof_of(standing: Standing) -> Proof:
    """Judge how far the end of a slot is proved. Pure."""
    known = standing.known
    if known.doubt:
        return Proof.BROKEN
    if standing.state not in _ENDS:
        return Proof.OPEN
    return Proof.WHOLE if known.commitment else Proof.NONE


def _row(standing: Standing, evidence: Evidence) -> Row:
    slot, commitment, receipt, file = standing.slot, standing.known.commitment, standing.landed, standing.file
    failed = standing.known.failed
    report = commitment.report if commitment and commitment.verdict is not Verdict.WAIVE else None
    brought = receipt.brought if receipt else None
    return Row(
        slot=str(slot),
        feed=slot.feed,
        environment=evidence.environment,
        business_date=slot.business_date,
        scheduled_at=slot.scheduled_at,
        deadline=slot.deadline,
        scheduled=standing.scheduled,
        state=standing.state,
        ended=standing.state in _ENDS,
        late=standing.late,
        revision=commitment.revision if commitment else None,
        verdict=commitment.verdict if commitment else None,
        decided_at=commitment.committed_at if commitment else None,
        actor=commitment.actor if commitment else "",
        reason=commitment.reason if commitment else "",
        contract_met=report.passed if report else None,
        file=file.name if file else "",
        rows=file.rows if file else None,
        size=file.size if file else None,
        sha256=file.sha256 if file else "",
        contract=f"{report.contract} {report.contract_version}".strip() if report else "",
        contract_sha256=commitment.contract if commitment else "",
        commitment=evidence.ledger.digest(commitment) if commitment else "",
        landed_revision=receipt.revision if receipt else None,
        brought=brought_fact(brought)[0] if brought else "",
        brought_at=brought.ended_at if brought else None,
        brought_from=_place(brought) if brought else "",
        landed_at=receipt.landed_at if receipt else None,
        collector=receipt.collector if receipt else "",
        failed_at=failed.failed_at if failed else None,
        failed_step=failed.step if failed else "",
        failed_exit=failed.exit if failed else None,
        failed_reason=failed.reason if failed else "",
        evidence=proof_of(standing),
        doubt=standing.known.doubt,
    )


def _place(brought: Brought) -> str:
    if not isinstance(brought, Download):
        return brought.holding
    server = brought.server
    return f"sftp://{server.account}@{server.host}:{server.port}"
