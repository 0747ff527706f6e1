"""Does every fault at every call of every port end well, alone, in races, and in any order of events?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reliability.faults import FAULTS
from reliability.machine import RUNS, SHARDS, machine
from reliability.nth_call import SITUATIONS, every_call
from reliability.races import COLLECTORS, ROUNDS, SLEEPERS, pods_on_one_slot, two_collectors, two_sleepers

if TYPE_CHECKING:
    from reliability.kinds import Kind

pytestmark = [pytest.mark.reliability, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", SITUATIONS, ids=lambda kind: kind.name)
def test_every_fault_at_every_call_until_none_fires(kind: Kind) -> None:
    befallen = [every_call(kind, fault) for fault in FAULTS]
    assert sum(befallen) > 200


@pytest.mark.parametrize(("pods", "shard"), [(2, 0), (8, 0), (8, 1)])
def test_pods_on_one_slot_come_to_one_verdict(pods: int, shard: int) -> None:
    runs = ROUNDS if pods == 2 else ROUNDS // 2
    assert pods_on_one_slot((pods, shard * runs), runs) == runs


def test_two_collectors_deliver_once() -> None:
    assert two_collectors(0, COLLECTORS // 2) == COLLECTORS // 2


def test_who_wakes_up_when_others_have_died_delivers_nothing_twice_and_loses_nothing() -> None:
    assert two_sleepers(0, SLEEPERS // 2) == SLEEPERS // 2


@pytest.mark.parametrize("chance", range(SHARDS))
def test_no_sequence_of_events_leaves_the_model(chance: int) -> None:
    assert machine(chance) * SHARDS == RUNS
