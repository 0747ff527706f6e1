"""What does `landbridge deploy controlm lint` print, and how does it end?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMITTED = ROOT / "tests" / "deploy" / "controlm_lint" / "emitted"
EXAMPLE = ROOT / "examples" / "eidv"


def _lint(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "landbridge", "deploy", "controlm", "lint", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_what_is_fine_is_told_and_what_was_not_looked_at_too() -> None:
    ended = _lint(EMITTED / "folder.json", EMITTED / "profiles.json")
    assert (ended.returncode, ended.stdout) == (0, "OK\n")
    assert ended.stderr.startswith("skipped without `--environment`: window-misses-run, ")


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    text = (EMITTED / "profiles.json").read_text(encoding="utf-8")
    file = tmp_path / "profiles.json"
    file.write_text(text.replace('"Port": "22"', '"Port": 22'), encoding="utf-8")
    return file


def test_an_error_ends_with_65_and_its_place(spoilt: Path) -> None:
    ended = _lint(EMITTED / "folder.json", spoilt)
    lines = spoilt.read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(lines, 1) if '"Port"' in text)
    assert (ended.returncode, ended.stdout) == (65, "")
    assert f"{spoilt}:{line}:" in ended.stderr.splitlines()[0]
    assert "[value-kind]" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "1 error"


def test_json_says_the_same(spoilt: Path) -> None:
    ended = _lint(EMITTED / "folder.json", spoilt, "--json")
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["ok"]) == (65, False)
    (one,) = told["findings"]
    assert (one["rule"], one["severity"], one["path"]) == ("value-kind", "error", "/EIDV_PRD_SFTP/Port")
    assert "feed-without-job" in told["skipped"]


def test_a_warning_fails_when_it_is_asked_to(tmp_path: Path) -> None:
    file = tmp_path / "folder.json"
    file.write_text('{"A": {"Type": "Folder", "B": {"Type": "Job:Command", "Command": "x"}}}')
    assert [_lint(file, *more).returncode for more in ((), ("--fail-on", "warning"))] == [0, 65]
    assert "host-missing" in _lint(file).stderr
    assert _lint(file, "--fail-on", "nothing").returncode == 64


def test_broken_json_ends_with_65_and_a_file_that_is_none_with_64(tmp_path: Path) -> None:
    file = tmp_path / "folder.json"
    file.write_text('{"A": {"Type": "Folder",}}')
    ended = _lint(file)
    assert ended.returncode == 65
    assert ":1:24: error: this is not JSON: a comma before `}`" in ended.stderr
    file.write_bytes(b"\x00\xff\xfe")
    assert _lint(file).returncode == 64


def test_the_declaration_is_asked_with_an_environment() -> None:
    ended = _lint(EMITTED / "folder.json", EMITTED / "profiles.json", "-p", EXAMPLE, "-e", "prd")
    assert ended.returncode == 65  # the small folder carries three of the five feeds
    found = [line.rsplit("[", 1)[1] for line in ended.stderr.splitlines() if line.endswith("]")]
    assert found == ["feed-without-job]"] * 2
    assert "skipped" not in ended.stderr
