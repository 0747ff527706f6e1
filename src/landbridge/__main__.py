"""How does a process that is nothing but one command of Landbridge begin, and end?"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys

_OBJECTS = 100_000
"""Made before the collector looks for cycles: it finds none in the half a million that the imports of a run leave."""


def program() -> None:
    """Run the command of this process's arguments, and end the process with its exit code; see cli.main."""
    # Ctrl-C amid the imports ends the process without a word; `main` takes it from there. Ignored, as in the background, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from landbridge.cli import main

    gc.set_threshold(_OBJECTS, 10, 10)
    ended: list[int] = []
    # The first one registered is the last one called. Who came before it (what measures or traces a process does, from
    # sitecustomize) would never be called: then the process ends as every Python does.
    if not atexit._ncallbacks():  # noqa: SLF001 - nothing public tells
        atexit.register(_leave, ended)
    try:
        main()
    except SystemExit as end:
        ended += [end.code] if isinstance(end.code, int) else []
        raise


def _leave(ended: list[int]) -> None:
    """End the process once its threads, and everything else that asked to be called at the end, have ended.

    What Python would do then is to give back its memory object by object, which took up to a sixth of the CPU of a command.
    So nothing may wait for that to be closed: a file is closed by its `with`.
    """
    if not ended:
        return
    try:
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            if stream is not None:  # a process may be started without one
                stream.flush()
    except (OSError, ValueError):  # closed, or its disk full: Python has its own way to say so
        return
    os._exit(ended[0])


if __name__ == "__main__":
    program()
