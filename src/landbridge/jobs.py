"""How does a run go in halves, for teams that schedule generation, validation and promotion as separate jobs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import TryAgain
from landbridge.facts import Attempt
from landbridge.run import carry_on, commit, make
from landbridge.steps.failing import failing

if TYPE_CHECKING:
    from landbridge.facts import Commitment, Released, Slot
    from landbridge.feed import Feed
    from landbridge.world import Cloud


def run_generate(feed: Feed, slot: Slot, cloud: Cloud) -> Attempt | Commitment:
    """Leave a staged file and a durable record of it, unless the slot has its verdict."""
    if known := cloud.ledger.newest(slot):
        return known
    attempt = Attempt(make(feed, slot, cloud), cloud.run_id, cloud.clock.now())
    cloud.ledger.record_attempt(attempt)
    return attempt


def run_validate(feed: Feed, slot: Slot, cloud: Cloud) -> Commitment:
    """Judge the newest staged file and commit, unless the slot has its verdict.

    Raises:
        TryAgain: nothing was generated yet.
    """
    if known := cloud.ledger.newest(slot):
        return known
    attempt = cloud.ledger.newest_attempt(slot)
    if attempt is None:
        with failing("validate", slot, cloud):
            raise TryAgain(
                f"{slot} has no staged file yet",
                hint=f"first: landbridge run {slot.feed} --date {slot.occurrence} --step generate",
            )
    return commit(feed, attempt.staged, cloud)


def run_promote(feed: Feed, slot: Slot, cloud: Cloud) -> Commitment | Released:
    """Carry the verdict on.

    Raises:
        TryAgain: the slot has no verdict yet.
    """
    known = cloud.ledger.newest(slot)
    if known is None:
        with failing("promote", slot, cloud):
            raise TryAgain(
                f"{slot} has no verdict yet",
                hint=f"first: landbridge run {slot.feed} --date {slot.occurrence} --step validate",
            )
    return carry_on(feed, known, cloud)
