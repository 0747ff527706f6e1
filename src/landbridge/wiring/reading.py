"""What may an operator read, and where does it lie?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from landbridge.ledger import Ledger
from landbridge.stores.folder import FolderStore
from landbridge.stores.retried import Retried
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.wiring.receipt_keys import receipt_keys
from landbridge.world import Evidence

if TYPE_CHECKING:
    import boto3

    from landbridge.facts import Location
    from landbridge.project import Declaration, Place
    from landbridge.twin.state import Ground
    from landbridge.wiring.secrets import References


def make(
    declared: Declaration,
    place: Place,
    *,
    session: boto3.Session,
    endpoint: str | None,
    references: References,
    ground: Ground | None,
) -> Evidence:
    """Fill in the read side of one environment; on the twin, with the twin's share and receipt key."""
    account = S3Account(session, endpoint)
    buckets = place.buckets

    def store_of(at: Location) -> Retried:
        parts = urlsplit(at.store)
        if parts.scheme == "file":
            return Retried(FolderStore(Path(unquote(parts.path))))
        return Retried(S3Store(parts.netloc, parts.path.strip("/"), account=account))

    return Evidence(
        environment=place.environment,
        ledger=Ledger(
            Retried(S3Store(buckets.ledger, buckets.ledger_prefix, account=account)), place.environment
        ),
        reports=Retried(S3Store(buckets.reports, account=account)),
        staging=Retried(S3Store(buckets.staging, account=account)),
        receipt_keys=receipt_keys(place, references, ground),
        share=_share(declared, place, references, ground),
        store_of=store_of,
    )


def _share(declared: Declaration, place: Place, references: References, ground: Ground | None) -> Path | None:
    root = ground.share if ground is not None else declared.folder / references.text(place.share.path)
    return root if root.is_dir() else None
