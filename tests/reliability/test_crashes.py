"""Is nothing lost, twice or torn when processes die and the power fails at any call?"""

from __future__ import annotations

import pytest

from reliability.crashes import CI, crash, stretch, usual_calls
from reliability.histories import Trouble, play
from reliability.kinds import KINDS, Kind
from reliability.power import CI as CUTS
from reliability.power import cut

pytestmark = pytest.mark.reliability


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_history_without_trouble_keeps_all_promises(kind: Kind) -> None:
    assert play(kind, 1, Trouble()).problems == []


def test_the_same_seed_gives_the_same_history() -> None:
    for seed in range(3, 40, 7):
        one, other = (play(*crash(seed)) for _ in range(2))
        assert one.reached == other.reached
        assert one.calls == other.calls
        assert [type(event) for event in one.world.history] == [type(event) for event in other.world.history]


def test_a_power_cut_before_any_call_of_a_first_collection_loses_nothing() -> None:
    """The folder `parts` is new here: it once went with the power, and a part that is gone means delivered."""
    calls = usual_calls(KINDS[0])
    for seed in range(3):
        for at in range(1 + seed, calls + 1, 3):
            assert play(KINDS[0], seed, Trouble(cuts=(at,))).problems == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(16))
def test_twenty_thousand_histories_with_a_death_at_every_call(shard: int) -> None:
    runs = CI // 16
    assert stretch(shard * runs, runs).runs == runs


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(4))
def test_power_cuts(shard: int) -> None:
    runs = CUTS // 8
    assert cut(shard * runs, runs) > runs
