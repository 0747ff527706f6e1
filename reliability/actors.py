"""Who does what next? One thread in which many actors take turns, chosen by a seeded chance; and how they die.

An actor is a greenlet that gives its turn away before each call of a port. Between two calls nobody else moves, so a
history is decided by the seed alone. Time is virtual: it passes a little at each call, and jumps when all are asleep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

START = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
_A_CALL = 0.005
"""Seconds that pass at each call."""
_MOST_CALLS = 50_000
"""A history that goes on for longer does not come to rest."""


class Killed(BaseException):
    """The process is gone: whatever it would still do in its `finally` has no effect."""


class Restless(AssertionError):
    """The actors never come to rest."""


@dataclass(eq=False, slots=True)
class Actor:
    """One process: a pod, a collector, a consumer."""

    name: str
    stage: Stage
    play: Callable[[Actor], None]
    thread: greenlet = field(init=False)
    dead: bool = False
    ended: bool = False
    wakes: float = 0.0
    """When it may take its next turn, in seconds since the start."""
    skew: float = 0.0
    """Seconds by which the clock of its host is ahead."""
    error: Exception | None = None
    """What its run ended with."""

    def __post_init__(self) -> None:
        self.thread = greenlet(self._run)

    def step(self, call: str) -> None:
        """Let others take their turns; called before `call` has any effect.

        Raises:
            Killed: it does not come to that.
        """
        if self.dead:
            raise Killed
        if getcurrent() is self.thread:
            self.stage.pause(self, call)
            if self.dead:
                raise Killed

    def now(self) -> datetime:
        """Give the time by the clock of its host; obeys ports.Clock."""
        return START + timedelta(seconds=self.stage.time + self.skew)

    def sleep(self, seconds: float) -> None:
        """See ports.Clock."""
        self.wakes = self.stage.time + seconds
        self.step("clock.sleep")

    def kill(self) -> None:
        """End it where it is. Nothing it still tries has an effect."""
        self.dead = True
        if self.thread and not self.thread.dead:
            self.thread.throw(Killed)
        self.ended = True

    def _run(self) -> None:
        try:
            self.play(self)
        except Killed:
            pass
        finally:
            self.ended = True


class Stage:
    """Where the actors play. `before` is told of each call before it is made, and may kill, or send to sleep."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.time = 0.0
        self.calls = 0
        self.actors: list[Actor] = []
        self.before: Callable[[Actor, str], None] | None = None
        self._hub = getcurrent()

    def enter(
        self, name: str, play: Callable[[Actor], None], *, after: float = 0.0, skew: float = 0.0
    ) -> Actor:
        """Let an actor begin `after` seconds from now."""
        actor = Actor(name, self, play, wakes=self.time + after, skew=skew)
        self.actors.append(actor)
        return actor

    def pause(self, actor: Actor, call: str) -> None:
        """Take the turn from `actor`, which is about to make `call`, until it is chosen again."""
        self.calls += 1
        self.time += _A_CALL
        if self.calls > _MOST_CALLS:
            raise Restless(f"{self.calls} calls, the last one {call} of {actor.name}")
        if self.before is None and len(self.actors) == 1:  # nobody else is there to move
            self.time = max(self.time, actor.wakes)
            return
        self._hub.switch((actor, call))

    def play(self) -> None:
        """Let all take their turns until everybody has ended."""
        self._hub = getcurrent()
        chance = self.random.random
        while True:
            now = self.time
            awake = [actor for actor in self.actors if not actor.ended and actor.wakes <= now]
            if not awake:
                going = [actor.wakes for actor in self.actors if not actor.ended]
                if not going:
                    break
                self.time = min(going)
                continue
            actor = awake[0] if len(awake) == 1 else awake[int(chance() * len(awake))]
            said = actor.thread.switch()
            if actor.ended:
                self.actors.remove(actor)
            elif said is not None and self.before is not None:
                self.before(*said)
        self.actors.clear()
