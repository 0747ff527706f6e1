"""What does a session take from the machine it runs on: its disk, names that never recur, chance, and a heart?"""

from __future__ import annotations

import random
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landbridge.disk.local import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.disk import Disk


def _token() -> str:
    return secrets.token_hex(8)


def threaded(beat: Callable[[], None], seconds: float) -> Callable[[], None]:
    """Call `beat` every so many seconds, from a thread, until what this gives is called."""
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(seconds):
            beat()

    heart = threading.Thread(target=live, name="alive", daemon=True)
    heart.start()

    def end() -> None:
        ended.set()
        heart.join()

    return end


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a session runs. Whoever simulates one decides all that happens on it."""

    disk: Disk = LOCAL
    token: Callable[[], str] = _token
    """Gives 16 hexadecimal digits that never recur."""
    chance: Callable[[], float] = random.random
    """Gives a number from 0 to below 1, another one each time."""
    pause: Callable[[float], None] = time.sleep
    """Waits so many seconds, as two do that met."""
    heart: Callable[[Callable[[], None], float], Callable[[], None]] = threaded
    """Calls the first one every so many seconds, until what it gives is called."""


THIS: Final = Machine()
"""The one this program runs on."""
