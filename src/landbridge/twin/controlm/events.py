"""Which events are there, for which order date, and is a job's wish for them met?"""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - as date
from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - a dataclass is read by people, and by pydantic


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the order date of the job that adds it, or waits for it."""

    name: str


@dataclass(slots=True)
class Events:
    """The table of events."""

    _there: set[tuple[str, date]] = field(default_factory=set, init=False)

    def add(self, event: Event, order_date: date) -> None:
        """Add one. Idempotent."""
        self._there.add((event.name, order_date))

    def met(self, wanted: Iterable[Event], order_date: date) -> bool:
        """Tell whether all that is waited for is there."""
        return all((each.name, order_date) in self._there for each in wanted)

    def forget(self, before: date) -> None:
        """Drop what is older than a year would be in the condition table: nothing waits for it any more."""
        self._there = {(name, on) for name, on in self._there if on >= before}

    @property
    def there(self) -> list[tuple[str, date]]:
        """Give all of them."""
        return sorted(self._there)
