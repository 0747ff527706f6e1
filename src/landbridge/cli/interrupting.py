"""When is a command interrupted by Ctrl-C or SIGTERM? At once, but for moments at which that would be lost or break something."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM)
_PAUSE = 0.01
"""Seconds until it is looked again whether such a moment is over."""
_MOST = 5.0
"""Seconds after which it is interrupted all the same: a project's own module may hang while it is imported."""
_BEGINS_A_THREAD = {
    ("threading", "start"),
    ("concurrent.futures.thread", "_adjust_thread_count"),
    ("concurrent.futures.thread", "submit"),
}


class Interruption:
    """The handler of both signals."""

    def __init__(self) -> None:
        self._asked: float | None = None
        """When the one came that waits."""

    def listen(self) -> None:
        """Let Ctrl-C and SIGTERM raise KeyboardInterrupt in this thread, the main one, from now on. Ctrl-C that is ignored stays so.

        On POSIX the first one waits for the end of an import (the callbacks of its locks swallow it, and extension modules
        that are being loaded crash), of what pydantic does (it makes a SchemaError of it), and of the beginning of a thread
        (which would run, and nobody would know of it). A second one does not wait.
        """
        signal.signal(signal.SIGTERM, self)  # as Ctrl-C: scratch files go, claims are given back
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise it, or look again soon."""
        if self._asked is None and number not in _ASKING:
            return  # another one came before the alarm, and was raised
        again = self._asked is not None and number in _ASKING  # somebody does not want to wait
        now = time.monotonic()
        self._asked = now if self._asked is None else self._asked
        if not again and sys.platform != "win32" and now - self._asked < _MOST and _would_be_lost(frame):
            signal.signal(signal.SIGALRM, self)
            signal.setitimer(signal.ITIMER_REAL, _PAUSE)
            return
        self._asked = None
        raise KeyboardInterrupt


def _would_be_lost(frame: FrameType | None) -> bool:
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_filename.startswith("<frozen importlib") or module.partition(".")[0] == "pydantic":
            return True
        if (module, frame.f_code.co_name) in _BEGINS_A_THREAD:
            return True
        frame = frame.f_back
    return False
