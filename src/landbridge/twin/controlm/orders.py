"""What is an ordered job doing: a job of one order date, from the new day until it has ended or is taken away?"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.twin.controlm.transfers import Progress

if TYPE_CHECKING:
    from datetime import date, datetime

    from landbridge.twin.controlm.definitions import Folder, Job


class State(StrEnum):
    """In Control-M's words."""

    WAITING = "Wait Condition"
    EXECUTING = "Executing"
    OK = "Ended OK"
    NOT_OK = "Ended Not OK"


@dataclass(slots=True)
class Order:
    """A job of one order date."""

    folder: Folder
    job: Job
    order_date: date
    opens: datetime
    closes: datetime
    """No run begins from then on."""
    state: State = State.WAITING
    runs: int = 0
    reruns: int = 0
    """Of them, those that `Action:Rerun` asked for."""
    not_before: datetime | None = None
    """Of the next run, when one follows."""
    began: datetime | None = None
    ended: datetime | None = None
    code: int | None = None
    output: str = ""
    late: bool = False
    progress: Progress = field(default_factory=Progress)

    @property
    def name(self) -> str:
        """Name it, apart from every other order."""
        return f"{self.folder.name}.{self.job.name}.{self.order_date:%Y%m%d}"

    def may_begin(self, now: datetime) -> bool:
        """Tell whether time alone lets a run begin."""
        return (
            self.state is State.WAITING
            and max(self.opens, self.not_before or self.opens) <= now < self.closes
        )
