"""The declaration that folders are held against: the example, with one deadline on the day of the run itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from landbridge import declare
from landbridge.controlm import ControlM
from landbridge.deploy.controlm.lint import Declared
from landbridge.feed import Deadline
from landbridge.project import place

EXAMPLE = Path(__file__).parents[3] / "examples" / "eidv"
CONTROLM = {"server": "CTM", "agents": "MFT", "key": "k", "time_zones": {"Europe/London": "LON"}}


def declared(**controlm: object) -> Declared:
    """Give it; `verifications` runs at 06:00 of London, and must be there by 07:00."""
    declaration = declare.load(EXAMPLE)
    feed = declaration.feeds["verifications"]
    schedule = feed.schedule.model_copy(update={"deadline": Deadline.model_validate({"at": "07:00"})})
    feeds = {**declaration.feeds, "verifications": feed.model_copy(update={"schedule": schedule})}
    there = replace(
        place(declaration.project, "PRD"), controlm=ControlM.model_validate({**CONTROLM, **controlm})
    )
    return Declared(replace(declaration, feeds=feeds), there, datetime(2026, 1, 1, tzinfo=UTC))
