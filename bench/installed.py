"""Which peers and tools of the benchmarks does this environment have? Who is missing is left out, and named."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")
HINT = "`make .venv-bench/installed` makes an environment with every peer that pip brings, for `.venv-bench/bin/python -m bench`"


class Missing(SystemExit):
    """A benchmark cannot be made without this; its message says what to do."""


def program(name: str) -> Path | None:
    """Find a program beside this Python, or on the path."""
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return beside
    found = shutil.which(name)
    return Path(found) if found else None


def needed(name: str) -> Path:
    """Find a program without which there is nothing to measure.

    Raises:
        Missing: it is not there.
    """
    if (found := program(name)) is None:
        raise Missing(f"left out: {name} is not installed; {HINT}")
    return found


def installed(peers: Mapping[str, _T], needs: Mapping[str, str]) -> dict[str, _T]:
    """Give the peers whose module or program (`needs`, by peer; of the others nothing is needed) is there, and print who is left out."""
    there = {name: peer for name, peer in peers.items() if name not in needs or _is_there(needs[name])}
    if missing := [f"{name} ({needs[name]})" for name in peers if name not in there]:
        print(f"Left out, since it is not installed: {', '.join(missing)}; {HINT}.\n")
    return there


def _is_there(need: str) -> bool:
    return find_spec(need) is not None or program(need) is not None
