"""Does the command line start without the libraries that only a run needs?"""

import subprocess
import sys

import pytest

# Each costs 0.04 to 2 seconds of CPU to import; a command that needs one imports it when it gets there.
_HEAVY = {
    "asyncio",
    "asyncssh",
    "boto3",
    "botocore",
    "dlt",
    "duckdb",
    "holidays",
    "httpx",
    "numpy",
    "obstore",
    "open_data_contract_standard",
    "pandas",
    "psycopg",
    "pyarrow",
    "pysequoia",
    "securesystemslib",
    "sqlalchemy",
    "stamina",
    "structlog",
}
_SHOW = "import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"


def _loaded_by(module: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", _SHOW.format(module=module)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "landbridge.errors",
        "landbridge.facts",
        "landbridge.feed",
        "landbridge.project",
        "landbridge.ports",
        "landbridge.naming",
        "landbridge.schedule",
        "landbridge.cli",
    ],
)
def test_importing_costs_no_heavy_library(module: str) -> None:
    assert _loaded_by(module) & _HEAVY == set()


@pytest.mark.parametrize(
    ("modules", "needed"),
    [
        ("landbridge.cli.collect, landbridge.wiring.ground_side", set()),
        ("landbridge.cli.status, landbridge.wiring.reading", {"botocore", "obstore"}),
        ("landbridge.cli.check, landbridge.declare", set()),
        (
            "landbridge.cli.run, landbridge.wiring.cloud_side",
            {"botocore", "obstore", "pyarrow", "numpy"},
        ),
    ],
)
def test_what_is_started_once_a_slot_has_only_what_it_needs(modules: str, needed: set[str]) -> None:
    assert _loaded_by(modules) & _HEAVY <= needed


def test_a_heavy_import_is_noticed() -> None:
    assert _loaded_by("numpy") & _HEAVY == {"numpy"}
