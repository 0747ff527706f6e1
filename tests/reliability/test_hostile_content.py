"""Does content that is made to harm end in a clear verdict, with memory bounded?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reliability.hostile_content import CASES, MOST_MEMORY, Came, child, content, judge

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.reliability


@pytest.mark.timeout(400)
def test_memory_is_bounded_and_the_verdict_clear() -> None:
    figure = content()
    assert figure.is_reached, figure


def test_a_child_that_takes_too_much_is_found_out(tmp_path: Path) -> None:
    came = child(["timeit", "-n1", "-r1", f"b'x' * {MOST_MEMORY + (64 << 20)}"], tmp_path)
    assert came.exit == 0
    with pytest.raises(AssertionError, match=r"1[0-9]{3} MiB"):
        judge(CASES[12], Came(0, came.memory, 1, CASES[12].says))
    small = child(["timeit", "-n1", "-r1", "b'x' * 1000"], tmp_path)
    assert small.memory < 100 << 20, "what the parent took was counted"


@pytest.mark.parametrize(
    "came",
    [
        Came(0, 1, 1, "fine"),
        Came(1, 1, 1, "Traceback (most recent call last):"),
        Came(65, 1, 1, "Traceback (most recent call last): id"),
        Came(-9, 1, 1, ""),
        Came(65, 1, 1, "something else"),
    ],
)
def test_an_end_that_is_not_the_verdict_is_found_out(came: Came) -> None:
    with pytest.raises(AssertionError, match="1 GiB"):
        judge(CASES[0], came)
