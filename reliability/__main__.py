"""What does the reliability suite reach? `python -m reliability [--part NAME] [--write]`, `replay SEED`, `soak`."""

from __future__ import annotations

import argparse
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.histories import Broken
from reliability.parts import PARTS
from reliability.report import put, row, table

if TYPE_CHECKING:
    from datetime import date

_INTERRUPTED = 130
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m reliability")
    parser.add_argument(
        "--part", action="append", choices=[part.name for part in PARTS], help="this part alone"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="write each figure into docs/reliability.md as soon as it is there",
    )
    commands = parser.add_subparsers(dest="command")
    again = commands.add_parser("replay", help="play the history of a seed again, call by call")
    again.add_argument("seed")
    long = commands.add_parser("soak", help="play a million histories, going on where the last soak ended")
    long.add_argument("--runs", type=int, default=1_000_000)
    long.add_argument("--state", type=Path, default=Path("build/soak.json"))
    given = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        match given.command:
            case "replay":
                return _replay(given.seed)
            case "soak":
                from reliability.crashes import soak

                given.state.parent.mkdir(parents=True, exist_ok=True)
                figure = soak(given.runs, given.state)
                print(table([row("soak", figure, _today())]))
                return 0 if figure.is_reached else _INTERRUPTED
            case _:
                return _report(given.part, write=given.write)
    except Broken as broken:
        print(f"broken: {broken}")
        return 1


def _replay(seed: str) -> int:
    from reliability.replay import replay

    try:
        problems = replay(seed, print)
    except LookupError as error:
        print(error)
        return 64
    print("\n".join(problems) or "nothing was lost, twice or torn")
    return 1 if problems else 0


def _report(names: list[str] | None, *, write: bool) -> int:
    rows = []
    is_reached = True
    for part in PARTS:
        if names is None or part.name in names:
            sys.stderr.write(f"{part.name} ...\n")
            figure = part.loaded()()
            is_reached &= figure.is_reached
            rows.append(row(part.name, figure, _today()))
            if write:
                put(PAGE, part.name, rows[-1])
    print(table(rows))
    return 0 if is_reached else 1


def _today() -> date:
    return datetime.now(UTC).date()


if __name__ == "__main__":
    sys.exit(main())
