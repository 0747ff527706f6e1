"""The example's Control-M documents lint clean, deploy to the fake, and what arrived there is what the twin can execute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.deploy.controlm import lint
from landbridge.deploy.controlm.render import render
from landbridge.project import place
from landbridge.twin.controlm.reading import deployed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.controlm_stage import Stage

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def stage(controlm_stage: Stage) -> Stage:
    return controlm_stage


def test_the_example_lints_clean_deploys_and_can_be_executed(stage: Stage, tmp_path: Path) -> None:
    declaration = wiring.declaration(stage.project)
    rendered = render(declaration, "PRD")
    for name, text in rendered.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    held_against = lint.Declared(declaration, place(declaration.project, "PRD"), SINCE)
    found = lint.lint([lint.read(tmp_path / name) for name in rendered.files], SINCE.date(), held_against)
    assert [str(one) for one in found.findings if one.severity == "error"] == []
    assert found.skipped == ()

    stage.rendered = None
    stage.settle()
    arrived = {**stage.em.calendars, **stage.em.folders}
    assert arrived == rendered.folders
    read = deployed(stage.em.profiles, arrived, "ctm")
    jobs = {job.name for folder in read.folders for job in folder.jobs}
    assert {"VERIFICATIONS_WATCH", "VERIFICATIONS_MOVE", "VERIFICATIONS_LAND", "VERIFICATIONS_SLA"} <= jobs
