"""Is nothing found in what is rendered, and does each mistake that is planted there make its own rule speak, and no other?

Over every `folder.json` beside a `profiles.json` below tests/deploy: a small one of here, and what the renderer's tests keep.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from landbridge.deploy.controlm.lint import lint, read
from tests.deploy.controlm_lint.clean import TODAY, documents
from tests.deploy.controlm_lint.mistakes import ALSO, MISTAKES, Spoil

HERE = Path(__file__).parent
RENDERED = sorted(
    file.parent for file in HERE.parent.rglob("folder.json") if (file.parent / "profiles.json").is_file()
)
NATIVE = [
    folder
    for folder in RENDERED
    if "Job:FileTransfer" in (folder / "folder.json").read_text(encoding="utf-8")
]
"""Rendered in the style that moves files by Control-M itself: where the mistakes can be planted."""
NOT_THERE = {
    "event-misspelt",  # the names are those of the clean folder
    "late-untold",  # there a job that only watches, and gives up, comes first
    "sla-alone",
    "calendar-of-no-parent",
    "zone-missing",  # each job names its zone itself
    "deadline-before-window",  # the rendered watchers wait for minutes
}
"""Mistakes that are made by the names or the shape of the clean folder, and cannot be planted in another one."""
PLANTED = [(rule, spoil) for rule, spoil in MISTAKES if rule not in NOT_THERE]


def test_something_rendered_is_there() -> None:
    assert HERE / "emitted" in RENDERED


@pytest.mark.parametrize("folder", RENDERED, ids=lambda path: path.name)
def test_nothing_is_found_in_what_is_rendered(folder: Path) -> None:
    files = [read(folder / name) for name in ("profiles.json", "folder.json")]
    assert [str(one) for one in lint(files, TODAY).findings] == []


@pytest.mark.parametrize("folder", NATIVE, ids=lambda path: path.name)
@pytest.mark.parametrize(
    ("rule", "spoil"), PLANTED, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(PLANTED)]
)
def test_a_mistake_planted_there_is_found_by_its_rule_alone(rule: str, spoil: Spoil, folder: Path) -> None:
    jobs, profiles = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("folder.json", "profiles.json")
    )
    spoil(jobs, profiles)
    assert {one.rule for one in lint(documents(jobs, profiles), TODAY).findings} == {rule} | ALSO.get(
        rule, set()
    )
