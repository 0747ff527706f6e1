"""How do the figures of the suite read?"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reliability.figures import Figure

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def table(figures: Sequence[Figure]) -> str:
    """Give the figures as a table of Markdown."""
    lines = [
        "| part | asked | reached | seconds | first seed | what it was |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {one.part} | {one.asked:,} | {one.reached:,}{'' if one.is_reached else ' (not reached)'} "
        f"| {one.seconds:.0f} | {one.seed} | {one.note} |"
        for one in figures
    ]
    return "\n".join(lines)


def put(page: Path, figures: Sequence[Figure]) -> None:
    """Write the figures into their place on the page.

    Raises:
        ValueError: the page has no such place.
    """
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"no place for the figures of the reliability suite in {page}")
    took = sum(one.seconds for one in figures)
    made = f"Python {platform.python_version()} on {platform.system()}; {took:.0f} seconds in all."
    page.write_text(f"{before}{BEGIN}\n\n{table(figures)}\n\n{made}\n\n{END}{after}", encoding="utf-8")
