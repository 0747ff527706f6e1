"""How is a call tried again while it is Unavailable? What every wrapper around a port that retries stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import stamina

_T = TypeVar("_T")


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Again:
    """How often and how long something is tried, with growing pauses and jitter, while it is Unavailable."""

    attempts: int
    """Tries at most, the first one included."""
    seconds: float | None
    """No try begins later; None for no limit."""
    longest_pause: float
    """Seconds."""
    over: Callable[[], bool] = _never
    """Whether nothing is to be tried any more."""

    def tries(self) -> Iterable[stamina.Attempt]:
        """Give the tries, each a `with` around what is tried."""
        import stamina  # 25 ms, which most processes can do without: nothing fails in them

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
        # The first try needs none of what counts tries, which costs as much as a tenth of a small request.
        failed: list[Unavailable] = []
        try:
            return once()
        except Unavailable as error:
            failed.append(error)
        for attempt in self.tries():
            with attempt:
                if failed:
                    raise failed.pop()
                return once()
        raise AssertionError  # the last attempt either returns or raises

    def _may_pass(self, error: Exception) -> bool:
        return isinstance(error, Unavailable) and not self.over()
