"""How are pieces of work done on all processors, and given up at once when somebody stops listening?"""

from __future__ import annotations

import os
import signal
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

_T = TypeVar("_T")
_U = TypeVar("_U")


def spread(work: Callable[[_T], _U], pieces: Iterable[_T]) -> Iterator[_U]:
    """Give `work` of every piece, in order, worked out by one process a processor.

    The first piece that raises ends it with what it raised. Then, or when whoever listens stops (Ctrl-C), pieces that
    have not begun never do, and those under way are awaited: they should take seconds.
    """
    most = os.cpu_count() or 1
    ahead: deque[Future[_U]] = deque()
    pool = ProcessPoolExecutor(most, initializer=_undisturbed)
    try:
        for piece in pieces:
            ahead.append(pool.submit(work, piece))
            if len(ahead) > 2 * most:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _undisturbed() -> None:
    """Leave Ctrl-C to whoever started the workers: it reaches all processes of a terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
