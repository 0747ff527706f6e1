"""How many bytes may be asked for, and how fast? One window and one limit, shared by all downloads of a remote."""

from __future__ import annotations

import threading
import time


class Pace:
    """A bandwidth limit."""

    def __init__(self, bytes_per_second: int | None) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._ended = threading.Event()
        self._lock = threading.Lock()

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self._rate is not None

    def ask(self, size: int) -> None:
        """Wait until `size` more bytes may be asked for: they take their time on the line, one after the other."""
        if self._rate is None:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + size / self._rate
        if start > now:
            self._ended.wait(start - now)

    def end(self) -> None:
        """Let nobody wait any more."""
        self._ended.set()


class Window:
    """Bytes asked for and not yet written. Bounds memory."""

    def __init__(self, size: int) -> None:
        self.size = size
        """Most bytes that may be taken."""
        self._taken = 0
        self._changed = threading.Condition()
        self._ended = False

    def take(self, size: int) -> bool:
        """Take `size` bytes if there is room, or if nobody holds any (a block larger than the window still moves)."""
        with self._changed:
            if self._taken and self._taken + size > self.size:
                return False
            self._taken += size
            return True

    def await_room(self, size: int) -> None:
        """Wait until `take` may do; whoever holds none of the window itself may wait here."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or not self._taken or self._taken + size <= self.size)

    def give(self, size: int) -> None:
        """Give `size` bytes back."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
