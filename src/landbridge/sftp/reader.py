"""How do the bytes of one remote file come in order while many reads are under way? On the event loop's thread."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncssh

    from landbridge.sftp.pace import Pace, Window

_UNTOLD = 16 << 10
"""What asyncssh assumes of a server that tells no limits; all that were met give 32 KiB, and shorter answers are seen."""
_USUAL = 32 << 10
_LARGEST = 255 << 10
"""OpenSSH's own limit; larger blocks gain nothing."""


async def read_whole(client: asyncssh.SFTPClient, path: str, size: int) -> bytes:
    """Give a small file that must have `size` bytes; three round trips, of which the last is nobody's to wait for.

    Raises:
        IntegrityBroken: it is shorter or longer.
    """
    file = await client.open(path, "rb", encoding=None, block_size=0)
    try:
        # One byte more than there should be: a longer file shows itself without asking for its attributes.
        data = b""
        while len(data) < size and (more := await _read(file, len(data), size + 1 - len(data))):
            data += more
        # Servers give at least this much of a plain file at once, so a shorter answer has met the end.
        at_end = 0 < size < _USUAL and len(data) == size
        longer = len(data) > size or (not at_end and bool(await _read(file, size, 1)))
    finally:
        _close(file)
    check_size(path, size, len(data), longer=longer)
    return data


async def read_at_most(client: asyncssh.SFTPClient, path: str, most: int) -> bytes:
    """Give a small file whose size is not known.

    Raises:
        IntegrityBroken: it has more than `most` bytes.
    """
    file = await client.open(path, "rb", encoding=None, block_size=0)
    try:
        data = b""
        while len(data) <= most and (more := await _read(file, len(data), min(_USUAL, most + 1 - len(data)))):
            data += more
    finally:
        _close(file)
    if len(data) > most:
        raise IntegrityBroken(
            f"{path} is larger than a manifest or receipt can be", expected=f"at most {most} bytes"
        )
    return data


class InOrder:
    """Reads a file in blocks, many at a time, and hands them over in order."""

    def __init__(self, client: asyncssh.SFTPClient, window: Window, pace: Pace) -> None:
        self._client = client
        self._window = window
        self._pace = pace
        told = client.limits.max_read_len
        self._block = _USUAL if told == _UNTOLD else min(told, _LARGEST)
        self.held = 0
        """Bytes of the window that this file holds: asked for, and not yet given back by whoever writes them."""

    async def read(self, path: str, start: int, size: int, deliver: Callable[[bytes], None]) -> None:
        """Call `deliver` with every byte from `start` to `size`, in order, in blocks.

        Raises:
            IntegrityBroken: the file is shorter or longer than `size`.
        """
        file = await self._client.open(path, "rb", encoding=None, block_size=0)
        waiting: deque[tuple[int, int, asyncio.Task[bytes]]] = deque()
        beyond = asyncio.ensure_future(_read(file, size, 1))
        try:
            asked = start
            while asked < size or waiting:
                while asked < size and self._take(block := min(self._block, size - asked)):
                    await self._pace.ask(block)
                    waiting.append((asked, block, asyncio.ensure_future(_read(file, asked, block))))
                    asked += block
                if not waiting:
                    await self._window.freed()
                    continue
                offset, block, task = waiting.popleft()
                deliver(await self._rest(file, path, offset, block, await task))
            check_size(path, size, size, longer=bool(await beyond))
        finally:
            for task in (beyond, *(task for _, _, task in waiting)):
                task.cancel()
            await asyncio.gather(beyond, *(task for _, _, task in waiting), return_exceptions=True)
            _close(file)

    def written(self, size: int) -> None:
        """Take note that `size` bytes were written, so that as many may be asked for."""
        self.held -= size
        self._window.give(size)

    def _take(self, size: int) -> bool:
        taken = self._window.take(size)
        self.held += size if taken else 0
        return taken

    async def _rest(
        self, file: asyncssh.SFTPClientFile, path: str, offset: int, block: int, data: bytes
    ) -> bytes:
        if 0 < len(data) < block:
            self._block = max(4096, min(self._block, len(data)))  # the server gives no more at once
        while len(data) < block:
            more = await _read(file, offset + len(data), block - len(data))
            if not more:
                check_size(path, offset + block, offset + len(data), longer=False)
            data += more
        return data


def check_size(path: str, expected: int, seen: int, *, longer: bool) -> None:
    """Refuse a remote file that is not as long as its manifest says.

    Raises:
        IntegrityBroken: so it is.
    """
    if longer or seen != expected:
        raise IntegrityBroken(
            f"{path} is {'longer' if longer else 'shorter'} on the server than its manifest says",
            expected=f"{'exactly' if longer else 'at least'} {expected} bytes",
            seen=f"more than {expected}" if longer else f"{seen} bytes",
            hint="nothing was landed; look at who changed the released object, it must be immutable",
        )


async def _read(file: asyncssh.SFTPClientFile, offset: int, size: int) -> bytes:
    data = await file.read(size, offset)
    if isinstance(data, str):  # only with an encoding, and every file is opened without
        raise TypeError(data)
    return data


_closing: set[asyncio.Task[None]] = set()


def _close(file: asyncssh.SFTPClientFile) -> None:
    # Nobody waits for the answer: over a long line that would be one round trip more for each file.
    task = asyncio.ensure_future(_ignored(file))
    _closing.add(task)
    task.add_done_callback(_closing.discard)


async def _ignored(file: asyncssh.SFTPClientFile) -> None:
    await asyncio.gather(file.close(), return_exceptions=True)
