"""How many handles of a server's session are open at once, whoever asks for files?"""

from __future__ import annotations

import threading

SOME = 32
"""Taken at a time by who asks for many: to wait for each one costs a change of threads for each file, a tenth of a collection's CPU."""


class Handles:
    """So many handles. Taken some at a time, and given back by the line's thread as each file ends."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._some = min(SOME, most)
        self._given = threading.Condition()

    def take(self, wanted: int) -> int:
        """Wait until some are free, as many as are wanted or are taken at a time, and take them; give how many."""
        count = min(self._some, wanted)
        with self._given:
            self._given.wait_for(lambda: self._free >= count)
            self._free -= count
        return count

    def give(self, count: int = 1) -> None:
        """Give them back. Nobody is woken before there are enough for anybody."""
        with self._given:
            self._free += count
            if self._free >= self._some:
                self._given.notify_all()
