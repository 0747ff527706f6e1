"""Is something that hangs given up, and does everything else end as it would have?"""

from __future__ import annotations

import threading
import time

import pytest

from landbridge.errors import NotPermitted, Unavailable
from landbridge.events import about, context
from landbridge.steps.limit import Begun, within


def test_what_ends_in_time_gives_its_result_or_its_error() -> None:
    assert within(10, lambda: 7, lambda: "never told") == 7

    def refused() -> None:
        raise NotPermitted("no")

    with pytest.raises(NotPermitted, match="no"):
        within(10, refused, lambda: "never told")

    def broken() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        within(10, broken, lambda: "never told")


@pytest.mark.parametrize("seconds", [0.05, 0, -1])
def test_what_hangs_is_given_up_and_keeps_nobody_waiting(seconds: float) -> None:
    hanging, began = threading.Event(), time.monotonic()
    with pytest.raises(Unavailable, match="looking at a mount was given up") as told:
        within(seconds, lambda: hanging.wait(30), lambda: "looking at a mount")
    assert time.monotonic() - began < 10
    assert told.value.hint
    hanging.set()


def test_what_hangs_does_not_keep_the_program_from_ending() -> None:
    hanging = threading.Event()
    begun = Begun(lambda: hanging.wait(30))
    assert not begun.wait(0)
    assert begun._thread.daemon
    hanging.set()
    assert begun.wait(10)
    assert begun.result() is True


def test_every_line_of_the_log_still_says_what_it_is_about() -> None:
    with about(feed="trades"):
        assert within(10, context, lambda: "") == {"feed": "trades"}
