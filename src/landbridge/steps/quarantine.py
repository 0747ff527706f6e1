"""Where is a file kept that broke its contract?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.events import log
from landbridge.naming import quarantine_key

if TYPE_CHECKING:
    from landbridge.facts import Breached
    from landbridge.ports import Store


def keep(breached: Breached, staging: Store, suffix: str) -> Breached:
    """Copy the staged bytes to the quarantine prefix, which does not expire. Idempotent.

    Done before the commit, so that a verdict never points at bytes that are gone.
    """
    staged = breached.staged
    key = quarantine_key(staged.slot, staged.content.sha256, suffix)
    blob = staging.copy_new(staged.at, key, staged.content)
    log.warning(
        "quarantined", at=str(blob.at), rules=[rule.rule for rule in breached.report.rules if not rule.passed]
    )
    return replace(breached, staged=replace(staged, at=blob.at))
