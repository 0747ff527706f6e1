"""What does Ctrl-C become within a query of DuckDB? The interruption that it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAID = "Query interrupted"


@contextmanager
def halted() -> Iterator[None]:
    """Let an interrupted query raise KeyboardInterrupt, as everything else that a signal interrupts.

    DuckDB looks for signals while it works, and takes the KeyboardInterrupt of Python's handler for an error of its own: a plain
    RuntimeError, which would pass for a bug of ours.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) != _SAID:
            raise
        raise KeyboardInterrupt from error
