"""Does the table of exit codes tell each code that a command can end with, under its name, and no other?"""

from __future__ import annotations

import re
from pathlib import Path

from landbridge.errors import Exit, LandbridgeError

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (?P<code>\d+) \| `(?P<name>[A-Z_]+)` \|.*\| (?P<again>yes|no|) ?\|$", re.MULTILINE)


def test_every_code_is_in_the_table_under_its_name() -> None:
    told = {found["name"]: int(found["code"]) for found in _ROW.finditer(PAGE)}
    assert told == {code.name: int(code) for code in Exit}


def test_what_can_be_tried_again_is_told() -> None:
    told = {int(found["code"]): found["again"] for found in _ROW.finditer(PAGE)}
    classes = [error for error in LandbridgeError.__subclasses__() if error.__module__ == "landbridge.errors"]
    assert len(classes) > 8
    # A name that is not there (NotFound) shares its code with a service that is away, and is told apart by its text.
    retried = {int(error.exit) for error in classes if error.retry}
    final = {int(error.exit) for error in classes} - retried
    assert {code for code in retried if told[code] != "yes"} == set()
    assert {code for code in final if told[code] != "no"} == set()
