"""Does `landbridge needs` print what a reviewer asks for: readable, as Markdown, and whole as JSON?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EIDV = Path(__file__).parents[2] / "examples" / "eidv"


def needs(*arguments: str) -> str:
    command = [sys.executable, "-m", "landbridge", "needs", "-p", str(EIDV), "-e", "PRD", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(needs("--json"))


@pytest.fixture(scope="module")
def plain() -> str:
    return needs()


@pytest.mark.parametrize(
    "words",
    [
        "edbh-eidv-prd-staging",
        "alias/landbridge-eidv-prd",
        "system:serviceaccount:eidv-reports:landbridge-operator",
        "10.20.30.0/28",
        "landbridge/eidv/prd/sftp/edbh-controlm",
        "verifications",
        "Europe/London",
        "stores.s3_copy:_whole",
        "derived",
    ],
)
def test_a_reviewer_finds(plain: str, words: str) -> None:
    assert words in plain


def test_every_permission_says_why_and_who_uses_it(document: Any) -> None:
    assert len(document["permissions"]) > 40
    for one in document["permissions"]:
        assert one["why"], one
        assert one["uses"], one
        assert all(use["proof"] == "observed" or use["source"] for use in one["uses"])


def test_the_policies_are_the_ones_that_are_deployed(document: Any) -> None:
    given = {(one["role"], one["statement"], one["action"]) for one in document["permissions"]}
    written = {
        (role, statement["Sid"], action)
        for role, policy in document["policies"].items()
        for statement in policy["Statement"]
        for action in statement["Action"]
    }
    assert given == written


def test_markdown_is_tables_with_as_many_cells_as_columns() -> None:
    text = needs("--markdown")
    assert text.startswith("# eidv PRD: what it needs\n")
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) == 12
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table
