"""Does the page about traps say what the table of traps says?"""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_are_the_ones_that_the_script_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_traps", ROOT / "docs" / "make_traps.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
    assert page == made.written(page), "run .venv/bin/python docs/make_traps.py"
    assert page.count("| `tests/") > 70
