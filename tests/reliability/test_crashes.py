"""Is nothing lost, twice or torn when processes die and the power fails at any call?"""

from __future__ import annotations

import pytest

from reliability.crashes import crash
from reliability.histories import Trouble, play
from reliability.kinds import KINDS, Kind

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
