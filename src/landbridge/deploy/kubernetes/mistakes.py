"""What in a declaration cannot be put on a cluster, and where does it stand?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_FILE = "landbridge.yaml"


def feed_file(folder: Path, feed: str) -> str:
    """Give the file that a feed stands in."""
    found = next(
        (f"feeds/{feed}{end}" for end in (".yaml", ".yml") if (folder / f"feeds/{feed}{end}").is_file()), ""
    )
    return found or f"feeds/{feed}.yaml"


def problem(folder: Path, file: str, path: str, what: str, *, expected: str = "", hint: str = "") -> Problem:
    """Note a mistake at the key that `path` leads to, or as near as it is written."""
    return Problem(file, _line(folder / file, path.split(".")), 1, path, what, expected, hint=hint)


def _line(path: Path, keys: list[str]) -> int:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = 0
    for key in keys:
        pattern = re.compile(rf"^\s*(- )?[\"']?{re.escape(key)}[\"']?\s*:|[{{,]\s*{re.escape(key)}\s*:")
        found = next((n for n, line in enumerate(lines) if n >= found and pattern.search(line)), found)
    return found + 1
