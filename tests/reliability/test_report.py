"""Does a seed replay its history, and is the report written where it belongs?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reliability.__main__ import PAGE
from reliability.figures import Figure
from reliability.parts import PARTS
from reliability.replay import replay
from reliability.report import BEGIN, END, put, row, rows_on

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
    page.write_text(f"# Title\n\n{BEGIN}\nold\n| `gone` | a part that is no more |\n{END}\n\nafter\n")
    day = date(2026, 3, 29)
    pods = row("pods", Figure("pods on one slot", 5_000, 5_000, 12.6, 0, "as ever"), day)
    put(page, "pods", pods)
    put(page, "crashes", row("crashes", Figure("crash at every call", 20, 21, 3, 7), day))
    again = row("crashes", Figure("crash at every call", 20, 19, 1.4, 7, "a note"), day)
    put(page, "crashes", again)
    text = page.read_text()
    assert "| `crashes` | crash at every call | 20 | 19 (not reached) | 1 | 2026-03-29 | 7 | a note |" in text
    assert list(rows_on(page).items()) == [("crashes", again), ("pods", pods)]
    assert "old" not in text
    assert text.endswith("after\n")


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="reliability"):
        put(Path(__file__), "pods", "")


def test_every_part_has_its_figures_on_the_page() -> None:
    rows = rows_on(PAGE)
    assert set(rows) == {part.name for part in PARTS}
    assert [name for name, line in rows.items() if "not reached" in line] == []
