"""How are events written: one structured line a step, JSON when nobody is watching?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping


def log_to_stderr(*, watched: bool, verbose: bool = False, **context: str) -> None:
    """Send events to standard error: JSON lines in a pod, readable ones on a terminal (only with `verbose`: bars show the rest).

    `context` (feed, slot, run id ...) is on every line.
    """
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
    lowest = 10 if verbose else (30 if watched else 20)  # debug, warning, info
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
