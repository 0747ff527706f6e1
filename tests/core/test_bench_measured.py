"""Do the benchmarks measure what a user's process costs, and nothing of what came before it?"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bench.measure import cost
from bench.sftp import Bench, Took, measured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.servers.sftp import Sftp

ASKS = "import sys; sys.exit(sys.dont_write_bytecode)"


def test_a_process_is_measured_as_a_user_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    cost([sys.executable, "-c", ASKS])


def test_a_download_is_measured_as_a_user_starts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert _bench(tmp_path)._run([sys.executable, "-c", ASKS], "large").files == 1


def test_the_first_round_of_downloads_is_not_counted(tmp_path: Path) -> None:
    assert measured(_bench(tmp_path), 3) == {"one": Took(2.0, 2.0), "other": Took(2.0, 2.0)}


@dataclass(frozen=True, slots=True)
class _Slow(Bench):
    """Peers whose first download takes longest."""

    def peers(self) -> dict[str, Callable[[Path], Took]]:
        def peer() -> Callable[[Path], Took]:
            walls = iter((9.0, 1.0, 3.0, 2.0))

            def download(_: Path) -> Took:
                wall = next(walls)
                return Took(wall, wall)

            return download

        return {"one": peer(), "other": peer()}


def _bench(folder: Path) -> Bench:
    return _Slow(folder, cast("Sftp", None), 0, "large")
