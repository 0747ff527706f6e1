"""How does the other side hear whether a file of a slot comes? It sees the reports bucket alone, where a skip and a waiver leave no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.events import log
from landbridge.naming import absence_key

if TYPE_CHECKING:
    from landbridge.facts import Commitment
    from landbridge.ports import Store


def tell(commitment: Commitment, absence: bytes | None, reports: Store) -> None:
    """Write the absence of a slot that owes no file, or that takes one back, where a collector looks; without one there is nothing to tell.

    After the commit, so that what is told is on record. Crash before it: the same run or decision again writes it, with
    the same bytes. It is never removed: the one of a later revision takes it back, and the manifest of any undoes it.

    Raises:
        StoreConflict: another absence stands there.
    """
    if absence is None:
        return
    written = reports.put_new(absence_key(commitment.slot, commitment.revision), absence)
    log.info("told", at=str(written.at), verdict=commitment.verdict.value)
