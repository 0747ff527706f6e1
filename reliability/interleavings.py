"""Is there any order of two collectors, a consumer and deaths in which a file lands twice, or not? All of them are played, not some.

Chance hardly ever finds an order of which each step must come at one call. So here one slot is delivered in every order
that a few switches allow: one collector makes so many calls and falls asleep for longer than its lease, another one takes over
and makes so many, the first one wakes up and makes so many, and falls asleep or dies, and the other goes on. Whoever is left
goes to its end, then a third one comes, and then it is judged.

Two calls of which neither changes what the other sees or changes may change places, and nobody can tell. So a collector
is stopped only before a call that gets in the way of one that the other makes meanwhile: all other orders come to the same as one of
these. Without a power cut an fsync gets in nobody's way; where the power is cut, it is right after a call that changes something, so that the
fsync behind it never comes.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

from landbridge.share.platform import Way
from reliability.figures import Figure
from reliability.histories import Broken
from reliability.orders import FOUND, Order, Situation, Stretch, Ways, all_by, play
from reliability.spread import spread
from reliability.touches import PRIVATE, changes, meet, touch

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from reliability.orders import Played
    from reliability.touches import Noted


def played(at: Situation, *stretches: Stretch, chance: int | None = None) -> tuple[Order, Played]:
    """Give the order of these stretches, with what came of it."""
    order = Order(at, stretches, chance)
    return order, play(order)


def stops(at: Situation) -> range:
    """Give after how many of its calls the first collector may be stopped: from its claim on, or while it settles what is left.

    Whoever sleeps before it has a claim is the second one of another order.
    """
    (calls,) = played(at, Stretch(0))[1].made
    claims, journal = f"{PRIVATE / 'claims'}", f"{PRIVATE / 'journal'}"
    claimed = next(number for number, one in enumerate(calls, start=1) if claims in touch(one).renames)
    if at.left != LEFT[1]:
        return range(claimed, len(calls) + 1)
    lines = [
        number
        for number, one in enumerate(calls, start=1)
        if one[0] == "write" and one[1].startswith(journal)
    ]
    return range(claimed, lines[1] + 1)  # from there on as if nothing had been left


def orders(at: Situation, mine: int) -> Iterator[tuple[Order, Played]]:
    """Play all orders that differ in which the first collector is stopped there first; give each with what came of it."""
    yield (alone := played(at, Stretch(0)))
    coming = alone[1].made[0][mine : mine + 1]
    if changes(alone[1].made[0][mine - 1]):
        yield from _cut(at, Stretch(0, mine, "is cut"))
    yield (whole := played(at, Stretch(0, mine), Stretch(1), Stretch(0)))
    theirs, rest = whole[1].made[1:]
    if not meet(coming, theirs):
        return  # as after its next call
    yield played(at, Stretch(0, mine, "dies"), Stretch(1))
    for other in reversed(range(len(theirs))):
        if changes(theirs[other - 1]):
            yield played(at, Stretch(0, mine, "dies"), Stretch(1, other, "dies"))
            yield from _cut(at, Stretch(0, mine), Stretch(1, other, "is cut"))
        if meet(theirs[other : other + 1], rest):  # else as after its next call
            rest = yield from _woken(at, mine, other, theirs)


def _woken(
    at: Situation, mine: int, other: int, theirs: Sequence[Noted]
) -> Generator[tuple[Order, Played], None, list[Noted]]:
    """Play those in which the first collector wakes up after so many calls of the other one; give what it does then."""
    yield (through := played(at, Stretch(0, mine), Stretch(1, other, "dies"), Stretch(0)))
    rest, after = through[1].made[2], theirs
    for more in range(1, len(rest) + 1):
        if not meet(theirs[other : other + 1], rest[:more]):
            continue  # as when the other one had made one call more
        if changes(rest[more - 1]):  # else as if it had died before
            yield played(at, Stretch(0, mine), Stretch(1, other), Stretch(0, more, "dies"), Stretch(1))
            yield played(at, Stretch(0, mine), Stretch(1, other, "dies"), Stretch(0, more, "dies"))
        if meet(rest[more - 1 : more], after):  # else as if it came when the other one has ended
            yield (asleep := played(at, *_twice(mine, other, more)))
            after = asleep[1].made[3]
    return rest


def _twice(mine: int, other: int, more: int) -> tuple[Stretch, ...]:
    return Stretch(0, mine), Stretch(1, other), Stretch(0, more), Stretch(1), Stretch(0)


def _cut(at: Situation, *stretches: Stretch) -> Iterator[tuple[Order, Played]]:
    """Cut the power there: nothing comes back that was not synced; or what chance will have."""
    yield played(at, *stretches)
    yield played(
        at, *stretches, chance=sum((one.calls or 0) * 97**place for place, one in enumerate(stretches))
    )


LEFT = ("", "before report.csv", "after report.csv", "before report.done", FOUND)
_ALIKE = tuple(all_by(way) for way in Way)
GREEDY = tuple(Situation(ways, left) for left in LEFT for ways in _ALIKE)
"""A consumer who takes everything at once hides most."""
MIXED = tuple(Situation(Ways(b if left else a, a, b), left) for left in LEFT for a, b in permutations(Way))
"""What somebody before the two has left is settled first by one whose mount does it in another way."""
CORRECTED = tuple(Situation(ways, left, corrected=True) for left in LEFT[:-1] for ways in _ALIKE)
SITUATIONS = (*GREEDY, *(replace(one, greedy=False) for one in GREEDY), *MIXED, *CORRECTED)
LEAST = 50_000
"""Orders that differ, in all situations; how many there are follows from the calls that the product makes."""


def pieces(of: Sequence[Situation]) -> list[tuple[Situation, int]]:
    """Give where the first collector is stopped first, in each of these situations."""
    return [(one, mine) for one in of for mine in stops(one)]


def orders_from(piece: tuple[Situation, int]) -> int:
    """Play the orders of one piece, and give how many.

    Raises:
        Broken: a promise was not kept; says which, and the order.
    """
    count = 0
    for count, (order, played) in enumerate(orders(*piece), start=1):  # noqa: B007 - the last is what is asked for
        if played.problems:
            raise Broken(f"{'; '.join(played.problems)}\nin the order: {order}")
    return count


def interleavings() -> Figure:
    """Play all orders in all situations, on all processors.

    Raises:
        Broken: a promise was not kept.
    """
    began = time.monotonic()
    reached = sum(spread(orders_from, pieces(SITUATIONS)))
    return Figure(
        "every order of two collectors, a consumer and their deaths",
        LEAST,
        reached,
        time.monotonic() - began,
        0,
        f"{len(SITUATIONS)} situations, at most three falls asleep, deaths or a power cut; one file and one done-file each, after it",
    )
