"""What if nobody takes what a command says: no standard output, a full disk, an encoding without its letters?"""

from __future__ import annotations

import io
import os
import sys
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_SPEAKERS = ("landbridge.cli", "rich.", "typer.")
"""Who writes to the outputs. What they write to files they tell as the disk's errors themselves."""


def prepare() -> None:
    """Let a process speak that was started without an output, or with one whose encoding has not all letters.

    What is closed goes nowhere; a letter that cannot be written is written as its number.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def refusal(error: OSError) -> str:
    """Tell why an output takes no more, and throw away what standard output holds; empty when the error is about something else."""
    *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
    if error.filename is not None or not str(innermost.f_globals.get("__name__")).startswith(_SPEAKERS):
        return ""
    _to_nowhere(sys.stdout)
    return error.strerror or str(error)


@contextmanager
def unheard() -> Iterator[None]:
    """Let what is said on standard error be lost where that takes no more: the exit code tells it as well."""
    with suppress(OSError, ValueError):  # ValueError: it is closed
        yield


def leave() -> None:
    """Say what is left to say; what is not taken is thrown away, and the exit code stays what it is."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _to_nowhere(stream)
        except ValueError:  # closed
            continue


def _to_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
