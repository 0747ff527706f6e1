"""Is the house in order, and would the tests notice if it were not?"""

from collections.abc import Callable, Iterable

import pytest

from tests.house import detectors
from tests.house.tree import ROOT, texts

Detector = Callable[[str], list[str]]
_PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
_LOCKS = {
    "runtime.txt": {"runtime"},
    "dev.txt": {"runtime", "twin", "examples", "dev", "build"},
    "bench.txt": {"runtime", "bench", "twin", "examples"},
    "ministack.txt": {"ministack"},
    "cloud.txt": {"cloud"},
}


def _violations(detector: Detector, files: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{path}: {finding}" for path, text in files for finding in detector(text)]


def test_there_is_a_house_to_look_at() -> None:
    paths = {path for path, _ in texts()}
    assert {"src/landbridge/__init__.py", "pyproject.toml", "Makefile", "tests/house/test_house.py"} <= paths


def test_no_module_outgrows_its_room() -> None:
    assert _violations(detectors.too_long, texts(".py", under="src/")) == []


def test_no_exception_is_caught_that_nobody_named() -> None:
    assert _violations(detectors.broad_excepts, texts(".py", under="src/")) == []


def test_nothing_is_mocked() -> None:
    assert _violations(detectors.mocks, texts(".py")) == []


def test_what_operators_read_is_counted_in_one_place() -> None:
    rooms = ("cli", "doctor", "bundle", "decisions", "hops", "recheck", "telling", "held")
    files = (
        entry
        for entry in texts(".py", under="src/")
        if entry[0].startswith(tuple(f"src/landbridge/{room}" for room in rooms))
    )
    assert _violations(detectors.counts_by_hand, files) == []


def test_the_environment_is_read_in_one_place() -> None:
    rooms = ("src/landbridge/wiring/", "src/landbridge/twin/")
    files = (entry for entry in texts(".py", under="src/") if not entry[0].startswith(rooms))
    assert _violations(detectors.environment_reads, files) == []


def test_no_file_names_a_registry() -> None:
    assert _violations(detectors.registry_addresses, texts()) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert _violations(detectors.machine_paths, texts()) == []


def test_each_dependency_says_what_it_is_for_and_how_large() -> None:
    assert detectors.unexplained_dependencies(_PYPROJECT) == []


@pytest.mark.parametrize("lock", _LOCKS)
def test_each_dependency_is_locked_with_its_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert detectors.unlocked(_PYPROJECT, _LOCKS[lock], text) == []
    assert "://" not in text


@pytest.mark.parametrize(
    ("detector", "planted"),
    [
        (detectors.too_long, "x = 1\n" * 701),
        (detectors.broad_excepts, "try:\n    x()\nexcept:\n    pass\n"),
        (detectors.broad_excepts, "try:\n    x()\nexcept Exception as error:\n    raise\n"),
        (detectors.broad_excepts, "try:\n    x()\nexcept (OSError, builtins.BaseException):\n    raise\n"),
        (detectors.broad_excepts, "with contextlib.suppress(Exception):\n    x()\n"),
        (detectors.counts_by_hand, 'x = f"{len(found)} revisions; this is {one}"\n'),
        (detectors.counts_by_hand, 'x = f"{count:,} more files"\n'),
        (detectors.mocks, "from unittest import mock\n"),
        (detectors.mocks, "from unittest.mock import patch\n"),
        (detectors.mocks, "import unittest.mock as m\n"),
        (detectors.mocks, "def test_x(mocker):\n    pass\n"),
        (detectors.environment_reads, "import os\nx = os.environ['HOME']\n"),
        (detectors.environment_reads, "import os as system\nx = system.getenv('HOME')\n"),
        (detectors.environment_reads, "from os import environ\n"),
        (detectors.environment_reads, "x = typer.Option(envvar='LANDBRIDGE_X')\n"),
        (detectors.environment_reads, "import os.path\nx = os.path.expandvars('$HOME')\n"),
        (detectors.registry_addresses, "see https://" + "pypi" + ".org/simple\n"),
        (detectors.registry_addresses, "--extra-" + "index-url x\n"),
        (detectors.machine_paths, "path = '/" + "root/x'\n"),
        (detectors.machine_paths, "cd /" + "work/main\n"),
    ],
)
def test_a_planted_violation_is_found(detector: Detector, planted: str) -> None:
    assert len(detector(planted)) == 1


@pytest.mark.parametrize(
    ("detector", "innocent"),
    [
        (detectors.too_long, "x = 1\n" * 700),
        (detectors.broad_excepts, "try:\n    x()\nexcept (OSError, ValueError):\n    raise\n"),
        (detectors.counts_by_hand, 'x = f"at most {LONGEST} characters of {name} and so on"\n'),
        (detectors.mocks, "import unittest\nimport mockery\n"),
        (detectors.environment_reads, "import os\nos.fsync(1)\nenviron = 1\n"),
        (detectors.registry_addresses, "the package is on a public index\n"),
        (detectors.machine_paths, "docs/" + "work/x and {home}/" + "root/x\n"),
    ],
)
def test_an_innocent_text_passes(detector: Detector, innocent: str) -> None:
    assert detector(innocent) == []


_SMALL = """
[build-system]
requires = []
[project]
dependencies = [
  "one>=1", # first; 1.0 MB
  "two>=2", # no size
  "three>=3",
]
[project.optional-dependencies]
[dependency-groups]
"""


def test_a_dependency_without_purpose_or_size_is_found() -> None:
    assert detectors.unexplained_dependencies(_SMALL) == ["two>=2", "three>=3"]


@pytest.mark.parametrize(
    ("lock", "missing"),
    [
        ("one==1.5 \\\ntwo==2 \\\nthree==3 ; os_name == 'nt' \\\n", []),
        ("one==1.5 \\\ntwo==2 \\\n", ["three"]),
        ("one==0.9 \\\ntwo==2 \\\nthree==3 \\\n", ["one"]),
        ("one==1.5 \\\ntwo==2\nthree==3 \\\n", ["two"]),
    ],
)
def test_a_dependency_that_is_not_locked_is_found(lock: str, missing: list[str]) -> None:
    found = detectors.unlocked(_SMALL, {"runtime"}, lock)
    assert [finding.split("=")[0].rstrip(">") for finding in found] == missing
