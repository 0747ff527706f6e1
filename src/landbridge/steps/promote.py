"""How do committed bytes get to where the other side looks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import NotFound
from landbridge.events import log
from landbridge.facts import Released, Verdict
from landbridge.naming import manifest_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.facts import Commitment
    from landbridge.ports import Blob, Place, Store


def promote(commitment: Commitment, manifest: bytes, reports: Store, places: Mapping[str, Place]) -> Released:
    """Copy what was committed to its final, immutable name; then the further places; the manifest last.

    Crash anywhere: the same call again repeats what is missing and converges. Once the manifest is there,
    nothing is copied again, so a file that was reaped after its receipt never comes back.

    Raises:
        StoreConflict: the final name already holds other bytes.
        NotFound: the committed bytes are no longer in staging.
    """
    if commitment.verdict is not Verdict.RELEASE:
        raise ValueError(commitment.verdict)
    name = manifest_key(commitment.slot, commitment.revision)
    known = reports.head(name)
    if known is not None:
        known = reports.put_new(name, manifest)  # the same bytes are fine, others are a conflict
        at = reports.head(commitment.target.key)
        return Released(commitment, at.at if at else commitment.staged, known.at)
    blob = _there(commitment, reports) or _copied(commitment, reports)
    copies = tuple(
        place.deliver(commitment.staged, commitment.target.key, commitment.delivered)
        for place in places.values()
    )
    written = reports.put_new(name, manifest)
    log.info("released", at=str(blob.at), manifest=str(written.at), copies=[str(copy) for copy in copies])
    return Released(commitment, blob.at, written.at, copies)


def _there(commitment: Commitment, reports: Store) -> Blob | None:
    """Give what an earlier try copied: it counts even when staging has forgotten its source."""
    known = reports.head(commitment.target.key)
    same = known and (known.size, known.sha256) == (commitment.delivered.size, commitment.delivered.sha256)
    return known if same else None


def _copied(commitment: Commitment, reports: Store) -> Blob:
    try:
        return reports.copy_new(commitment.staged, commitment.target.key, commitment.delivered)
    except NotFound as error:
        raise NotFound(
            f"the committed bytes of {commitment.slot} revision {commitment.revision} are no longer in staging",
            expected=str(commitment.staged),
            hint=f"staging expired before they were promoted: landbridge redrive {commitment.slot} --reason ...",
        ) from error
