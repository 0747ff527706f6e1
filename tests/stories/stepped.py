"""How does a command that waits for hours take part in a simulation whose clock jumps? Step by step, between its sleeps.

Each piece of work has a thread of its own, and only one thread runs at a time: while work sleeps, the agenda goes on, and
wakes it when its time has come. So a collection that looks every few minutes sees what others did meanwhile.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from landbridge.twin.agenda import Agenda

T = TypeVar("T")
_STUCK = 120
"""Seconds of the machine's clock: no step takes as long."""


@contextmanager
def surrounded(by: Mapping[str, str]) -> Iterator[None]:
    """Let this process have exactly the variables of a command."""
    before = os.environ.copy()
    os.environ.clear()
    os.environ.update(by)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Task(threading.Thread):
    """Work that is stepped from another thread, which waits meanwhile."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)  # one that still waits at the end of a simulation keeps nobody
        self._work = work
        self._go, self._stands = threading.Event(), threading.Event()
        self.rests: timedelta | None = None
        """How long it sleeps; None once it is over."""

    def run(self) -> None:
        self._await_turn()
        self._work()
        self.rests = None
        self._stands.set()

    def step(self) -> None:
        """Let it run until it sleeps or is over; its variables are its own."""
        if not self.is_alive():
            self.start()
        with surrounded(os.environ.copy()):
            self._go.set()
            assert self._stands.wait(_STUCK)
            self._stands.clear()

    def rest(self, length: timedelta) -> None:
        """Hand over, from its own thread."""
        self.rests, own = length, os.environ.copy()
        self._stands.set()
        self._await_turn()
        os.environ.clear()
        os.environ.update(own)

    def _await_turn(self) -> None:
        self._go.wait()
        self._go.clear()


@dataclass
class Stepped:
    """Obeys agenda.Workers, and ports.Clock for the work that it does."""

    agenda: Agenda = field(init=False)
    """Set before anything begins; an agenda wants its workers first."""

    def begin(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()

        def done() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - a bug comes out of the future, as agenda.Workers promises
                future.set_exception(error)

        self._step(_Task(done))
        return future

    def now(self) -> datetime:
        return self.agenda.now

    def sleep(self, seconds: float) -> None:
        task = threading.current_thread()
        assert isinstance(task, _Task), "only the work itself sleeps, none of its threads"
        task.rest(timedelta(seconds=seconds))

    def _step(self, task: _Task) -> None:
        task.step()
        if task.rests is not None:
            self.agenda.after(task.rests, lambda: self._step(task))
