"""How are events written: one structured line a step, JSON when nobody is watching?"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from landbridge.errors import UsageError
from landbridge.events import LEVELS, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def log_to_stderr(*, watched: bool, level: str = "", **context: str) -> None:
    """Send events to standard error: JSON lines in a pod, readable ones on a terminal.

    Without a `level` everything from `info` is written where nobody watches, and from `warning` on a terminal, where
    bars show the rest. `context` (feed, slot, run id ...) is on every line.

    Raises:
        UsageError: no such level.
    """
    if level and level not in LEVELS:
        raise UsageError(f"no log level `{level}`", expected=", ".join(LEVELS))
    write = _Lines(sys.stderr, _for_a_person if watched else _as_json)
    listen(write, level or ("warning" if watched else "info"), **context)


class _Lines:
    """Lines on a stream, whole ones whoever else writes there."""

    def __init__(self, stream: TextIO, form: Callable[[Mapping[str, object]], str]) -> None:
        self._stream = stream
        self._form = form
        self._turn = threading.Lock()

    def __call__(self, event: Mapping[str, object]) -> None:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = self._form({**event, "timestamp": now})
        with self._turn:
            self._stream.write(f"{line}\n")
            self._stream.flush()


def _as_json(event: Mapping[str, object]) -> str:
    return json.dumps(event, sort_keys=True, default=repr)


def _for_a_person(event: Mapping[str, object]) -> str:
    # 0.08 s of CPU with all that it can draw, which no pod needs, and a terminal only where something is to be looked at.
    from structlog.dev import ConsoleRenderer

    return ConsoleRenderer(colors=True)(None, "", dict(event))
