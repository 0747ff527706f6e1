"""Does what is done for many files at once end cleanly, whole or in the middle?"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from landbridge.errors import Unavailable
from landbridge.steps.at_once import at_once, under_way


def test_what_is_whole_is_in_order_and_nothing_is_cut() -> None:
    pool, cut = ThreadPoolExecutor(3), list[str]()
    assert at_once(pool, lambda one: one * 2, range(9), lambda: cut.append("cut")) == list(range(0, 18, 2))
    assert cut == []
    with pytest.raises(RuntimeError):
        pool.submit(int)


@pytest.mark.parametrize("error", [Unavailable("the line is cut"), KeyboardInterrupt()])
def test_one_that_raises_cuts_what_is_under_way_and_its_end_is_awaited(error: BaseException) -> None:
    """Else a claim or a part would be held by a thread that nobody waits for."""
    begun, ended, cut = list[int](), list[int](), threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 1:
            raise error
        cut.wait(5)
        time.sleep(0.02)
        ended.append(number)
        return number

    before = time.monotonic()
    with pytest.raises(type(error)):
        at_once(ThreadPoolExecutor(3), work, [1, *range(2, 40)], cut.set)
    assert time.monotonic() - before < 4
    assert sorted(ended) == sorted(number for number in begun if number != 1)
    assert len(begun) < 39


def test_what_others_threads_do_is_over_when_the_block_is_left_by_an_error() -> None:
    """Else a download would go on in a part whose claim was given back."""
    begun, ended, cut = list[int](), list[int](), threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        cut.wait(5)
        time.sleep(0.02)
        ended.append(number)
        return number

    def left_by_an_error(pool: ThreadPoolExecutor) -> None:
        with under_way(pool, work, [(number,) for number in range(40)], cut.set):
            while len(begun) < 3:
                time.sleep(0.001)
            raise ZeroDivisionError

    with ThreadPoolExecutor(3) as pool:
        with pytest.raises(ZeroDivisionError):
            left_by_an_error(pool)
        assert sorted(ended) == sorted(begun) == [0, 1, 2]
        assert pool.submit(int).result(1) == 0, "whose pool it is goes on"


def test_what_ended_is_not_cut() -> None:
    cut = list[str]()

    def cut_now() -> None:
        cut.append("cut")

    with ThreadPoolExecutor(3) as pool:
        with under_way(pool, abs, [(-1,), (-2,)], cut_now) as coming:
            assert [one.result() for one in coming] == [1, 2]
        with pytest.raises(ValueError, match="x"), under_way(pool, int, [("x",)], cut_now) as coming:
            coming[0].result()
    assert cut == [], "nothing was under way any more"
