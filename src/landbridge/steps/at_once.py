"""How is the same thing done for many files at once, and stopped cleanly in the middle?"""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor, Future

_T = TypeVar("_T")
_U = TypeVar("_U")


def at_once(
    pool: Executor, work: Callable[[_T], _U], items: Sequence[_T], cut: Callable[[], None]
) -> list[_U]:
    """Give `work` of every item in order, with as many under way as `pool` has threads; the pool is ended.

    When the waiting is interrupted (Ctrl-C), or one raises, what has not begun is dropped, `cut` is called so that what
    is under way ends soon, and its end is awaited: `work` gives back what it holds.
    """
    whole = False
    try:
        results = list(pool.map(work, items))
        whole = True
        return results
    finally:
        if not whole:
            cut()
        pool.shutdown(cancel_futures=True)


@contextmanager
def under_way(
    line: Executor,
    work: Callable[..., _U],
    items: Iterable[tuple[object, ...]],
    cut: Callable[[], None] = lambda: None,
) -> Iterator[list[Future[_U]]]:
    """Give `work` of each item's arguments as futures, of threads that others use too; none goes on when the block is left.

    When it is left by an error, what has not begun is dropped, `cut` is called so that what is under way ends soon, and its
    end is awaited: the caller is about to give back what `work` needs.
    """
    begun = [line.submit(work, *item) for item in items]
    whole = False
    try:
        yield begun
        whole = True
    finally:
        left = [] if whole else [one for one in begun if not one.cancel()]
        if not all(one.done() for one in left):
            cut()
        wait(left)


def in_groups(
    items: Sequence[_T], most: int, size: Callable[[_T], int] = lambda _: 0, most_size: int = 1
) -> list[list[_T]]:
    """Give the items in order in groups of at most `most`, and of at most `most_size` together unless one alone is larger."""
    groups: list[list[_T]] = []
    total = 0
    for item in items:
        if not groups or len(groups[-1]) == most or total + size(item) > most_size:
            groups.append([])
            total = 0
        groups[-1].append(item)
        total += size(item)
    return groups
