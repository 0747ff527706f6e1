"""Does a soak go on where it was stopped, and does what it finds have a seed that shows it again?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import pytest

from landbridge.steps.promote import promote
from reliability.altered import altered
from reliability.crashes import soak
from reliability.histories import Broken
from reliability.replay import replay
from reliability.spread import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.reliability

_T = TypeVar("_T")
_U = TypeVar("_U")


def here(work: Callable[[_T], _U], pieces: Iterable[_T]) -> Iterator[_U]:
    """Do everything in this process."""
    return (work(piece) for piece in pieces)


def interrupted(work: Callable[[_T], _U], pieces: Iterable[_T]) -> Iterator[_U]:
    """Do two pieces, and then Ctrl-C."""
    for number, piece in enumerate(pieces):
        if number == 2:
            raise KeyboardInterrupt
        yield work(piece)


def test_a_soak_goes_on_where_it_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "soak.json"
    first = soak(9, state, 2, interrupted)
    assert (first.reached, first.is_reached) == (4, False)
    assert "0 of 9 histories were played before" in capsys.readouterr().err
    second = soak(10, state, 2, here)
    assert (second.reached, second.is_reached) == (10, True)
    told = capsys.readouterr().err
    assert "4 of 10 histories were played before" in told
    assert "an hour" in told
    assert json.loads(state.read_text())["next"] == 10
    assert soak(10, state, 2, here).reached == 10
    in_one = soak(10, tmp_path / "other.json", 10, here)
    assert second.note == in_one.note, "calls and kinds of calls are those of all soaks together"


def test_what_a_soak_finds_has_a_seed_that_shows_it_again(tmp_path: Path) -> None:
    state = tmp_path / "soak.json"
    soak(4, state, 2, here)
    with altered(promote, ("blob = _there(", "reports.put_new(name, manifest)\n    blob = _there(")):
        with pytest.raises(Broken, match=r"python -m reliability replay crash-4$") as found:
            soak(1_000, state, 2, here)
        seed = str(found.value).rpartition(" ")[2]
        assert replay(seed, lambda _: None)
    assert replay(seed, lambda _: None) == []
    assert json.loads(state.read_text())["next"] == 4, "the next soak plays what was broken again"


# Python 3.12 and later say so of any fork.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_pieces_are_done_in_order_and_the_first_that_fails_ends_it() -> None:
    assert list(spread(abs, range(-40, 0))) == list(range(40, 0, -1))
    came: list[float] = []
    with pytest.raises(ZeroDivisionError):
        came.extend(spread(_inverse, (4, 2, 0, 1)))
    assert came == [0.25, 0.5]
    assert list(spread(_inverse, ())) == []


def _inverse(number: int) -> float:
    return 1 / number
