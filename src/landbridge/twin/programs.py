"""How is a command of a pod, or of a job of Control-M, run on this machine?"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from landbridge.twin import child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

KILLED = 137
"""Exit code of what was stopped because it took too long: 128 and SIGKILL, as a shell and a kubelet say."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program of Landbridge with its arguments, as the emitted document has it."""

    arguments: Sequence[str]
    """Without the program itself: `("run", "summary", ...)`."""
    environment: Mapping[str, str]
    """All of it."""
    folder: Path
    """Working folder."""
    log: Path
    """What it says is appended there."""
    at: datetime
    """When it begins, by the scheduler's clock."""
    limit: timedelta
    """It is stopped when it takes longer."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over."""

    exit: int
    output: str
    """The last of what it said."""
    took: timedelta
    """By the scheduler's clock; the machine's own in a process."""


class Program(Protocol):
    """Landbridge itself, the one program that the emitted documents start."""

    def run(self, command: Command) -> Ended:
        """Run it to its end; from any thread."""
        ...


_TAIL = 4000


@dataclass(frozen=True, slots=True)
class Subprocess:
    """Landbridge as a process of its own, as a pod or an agent starts it."""

    program: Sequence[str]
    """`(sys.executable, "-m", "landbridge")`."""
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set, init=False)

    def run(self, command: Command) -> Ended:
        """Run it; a thread that ends takes its process with it (child.start)."""
        began = time.monotonic()
        before = command.log.stat().st_size if command.log.exists() else 0
        process = child.start(
            (*self.program, *command.arguments),
            cwd=command.folder,
            log=command.log,
            environment=command.environment,
        )
        self._running.add(process)
        try:
            code = process.wait(command.limit.total_seconds())
        except subprocess.TimeoutExpired:
            child.stop(process, patience=5)
            code = KILLED
        finally:
            child.stop(process, patience=0)
            self._running.discard(process)
        said = command.log.read_bytes()[before:].decode(errors="replace")
        return Ended(code, said[-_TAIL:], timedelta(seconds=time.monotonic() - began))

    def stop(self) -> None:
        """Ask whatever runs to end, so that the threads that wait for it can go on."""
        for process in list(self._running):
            process.terminate()
