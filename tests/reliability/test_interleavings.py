"""Does a slot end with one file, and one done-file after it, in every order of two collectors, their sleep and their deaths?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge.share.platform import Way
from reliability.interleaved_bugs import LATE_BUGS, Planted, shown
from reliability.interleavings import (
    CORRECTED,
    GREEDY,
    LEFT,
    MIXED,
    orders,
    orders_from,
    pieces,
    played,
    stops,
)
from reliability.orders import FOUND, Order, Situation, Stretch, Ways, all_by, play
from reliability.touches import Touch

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.reliability, pytest.mark.slow, pytest.mark.timeout(600)]
SHARDS = 2
PIECES = (*pieces(GREEDY)[::60], *pieces(MIXED)[7::120], *pieces(CORRECTED)[::280])
"""CI plays the orders from every so manieth stop; `python -m reliability --part interleavings` plays all."""
RENAME, LINK = Way.RENAME, Way.LINK


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_order_keeps_the_promises(shard: int) -> None:
    assert sum(map(orders_from, PIECES[shard::SHARDS])) > 50


@pytest.mark.parametrize("planted", LATE_BUGS, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught(planted: Planted) -> None:
    assert shown(planted).runs > 0


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("way", list(Way))
def test_who_is_alone_needs_nobody_and_a_late_consumer_finds_both_files(way: Way, left: str) -> None:
    assert played(Situation(all_by(way), left, greedy=False), Stretch(0))[1].problems == []


def _before(at: Situation, *stretches: Stretch, names: str) -> int:
    """Give after how many calls the one of the last stretch is about to give or take this name, or what waits for it, last."""
    calls = played(at, *stretches)[1].made[-1]
    return max(
        n for n, call in enumerate(calls) if call[0] in {"link", "rename_new", "unlink"} and names in call[-1]
    )


@pytest.mark.parametrize("then", ["sleeps", "dies"])
@pytest.mark.parametrize("ways", [Ways(RENAME, RENAME, LINK), Ways(LINK, LINK, RENAME)], ids=str)
def test_mounts_that_place_differently_name_a_done_file_once(ways: Ways, then: str) -> None:
    """One sleeps before it names it; the other one, whose mount does it in another way, sleeps or dies at each call of doing it."""
    at = Situation(ways)
    mine = _before(at, Stretch(0), names="/in/report.done")
    theirs = played(at, Stretch(0, mine), Stretch(1))[1].made[1]
    for calls in range(1, len(theirs) + 1):
        order = Stretch(0, mine), Stretch(1, calls, "dies" if then == "dies" else "sleeps"), Stretch(0)
        assert played(at, *order)[1].problems == []


@pytest.mark.parametrize("way", list(Way))
def test_what_is_found_has_its_done_file_named_once(way: Way) -> None:
    """Whoever found it dies or sleeps at each of its calls."""
    at = Situation(all_by(way), FOUND)
    for mine in stops(at):
        assert played(at, Stretch(0, mine, "dies"), Stretch(1))[1].problems == []
        assert played(at, Stretch(0, mine), Stretch(1), Stretch(0))[1].problems == []


def _writes(calls: Sequence[tuple[str, ...]]) -> list[int]:
    """Give after how many of the calls a line of a journal was written."""
    return [n for n, call in enumerate(calls, 1) if call[0] == "write" and "/journal/" in call[1]]


@pytest.mark.parametrize("way", list(Way))
def test_a_settler_whose_claim_is_gone_drops_nothing_of_the_one_that_follows_it(way: Way) -> None:
    """As many switches: A slept with its claim; B said where it moves the part; A read that, said what it makes of it, and died; B died, anywhere."""
    at = Situation(all_by(way), LEFT[1])
    alone = played(at, Stretch(0))[1].made[0]
    claimed = next(n for n, call in enumerate(alone) if call[0] == "listdir" and "/journal/" in call[1])
    theirs = played(at, Stretch(0, claimed), Stretch(1), Stretch(0))[1].made[1]
    moved = _writes(theirs)[0]
    rest = played(at, Stretch(0, claimed), Stretch(1, moved), Stretch(0))[1].made[2]
    order = Stretch(0, claimed), Stretch(1, moved), Stretch(0, (*_writes(rest), len(rest))[0], "dies")
    tail = played(at, *order, Stretch(1))[1].made[3]
    for calls in range(1, len(tail) + 1):
        assert played(at, *order, Stretch(1, calls, "dies"))[1].problems == []


@pytest.mark.parametrize("way", list(Way))
def test_two_settlers_that_both_sleep_and_die_leave_what_can_be_settled(way: Way) -> None:
    """One more switch than all orders have: A moved the part; B read of it; A woke, and wrote an intent, too late; B died, anywhere."""
    at = Situation(all_by(way), LEFT[1])
    alone = played(at, Stretch(0))[1].made[0]
    moved = next(n for n, call in enumerate(alone, 1) if call[0] == "rename" and "/parts/" in call[1])
    theirs = played(at, Stretch(0, moved), Stretch(1), Stretch(0))[1].made[1]
    read = next(
        n for n, call in enumerate(theirs) if call[0] in {"write", "create"} and "/journal/" in call[1]
    )
    rest = played(at, Stretch(0, moved), Stretch(1, read), Stretch(0))[1].made[2]
    order = Stretch(0, moved), Stretch(1, read), Stretch(0, _writes(rest)[-1], "dies")
    tail = played(at, *order, Stretch(1))[1].made[3]
    assert len(tail) > 10
    for calls in range(1, len(tail) + 1):
        assert played(at, *order, Stretch(1, calls, "dies"))[1].problems == []


def test_an_order_is_told_so_that_a_person_can_play_it_again() -> None:
    order = Order(Situation(all_by(LINK), LEFT[1]), (Stretch(0, 3), Stretch(1, 2, "dies"), Stretch(0)))
    assert play(order).problems == []
    assert (
        f"{order}"
        == "one died before report.csv; link, taken at once: A 3 calls, sleeps; B 2 calls, dies; A goes on"
    )


def test_the_first_one_is_stopped_from_its_claim_on() -> None:
    at = Situation(all_by(RENAME))
    (calls,) = played(at, Stretch(0))[1].made
    assert calls[stops(at)[0] - 1][0] == "link"
    assert stops(at)[-1] == len(calls)
    found = {str(order.stretches[0]) for order, _ in orders(at, len(calls))}
    assert found == {"A goes on", f"A {len(calls)} calls, sleeps", f"A {len(calls)} calls, is cut"}, (
        "who is through is in nobody's way"
    )


def test_calls_that_touch_nothing_in_common_may_change_places() -> None:
    link = Touch(frozenset({"/c/a"}), frozenset({"/p/a", "/in/x"}), "", frozenset({"/p", "/in"}))
    assert link.meets(Touch(frozenset({"/p/a"}), frozenset()))
    assert link.meets(Touch(frozenset(), frozenset({"/c/a"})))
    assert link.meets(Touch(frozenset(), frozenset(), "/in"))
    assert Touch(frozenset(), frozenset(), "/in").meets(link)
    assert not link.meets(Touch(frozenset(), frozenset({"/p/b"}), "", frozenset({"/p"})))
    assert not link.meets(Touch(frozenset({"/c/a"}), frozenset(), "/other"))
