"""How many files has this process open, so that a test can tell what was left open?"""

from __future__ import annotations

import gc
from pathlib import Path


def open_files() -> int:
    """Count them."""
    return len(list(Path("/proc/self/fd").iterdir()))


def open_before() -> int:
    """Count them before what a test does: what earlier tests left to the collector is not closed in the middle of it."""
    gc.collect()
    return open_files()
