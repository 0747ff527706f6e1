"""Which program runs beside a twin that is up, and how does it begin and end? One module each, run by `python -m`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.twin import child, state
from landbridge.twin.state import Service

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

    from landbridge.project import Declaration
    from landbridge.twin.state import TwinState


@contextmanager
def beside(
    twin: TwinState, project: Path, module: str, *, service: str, log: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module as a process for the length of the `with`, and put it on record as `service`; it logs to `log`."""
    written = twin.folder / log
    command = (sys.executable, "-m", module, str(project.resolve()), twin.environment)
    process = child.start(command, cwd=twin.folder, log=written, environment=os.environ.copy())
    try:
        on_record = Service(service, child.identity(process.pid), written)
        state.save(replace(twin, services=(*twin.services, on_record)))
        yield process
    finally:
        child.stop(process, patience=10)


def begun(arguments: Sequence[str]) -> tuple[Declaration, TwinState | None, threading.Event]:
    """Give what such a module works for: the declaration, its twin if that is up, and the wish to stop (SIGTERM, SIGINT)."""
    from landbridge.declare import load

    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    declaration, environment = load(Path(arguments[0])), arguments[1]
    return declaration, state.recorded(state.folder_of(declaration.folder, environment)), asked
