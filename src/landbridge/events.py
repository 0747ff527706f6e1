"""What has happened, one event a step, for whoever listens to this process? Nobody does until `listen` says so.

log.info("staged", size=7)          # at a step
with about(feed="trades"): ...      # what every event in it is about
listen(write, "info")               # from now on `write` is given each event from this level on, as one mapping
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LEVELS: Final = MappingProxyType({"debug": 10, "info": 20, "warning": 30, "error": 40})

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_ABOUT: ContextVar[Mapping[str, object]] = ContextVar("about", default=_NOTHING)


def context() -> Mapping[str, object]:
    """Give what every event here is about. A thread has it only when it runs in a copy of its maker's context."""
    return _ABOUT.get()


@contextmanager
def about(**words: object) -> Iterator[None]:
    """Put more words on every event within."""
    before = _ABOUT.set({**context(), **words})
    try:
        yield
    finally:
        _ABOUT.reset(before)


class Log:
    """Where a step says what has happened: a name of the event, and its facts."""

    def __init__(self) -> None:
        self._write: Callable[[dict[str, object]], object] | None = None
        self._lowest = 0

    def listen(
        self, write: Callable[[dict[str, object]], object] | None, lowest: str, **words: object
    ) -> None:
        """Give each event from this level on to `write`, and to nobody else; None: to nobody.

        `words` are on every event of this context from now on, in place of those before. `write` is called in the
        thread of the step, by several threads at once.
        """
        self._write, self._lowest = write, LEVELS[lowest]
        _ABOUT.set(words)

    def debug(self, event: str, **facts: object) -> None:
        """Say what only who looks for a mistake wants to know."""
        self._say("debug", event, facts)

    def info(self, event: str, **facts: object) -> None:
        """Say that a step is done."""
        self._say("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Say what somebody should look at, though the command goes on."""
        self._say("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Say what has failed."""
        self._say("error", event, facts)

    def _say(self, level: str, event: str, facts: Mapping[str, object]) -> None:
        write = self._write
        if write is not None and LEVELS[level] >= self._lowest:
            write({**context(), **facts, "event": event, "level": level})


log: Final = Log()
"""The one log of this process."""
listen: Final = log.listen
