"""How many bytes may be asked for, and how fast? One window and one limit, shared by all downloads of a connection."""

from __future__ import annotations

import asyncio


class Pace:
    """A bandwidth limit. Used on the event loop's thread only."""

    def __init__(self, bytes_per_second: int | None) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0

    async def ask(self, size: int) -> None:
        """Wait until `size` more bytes may be asked for: they take their time on the line, one after the other."""
        if self._rate is None:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._free_at)
        self._free_at = start + size / self._rate
        if start > now:
            await asyncio.sleep(start - now)


class Window:
    """Bytes asked for and not yet written. Bounds memory; used on the event loop's thread only."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._freed = asyncio.Event()

    def take(self, size: int) -> bool:
        """Take `size` bytes if there is room, or if nobody holds any (a block larger than the window still moves)."""
        if self._taken and self._taken + size > self._size:
            return False
        self._taken += size
        return True

    def give(self, size: int) -> None:
        """Give `size` bytes back."""
        self._taken -= size
        self._freed.set()

    async def freed(self) -> None:
        """Wait until somebody gives back."""
        self._freed.clear()
        await self._freed.wait()
