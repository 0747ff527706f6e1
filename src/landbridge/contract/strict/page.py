"""How are the bytes of one block held, so that numpy can look at eight of them around any place at once?"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

PAD = 64
"""Bytes kept before and after the block, so that a word near its edge can be read; they are line feeds."""


_HELD_BACK = 24 << 20
"""Bytes; below the 32 MiB where glibc's threshold stops to rise."""


class Page:
    """A buffer of `size` bytes with room around it. Positions count from the first byte of the block."""

    def __init__(self, size: int) -> None:
        self.size = size
        # glibc gives freed memory back, and asks for it again page by page, until a block this large was freed once
        # (mallopt(3), M_MMAP_THRESHOLD): that halved the time of a pass. Nothing of it is ever touched.
        np.empty(_HELD_BACK, np.uint8)
        self.raw = bytearray(b"\n" * (size + 2 * PAD))
        self.bytes: Bytes = np.frombuffer(self.raw, np.uint8)[PAD:]
        """The block, and after it the room."""
        self.before: Bytes = np.frombuffer(self.raw, np.uint8)[PAD - 1 :]
        """`before[p]` is the byte before position p."""
        self.ending: Callable[[int], Words] = cache(lambda k: self._words(-8 * (k + 1)))
        """`ending(k)[p]`: the eight bytes before position p - 8k, the first in the lowest bits."""
        self.starting: Callable[[int], Words] = cache(self._words)
        """`starting(o)[p]`: the eight bytes from position p + o on."""

    @property
    def room(self) -> memoryview:
        """The block's bytes, to be filled."""
        return memoryview(self.raw)[PAD : PAD + self.size]

    def close_at(self, length: int) -> None:
        """Put line feeds after the first `length` bytes, so that nothing of an earlier block shows."""
        end = PAD + length
        self.raw[end : end + PAD] = b"\n" * PAD

    def has(self, byte: int, length: int) -> bool:
        """Tell whether `byte` is among the first `length` bytes."""
        return self.raw.find(byte, PAD, PAD + length) >= 0

    def text(self, start: int, end: int) -> bytes:
        """Give the bytes from `start` to before `end`."""
        return bytes(memoryview(self.raw)[PAD + start : PAD + end])

    def _words(self, offset: int) -> Words:
        return np.ndarray(
            shape=(self.size + PAD - 8 - max(0, offset),),
            dtype="<u8",
            buffer=self.raw,
            offset=PAD + offset,
            strides=(1,),
        )
