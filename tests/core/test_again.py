"""What is tried again, how often, how long, and when no more?"""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
import stamina

from landbridge.again import Again
from landbridge.errors import IntegrityBroken, LandbridgeError, NotPermitted, TryAgain, Unavailable

AWAY = Unavailable("away")


@dataclass
class Shaky:
    """Fails in the order given, and then no more."""

    errors: list[Exception]
    calls: int = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


def test_what_is_away_is_tried_until_it_is_not() -> None:
    with stamina.set_testing(True, attempts=9, cap=True):
        assert Again(9, None, 1.0).call(Shaky([AWAY] * 4)) == 5


@pytest.mark.parametrize("error", [IntegrityBroken("x"), NotPermitted("x"), TryAgain("x"), KeyError("x")])
@pytest.mark.parametrize("before", [0, 2])
def test_nothing_else_is_tried_again_whatever_came_before(error: Exception, before: int) -> None:
    shaky = Shaky([*[AWAY] * before, error, AWAY])
    with stamina.set_testing(True, attempts=9, cap=True), pytest.raises(type(error)):
        Again(9, None, 1.0).call(shaky)
    assert shaky.calls == before + 1


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_it_is_tried_as_often_as_declared(attempts: int) -> None:
    shaky = Shaky([AWAY] * 20)
    with stamina.set_testing(True, attempts=20, cap=True), pytest.raises(Unavailable):
        Again(attempts, None, 1.0).call(shaky)
    assert shaky.calls == attempts


def test_no_try_begins_after_the_time_that_is_allowed() -> None:
    shaky, began = Shaky([AWAY] * 10_000), time.monotonic()
    with pytest.raises(Unavailable):
        Again(10_000, 0.1, 0.005).call(shaky)
    assert time.monotonic() - began < 5
    assert shaky.calls > 1


@pytest.mark.parametrize("over_after", [1, 3])
def test_nothing_is_tried_once_it_is_over(over_after: int) -> None:
    shaky = Shaky([AWAY] * 20)
    again = Again(9, None, 1.0, over=lambda: shaky.calls >= over_after)
    with stamina.set_testing(True, attempts=20, cap=True), pytest.raises(LandbridgeError):
        again.call(shaky)
    assert shaky.calls == over_after
