"""How do several threads that each need an fsync share one?"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.disk import Disk


class Together:
    """A flush that serves everybody who asked before it began: groups and large files that land at the same time."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._turn = threading.Condition()
        self._asked = 0
        self._done = 0
        self._busy = False
        self._broken: OSError | None = None

    def wait(self) -> None:
        """Return when a flush that began after this call has succeeded.

        Raises:
            OSError: it failed; then it fails for everybody and for ever, since the kernel reports a lost page only once.
        """
        with self._turn:
            self._asked += 1
            mine = self._asked
            while self._busy and self._done < mine:
                self._turn.wait()
            if self._broken is not None:
                raise self._broken
            if self._done >= mine:
                return
            self._busy, upto = True, self._asked
        try:
            self._flush()
        except OSError as error:
            self._broken = error
            raise
        else:
            self._done = upto
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()


class Folders:
    """Folders whose names are made durable together."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._known: dict[Path, Together] = {}
        self._adding = threading.Lock()

    def sync(self, folder: Path) -> None:
        """Make the names in `folder` durable.

        Raises:
            OSError: the share refused.
        """
        with self._adding:
            together = self._known.setdefault(folder, Together(lambda: self._disk.sync_folder(folder)))
        together.wait()
