"""How is something that hangs given up?"""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_T = TypeVar("_T")


class Begun(Generic[_T]):
    """Work that has begun in a thread of its own. What hangs for ever does not keep the program from ending."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self._result: list[_T] = []
        self._error: list[BaseException] = []
        context = contextvars.copy_context()  # what every line of the log carries
        self._thread = threading.Thread(target=context.run, args=(self._do, work), daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most so long, and tell whether it has."""
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def result(self) -> _T:
        """Give its result, or raise what it raised. Only after `wait` said that it has ended."""
        for error in self._error:
            raise error
        return self._result[0]

    def _do(self, work: Callable[[], _T]) -> None:
        with _Kept(self._error):
            self._result.append(work())


class _Kept:
    """Keeps whatever is raised, to be raised again in the thread that asks for the result."""

    def __init__(self, kept: list[BaseException]) -> None:
        self._kept = kept

    def __enter__(self) -> None:
        """Begin to watch."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[True]:
        if error is not None:
            self._kept.append(error)
        return True


def within(seconds: float, work: Callable[[], _T], what: Callable[[], str]) -> _T:
    """Give the result of `work`, which may take at most `seconds`.

    Raises:
        Unavailable: it took longer; `what` says then what was given up.
    """
    begun = Begun(work)
    if not begun.wait(seconds):
        raise Unavailable(
            f"{what()} was given up after {seconds:g} s",
            hint="it may hang: a mount, a line or a service that gives no answer",
        )
    return begun.result()
