# ruff: noqa: INP001 # a script, no package
"""Writes the tables of docs/traps.md from tests/deploy/traps.py, so that the page names no test that is not there.

Run it after a change of a trap: `.venv/bin/python docs/make_traps.py`. A test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.deploy.traps import TRAPS  # noqa: E402 - tests are no package that is installed

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "traps.md"
BEGIN, END = "<!-- traps: made by docs/make_traps.py -->", "<!-- end of traps -->"


def written(page: str) -> str:
    """Give the page with the tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n" + "\n".join(_tables()) + f"\n{END}{after}"


def _tables() -> Iterator[str]:
    for area, traps in TRAPS.items():
        yield f"## {area}"
        yield ""
        yield "| trap | kept out by | shown by |"
        yield "|---|---|---|"
        for trap in traps:
            case = f", *{trap.case}*" if trap.case else ""
            yield f"| {trap.what} | `{trap.kept_out}` | `tests/{trap.shown}`{case} |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
