"""What does every side of the bridge know of the process it runs in?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.ports import Clock, Progress


@dataclass(frozen=True, slots=True)
class Process:
    """This process: its clock, who watches it, and what it is called on the record."""

    clock: Clock
    progress: Progress
    run_id: str
    actor: str
