"""What does the on-prem side hear of a revision that brings no file, and may what it was sent be believed?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from landbridge.facts import Absence, Verdict
from landbridge.ledger import entries
from landbridge.ledger.manifests import MOST, misnamed

if TYPE_CHECKING:
    from landbridge.facts import Commitment


def absence_bytes(commitment: Commitment, digest: str) -> bytes:
    """Give the absence as it is written, of a revision without a file whose stored bytes have the sha256 `digest`.

    The same commitment always gives the same bytes. The reason is not in it: it was written for whoever reads the ledger.
    """
    slot, verdict = commitment.slot, commitment.verdict
    if verdict is Verdict.RELEASE:
        raise ValueError(verdict)
    return entries.written(
        "absence",
        Absence(
            feed=slot.feed,
            occurrence=slot.occurrence,
            business_date=slot.business_date,
            revision=commitment.revision,
            environment=commitment.environment,
            verdict=verdict,
            committed_at=commitment.committed_at,
            commitment=digest,
        ),
    )


def absence_from(body: bytes, name: str) -> Absence:
    """Read an absence that came from the other side under the file name `name`. Nothing in it is trusted.

    Raises:
        IntegrityBroken: too large, not an absence, a value out of bounds, or one under another one's name.
    """
    where = f"the absence {name!r:.120}"
    found = entries.read("absence", Absence, body, where, most=MOST)
    if problem := misnamed(found, name):
        raise entries.broken(where, "an absence of this name and within bounds", problem)
    return replace(found, committed_at=found.committed_at.astimezone(UTC))
