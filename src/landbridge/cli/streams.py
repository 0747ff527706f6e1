"""What if nobody takes what a command says: no standard output, a full disk, an encoding without its letters?"""

from __future__ import annotations

import io
import os
import sys


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


def refusal() -> str:
    """Tell why standard output takes no more, and throw away what is left for it; empty when all is well."""
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return error.strerror or str(error)
    return ""
