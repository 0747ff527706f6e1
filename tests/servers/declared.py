"""What does a small declaration look like, without files?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.feed import Feed
from landbridge.project import Declaration, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROJECT = {
    "version": 1,
    "project": "acme",
    "buckets": {
        "staging": "acme-{environment}-staging",
        "reports": "acme-{environment}-reports",
        "ledger": "acme-{environment}-ledger",
    },
    "sftp": {
        "host": "sftp.example.internal",
        "user": "acme-collector",
        "private_key": "file:keys/user",
        "host_keys": ["file:keys/host.pub"],
    },
    "share": {
        "path": "share",
        "receipt_key": "file:keys/receipts.pem",
        "receipt_public_keys": ["file:keys/receipts.pub"],
    },
    "environments": {"DEV": {}, "PRD": {}},
}

_FEED = {
    "feed": "orders",
    "owner": "team@example.org",
    "schedule": {"cron": "0 6 * * *", "time_zone": "Europe/London"},
    "sources": {"rows": {"kind": "files", "path": "in/*.csv", "format": "csv"}},
    "file": {"name": "ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}.csv", "folder": "orders"},
    "contract": {"file": "contracts/orders.odcs.yaml"},
}


def feed(**changes: object) -> Feed:
    return Feed.model_validate_json(json.dumps(_FEED | changes))


def declaration(
    *feeds: Feed, folder: Path = Path("/nowhere"), project: Mapping[str, object] | None = None
) -> Declaration:
    """Give a declaration of `feeds` (one small one without any); `project` replaces keys of landbridge.yaml."""
    declared = Project.model_validate_json(json.dumps(_PROJECT | dict(project or {})))
    return Declaration(folder, declared, {one.feed: one for one in feeds or (feed(),)}, digest="0" * 64)
