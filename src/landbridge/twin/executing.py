"""Who executes the emitted artefacts while a twin is up? This process, with the machine's clock and threads.

`python -m landbridge.twin.executing PROJECT ENVIRONMENT` goes on where an earlier start has left off, and writes down how
its jobs stand whenever something has happened.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from landbridge.errors import Exit
from landbridge.twin.beside import begun, beside
from landbridge.twin.files import write_private

if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from landbridge.twin.emitted import Schedulers
    from landbridge.twin.state import TwinState

_TICK = 0.5
"""Seconds between two looks at the clock."""
_DAY = "%Y%m%d"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier start of the schedulers has seen to."""

    fired: Mapping[str, datetime]
    """By CronJob: its last scheduled time."""
    ended: Mapping[tuple[str, date], bool]
    """By job and order date: whether it ended well."""


def remembered(happened: Path) -> Remembered:
    """Read what happened before this start; a last line that a crash cut off is left alone."""
    fired: dict[str, datetime] = {}
    ended: dict[tuple[str, date], bool] = {}
    for line in happened.read_text(encoding="utf-8").splitlines() if happened.exists() else ():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        match one:
            case {"what": "job created", "who": str(who), "scheduled": str(at)}:
                fired[who.rpartition("-")[0]] = datetime.fromisoformat(at)
            case {"what": "ended ok" | "ended not ok" as what, "who": str(who), "order_date": str(on)}:
                ended[who, _day(on)] = what == "ended ok"
            case {"what": "started", "who": str(who), "order_date": str(on)}:
                ended.pop((who, _day(on)), None)
            case _:
                pass
    return Remembered(fired, ended)


def _day(text: str) -> date:
    return datetime.strptime(text, _DAY).date()  # noqa: DTZ007 - a day has no zone


def executing(twin: TwinState, project: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run the schedulers as a process for the length of the `with`, and put it on record."""
    return beside(twin, project, "landbridge.twin.executing", service="schedulers", log="executing.log")


def execute(made: Schedulers, memory: Path, asked: threading.Event) -> None:
    """Let time pass until somebody asks to stop; from one thread.

    Raises:
        UsageError: something was emitted that the twin cannot execute after all.
    """
    written = -1
    while not asked.is_set():
        made.agenda.advance(datetime.now(UTC))
        if len(made.chronicle.happened) != written:
            written = len(made.chronicle.happened)
            write_private(memory, json.dumps(_standing(made)))
        asked.wait(_TICK)


def _standing(made: Schedulers) -> list[dict[str, object]]:
    orders: list[dict[str, object]] = [
        {
            "job": one.job.name,
            "order_date": f"{one.order_date:{_DAY}}",
            "state": one.state.value,
            "late": one.late,
            "runs": one.runs,
            "exit": one.code,
        }
        for one in made.controlm.orders
    ]
    active: list[dict[str, object]] = [
        {"job": job.name, "order_date": "", "state": "Active", "late": False, "runs": job.pods, "exit": None}
        for job in made.cluster.active
    ]
    return [*active, *orders]


def main(arguments: Sequence[str]) -> int:
    """Execute until SIGTERM."""
    from landbridge.twin.emitted import folder_of, prepare, schedulers
    from landbridge.twin.programs import Subprocess
    from landbridge.twin.workers import Threads

    declaration, twin, asked = begun(arguments)
    if twin is None:
        return Exit.UNAVAILABLE
    where = folder_of(twin.folder)
    before = remembered(where / "happened.jsonl")
    program, workers = Subprocess((sys.executable, "-m", "landbridge")), Threads()
    prepare(declaration, twin)
    made = schedulers(
        declaration,
        twin,
        datetime.now(UTC),
        workers=workers,
        program=program,
        outside=os.environ.copy(),
    )
    made.cluster.fired |= before.fired
    try:
        made.start(before.ended)
        execute(made, where / "jobs.json", asked)
    finally:
        program.stop()
        workers.close()
        made.close()
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
