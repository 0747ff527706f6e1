"""How are many slots of a feed run that were never run? A few at a time, each by the same `run`, and again from where it stopped.

A slot has one verdict whoever runs it, so nothing is lost by an interruption, and a second start finds what is left.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from enum import StrEnum
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Literal

from landbridge.errors import Exit, LandbridgeError
from landbridge.events import about, log
from landbridge.facts import Released, SlotState
from landbridge.run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from types import TracebackType

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.ports import Progress
    from landbridge.standing import Standing
    from landbridge.world import Cloud


STEP = "slots"
_HOPELESS = {Exit.PERMISSION, Exit.DECLARATION, Exit.USAGE}
"""What ends one slot so, ends every other one so, too."""


class Ended(StrEnum):
    """How a slot of a backfill ended."""

    RELEASED = "released"
    QUARANTINED = "quarantine"
    SKIPPED = "skip"
    REJECTED = "reject"
    WAIVED = "waive"
    """By a person, meanwhile."""
    FAILED = "failed"
    NOT_RUN = "not run"
    """Its turn had not come when the backfill was interrupted, or could not go on; the next one runs it."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One slot of a backfill, and how it ended."""

    slot: Slot
    ended: Ended
    rows: int = 0
    file: str = ""
    """Where it was released."""
    error: LandbridgeError | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """How all of them ended, in the order of the slots."""

    slots: tuple[Filled, ...]
    interrupted: bool = False


def open_slots(seen: Sequence[Standing], now: datetime) -> list[Slot]:
    """Give the slots that a backfill runs, the oldest first: due and without a verdict, or with a release that is not released yet."""
    unfinished = {SlotState.DUE, SlotState.MISSING, SlotState.COMMITTED}
    found = [
        one.slot
        for one in seen
        if one.state in unfinished and one.scheduled and not one.known.doubt and one.slot.scheduled_at <= now
    ]
    return sorted(found, key=lambda slot: slot.scheduled_at)


def backfill(
    feed: Feed, slots: Sequence[Slot], cloud: Cloud, parallel: int, silent: Callable[[Cloud], Cloud]
) -> Backfill:
    """Run `slots` with up to `parallel` under way. What goes wrong with one is its end, and the others go on.

    Only what would go wrong with all of them (a permission, the declaration) lets no further one begin. Interrupted (Ctrl-C),
    no further one begins either, and those under way are awaited: they come to their verdicts, and lose nothing.
    `silent` takes from a cloud the bars of single steps, which would say nothing with several runs at once.
    """
    queue = _Queue(feed, silent(cloud), list(reversed(slots)), cloud.progress)
    interrupted = False
    with ThreadPoolExecutor(parallel, thread_name_prefix="backfill") as pool:
        try:
            cloud.progress.start(STEP, len(slots), "slots")
            for _ in range(parallel):
                # in this thread's context: what it has bound (run id, environment) is on every line of the log
                pool.submit(copy_context().run, queue.work)
            queue.wait()
        except (
            KeyboardInterrupt
        ):  # wherever it came; a second one, while those under way are awaited, ends it all
            queue.close()
            interrupted = True
            log.warning("interrupted: no further slot begins")
    queue.wait()  # interrupted while a thread began, the pool does not know of that thread
    if queue.bug is not None:
        raise queue.bug  # with its traceback
    cloud.progress.finish(STEP)
    return Backfill(tuple(queue.ended.get(slot, Filled(slot, Ended.NOT_RUN)) for slot in slots), interrupted)


class _Queue:
    """Slots that wait for their turn. Each is put on record by the thread that ran it: no signal comes there, so none is lost."""

    def __init__(self, feed: Feed, cloud: Cloud, waiting: list[Slot], bars: Progress) -> None:
        self.ended: dict[Slot, Filled] = {}
        self.bug: BaseException | None = None
        """Why no further slot began, when that was a bug: the first one."""
        self._feed, self._cloud, self._waiting, self._bars = feed, cloud, waiting, bars
        self._under_way = 0
        self._lock = Lock()
        """Of the threads that run slots alone: an interrupted thread could leave one held for ever."""
        self._told = SimpleQueue[None]()
        """Grows with each slot that has ended, and each look for one that found none."""

    def work(self) -> None:
        """Run one slot after another until none is left."""
        while slot := self._next():
            self._run(slot)

    def close(self) -> None:
        """Let no further slot begin."""
        self._waiting.clear()

    def wait(self) -> None:
        """Wait until no slot is under way, and none waits."""
        while self._waiting or self._under_way:
            self._told.get()

    def _next(self) -> Slot | None:
        with self._lock:
            self._under_way += 1  # first, so that one is never neither waiting nor under way
            try:
                return self._waiting.pop()
            except IndexError:
                self._under_way -= 1
        self._told.put(None)
        return None

    def _run(self, slot: Slot) -> None:
        with self:
            filled = _filled(self._feed, slot, self._cloud)
            with self._lock:
                self.ended[slot] = filled
                self._bars.advance(STEP, 1)
            if filled.error is not None and filled.error.exit in _HOPELESS:
                self.close()

    def __enter__(self) -> None:
        """Begin a slot that `_next` gave."""

    def __exit__(
        self, kind: type[BaseException] | None, bug: BaseException | None, trace: TracebackType | None
    ) -> Literal[True]:
        """End it; a bug is raised where the slots are awaited."""
        with self._lock:
            if bug is not None:
                self.bug = self.bug or bug
                self.close()
            self._under_way -= 1
        self._told.put(None)
        return True


def _filled(feed: Feed, slot: Slot, cloud: Cloud) -> Filled:
    with about(feed=feed.feed, slot=str(slot)):
        try:
            outcome = run(feed, slot, replace(cloud, revision=1))
        except LandbridgeError as error:  # of one slot; the others go on
            log.warning("not filled", error=str(error))
            return Filled(slot, Ended.FAILED, error=error)
        if isinstance(outcome, Released):
            return Filled(slot, Ended.RELEASED, outcome.commitment.delivered.rows, str(outcome.at))
        return Filled(slot, Ended(outcome.verdict.value), outcome.plain.rows)
