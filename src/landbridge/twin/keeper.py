"""Which process owns a twin while nobody is at the terminal?

`python -m landbridge.twin.keeper FOLDER ENVIRONMENT [--schedule]`: brings the twin up, tells whoever started it how
far it is (one JSON object a line on standard output), and keeps it until SIGTERM, or until a part of it ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.declare import load
from landbridge.errors import LandbridgeError
from landbridge.twin.scheduler import scheduling
from landbridge.twin.twin import running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landbridge.ports import Progress
    from landbridge.project import Declaration


class Told:
    """Progress as JSON lines; obeys ports.Progress. A reader who went away ends the twin (BrokenPipeError)."""

    def start(self, step: str, total: int | None, unit: str) -> None:  # noqa: ARG002 - the port's words
        """Tell that a step begins."""
        self.say({"start": step})

    def advance(self, step: str, amount: int) -> None:
        """Say nothing."""

    def finish(self, step: str) -> None:
        """Tell that a step is over."""
        self.say({"finish": step})

    def say(self, document: dict[str, object]) -> None:
        """Write one line, now."""
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


def keep(
    declaration: Declaration,
    environment: str,
    *,
    schedule: bool,
    progress: Progress,
    ready: Callable[[], None],
) -> bool:
    """Run the twin until SIGTERM or SIGINT (True), or until a part of it ended by itself (False).

    Must be called from the main thread. `ready` is called once everything is up.

    Raises:
        KeyboardInterrupt: a signal came while it was coming up; nothing is left running.
    """
    asked = threading.Event()
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with ExitStack() as parts:
            twin = parts.enter_context(running(declaration, environment, progress=progress))
            children = [twin.server.process]
            if schedule:
                children.append(parts.enter_context(scheduling(twin.state, declaration.folder)))
            ready()
            for number in before:
                signal.signal(number, lambda *_: asked.set())
            while not asked.wait(0.5):
                if any(process.poll() is not None for process in children):
                    return False
            return True
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str]) -> int:
    """Be the keeper; the exit code is that of the error, 0 after a wish to stop."""
    folder, environment = Path(arguments[0]), arguments[1]
    told = Told()

    def ready() -> None:
        told.say({"ready": True})
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    try:
        went = keep(load(folder), environment, schedule="--schedule" in arguments, progress=told, ready=ready)
    except LandbridgeError as error:
        told.say(
            {
                "error": {
                    "what": error.what,
                    "expected": error.expected,
                    "seen": error.seen,
                    "hint": error.hint,
                    "exit": int(error.exit),
                }
            }
        )
        return error.exit
    except (KeyboardInterrupt, BrokenPipeError):
        return 0
    return 0 if went else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
