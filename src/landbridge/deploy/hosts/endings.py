"""What does a scheduler on the ground do about an exit code? The one table; every kind renders it.

A collection tries again by itself while its window is open, and for a quarter of an hour when nothing is due. So what comes to
the scheduler is what is left: a code that may pass has stayed, and is told where the scheduler can tell such a run from a short
one; else it is tried again a few times, and then told. A code that needs a person is told at once and not tried again before the
next start.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from landbridge.errors import Exit


class Ending(StrEnum):
    """What an exit code asks of a scheduler."""

    DONE = "done"
    """Also: there was nothing to do."""
    AGAIN = "again"
    """It may pass: try again, and tell when it stays."""
    TELL = "tell"
    """A person must act: tell at once, and do not loop."""


ENDINGS = {
    Exit.DONE: Ending.DONE,
    Exit.USAGE: Ending.TELL,
    Exit.DATA: Ending.TELL,  # of a check: a slot is late or missing
    Exit.UNAVAILABLE: Ending.AGAIN,
    Exit.BUG: Ending.TELL,
    Exit.CANNOT_CREATE: Ending.AGAIN,
    Exit.IO: Ending.AGAIN,
    Exit.TRY_AGAIN: Ending.AGAIN,
    Exit.INTEGRITY: Ending.TELL,
    Exit.PERMISSION: Ending.TELL,
    Exit.DECLARATION: Ending.TELL,
    Exit.INTERRUPTED: Ending.AGAIN,
}
TRIES = 4
"""Starts of one job before a code that may pass is told, the first one included."""
PAUSE = timedelta(minutes=5)
"""Between two of them."""
LONG = (TRIES - 1) * PAUSE
"""A run that lasted so long has itself tried as often as a scheduler would: a code that may pass is told after it."""


def codes(ending: Ending) -> tuple[int, ...]:
    """Give the exit codes that end so, in order."""
    return tuple(sorted(int(code) for code, each in ENDINGS.items() if each is ending))


def table(*exceptions: str) -> str:
    """Give the table for people, one line a code, then what a scheduler does otherwise."""
    words = {
        Ending.DONE: "done, also when there is nothing to do",
        Ending.AGAIN: f"tried again {TRIES - 1} times, {PAUSE.seconds // 60} minutes apart, then told",
        Ending.TELL: "told at once, not tried again before the next start",
    }
    rows = (f"{int(code):>3} {code.name:<14} {words[each]}" for code, each in ENDINGS.items())
    return "\n".join((*rows, *exceptions))


LONG_AT_ONCE = f"a run of {int(LONG.total_seconds()) // 60} minutes or more has tried all that time: a code that may pass is told at once"
CHECK_AT_ONCE = "a check at a deadline (late-*) that could not look is told at once"
