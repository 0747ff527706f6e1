"""What did a child say on its standard error? Its beginning and its end, however much it was."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

KEPT = 64 << 10
"""Bytes kept of the beginning, which tells how far it came, and again of the end, which tells why it ended."""


class Said:
    """A pipe that is always read, so that whoever writes never waits."""

    def __init__(self) -> None:
        """Open it.

        Raises:
            OSError: the system refused.
        """
        self._ours, self.theirs = os.pipe()
        self._beginning = self._end = b""
        self._beyond = False
        """Whether anything between the two was dropped."""
        self._over = False
        """Whether nothing more can come."""
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="sftp-said", daemon=True)
        self._thread.start()

    def lent(self) -> None:
        """Give up our side of the writing end: the child has its own, or there will be none."""
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1

    def wait(self, seconds: float) -> None:
        """Wait until everything was said."""
        self._thread.join(seconds)

    def find(self, pattern: re.Pattern[str], seconds: float) -> str:
        """Give the first group of what was said, or is within so many seconds; empty when it is not.

        What a child says of a step it has taken may be a moment behind what it then does.
        """
        until = time.monotonic() + seconds
        with self._more:
            while not (found := pattern.search(self.text())):
                left = until - time.monotonic()
                if left <= 0 or self._over:
                    return ""
                self._more.wait(left)
        return found[1]

    def text(self) -> str:
        """Give it, as far as it came. A line that is not whole because of what was dropped is left out."""
        beginning, end = self._beginning, self._end
        if self._beyond:
            beginning, end = beginning.rpartition(b"\n")[0] + b"\n", end.partition(b"\n")[2]
        return (beginning + end).decode("utf-8", "replace").replace("\r", "")

    def _read(self) -> None:
        with os.fdopen(self._ours, "rb", buffering=0) as pipe, suppress(OSError):
            while piece := pipe.read(KEPT):
                room = KEPT - len(self._beginning)
                end = self._end + piece[room:]
                with self._more:
                    self._beginning += piece[:room]
                    self._beyond = self._beyond or len(end) > KEPT
                    self._end = end[-KEPT:]
                    self._more.notify_all()
        with self._more:
            self._over = True
            self._more.notify_all()
