"""Feeds for tests of schedules, names and plans: a small whole one, with what differs."""

from __future__ import annotations

import json
from typing import Any

from landbridge.feed import Feed

LONDON = "Europe/London"


def feed(schedule: dict[str, Any] | None = None, **file: Any) -> Feed:
    """Declare a feed with this schedule and these settings of its file."""
    declared = {
        "feed": "flights",
        "owner": "team@example.org",
        "schedule": {"cron": "0 6 * * *", **(schedule or {})},
        "sources": {"rows": {"kind": "files", "path": "in.csv", "format": "csv"}},
        "file": {"name": "F_{business_date:%Y%m%d}_{revision:03d}.csv", "folder": "flights", **file},
        "contract": {"file": "contracts/flights.odcs.yaml"},
    }
    return Feed.model_validate_json(json.dumps(declared))
