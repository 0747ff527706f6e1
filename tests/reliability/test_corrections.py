"""Do people who correct and reapers who remove keep every promise, whoever is killed?"""

from __future__ import annotations

import pytest

from reliability.corrections import corrected

pytestmark = [pytest.mark.reliability, pytest.mark.slow, pytest.mark.timeout(600)]

ROUNDS = 200


def test_people_and_reapers_among_them_lose_double_and_tear_nothing() -> None:
    played = [corrected(seed) for seed in range(ROUNDS)]
    assert not {seed: one.problems for seed, one in enumerate(played) if one.problems}
    assert sum(one.removed for one in played) > ROUNDS, "the reapers have something to do"
    assert sum(one.revisions > 1 for one in played) > ROUNDS // 4, "the people have something to say"
