"""What does a disk do that loses power? Files and folders in memory, for any number of processes.

Errors are those of Linux (`disk_answers` holds the two against each other). A full, failing, read-only or vanished disk is
not simulated here: whoever wraps the port makes any call fail.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reliability.inodes import Attributes, Changes, Inode, rebooted
from reliability.mount import Mount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from reliability.mount import Opened

UMASK = 0o022
_FOLDER = 0o755


def _nobody(_operation: str, _path: Path) -> None:
    """Watch nothing."""


class SimulatedDisk:
    """The machine that has the disk. `now` gives its time in nanoseconds; no two changes have the same."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._last = 0
        self.turn = threading.RLock()
        self.changes = Changes()
        self.locks: dict[Inode, Opened] = {}
        begun = self.time()
        attributes = Attributes(_FOLDER, begun, begun)
        self.root = Inode(is_folder=True, seen=attributes, kept=attributes)

    def mount(self, before: Callable[[str, Path], None] = _nobody, *, umask: int = UMASK) -> Mount:
        """Give the disk as one process sees it; `before` is told of each call, by its name and path, ahead of its effect."""
        return Mount(self, before, umask)

    def time(self) -> int:
        """Give an instant that is later than all before."""
        self._last = max(self._now(), self._last + 1)
        return self._last

    def settle(self) -> None:
        """Have everything last, as after half a minute of rest."""
        self.changes.sync(None)
        known = {self.root}
        waiting = [self.root]
        while waiting:
            one = waiting.pop()
            one.sync()
            fresh = set(one.names.values()) - known
            known |= fresh
            waiting += fresh

    def power_cut(self, random: Random, *, strict: bool = False) -> SimulatedDisk:
        """Give the disk as it comes back after a power cut at this moment; this one stays as it is.

        Open files and locks are gone. Of what was not synced, chance decides; `strict`: none of it survives.
        """
        chance = None if strict else random
        found = SimulatedDisk(self._now)
        found._last = self._last
        found.root = rebooted(self.root, self.changes.surviving(chance), chance)
        return found

    def again(self, now: Callable[[], int]) -> SimulatedDisk:
        """Give another disk on which everything that lasts here is, and lasts; nobody has opened anything there."""
        found = SimulatedDisk(now)
        found._last = self._last
        found.root = rebooted(self.root, (), None)
        return found

    def files(self) -> dict[str, bytes]:
        """Give every file with its bytes, by path."""
        found: dict[str, bytes] = {}
        waiting = [("", self.root)]
        while waiting:
            path, one = waiting.pop()
            if not one.is_folder:
                found[path] = bytes(one.body)
            waiting += [(f"{path}/{name}", child) for name, child in one.names.items()]
        return found
