"""Which files does the project consist of?"""

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def texts(*suffixes: str, under: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path from the root, text) of each file that is or would be committed, binary ones left out."""
    for path in _files():
        if not path.startswith(under) or (suffixes and not path.endswith(suffixes)):
            continue
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # not a text; or deleted and not yet committed
            continue


@cache
def _files() -> list[str]:
    listing = subprocess.run(
        # The clone may belong to another user than the one who tests it.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout
    return sorted(filter(None, listing.split("\0")))
