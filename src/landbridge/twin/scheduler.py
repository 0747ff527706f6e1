"""Who runs a feed when its slot is due? On EKS a CronJob; in the twin this scheduler.

As CronJobs do: each slot is a process of its own, the same feed never runs twice at once, a run that failed in a way
that may pass is tried again, and slots missed while nobody was there are caught up within a limit. After a run that
went well the collector is started. Firing a slot twice is harmless: the run's commit decides.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.errors import Exit
from landbridge.schedule import Calendar, slots
from landbridge.twin import child
from landbridge.twin.beside import begun, beside
from landbridge.twin.files import private_folder, write_private

if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from landbridge.facts import Slot
    from landbridge.ports import Clock
    from landbridge.project import Declaration
    from landbridge.twin.state import TwinState

CATCH_UP = timedelta(hours=24)
"""Slots that were due longer ago, while nobody was there, are left to `landbridge run`."""

_MAY_PASS = frozenset({Exit.UNAVAILABLE, Exit.CANNOT_CREATE, Exit.IO, Exit.TRY_AGAIN})
_TRIES = 3
_PAUSE = timedelta(seconds=30)
_LONGEST = 3600.0
"""Seconds after which a run is stopped (activeDeadlineSeconds)."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A process of the scheduler that has ended."""

    slot: str
    """`feed/occurrence`; empty for the collector."""
    exit: int
    seconds: float
    log: str


def due(declaration: Declaration, environment: str, since: datetime, until: datetime) -> list[Slot]:
    """Give the slots of all feeds of `environment` that are scheduled in (since, until], earliest first."""
    step = timedelta(seconds=1)  # cron fires on whole minutes
    found: list[Slot] = []
    for feed in declaration.feeds.values():
        if feed.environments and environment not in feed.environments:
            continue
        named = feed.schedule.calendar
        calendar = Calendar(declaration.project.calendars[named] if named else None)
        found += slots(feed, calendar, since + step, until + step)
    return sorted(found, key=lambda slot: (slot.scheduled_at, slot.feed))


@dataclass(slots=True)
class _Running:
    slot: Slot | None
    attempt: int
    process: subprocess.Popen[bytes]
    began: float
    log: Path


@dataclass(slots=True)
class Dispatcher:
    """Starts what is queued, at most `at_once` runs and one collection at a time. Used from one thread.

    A collection begins when a run went well and no other waits for its turn.
    """

    commands: Callable[[Slot | None], Sequence[str]]
    """The command line of a slot's run; of a collection for None."""
    logs: Path
    clock: Clock
    at_once: int = 2
    tries: int = _TRIES
    _waiting: deque[tuple[Slot, int, datetime]] = field(default_factory=deque, init=False)
    _running: dict[str, _Running] = field(default_factory=dict, init=False)
    """By feed; the collection under the empty name."""
    _collection_wanted: bool = field(default=False, init=False)

    def add(self, due_now: Sequence[Slot]) -> None:
        """Queue slots."""
        now = self.clock.now()
        self._waiting.extend((slot, 1, now) for slot in due_now)

    @property
    def idle(self) -> bool:
        """Tell whether nothing runs and nothing waits."""
        return not (self._waiting or self._running or self._collection_wanted)

    @property
    def unfinished_since(self) -> datetime | None:
        """When the earliest slot that has not ended was due; None when all have."""
        slots_left = [entry[0] for entry in self._waiting]
        slots_left += [running.slot for running in self._running.values() if running.slot]
        return min((slot.scheduled_at for slot in slots_left), default=None)

    def step(self) -> list[Fired]:
        """Start what may start, and give what has ended since the last time. Never blocks."""
        ended = [self._end(name) for name in list(self._running) if self._is_over(self._running[name])]
        now = self.clock.now()
        for entry in list(self._waiting):
            slot, attempt, not_before = entry
            busy = sum(1 for name in self._running if name)
            if busy < self.at_once and slot.feed not in self._running and not_before <= now:
                self._waiting.remove(entry)
                self._start(slot, attempt)
        waits = any(not_before <= now for _, _, not_before in self._waiting)
        if self._collection_wanted and not waits and "" not in self._running:
            self._collection_wanted = False
            self._start(None, 1)
        return ended

    def drain(self) -> list[Fired]:
        """Step until everything queued has ended, the last collection included."""
        ended: list[Fired] = []
        while not self.idle:
            ended += self.step()
            time.sleep(0.05)
        return ended

    def stop(self) -> None:
        """Stop what runs and forget what waits."""
        self._waiting.clear()
        for running in self._running.values():
            child.stop(running.process, patience=5)
        self._running.clear()

    def _start(self, slot: Slot | None, attempt: int) -> None:
        name = f"{slot.feed}.{slot.occurrence}" if slot else "collect"
        log = private_folder(self.logs) / f"{name}.log"
        process = child.start(self.commands(slot), cwd=self.logs, log=log, environment=os.environ.copy())
        self._running[slot.feed if slot else ""] = _Running(slot, attempt, process, time.monotonic(), log)

    def _is_over(self, running: _Running) -> bool:
        if time.monotonic() - running.began > _LONGEST:
            child.stop(running.process, patience=5)
        return running.process.poll() is not None

    def _end(self, name: str) -> Fired:
        running = self._running.pop(name)
        code = running.process.returncode
        if running.slot and code == Exit.DONE:
            self._collection_wanted = True
        elif running.slot and code in _MAY_PASS and running.attempt < self.tries:
            later = self.clock.now() + _PAUSE * running.attempt
            self._waiting.append((running.slot, running.attempt + 1, later))
        seconds = round(time.monotonic() - running.began, 2)
        return Fired(str(running.slot or ""), code, seconds, str(running.log))


def dispatcher(
    project: Path, twin: TwinState, clock: Clock, *, at_once: int = 2, tries: int = _TRIES
) -> Dispatcher:
    """Give a dispatcher whose processes are the commands an operator would type."""
    common = ("--project", str(project), "--environment", twin.environment, "--twin")

    def command(slot: Slot | None) -> Sequence[str]:
        program = (sys.executable, "-m", "landbridge")
        if slot is None:
            return (*program, "collect", *common)
        return (*program, "run", slot.feed, "--date", slot.occurrence, *common)

    return Dispatcher(command, twin.folder / "runs", clock, at_once=at_once, tries=tries)


def tick(
    declaration: Declaration, twin: TwinState, now: datetime, *, clock: Clock, within: timedelta = CATCH_UP
) -> list[Fired]:
    """Fire what was due in the time `within` before `now`, a virtual time, and wait until it has ended; one try each."""
    work = dispatcher(declaration.folder, twin, clock, tries=1)
    work.add(due(declaration, twin.environment, now - within, now))
    try:
        return work.drain()
    finally:
        work.stop()


def watch(
    work: Dispatcher,
    due_between: Callable[[datetime, datetime], list[Slot]],
    memory: Path,
    *,
    over: Callable[[], bool],
) -> None:
    """Fire slots as they come due until `over`; first those missed since the last time, within CATCH_UP.

    `memory` is the file that holds up to when slots were fired and have ended: one that was cut off is fired again.
    """
    since = remembered_until(memory, work.clock.now())
    try:
        while not over():
            now = work.clock.now()
            if (minute := now.replace(second=0, microsecond=0)) > since:  # cron fires on whole minutes
                work.add(fresh := due_between(since, minute))
                since = minute
                for slot in fresh:
                    _say({"due": str(slot), "scheduled_at": slot.scheduled_at.isoformat()})
            for ended in work.step():
                _say(asdict(ended))
            unfinished = work.unfinished_since
            _remember(memory, unfinished - timedelta(minutes=1) if unfinished else since)
            work.clock.sleep(1)
    finally:
        work.stop()


def _remember(memory: Path, until: datetime) -> None:
    text = json.dumps({"until": until.isoformat()})
    if not memory.exists() or memory.read_text(encoding="utf-8") != text:
        write_private(memory, text)


def remembered_until(memory: Path, now: datetime) -> datetime:
    """Give the instant up to which slots were fired; now at the first time."""
    if not memory.exists():
        return now
    until = datetime.fromisoformat(json.loads(memory.read_text(encoding="utf-8"))["until"])
    return max(until, now - CATCH_UP)


def _say(document: dict[str, object]) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **document}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def scheduling(twin: TwinState, project: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run the scheduler as a process for the length of the `with`, and put it on record."""
    return beside(twin, project, "landbridge.twin.scheduler", service="scheduler", log="schedule.log")


class _UntilAsked:
    """This machine's clock, whose sleep ends when somebody asks to stop; obeys ports.Clock."""

    def __init__(self, asked: threading.Event) -> None:
        self._asked = asked

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        self._asked.wait(seconds)


def main(arguments: Sequence[str]) -> int:
    """Be the scheduler of a twin that is up, until SIGTERM."""
    declaration, twin, asked = begun(arguments)
    if twin is None:
        return Exit.UNAVAILABLE
    watch(
        dispatcher(declaration.folder, twin, _UntilAsked(asked)),
        lambda since, until: due(declaration, twin.environment, since, until),
        twin.folder / "schedule.json",
        over=asked.is_set,
    )
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
