"""How do the figures of the suite read, and how do they come onto the page?"""

from __future__ import annotations

import platform
import re
from typing import TYPE_CHECKING

from reliability.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from reliability.figures import Figure

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_HEAD = """\
| `--part` | what is done | asked | reached | seconds | day | first seed | what it was |
|---|---|---:|---:|---:|---|---:|---|"""
_ROW = re.compile(r"^\| `([a-z][a-z-]*)` \|.*$", re.MULTILINE)


def row(name: str, figure: Figure, day: date) -> str:
    """Give the figure of the part as a row of the table.

    Args:
        name: of the part, as `--part` takes it.
        figure: what the part reached.
        day: on which it was done.
    """
    short = "" if figure.is_reached else " (not reached)"
    return (
        f"| `{name}` | {figure.part} | {figure.asked:,} | {figure.reached:,}{short} | {figure.seconds:.0f} "
        f"| {day.isoformat()} | {figure.seed} | {figure.note} |"
    )


def table(rows: Iterable[str]) -> str:
    """Give the rows as a table of Markdown."""
    return "\n".join((_HEAD, *rows))


def rows_on(page: Path) -> Mapping[str, str]:
    """Give the rows that the page has, by the name of their part."""
    return {found[1]: found[0] for found in _ROW.finditer(page.read_text(encoding="utf-8"))}


def put(page: Path, name: str, line: str) -> None:
    """Write the row of the part into its place on the page, and leave the rows of the other parts.

    Rows stand in the order of the parts; one of a part that is no more goes.

    Raises:
        ValueError: the page has no such place.
    """
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"no place for the figures of the reliability suite in {page}")
    rows = {**rows_on(page), name: line}
    ordered = table(rows[part.name] for part in PARTS if part.name in rows)
    made = f"The last of them was written by Python {platform.python_version()} on {platform.system()}."
    page.write_text(f"{before}{BEGIN}\n\n{ordered}\n\n{made}\n\n{END}{after}", encoding="utf-8")
