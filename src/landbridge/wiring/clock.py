"""What time is it?"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """This machine's clock; obeys ports.Clock."""

    def now(self) -> datetime:
        """Give the current instant in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
