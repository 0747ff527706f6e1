"""What would the product do if a line of it read otherwise? A function runs an altered text of itself for a while."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def altered(function: Callable[..., Any], *edits: tuple[str, str]) -> Iterator[None]:
    """Let `function` run with each `old` of its source replaced by `new`, whoever holds it; as it was afterwards.

    Raises:
        LookupError: an `old` is not there exactly once: the product has changed, and this bug has to be planted anew.
    """
    target: Any = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(target))
    for old, new in edits:
        if source.count(old) != 1:
            raise LookupError(f"{target.__qualname__} has {source.count(old)} times: {old}")
        source = source.replace(old, new)
    whole = compile(
        source, target.__code__.co_filename, "exec", __future__.annotations.compiler_flag, dont_inherit=True
    )
    before = target.__code__
    target.__code__ = _code(whole, target.__name__)
    try:
        yield
    finally:
        target.__code__ = before


def _code(module: CodeType, name: str) -> CodeType:
    return next(one for one in module.co_consts if isinstance(one, CodeType) and one.co_name == name)
