"""What does the removal of files that have had their time stand on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.schedule import slot_named
from landbridge.stores.retried import Retried
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.wiring import choice, reading
from landbridge.world import Reaping

if TYPE_CHECKING:
    import boto3

    from landbridge.facts import Slot
    from landbridge.project import Declaration, Place
    from landbridge.twin.state import Ground
    from landbridge.wiring.process import Process
    from landbridge.wiring.secrets import References


def make(
    declared: Declaration,
    place: Place,
    *,
    session: boto3.Session,
    endpoint: str | None,
    references: References,
    process: Process,
    ground: Ground | None,
) -> Reaping:
    """Fill in the ports; nobody is connected to before the first call."""
    account = S3Account(session, endpoint)

    def slot_of(feed: str, occurrence: str) -> Slot | None:
        known = declared.feeds.get(feed)
        try:
            return slot_named(known, choice.calendar(declared, known), occurrence) if known else None
        except UsageError:  # today's schedule has no such slot
            return None

    return Reaping(
        retention=place.retention,
        staging_days=declared.project.staging_days,
        evidence=reading.make(
            declared, place, session=session, endpoint=endpoint, references=references, ground=ground
        ),
        reports=Retried(S3Store(place.buckets.reports, account=account)),
        staging=Retried(S3Store(place.buckets.staging, account=account)),
        slot_of=slot_of,
        now=process.clock.now(),
        progress=process.progress,
    )
