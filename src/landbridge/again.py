"""How is a call tried again while it is Unavailable? What every wrapper around a port that retries stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from landbridge.retries import stamina

_T = TypeVar("_T")


def _never() -> bool:
    return False


class _First:
    """The first try, which counts nothing."""

    failed: Unavailable | None = None

    def __enter__(self) -> None: ...

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> bool:
        self.failed = error if isinstance(error, Unavailable) else None
        return self.failed is not None


@dataclass(frozen=True, slots=True)
class Again:
    """How often and how long something is tried, with growing pauses and jitter, while it is Unavailable."""

    attempts: int
    """Tries at most, the first one included."""
    seconds: float | None
    """After the first failure no try begins later; None for no limit."""
    longest_pause: float
    """Seconds."""
    over: Callable[[], bool] = _never
    """Whether nothing is to be tried any more."""

    def tries(self) -> Iterator[AbstractContextManager[object]]:
        """Give the tries, each a `with` around what is tried."""
        first = _First()
        yield first
        if first.failed is not None:
            for attempt in self._counted():
                if first.failed is None:
                    yield attempt
                    continue
                error, first.failed = first.failed, None
                with attempt:
                    raise error

    def _counted(self) -> Iterable[stamina.Attempt]:
        # 40 ms of CPU with its asyncio, which most processes can do without: nothing fails in them.
        from landbridge.retries import stamina

        # Not the decorator: it would write the arguments, bodies among them, into the log.
        return stamina.retry_context(
            on=self._may_pass,
            attempts=self.attempts,
            timeout=self.seconds,
            wait_initial=0.2,
            wait_max=self.longest_pause,
        )

    def call(self, once: Callable[[], _T]) -> _T:
        """Give what `once` gives, or raise what its last try raised."""
        for attempt in self.tries():
            with attempt:
                return once()
        raise AssertionError  # the last attempt either returns or raises

    def _may_pass(self, error: Exception) -> bool:
        return isinstance(error, Unavailable) and not self.over()
