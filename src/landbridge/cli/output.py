"""How does a command speak: tables and JSON on standard output, errors and progress on standard error?"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from landbridge.cli.pasted import pasted
from landbridge.errors import DeclarationWrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    from landbridge.errors import LandbridgeError, Problem
    from landbridge.ports import Progress

STATE_STYLES = {
    "delivered": "green",
    "released": "cyan",
    "committed": "cyan",
    "upcoming": "dim",
    "due": "yellow",
    "skipped": "blue",
    "waived": "blue",
    "quarantined": "red",
    "missing": "bold red",
}

_LONG = 240
"""Columns of a table that goes to a pipe."""


def out() -> Console:
    """Give a console on standard output, as it is now (tests and pipes replace it)."""
    return Console(file=sys.stdout, soft_wrap=True)


def err() -> Console:
    """Give a console on standard error."""
    return Console(file=sys.stderr, soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document on standard output; dataclasses, dates and paths become plain JSON."""
    plain = _lacks_letters(sys.stdout)
    sys.stdout.write(json.dumps(document, default=_plain, indent=2, ensure_ascii=plain) + "\n")


def _lacks_letters(stream: TextIO) -> bool:
    """Tell whether an output has not all letters: JSON has its own way to write them."""
    return "utf" not in (stream.encoding or "utf-8").lower()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print rows under columns; a cell that is a slot's state gets its colour."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            *(
                cell if isinstance(cell, Text) else Text(cell, style=STATE_STYLES.get(cell, ""))
                for cell in row
            )
        )
    # Where nobody looks, lines may be long: a pipe or a log wraps by itself, or not at all.
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else _LONG).print(table)


def print_pairs(title: str, pairs: Mapping[str, str]) -> None:
    """Print names and values, one a line, aligned."""
    console = out()
    if title:
        console.print(Text(title, style="bold"))
    width = max((len(name) for name in pairs), default=0)
    for name, value in pairs.items():
        console.print(Text(f"  {name:<{width}}  ", style="dim") + Text(value))


def tip(text: str) -> None:
    """Say on standard error what to do next, with each command as it can be pasted."""
    err().print(pasted(text), style="dim", highlight=False, markup=False)


def print_error(error: LandbridgeError, *, as_json: bool = False) -> None:
    """Say what happened, what was expected, what was seen and what to do next; on standard error."""
    if as_json:
        document = {
            "error": type(error).__name__,
            "what": error.what,
            "expected": pasted(error.expected),
            "seen": error.seen,
            "hint": pasted(error.hint),
            "exit": int(error.exit),
            "problems": [asdict(problem) for problem in getattr(error, "problems", ())],
        }
        sys.stderr.write(json.dumps(document, ensure_ascii=_lacks_letters(sys.stderr)) + "\n")
        return
    console = err()
    problems = error.problems if isinstance(error, DeclarationWrong) else ()
    for problem in problems:
        print_problem(console, problem)
    console.print(f"[bold red]error[/]: {escape(error.what)}")
    if problems:
        return  # all is said with each mistake
    said = (("expected", pasted(error.expected)), ("seen", error.seen), ("next", pasted(error.hint)))
    for name, text in said:
        if text:
            console.print(f"  [dim]{name:<9}[/]{escape(text)}")


def print_problem(console: Console, problem: Problem) -> None:
    """Print one mistake of the declaration with its place."""
    place = f"{problem.file}:{problem.line}:{problem.column}"
    path = f" [dim]({escape(problem.path)})[/]" if problem.path else ""
    console.print(f"[bold]{escape(place)}[/]: {escape(problem.what)}{path}")
    said = (("expected", problem.expected), ("seen", problem.seen), ("next", pasted(problem.hint)))
    for name, text in said:
        if text:
            console.print(f"  [dim]{name:<9}[/]{escape(text)}")


class Silent:
    """Progress when nobody is watching."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, step: str, amount: int) -> None:
        """Say nothing."""

    def finish(self, step: str) -> None:
        """Say nothing."""


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Show the steps of a command as bars on standard error while it is a terminal, else stay silent."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from landbridge.cli.bars import Bars

    with Bars() as bars:
        yield bars
