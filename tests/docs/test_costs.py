"""Do the pages say of costs what the one list of prices comes to?"""

from __future__ import annotations

import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("make_costs", DOCS / "make_costs.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules["make_costs"] = made  # a dataclass looks its module up
    spec.loader.exec_module(made)
    return made


def test_the_pages_say_what_the_list_comes_to() -> None:
    script = _script()
    for name, made in (("deploy-aws.md", script.costs), ("first-file.md", script.summed)):
        page = (DOCS / name).read_text(encoding="utf-8")
        assert page == made(page), "run .venv/bin/python docs/make_costs.py"


def test_the_sum_is_the_sum() -> None:
    script = _script()
    assert script.total() == Decimal("221.60")
    assert all(each.page for each in (*script.ALWAYS, *script.BY_VOLUME, *script.ON_DEMAND))


def test_a_price_is_nowhere_else() -> None:
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if page.name == "deploy-aws.md":
            text = text.partition("<!-- costs:")[0] + text.partition("<!-- end of costs -->")[2]
        if page.name == "first-file.md":
            text = text.partition("<!-- sum -->")[0] + text.partition("<!-- /sum -->")[2]
        assert "dollar" not in text or page.name == "live-smoke.md", page.name
