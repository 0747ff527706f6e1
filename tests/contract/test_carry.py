"""Do the same bytes get from any kind of store into any other?"""

from __future__ import annotations

import random
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import IntegrityBroken, NotFound, StoreConflict
from landbridge.facts import Location
from landbridge.stores.carry import Beside, carry
from tests.contract.stands import MIB, Stand, content_of, stand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAIRS = [*product(("memory", "folder", "s3-prefix"), repeat=2)]


def _param(pair: tuple[str, ...]) -> object:
    marks = [pytest.mark.slow] if "s3-prefix" in pair else []
    return pytest.param(pair, id="-to-".join(pair), marks=marks)


@pytest.fixture(params=map(_param, PAIRS))
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Stand, Stand]]:
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(stand(kind, tmp_path / str(n), lambda: request.getfixturevalue("seaweed")))
            for n, kind in enumerate(request.param)
        )  # type: ignore[misc] # two of them


@pytest.mark.parametrize("size", [0, 10, 12 * MIB])
def test_a_place_gets_the_same_bytes_once(two: tuple[Stand, Stand], size: int) -> None:
    source, target = two[0].store, two[1].other
    body = random.Random(size).randbytes(size)
    at = source.put_stream("draft", [body], content_of(body)).at
    place = Beside(source, target)
    delivered = place.deliver(at, "outbound/x.csv", content_of(body))
    assert (delivered.store, delivered.key) == (target.name, "outbound/x.csv")
    assert b"".join(target.chunks(delivered)) == body
    assert place.deliver(at, "outbound/x.csv", content_of(body)) == delivered


def test_a_place_never_loses_what_it_has(two: tuple[Stand, Stand]) -> None:
    source, target = two[0].store, two[1].other
    at = source.put_new("draft", b"new").at
    target.put_new("x", b"old")
    with pytest.raises(StoreConflict):
        carry(source, at, target, "x", content_of(b"new"))
    assert target.read("x") == b"old"


def test_other_bytes_than_were_recorded_are_not_carried(two: tuple[Stand, Stand]) -> None:
    source, target = two[0].store, two[1].other
    at = source.put_new("draft", b"other").at
    with pytest.raises(IntegrityBroken):
        carry(source, at, target, "x", content_of(b"right"))
    assert target.head("x") is None


def test_a_source_that_is_gone(two: tuple[Stand, Stand]) -> None:
    source, target = two[0].store, two[1].other
    with pytest.raises(NotFound):
        carry(source, Location(source.name, "none"), target, "x", content_of(b"right"))
    assert target.head("x") is None
