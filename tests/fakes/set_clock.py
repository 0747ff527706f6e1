"""A clock that tests set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SetClock:
    """Obeys ports.Clock; each look takes a millisecond, so that instants differ."""

    def __init__(self, now: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
