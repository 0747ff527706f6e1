"""When does Ctrl-C, or SIGTERM, stop a command? At once, but not amid an import or while models are built: right after it."""

from __future__ import annotations

import signal
import sys
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_BUILDERS = ("importlib.", "_frozen_importlib", "pydantic.")
_AGAIN = 0.02
"""Seconds until it is looked again whether that has ended."""
_LONGEST = 2.0
"""Seconds that it is given: a project's own module may do anything in its own."""


class Signals:
    """What was asked of this process from outside: SIGINT and SIGTERM both raise KeyboardInterrupt.

    So scratch files go, and claims are given back.
    """

    def __init__(self) -> None:
        self.came = False
        """Whether one came; a library may have made of it an error of its own."""
        self._until = 0.0

    def taken(self) -> None:
        """Take both from now on; SIGINT only where it is not ignored, as in the background of a script."""
        signal.signal(signal.SIGTERM, self._come)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._come)

    def _come(self, _: int, frame: FrameType | None) -> None:
        """Raise it, or look again soon while a module is imported or a model built.

        What is built meanwhile loses a KeyboardInterrupt, or calls it an error in what is built (pydantic's core does both): the
        command would go on, or end as a bug.
        """
        self._until = self._until if self.came else monotonic() + _LONGEST
        self.came = True
        later = sys.platform != "win32" and _builds(frame) and monotonic() < self._until
        if sys.platform != "win32":
            signal.signal(signal.SIGALRM, self._come)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN if later else 0)
        if not later:
            raise KeyboardInterrupt


def _builds(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(_BUILDERS):
            return True
        frame = frame.f_back
    return False
