"""Do people who correct and reapers who remove keep every promise, whoever is killed?"""

from __future__ import annotations

import pytest

from reliability.corrections import ROUNDS, stretch

pytestmark = [pytest.mark.reliability, pytest.mark.slow, pytest.mark.timeout(600)]


def test_people_and_reapers_among_them_lose_double_and_tear_nothing() -> None:
    played = stretch(0, ROUNDS // 2)
    assert played.removed > ROUNDS // 2, "the reapers have something to do"
    assert played.revisions > ROUNDS // 8, "the people have something to say"
