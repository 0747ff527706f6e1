"""How long is kept what has done its service?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from landbridge.feed.words import Declared


class Retention(Declared):
    """What `landbridge reap` may remove, and when. Verdicts, manifests and receipts always stay."""

    outbound_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days that a released file stays in the reports bucket after it landed; one without a valid receipt stays for ever."""
    quarantine_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days that quarantined bytes stay after somebody decided about them; one that nobody decided about stays for ever."""
