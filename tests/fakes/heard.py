"""What did the product tell its log?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.events import listen

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def heard() -> Iterator[list[dict[str, object]]]:
    """Lend what grows by each event; afterwards nobody listens, as before any command."""
    events: list[dict[str, object]] = []
    listen(events.append, "debug")
    try:
        yield events
    finally:
        listen(None, "debug")
