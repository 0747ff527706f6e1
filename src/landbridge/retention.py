"""How long is kept what has done its service?"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from landbridge.cron import check_cron
from landbridge.errors import UsageError
from landbridge.feed.words import Declared


def _fires(cron: str) -> str:
    try:
        check_cron(cron)
    except UsageError as error:
        message = f"{error.what}; expected {error.expected}"
        raise ValueError(message) from error
    return cron


class Retention(Declared):
    """What `landbridge reap` may remove, and when. Verdicts, manifests and receipts always stay."""

    outbound_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days that a released file stays in the reports bucket after it landed; one without a valid receipt stays for ever."""
    quarantine_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days that quarantined bytes stay after somebody decided about them; one that nobody decided about stays for ever."""
    schedule: Annotated[str, AfterValidator(_fires)] | None = None
    """When the cluster runs `landbridge reap --apply`: five fields, as in cron, in UTC, such as `0 3 * * *`. Without it nothing is removed until somebody does."""
