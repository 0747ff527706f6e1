"""Where may a run keep bytes of its own?"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a private folder (mode 0700) that is gone afterwards; TMPDIR says on which disk.

    Raises:
        DiskFailed: no folder can be made.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="landbridge-", ignore_cleanup_errors=True)
    except OSError as error:
        raise DiskFailed(
            f"no scratch folder can be made: {error.strerror}", hint="free some disk, or set TMPDIR"
        ) from error
    with folder as name:
        yield Path(name)
