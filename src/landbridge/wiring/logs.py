"""How are events written: one structured line a step, JSON when nobody is watching?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import structlog

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def log_to_stderr(*, watched: bool, level: str = "", **context: str) -> None:
    """Send events to standard error: JSON lines in a pod, readable ones on a terminal.

    Without a `level` everything from `info` is written where nobody watches, and from `warning` on a terminal, where
    bars show the rest. `context` (feed, slot, run id ...) is on every line.

    Raises:
        UsageError: no such level.
    """
    if level and level not in LEVELS:
        raise UsageError(f"no log level `{level}`", expected=", ".join(LEVELS))
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if watched:
        processors.append(structlog.dev.ConsoleRenderer(colors=True))
    else:
        processors += [
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(sort_keys=True),
        ]
    lowest = LEVELS[level or ("warning" if watched else "info")]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    bind(context)


def bind(context: Mapping[str, str]) -> None:
    """Put more words on every later line."""
    structlog.contextvars.bind_contextvars(**context)
