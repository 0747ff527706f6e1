"""Does every fault at every call of every port end well, alone, in races, and in any order of events?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reliability.faults import FAULTS
from reliability.machine import machine
from reliability.nth_call import SITUATIONS, every_call
from reliability.races import pods_on_one_slot, two_collectors

if TYPE_CHECKING:
    from reliability.kinds import Kind

pytestmark = [pytest.mark.reliability, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", SITUATIONS, ids=lambda kind: kind.name)
def test_every_fault_at_every_call_until_none_fires(kind: Kind) -> None:
    befallen = [every_call(kind, fault) for fault in FAULTS]
    assert sum(befallen) > 200


@pytest.mark.parametrize("pods", [2, 8])
def test_pods_on_one_slot_come_to_one_verdict(pods: int) -> None:
    assert pods_on_one_slot(sizes=(pods,)).is_reached


def test_two_collectors_deliver_once() -> None:
    assert two_collectors(500).is_reached


@pytest.mark.parametrize("chance", range(4))
def test_no_sequence_of_events_leaves_the_model(chance: int) -> None:
    assert machine(375, chance).is_reached
