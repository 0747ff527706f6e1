"""What if nobody takes what a command says: no standard output, a full disk, an encoding without its letters?"""

from __future__ import annotations

import io
import os
import sys
import traceback

_SPEAKERS = ("landbridge.cli", "rich.", "typer.")
"""Who writes to standard output, and to no file."""


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
    """Tell why standard output takes no more, and throw away what is left for it; empty when the error is about something else."""
    *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
    if error.filename is not None or not str(innermost.f_globals.get("__name__")).startswith(_SPEAKERS):
        return ""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return error.strerror or str(error)
