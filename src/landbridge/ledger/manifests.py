"""What does the on-prem side need to know of a released file, and may what it was sent be believed?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.facts import Manifest
from landbridge.ledger import entries
from landbridge.naming import OUTBOUND, hostile_name, manifest_name

if TYPE_CHECKING:
    from landbridge.facts import Absence, Commitment

MOST = 64 << 10
"""Bytes of a manifest."""

_LARGEST = 50 * 10**12
"""Bytes; S3 keeps no larger object."""
_MOST_REVISION = 9999
_LONGEST_PATH = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FEED = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_OCCURRENCE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}T\d{4}Z")
_ENVIRONMENT = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}")


def manifest_for(commitment: Commitment, digest: str) -> Manifest:
    """Say what the collector has to know of a commitment whose stored bytes have the sha256 `digest`."""
    slot, target = commitment.slot, commitment.target
    return Manifest(
        feed=slot.feed,
        occurrence=slot.occurrence,
        business_date=slot.business_date,
        revision=commitment.revision,
        environment=commitment.environment,
        remote_path=f"/{target.key}",
        landed_name=target.landed_name,
        done_name=target.done_name,
        size=commitment.delivered.size,
        sha256=commitment.delivered.sha256,
        rows=commitment.delivered.rows,
        committed_at=commitment.committed_at,
        deadline=slot.deadline,
        commitment=digest,
    )


def manifest_bytes(commitment: Commitment, digest: str) -> bytes:
    """Give the manifest as it is written: the same commitment always gives the same bytes."""
    return entries.written("manifest", manifest_for(commitment, digest))


def manifest_from(body: bytes, name: str) -> Manifest:
    """Read a manifest that came from the other side under the file name `name`. Nothing in it is trusted.

    Raises:
        IntegrityBroken: too large, not a manifest, a value out of bounds, a name that is not plain, a path outside
            `/outbound/`, or a manifest under another one's name.
    """
    found = entries.read("manifest", Manifest, body, f"the manifest {name!r:.120}", most=MOST)
    problem = misnamed(found, name) or _problem(found)
    if problem:
        raise entries.broken(
            f"the manifest {name!r:.120}", "a manifest of this name and within bounds", problem
        )
    for path in (
        found.remote_path.removeprefix(f"/{OUTBOUND}/"),
        found.landed_name,
        found.done_name or "done",
    ):
        for part in path.split("/"):
            hostile_name(part)
    return replace(
        found,
        committed_at=found.committed_at.astimezone(UTC),
        deadline=found.deadline.astimezone(UTC) if found.deadline else None,
    )


def misnamed(found: Manifest | Absence, name: str) -> str:
    """Say which of the values that name a revision is out of bounds, or that `name` is another one's; or nothing."""
    wrong = {
        "feed": not _FEED.fullmatch(found.feed),
        "occurrence": not _OCCURRENCE.fullmatch(found.occurrence),
        "environment": not _ENVIRONMENT.fullmatch(found.environment),
        "revision": not 1 <= found.revision <= _MOST_REVISION,
        "commitment": not _SHA256.fullmatch(found.commitment),
        "committed_at": not _aware(found.committed_at),
    }
    if bad := [field for field, is_wrong in wrong.items() if is_wrong]:
        return f"`{bad[0]}` is out of bounds"
    if name != manifest_name(found.feed, found.occurrence, found.revision):
        return f"it speaks of {found.feed}/{found.occurrence} revision {found.revision}"
    return ""


def _problem(found: Manifest) -> str:
    """Say which of the values that tell of the file is out of bounds, or nothing."""
    wrong = {
        "size": not 0 <= found.size <= _LARGEST,
        "rows": not 0 <= found.rows <= _LARGEST,
        "sha256": not _SHA256.fullmatch(found.sha256),
        "remote_path": not found.remote_path.startswith(f"/{OUTBOUND}/"),
        "deadline": found.deadline is not None and not _aware(found.deadline),
        "done_name": found.done_name == found.landed_name,
    }
    wrong |= {
        path: True
        for path in ("remote_path", "landed_name", "done_name")
        if len(getattr(found, path).encode()) > _LONGEST_PATH
    }
    bad = [field for field, is_wrong in wrong.items() if is_wrong]
    return f"`{bad[0]}` is out of bounds" if bad else ""


def _aware(instant: datetime) -> bool:
    return instant.tzinfo is not None
