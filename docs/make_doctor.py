# ruff: noqa: INP001 # a script, no package
"""Writes the tables of docs/doctor.md from the table of checks, so that the page names what is examined and nothing else.

Run it after a change of a check: `.venv/bin/python docs/make_doctor.py`. A test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.doctor.finding import Side
from landbridge.doctor.table import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Check

PAGE = Path(__file__).parent / "doctor.md"
BEGIN, END = "<!-- checks: made by docs/make_doctor.py -->", "<!-- end of checks -->"
_TITLES = {
    (Side.CLOUD, Side.GROUND): "On both sides",
    (Side.CLOUD,): "On the cloud side",
    (Side.GROUND,): "On the ground side",
}


def written(page: str) -> str:
    """Give the page with its tables made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n" + "\n".join(_tables()) + f"\n{END}{after}"


def _tables() -> Iterator[str]:
    for sides, title in _TITLES.items():
        yield f"### {title}\n\n| check | what must hold | how it is asked | what mends it |\n|---|---|---|---|"
        yield from (_row(check) for check in CHECKS if check.side == sides)
        yield ""


def _row(check: Check) -> str:
    return f"| {check.name} | {check.asks} | {check.how} | {_typed(check.mend)} |"


def _typed(mend: str) -> str:
    """Set what is typed as code; it stands at the beginning, or after a colon."""
    said, colon, command = mend.rpartition(": ")
    typed = command.replace("{environment}", "ENV")
    if command.split(" ")[0] not in {"landbridge", "pip", "aws", "timedatectl", "openssl"}:
        return mend.replace("{environment}", "ENV")
    return f"{said}{colon}`{typed}`"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
