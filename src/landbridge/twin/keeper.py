"""Which process owns a twin while nobody is at the terminal?

`python -m landbridge.twin.keeper` reads its Errand from standard input, brings the twin up, tells whoever started it
how far it is (one JSON object a line on standard output), and keeps it until SIGTERM, or until a part of it ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations when the program runs
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from landbridge.deploy.needs import Needs  # noqa: TC001 - as Path
from landbridge.errors import NotPermitted, TryAgain, Unavailable
from landbridge.twin.executing import executing
from landbridge.twin.scheduler import scheduling
from landbridge.twin.twin import fulfilling

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.ports import Progress


@dataclass(frozen=True, slots=True)
class Errand:
    """What a keeper has to bring up."""

    needs: Needs
    folder: Path
    """Of the twin."""
    project: Path
    """Folder of the declaration, for the scheduler's runs."""
    schedule: bool
    """Fire slots by our own scheduler ..."""
    controlm: bool = False
    """... or execute the emitted manifests and Control-M folders."""


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


def keep(errand: Errand, *, progress: Progress, ready: Callable[[], None]) -> bool:
    """Run the twin until SIGTERM or SIGINT (True), or until a part of it ended by itself (False).

    Must be called from the main thread. `ready` is called once everything is up.

    Raises:
        KeyboardInterrupt: a signal came while it was coming up; nothing is left running.
    """
    asked = threading.Event()
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with ExitStack() as parts:
            twin = parts.enter_context(fulfilling(errand.needs, errand.folder, progress=progress))
            children = [twin.server.process]
            if errand.schedule:
                children.append(parts.enter_context(scheduling(twin.state, errand.project)))
            if errand.controlm:
                children.append(parts.enter_context(executing(twin.state, errand.project)))
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


def main() -> int:
    """Be the keeper; the exit code is that of the error, 0 after a wish to stop."""
    errand = TypeAdapter(Errand).validate_json(sys.stdin.read())
    told = Told()

    def ready() -> None:
        told.say({"ready": True})
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    try:
        went = keep(errand, progress=told, ready=ready)
    except (TryAgain, NotPermitted, Unavailable) as error:
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
    sys.exit(main())
