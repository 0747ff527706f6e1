"""What happens next on the twin's schedulers, and when?

One agenda drives the CronJobs and Control-M alike: with the machine's clock while a twin is up, or with a clock that jumps
from one happening to the next, so that a month passes in minutes.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime, timedelta

T = TypeVar("T")


class Workers(Protocol):
    """Who does what takes time: threads while a twin is up, the caller itself in a simulation."""

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Begin `work`, and give what it will come to. Work that fails is a bug; its error comes out of the future."""
        ...


@dataclass(slots=True)
class Agenda:
    """What is to happen, in order of time; at the same instant, in the order in which it was entered. Used from one thread."""

    now: datetime
    """Of what is happening, in UTC."""
    workers: Workers
    _entries: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list, init=False)
    _count: int = field(default=0, init=False)
    _open: list[tuple[Future[object], Callable[[], None]]] = field(default_factory=list, init=False)

    def at(self, instant: datetime, what: Callable[[], None]) -> None:
        """Enter `what` for an instant; one that has passed counts as now."""
        self._count += 1
        heapq.heappush(self._entries, (max(instant, self.now), self._count, what))

    def after(self, length: timedelta, what: Callable[[], None]) -> None:
        """Enter `what` for `length` from now."""
        self.at(self.now + length, what)

    def do(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Have `work` done, and call `then` with what it came to: at once when it is done at once."""
        future = self.workers.begin(work)
        if future.done():
            then(future.result())
        else:
            self._open.append((future, lambda: then(future.result())))  # type: ignore[arg-type] # only waited for

    @property
    def busy(self) -> bool:
        """Tell whether work is under way."""
        return bool(self._open)

    @property
    def next(self) -> datetime | None:
        """When the next entry is due; None when there is none."""
        return self._entries[0][0] if self._entries else None

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due up to `until`, and what has been done meanwhile be followed up."""
        self._follow_up()
        while self._entries and self._entries[0][0] <= until:
            instant, _, what = heapq.heappop(self._entries)
            self.now = max(self.now, instant)
            what()
        self.now = max(self.now, until)
        self._follow_up()

    def _follow_up(self) -> None:
        over = [entry for entry in self._open if entry[0].done()]
        self._open = [entry for entry in self._open if not entry[0].done()]
        for _, then in over:
            then()
