"""Does the page about permissions say what the policies and the table of calls say?"""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_are_the_ones_that_the_script_makes() -> None:
    script = ROOT / "docs" / "make_security.py"
    spec = importlib.util.spec_from_file_location("make_security", script)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert page == made.written(page), "run .venv/bin/python docs/make_security.py"
    assert page.count("| observed |") > 20
    assert page.count("| derived |") > 10
