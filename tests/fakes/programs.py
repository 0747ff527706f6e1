"""Landbridge that a test plays: it remembers what it was asked, and ends as it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.twin.programs import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.twin.programs import Command


def well(_command: Command) -> int:
    return 0


@dataclass
class Played:
    """Obeys programs.Program."""

    ends: Callable[[Command], int] = well
    takes: timedelta = timedelta(seconds=20)
    asked: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Ended:
        self.asked.append(command)
        code = self.ends(command)
        return Ended(code, f"exit {code}", self.takes)
