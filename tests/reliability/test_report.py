"""Does a seed replay its history, and is the report written where it belongs?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reliability.figures import Figure
from reliability.replay import replay
from reliability.report import BEGIN, END, put

pytestmark = pytest.mark.reliability


@pytest.mark.parametrize(
    "seed", ["crash-12", "power-3", "collectors-4", "sleepers-4", "pods2-5", "fault-0.3.2"]
)
def test_a_seed_is_played_again_call_by_call(seed: str) -> None:
    told: list[str] = []
    assert replay(seed, told.append) == []
    assert sum("s3.put" in line for line in told) >= 1
    again: list[str] = []
    replay(seed, again.append)
    assert again == told


def test_a_seed_of_nothing_is_refused() -> None:
    with pytest.raises(LookupError):
        replay("nothing-1", print)


def test_figures_go_into_their_place_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    put(page, [Figure("crashes", 20, 19, 1.4, 7, "a note")])
    text = page.read_text()
    assert "| crashes | 20 | 19 (not reached) | 1 | 7 | a note |" in text
    assert "old" not in text
    assert text.endswith("after\n")
    with pytest.raises(ValueError, match="reliability"):
        put(Path(__file__), [])
