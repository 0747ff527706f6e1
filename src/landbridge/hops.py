"""Which way did a file go? Every hop of one revision, from what the ledger, the stores and the receipt say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.errors import IntegrityBroken
from landbridge.facts import OWES_NOTHING, Download, Verdict
from landbridge.naming import absence_key, manifest_key
from landbridge.survey import receipt_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from landbridge.facts import Brought, Commitment, Failure
    from landbridge.world import Evidence


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a file's way."""

    name: str
    at: datetime | None
    who: str
    where: str
    rows: int | None = None
    size: int | None = None
    """Bytes."""
    sha256: str = ""


def hops(commitment: Commitment, evidence: Evidence, failures: Sequence[Failure] = ()) -> list[Hop]:
    """Give the way of one revision so far, in order, with the attempts on its slot that failed."""
    own = [one for one in failures if one.revision == commitment.revision]
    before = [one for one in own if one.failed_at <= commitment.committed_at]
    after = own[len(before) :]
    return [*map(failed, before), *_made(commitment), *map(failed, after), *_moved(commitment, evidence)]


def failed(failure: Failure) -> Hop:
    """Give an attempt that came to nothing."""
    who = f"{failure.actor} {failure.run_id}"
    return Hop(
        f"{failure.step} failed", failure.failed_at, who, f"exit code {failure.exit}: {failure.reason}"
    )


def _made(commitment: Commitment) -> Iterator[Hop]:
    """What was made and judged. A waiver and a rejection make nothing: they are decisions alone."""
    if commitment.verdict in {Verdict.REJECT, Verdict.WAIVE}:
        yield Hop(
            f"verdict {commitment.verdict}",
            commitment.committed_at,
            f"{commitment.actor} {commitment.run_id}",
            commitment.reason,
        )
        return
    for source in commitment.sources:
        where = " ".join(source.query.split())
        yield Hop(
            f"source {source.name}",
            source.ended_at,
            source.kind,
            where,
            rows=source.rows,
            sha256=source.sha256,
        )
    plain, travels = commitment.plain, commitment.delivered
    passed = sum(rule.passed for rule in commitment.report.rules)
    yield Hop(
        "validated",
        commitment.committed_at,
        f"{commitment.report.contract} {commitment.report.contract_version}",
        f"{passed} of {counted(len(commitment.report.rules), 'rule holds', 'rules hold')}",
        plain.rows,
        plain.size,
        plain.sha256,
    )
    if commitment.recipients:
        where = ", ".join(commitment.recipients)
        yield Hop(
            "encrypted",
            commitment.committed_at,
            commitment.actor,
            f"to {where}",
            None,
            travels.size,
            travels.sha256,
        )
    yield Hop(
        f"verdict {commitment.verdict}",
        commitment.committed_at,
        f"{commitment.actor} {commitment.run_id}",
        commitment.reason or str(commitment.staged),
        travels.rows,
        travels.size,
        travels.sha256,
    )


def _moved(commitment: Commitment, evidence: Evidence) -> Iterator[Hop]:
    if commitment.verdict is not Verdict.RELEASE:
        if absence := evidence.reports.head(absence_key(commitment.slot, commitment.revision)):
            what = "absence" if commitment.verdict in OWES_NOTHING else "absence taken back"
            yield Hop("told", absence.modified_at, what, str(absence.at))
        return
    if blob := evidence.reports.head(commitment.target.key):
        version = f" version {blob.at.version}" if blob.at.version else ""
        yield Hop("copied", blob.modified_at, "S3", f"{blob.at}{version}", None, blob.size, blob.sha256)
    if manifest := evidence.reports.head(manifest_key(commitment.slot, commitment.revision)):
        yield Hop("released", manifest.modified_at, "manifest", str(manifest.at), commitment.delivered.rows)
    try:
        receipt = receipt_of(commitment, evidence)
    except IntegrityBroken as error:
        yield Hop("receipt refused", None, "", str(error))
        return
    if receipt:
        if receipt.brought:
            yield _brought(receipt.brought)
        yield Hop(
            "landed",
            receipt.landed_at,
            receipt.collector,
            receipt.landed_path,
            None,
            receipt.size,
            receipt.sha256,
        )


def _brought(brought: Brought) -> Hop:
    if isinstance(brought, Download):
        server = brought.server
        where = f"sftp://{server.account}@{server.host}:{server.port}{brought.remote_path} {server.host_key}"
        if brought.resumed_from:
            where += f", resumed from byte {brought.resumed_from:,}"
        if brought.attempts > 1:
            where += f", {brought.attempts} attempts"
        name = "downloaded"
    else:
        name, where = "from holding", f"{brought.holding}, put there by another mover"
    return Hop(name, brought.ended_at, brought.collector, where, None, brought.size, brought.sha256)
