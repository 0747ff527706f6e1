"""Who hears that something is tried again? Our log: this is stamina, and everybody takes it from here.

By itself it tells structlog, which writes to standard output, among a command's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import stamina
from stamina.instrumentation import set_on_retry_hooks

from landbridge.events import log

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

__all__ = ["stamina"]


def _tell(details: RetryDetails) -> None:
    log.warning(
        "tried again",
        failed=details.retry_num,
        error=" ".join(str(details.caused_by).split()) or type(details.caused_by).__name__,
        wait_seconds=round(details.wait_for, 2),
        waited_seconds=round(details.waited_so_far, 2),
    )


set_on_retry_hooks([_tell])
