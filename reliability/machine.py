"""Does any sequence of what people, clocks and accidents do leave the path of a small reference model? A state machine of hypothesis.

The model knows of a slot only how far it has come: nothing, committed, released, delivered. Whoever is left in peace
brings it as far as he can; whoever is killed brings it no further than that; and it never goes back.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from landbridge.naming import ledger_key, manifest_key, receipt_key, target
from reliability.collectors import ROOT
from reliability.figures import Figure
from reliability.histories import Broken
from reliability.kinds import CHANGING, ENVIRONMENT, Kind
from reliability.memory_s3 import Wrote
from reliability.spread import spread
from reliability.world import Lost, Named, World

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.actors import Actor

RUNS, STEPS = 5_000, 50
SHARDS = 8
"""Of as many runs each, with a seed of its own."""
_NOTHING, _COMMITTED, _RELEASED, _DELIVERED = range(4)
_SLOT = Kind("one slot, of a source that changes", done=True, rows=CHANGING)


class Bridge(RuleBasedStateMachine):
    """One slot, and everything that can happen around it."""

    @initialize(chance=st.integers(0, 2**32))
    def begin(self, chance: int) -> None:
        """Build the world."""
        self.world = World(_SLOT, Random(chance))
        ((self.feed, self.slot),) = self.world.feeds
        self.landed_at = ROOT / target(self.feed, self.slot, ENVIRONMENT, 1, {}).landed_name
        self.ends = (
            ("reports", receipt_key(self.slot.feed, self.slot.occurrence, 1, self.slot.business_date)),
            ("reports", manifest_key(self.slot, 1)),
            ("ledger", ledger_key(self.slot, 1)),
        )
        self.low = self.high = _NOTHING
        self.pods = 0

    @rule()
    def cron_fires(self) -> None:
        """A pod runs in peace."""
        self._pod()
        self.world.stage.play()
        self.low = self.high = max(self.low, _RELEASED)

    @rule(count=st.integers(2, 3))
    def cron_fires_twice(self, count: int) -> None:
        """Pods run at once, in peace."""
        for _ in range(count):
            self._pod()
        self.world.stage.play()
        self.low = self.high = max(self.low, _RELEASED)

    @rule(at=st.integers(1, 25))
    def pod_dies(self, at: int) -> None:
        """A pod runs, and is killed before one of its calls."""
        self._pod()
        self._killed(at)
        self.high = max(self.high, _RELEASED)

    @rule()
    def collect(self) -> None:
        """A collector collects in peace."""
        collector, _ = self.world.collector(1)
        self.world.stage.play()
        if collector.error is not None:
            raise Broken(f"a collector in peace failed: {collector.error}")
        self._collected()
        self.low = self.high

    @rule(at=st.integers(1, 130))
    def collector_dies(self, at: int) -> None:
        """A collector is killed before one of its calls; its claim is dead when the next one comes."""
        self.world.collector(1)
        self._killed(at)
        self._collected()

    @rule(at=st.integers(1, 130))
    def power_cut(self, at: int) -> None:
        """The machine of the share loses power while a collector is at work."""
        self.world.collector(1)
        self._killed(at, power=True)
        self._collected()

    @rule()
    def consumer_takes(self) -> None:
        """The consumer takes what is there."""
        self.world.consume()

    @rule(seconds=st.sampled_from((1.0, 60.0, 3600.0, 86400.0)))
    def time_passes(self, seconds: float) -> None:
        """The clock moves on."""
        self.world.stage.time += seconds

    @invariant()
    def follows_the_model(self) -> None:
        """The slot is where the model says, everything final was written once, and it landed at most once."""
        if not hasattr(self, "world"):
            return
        seen = self._seen()
        if not self.low <= seen <= self.high:
            raise Broken(f"the slot is at {seen}, and the model between {self.low} and {self.high}")
        self.low, self.high = seen, seen  # what a killed one did is known now
        final = [
            (one.bucket, one.key) for one in self.world.history if isinstance(one, Wrote) and _is_final(one)
        ]
        if len(final) != len(set(final)):
            raise Broken(f"written twice: {final}")
        landed = self._times(self.landed_at)
        if landed > 1 or (seen == _DELIVERED and landed != 1):
            raise Broken(f"landed {landed} times")

    def _pod(self) -> Actor:
        self.pods += 1
        return self.world.pod(self.pods % 8, self.feed, self.slot)

    def _killed(self, at: int, *, power: bool = False) -> None:
        world, last = self.world, self.world.stage.calls + at

        def before(actor: Actor, _call: str) -> None:
            if world.stage.calls == last and not actor.ended:
                (world.power_cut if power else lambda: world.kill(actor))()

        world.stage.before = before
        world.stage.play()
        world.stage.before = None

    def _collected(self) -> None:
        if self.low >= _RELEASED:
            self.high = _DELIVERED

    def _seen(self) -> int:
        there = self.world.s3.buckets
        for stage, (bucket, key) in zip((_DELIVERED, _RELEASED, _COMMITTED), self.ends, strict=True):
            if key in there.get(bucket, {}):
                return stage
        return _NOTHING

    def _times(self, path: Path) -> int:
        given = sum(isinstance(one, Named) and one.path == path for one in self.world.history)
        return given - sum(isinstance(one, Lost) and one.path == path for one in self.world.history)


def _is_final(one: Wrote) -> bool:
    return one.bucket == "ledger" or (one.bucket == "reports" and not one.key.startswith("receipts/"))


def machine(chance: int, runs: int = RUNS // SHARDS) -> int:
    """Let hypothesis try so many sequences of up to 50 steps; give how many.

    Raises:
        Broken: one of them left the model; hypothesis tells the shortest that does.
    """
    how = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(chance)(Bridge), settings=how)
    return runs


def machines() -> Figure:
    """Try as many as CI does, on all processors.

    Raises:
        Broken: one of them left the model.
    """
    began = time.monotonic()
    return Figure(
        "state machine against a reference model",
        RUNS,
        sum(spread(machine, range(SHARDS))),
        time.monotonic() - began,
        0,
        f"up to {STEPS} steps each",
    )
