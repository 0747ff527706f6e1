"""Is a peer of the benchmarks that is not installed left out and named, and not a traceback in the middle?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bench import __main__ as benchmarks
from bench import formats, strictness
from bench.installed import Missing, installed, needed, program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path


def test_who_is_missing_is_left_out_and_named(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peers = {"ours": 1, "json": 2, "no module of that name": 3, "a program": 4}
    needs = {"json": "json", "no module of that name": "nowhere_to_be_found", "a program": "there"}
    (bare / "there").touch(0o755)
    assert installed(peers, needs) == {"ours": 1, "json": 2, "a program": 4}
    (bare / "there").unlink()
    capsys.readouterr()
    assert installed(peers, needs) == {"ours": 1, "json": 2}
    said = capsys.readouterr().out
    assert "no module of that name (nowhere_to_be_found), a program (there)" in said
    assert ".venv-bench/installed" in said
    assert installed({"ours": 1}, needs) == {"ours": 1}
    assert capsys.readouterr().out == "", "of whom nobody asked for nothing is said"


def test_a_program_beside_this_python_is_found_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "tool").touch(0o755)
    assert program("tool") == bare / "tool"
    monkeypatch.setattr(sys, "executable", str(bare / "elsewhere" / "python"))
    assert program("tool") == bare / "tool", "on the path"
    assert program("nowhere_to_be_found") is None


@pytest.mark.usefixtures("bare")
def test_a_benchmark_whose_tool_is_missing_says_so_and_the_next_one_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Missing, match="tpchgen-cli is not installed"):
        needed("tpchgen-cli")
    with pytest.raises(Missing):
        formats.main()
    assert benchmarks._measured("formats") is False
    assert "left out: tpchgen-cli is not installed" in capsys.readouterr().out


def test_strictness_asks_those_who_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(strictness, "cases", lambda: ())
    strictness.main()
    header = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| planted"))
    assert "landbridge" in header
    assert "duckdb" in header
