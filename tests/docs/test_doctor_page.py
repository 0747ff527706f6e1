"""Does the page about the doctor list every check, as the table has it?"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from landbridge.doctor.table import CHECKS

ROOT = Path(__file__).parents[2]


def test_the_tables_are_the_ones_that_the_script_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_doctor", ROOT / "docs" / "make_doctor.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert page == made.written(page), "run .venv/bin/python docs/make_doctor.py"
    assert [check.name for check in CHECKS if f"\n| {check.name} | " not in page] == []


def test_no_check_has_the_name_of_another_or_nothing_to_say() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) > 30
    for check in CHECKS:
        assert all((check.side, check.asks, check.how, check.mend)), check.name
