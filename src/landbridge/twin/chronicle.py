"""What happened on the twin's schedulers, in order?"""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations when the program runs
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - as Mapping
from typing import TYPE_CHECKING

from landbridge.twin.files import append_private

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    at: datetime
    """By the scheduler's clock, in UTC."""
    who: str
    """A job of Control-M by its name, a Job or Pod of the cluster by its own."""
    what: str
    """`ordered`, `ended ok`, `late`, ...: the words of the executor that wrote it."""
    order_date: str = ""
    """Of a job of Control-M: the working day that it belongs to."""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Chronicle:
    """Everything that happened since the start, and in a file (JSON lines) over all starts."""

    file: Path | None = None
    happened: list[Happening] = field(default_factory=list, init=False)

    def write(self, happening: Happening) -> None:
        """Add one happening. The file has it when this returns, though a crash of the machine may take it."""
        self.happened.append(happening)
        if self.file is None:
            return
        line = {"at": happening.at.isoformat(), "who": happening.who, "what": happening.what}
        if happening.order_date:
            line["order_date"] = happening.order_date
        with append_private(self.file) as file:
            file.write((json.dumps({**line, **happening.detail}, default=str) + "\n").encode())
