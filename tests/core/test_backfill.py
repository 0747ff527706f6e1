"""Does a backfill run what was never run, a few at a time, and lose nothing when it is stopped?"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.backfill import STEP, Backfill, Ended, backfill, open_slots
from landbridge.errors import DefinitionsRefused, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.events import about
from landbridge.facts import Verdict
from landbridge.run import run
from landbridge.standing import Known, Standing, standing
from tests.core.formats import Silent
from tests.fakes.facts import commitment
from tests.fakes.heard import heard
from tests.fakes.memory_cloud import MemoryWorld, Rows, slot, trades

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from landbridge.facts import GateReport, Slot
    from landbridge.ports import Progress

FEED = trades()
SLOTS = [slot(date(2026, 11, day)) for day in range(2, 12)]


@dataclass
class Counting:
    """Progress that is counted, and interrupts after some slots."""

    started: list[tuple[str, int | None]] = field(default_factory=list)
    advanced: int = 0
    interrupt_at: int = -1
    """After so many slots; at the start with 0."""
    interrupt: Callable[[], None] = lambda: None

    def start(self, step: str, total: int | None, unit: str) -> None:
        self.started.append((step, total))
        self._interrupt()

    def advance(self, step: str, amount: int) -> None:
        self.advanced += amount
        self._interrupt()

    def _interrupt(self) -> None:
        if self.advanced == self.interrupt_at:
            self.interrupt()

    def finish(self, step: str) -> None:
        self.started.append(("finished", None))


def filled(world: MemoryWorld, parallel: int = 2, bars: Counting | None = None) -> Backfill:
    cloud = replace(world.cloud("ann", "we began late"), progress=bars or Counting())
    return backfill(FEED, SLOTS, cloud, parallel, lambda one: replace(one, progress=Silent()))


def ends(done: Backfill) -> list[Ended]:
    return [one.ended for one in done.slots]


@pytest.mark.parametrize("parallel", [1, 3, 16])
def test_every_slot_is_run_once_and_told_in_order(parallel: int) -> None:
    world, bars = MemoryWorld(), Counting()
    done = filled(world, parallel, bars)
    assert [one.slot for one in done.slots] == SLOTS
    assert set(ends(done)) == {Ended.RELEASED}
    assert (bars.started, bars.advanced) == ([(STEP, 10), ("finished", None)], 10)
    for one in done.slots:
        (first,) = world.cloud().ledger.history(one.slot)
        assert (first.revision, first.actor, first.reason) == (1, "ann", "we began late")
    assert ends(filled(world)) == ends(done), "again, everything has its verdict"
    assert world.rows.runs == 10


def test_what_goes_wrong_with_one_slot_keeps_no_other_from_running() -> None:
    world = MemoryWorld()
    world.rows.fails["2026-11-05"] = Unavailable("the source is away")
    done = filled(world)
    assert ends(done).count(Ended.RELEASED) == 9
    assert [str(one.error) for one in done.slots if one.error] == ["the source is away"]
    world.rows.fails.clear()
    assert set(ends(filled(world))) == {Ended.RELEASED}
    assert world.rows.runs == 10, "a second start ran the one that was left"


@pytest.mark.parametrize(
    "refused",
    [NotPermitted("no"), UsageError("no such feed"), DefinitionsRefused("no such column")],
    ids=type,
)
def test_what_would_go_wrong_with_all_lets_no_further_one_begin(refused: LandbridgeError) -> None:
    world = MemoryWorld()
    world.rows.fails = {one.occurrence: refused for one in SLOTS}
    done = filled(world, parallel=2)
    assert 1 <= ends(done).count(Ended.FAILED) <= 3
    assert ends(done)[-1] is Ended.NOT_RUN


def test_only_first_revisions_are_made_and_each_line_of_the_log_tells_its_run() -> None:
    world = MemoryWorld()
    world.rows.fails["2026-11-05"] = Unavailable("the source is away")
    cloud = replace(world.cloud("ann", "we began late"), revision=7)
    with heard() as lines, about(run_id="run 1"):
        backfill(FEED, SLOTS, cloud, 2, lambda one: one)
    assert [one.revision for one in world.cloud().ledger.history(SLOTS[0])] == [1]
    (failed,) = [line for line in lines if line["event"] == "not filled"]
    assert (failed["run_id"], failed["slot"]) == ("run 1", "trades/2026-11-05")


def send() -> None:
    """Send Ctrl-C."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def await_notice(lines: list[dict[str, object]]) -> None:
    """Wait until the log says that Ctrl-C has been noticed; a busy machine takes its time."""
    until = time.monotonic() + 20
    while (
        not any("no further slot begins" in str(line["event"]) for line in lines) and time.monotonic() < until
    ):
        time.sleep(0.005)


@dataclass
class Interrupted(Rows):
    """Judges nothing between Ctrl-C and the notice of it: no slot ends meanwhile, and none begins in its place."""

    lines: list[dict[str, object]] = field(default_factory=list)
    told: bool = False

    def interrupt(self) -> None:
        self.told = True
        send()

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        if self.told:
            await_notice(self.lines)
        return super().judge(path, progress)


@dataclass
class Interrupting(Interrupted):
    """Sends Ctrl-C while the fourth slot, or the one beside it, is judged."""

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        if self.runs >= 4 and not self.told:  # two may have been read by now
            self.interrupt()
        return super().judge(path, progress)


def test_interrupted_those_under_way_end_and_a_second_start_goes_on() -> None:
    with heard() as lines:
        world = MemoryWorld(Interrupting(lines=lines))
        done = filled(world)
    assert done.interrupted
    assert 4 <= ends(done).count(Ended.RELEASED) <= 6, "those under way came to their verdicts"
    assert ends(done).count(Ended.NOT_RUN) >= 4
    runs = world.rows.runs
    assert set(ends(filled(world))) == {Ended.RELEASED}
    assert (runs, world.rows.runs) == (ends(done).count(Ended.RELEASED), 10), "none of them twice"


@pytest.mark.parametrize("after", [0, 3])
def test_interrupted_between_two_slots_it_still_tells_how_each_ended(after: int) -> None:
    with heard() as lines:
        rows = Interrupted(lines=lines)
        world, bars = MemoryWorld(rows), Counting(interrupt_at=after, interrupt=rows.interrupt)
        done = filled(world, 1, bars)
    assert done.interrupted
    assert after <= ends(done).count(Ended.RELEASED) <= after + 1, "what ran is told as it ended"
    assert world.rows.runs == ends(done).count(Ended.RELEASED)
    assert bars.started[-1] == ("finished", None)


def test_a_bug_keeps_its_traceback_and_lets_no_further_slot_begin() -> None:
    world = MemoryWorld(Failing())
    with pytest.raises(ZeroDivisionError):
        filled(world, 1)
    assert world.rows.runs == 1


@dataclass
class Failing(Rows):
    """Has a bug."""

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        raise ZeroDivisionError


@dataclass
class Stuck(Rows):
    """Sends Ctrl-C while one slot is judged, and again when that was heard, as somebody who does not want to wait."""

    lines: list[dict[str, object]] = field(default_factory=list)

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        send()
        await_notice(self.lines)
        send()
        return super().judge(path, progress)


def test_interrupted_a_second_time_it_ends_at_once() -> None:
    with heard() as lines:
        world = MemoryWorld(Stuck(lines=lines))
        with pytest.raises(KeyboardInterrupt):
            filled(world, 1)
    assert world.rows.runs == 1


class Sudden(str):
    """The name of a feed that sends Ctrl-C when a run first says it: who began that thread does not yet know of it."""

    __slots__ = ("said",)

    def __format__(self, spec: str) -> str:
        if not hasattr(self, "said"):
            self.said = True
            send()
            time.sleep(0.2)
        return super().__format__(spec)


def test_interrupted_while_a_thread_begins_its_slot_is_awaited_too() -> None:
    world = MemoryWorld()
    only = replace(SLOTS[0], feed=Sudden(SLOTS[0].feed))
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)  # the thread goes on until it sleeps
    try:
        done = backfill(FEED, [only], world.cloud("ann", "we began late"), 1, lambda one: one)
    finally:
        sys.setswitchinterval(before)
    assert done.interrupted
    assert ends(done) == [Ended.RELEASED]


@dataclass
class Step:
    """Interrupts whoever is in the module of the backfill, or in a lock that it takes, at one call or return of it."""

    at: int
    seen: int = 0

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        places = [one.f_code.co_filename for one in (frame, frame.f_back) if one is not None]
        own = any(place.endswith("landbridge/backfill.py") for place in places[:1])
        if own or (places[0] == threading.__file__ and places[-1].endswith("landbridge/backfill.py")):
            self.seen += 1
            if self.seen == self.at:
                sys.setprofile(None)
                raise KeyboardInterrupt


def test_interrupted_at_any_step_every_slot_under_way_ends() -> None:
    """Nothing that the threads need is left locked."""
    for at in range(1, 1000):
        world, step, stuck = MemoryWorld(), Step(at), threading.Timer(30, os._exit, [99])
        cloud = replace(world.cloud("ann", "we began late"), progress=Silent())
        stuck.start()
        try:
            sys.setprofile(step)
            done = backfill(FEED, SLOTS[:3], cloud, 2, lambda one: one)
        except KeyboardInterrupt:  # before it began, or behind it
            done = None
        finally:
            sys.setprofile(None)
            stuck.cancel()
        if done is not None:
            assert world.rows.runs == ends(done).count(Ended.RELEASED)
        if step.seen < at:
            assert at > 10
            return
    raise AssertionError("it never ended by itself")


def test_only_what_is_due_and_has_no_verdict_or_was_not_released_is_run() -> None:
    now = SLOTS[5].scheduled_at + timedelta(minutes=1)

    def seen(one: Slot, known: Known, *, scheduled: bool = True) -> Standing:
        return standing(one, known, now=now, missing_after=timedelta(days=1), scheduled=scheduled)

    stuck = Known(commitment(SLOTS[1]))
    found = open_slots(
        [
            seen(SLOTS[5], Known()),
            seen(SLOTS[0], Known()),
            seen(SLOTS[1], stuck),
            seen(SLOTS[2], Known(commitment(SLOTS[2]), released=True)),
            seen(SLOTS[3], Known(commitment(SLOTS[3], verdict=Verdict.QUARANTINE))),
            seen(SLOTS[4], Known(commitment(SLOTS[4], verdict=Verdict.WAIVE))),
            seen(SLOTS[6], Known()),
            seen(SLOTS[7], Known(commitment(SLOTS[7]))),  # run by hand before its time
            seen(SLOTS[0], Known(), scheduled=False),
            seen(SLOTS[0], Known(doubt="changed")),
        ],
        now,
    )
    assert found == [SLOTS[0], SLOTS[1], SLOTS[5]]


def test_a_slot_that_was_decided_meanwhile_is_told_as_it_is() -> None:
    world = MemoryWorld()
    world.rows.good = False
    run(FEED, SLOTS[0], world.cloud())
    world.rows.good = True
    assert ends(filled(world))[0] is Ended.QUARANTINED
