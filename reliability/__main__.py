"""What does the reliability suite reach? `python -m reliability [--part NAME] [--write]`, `replay SEED`, `soak`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import structlog

from reliability.histories import Broken
from reliability.parts import PARTS
from reliability.report import put, table

_INTERRUPTED = 130
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m reliability")
    parser.add_argument(
        "--part", action="append", choices=[part.name for part in PARTS], help="this part alone"
    )
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    commands = parser.add_subparsers(dest="command")
    again = commands.add_parser("replay", help="play the history of a seed again, call by call")
    again.add_argument("seed")
    long = commands.add_parser("soak", help="play a million histories, going on where the last soak ended")
    long.add_argument("--runs", type=int, default=1_000_000)
    long.add_argument("--state", type=Path, default=Path("build/soak.json"))
    given = parser.parse_args()
    # Thousands of cuts and crashes would each be told; who wants to see one replays it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        match given.command:
            case "replay":
                return _replay(given.seed)
            case "soak":
                from reliability.crashes import soak

                given.state.parent.mkdir(parents=True, exist_ok=True)
                figure = soak(given.runs, given.state)
                print(table([figure]))
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
    figures = []
    for part in PARTS:
        if names is None or part.name in names:
            sys.stderr.write(f"{part.name} ...\n")
            figures.append(part.loaded()())
    print(table(figures))
    if write:
        put(PAGE, figures)
    return 0 if all(one.is_reached for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
