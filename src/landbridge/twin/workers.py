"""Who does what takes time on the twin's schedulers? Both obey agenda.Workers."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

AT_ONCE = 8
"""Commands and transfers under way while a twin is up."""


class Inline:
    """The caller does it, at once: of a simulation, whose clock stands meanwhile."""

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Do it; an error of it goes to the caller."""
        done: Future[T] = Future()
        done.set_result(work())
        return done


@dataclass(slots=True)
class Threads:
    """Threads that live until `close`: a process that one of them starts ends with it (child.start)."""

    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="twin"), init=False
    )

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Have one of them do it."""
        return self._pool.submit(work)

    def close(self) -> None:
        """Wait for what is under way, begin nothing else."""
        self._pool.shutdown(cancel_futures=True)
