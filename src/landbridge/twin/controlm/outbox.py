"""What did Control-M tell people: mails and alerts?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.twin.files import append_private

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Told:
    """A mail (`to` says whom) or an alert."""

    at: datetime
    job: str
    order_date: date
    to: str
    """Empty: the Alerts window."""
    urgency: str
    text: str
    attached: str = ""
    """Output of the job."""


@dataclass(slots=True)
class Outbox:
    """Everything that was told since the start, and in a file (JSON lines) over all starts. Nothing leaves this machine."""

    file: Path | None = None
    told: list[Told] = field(default_factory=list, init=False)

    def send(self, told: Told) -> None:
        """Put one in."""
        self.told.append(told)
        if self.file is None:
            return
        line = {
            "at": told.at.isoformat(),
            "kind": "mail" if told.to else "alert",
            "job": told.job,
            "order_date": f"{told.order_date:%Y%m%d}",
            **({"to": told.to} if told.to else {"urgency": told.urgency}),
            "text": told.text,
            **({"attached": told.attached} if told.attached else {}),
        }
        with append_private(self.file) as file:
            file.write((json.dumps(line) + "\n").encode())
