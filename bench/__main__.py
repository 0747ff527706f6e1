"""Which benchmarks are there, and what did they measure last? `python -m bench [NAME ...]` runs them all, or the named ones.

Each prints a markdown table and says what must hold. With `--write` the tables replace those in docs/benchmarks.md.
Nothing here asserts a time: this is for people to read.
"""

from __future__ import annotations

import argparse
import importlib
import io
import platform
import re
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from bench.installed import Missing

NAMES = ("startup", "strictness", "validate", "formats", "generate", "s3", "sftp", "collect")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


class _Tee(io.StringIO):
    """Keeps what is printed, and shows it at once."""

    def write(self, text: str) -> int:
        sys.__stdout__ and sys.__stdout__.write(text)
        return super().write(text)


def main() -> None:
    """Run the benchmarks one after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/benchmarks.md")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for name in asked.names or NAMES:
        report = _Tee()
        with redirect_stdout(report):
            print(f"## {name}\n")
            whole = _measured(name)
        if asked.write and whole:
            keep(name, report.getvalue())


def _measured(name: str) -> bool:
    """Run a benchmark; False, and why, where what it is made with is not installed."""
    try:
        importlib.import_module(f"bench.{name}").main([])
    except Missing as missing:
        print(missing)
        return False
    return True


def keep(name: str, report: str) -> None:
    """Put one report in the place of the one before it."""
    stamp = f"Measured {datetime.now(UTC):%Y-%m-%d} with `python -m bench {name}`, Python {platform.python_version()}, {platform.machine()}, 2 shared cores."
    section = f"<!-- {name} -->\n{report.rstrip()}\n\n{stamp}\n<!-- /{name} -->"
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
    page = pattern.sub(lambda _: section, page) if pattern.search(page) else f"{page.rstrip()}\n\n{section}\n"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
