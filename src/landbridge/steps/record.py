"""What does a release leave on record, so that it can be proved when the file itself is long gone?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from landbridge.facts import Promotion
from landbridge.steps.runs import Runs

if TYPE_CHECKING:
    from landbridge.facts import Released


class Records(Protocol):
    """The ledger, as far as a release needs it."""

    def record_promotion(self, promotion: Promotion) -> None:
        """Write it down, unless an earlier run has."""
        ...


class By(Runs, Protocol):
    """Who promoted, where and when."""

    @property
    def ledger(self) -> Records:
        """Where it is written down."""
        ...


def record(released: Released, manifest: bytes, digest: str, by: By) -> None:
    """Write down key, version and ETag of what was released, once; the first record stands. Idempotent.

    `digest` is the sha256 of the commitment as the ledger holds it.

    After the manifest: a crash in between leaves a released file without its record, and the next run writes it, as long
    as the file is there to be described.
    """
    commitment = released.commitment
    if released.at.key != commitment.target.key:
        return  # its retention period has passed: there is nothing left to describe
    by.ledger.record_promotion(
        Promotion(
            slot=commitment.slot,
            revision=commitment.revision,
            environment=commitment.environment,
            at=released.at,
            content=commitment.delivered,
            manifest=released.manifest,
            manifest_sha256=hashlib.sha256(manifest).hexdigest(),
            copies=released.copies,
            run_id=by.run_id,
            actor=by.actor,
            promoted_at=by.clock.now(),
            commitment=digest,
        )
    )
