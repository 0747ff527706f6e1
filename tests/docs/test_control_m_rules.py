"""Has each rule of `deploy controlm lint` its page and each page its rule, and are the examples on the pages true?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from landbridge.deploy.controlm.lint import RULES, lint, parse
from tests.deploy.controlm_lint.clean import TODAY
from tests.deploy.controlm_lint.declaring import declared

DOCS = Path(__file__).parents[2] / "docs"
PAGES = DOCS / "control-m-rules"
WITHOUT_EXAMPLES = {"name-twice"}
"""It takes two files."""
NEVER_RIGHT = {
    "json-broken",
    "key-unknown",
    "key-misspelt",
    "key-invented",
    "value-kind",
    "secret-literal",
    "variable-period-lost",
    "variable-runs-on",
}
"""What no example to follow may have, whatever it is an example of."""
_EXAMPLE = re.compile(r"^(Wrong|Right):\n\n```json\n(.*?)\n```", re.MULTILINE | re.DOTALL)


def _examples(rule: str) -> dict[str, str]:
    return dict(_EXAMPLE.findall((PAGES / f"{rule}.md").read_text(encoding="utf-8")))


def _whole(text: str) -> str:
    """Put a part of a folder (a job, an entry of `FileTransfers`) where it belongs."""
    try:
        part: Any = json.loads(text)
    except ValueError:
        return text
    if "Src" in part:
        part = {"Type": "Job:FileTransfer", "FileTransfers": [part]}
    if isinstance(part.get("Type"), str):
        return json.dumps({"EIDV_PRD": {"Type": "Folder", "MOVE": part}})
    return text


AGAINST = declared()


def _found(text: str) -> set[str]:
    return {one.rule for one in lint([parse(_whole(text), "page.json")], TODAY, AGAINST).findings}


def test_each_rule_has_a_page_and_each_page_a_rule() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_says_what_the_table_says(rule: Any) -> None:
    text = (PAGES / f"{rule.id}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {rule.id}\n\n`{rule.severity}`: {rule.prevents}.\n")
    for part in ("**What it finds.**", "**What happens in production.**", f"**Source.** [{rule.source}] "):
        assert text.count(part) == 1, part


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.id not in WITHOUT_EXAMPLES], ids=str)
def test_the_wrong_example_is_found_and_the_right_one_is_not(rule: str) -> None:
    examples = _examples(rule)
    assert set(examples) == {"Wrong", "Right"}
    assert rule in _found(examples["Wrong"])
    right = _found(examples["Right"])
    assert rule not in right
    assert not right & NEVER_RIGHT


def test_the_list_is_the_table() -> None:
    text = (DOCS / "control-m-lint.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[([\w-]+)\]\(control-m-rules/([\w-]+)\.md\) \| (\w+) \| (.*?) \| (\w) \|$", text, re.MULTILINE
    )
    assert rows == [(rule.id, rule.id, rule.severity, rule.prevents, rule.source) for rule in RULES]


def test_no_two_rules_share_a_name() -> None:
    names = [rule.id for rule in RULES]
    assert len(set(names)) == len(names) > 50
