"""Does each test begin with the variables of a fresh process, and with no command typed before it?"""

from __future__ import annotations

import os
import signal

import pytest

from landbridge.cli import interrupting
from landbridge.cli.pasted import pasted, remember
from tests import conftest


def test_a_test_gives_back_every_variable_it_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDBRIDGE_CHANGED", "before")
    monkeypatch.setenv("LANDBRIDGE_REMOVED", "before")
    monkeypatch.delenv("LANDBRIDGE_MADE", raising=False)
    before = dict(os.environ)
    for ends in (True, False):
        around = conftest.pytest_runtest_protocol()
        next(around)
        os.environ["LANDBRIDGE_MADE"] = os.environ["LANDBRIDGE_CHANGED"] = "during"
        del os.environ["LANDBRIDGE_REMOVED"]
        if ends:
            with pytest.raises(StopIteration) as result:
                around.send("the outcome")
            assert result.value.value == "the outcome"
        else:
            with pytest.raises(KeyboardInterrupt):
                around.throw(KeyboardInterrupt())
        assert dict(os.environ) == before


def test_what_a_test_typed_is_forgotten_by_the_next() -> None:
    around = conftest.pytest_runtest_protocol()
    next(around)
    remember(["run", "--environment", "PRD"])
    with pytest.raises(StopIteration):
        around.send("the outcome")
    assert pasted("landbridge run trades") == "landbridge run trades"


def test_what_a_test_does_with_signals_is_undone() -> None:
    around = conftest.pytest_runtest_protocol()
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    next(around)
    interrupting.Interruption().listen()
    with pytest.raises(StopIteration):
        around.send("the outcome")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_they_are_given_back_around_every_test(request: pytest.FixtureRequest) -> None:
    found = request.config.hook.pytest_runtest_protocol.get_hookimpls()
    (own,) = [one for one in found if one.function is conftest.pytest_runtest_protocol]
    assert own.wrapper, "it must go on after the test has run"
