"""How do thousands of small files travel at once, with threads at the edge and little between them?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from landbridge.facts import Content, Location
    from landbridge.ports import Blob, Store

_In = TypeVar("_In")
_Out = TypeVar("_Out")

AT_ONCE = 8
"""Requests under way: enough to hide the round trip, few enough not to fight over the interpreter."""


def put_files(
    store: Store, files: Iterable[tuple[str, Path, Content]], at_once: int = AT_ONCE
) -> Sequence[Blob]:
    """Write many files (key, path, content), in the order given. See ports.Store.put_file for each.

    The first failure stops what has not begun, and is raised; what was written stays.
    """
    return _each(lambda file: store.put_file(*file), files, at_once)


def fetch_files(
    store: Store, wanted: Iterable[tuple[Location, Path]], at_once: int = AT_ONCE
) -> Sequence[Content]:
    """Download many objects, in the order asked. See ports.Store.fetch for each; failures as in `put_files`."""
    return _each(lambda pair: store.fetch(*pair), wanted, at_once)


def read_many(store: Store, keys: Iterable[str], at_once: int = AT_ONCE) -> Sequence[bytes]:
    """Read many small objects, in the order asked. See ports.Store.read for each; failures as in `put_files`."""
    return _each(store.read, keys, at_once)


def _each(one: Callable[[_In], _Out], things: Iterable[_In], at_once: int) -> Sequence[_Out]:
    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(one, things))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
