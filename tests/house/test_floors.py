"""Would the import contracts of pyproject.toml notice a wrong arrow?"""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.house.tree import ROOT


def _lint(folder: Path, modules: dict[str, str]) -> tuple[int, str]:
    """Hold a small landbridge of these modules (path -> source) against the project's own contracts."""
    package = folder / "landbridge"
    for path, source in {"__init__.py": "", **modules}.items():
        module = package / path
        module.parent.mkdir(parents=True, exist_ok=True)
        if module.name != "__init__.py" and module.parent != package:
            (module.parent / "__init__.py").touch()
        module.write_text(textwrap.dedent(source), encoding="utf-8")
    answer = subprocess.run(
        [
            Path(sys.executable).parent / "lint-imports",
            "--config",
            ROOT / "pyproject.toml",
            "--no-cache",
            "--verbose",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


def test_the_drawn_arrows_are_allowed(tmp_path: Path) -> None:
    code, output = _lint(
        tmp_path,
        {
            "cli/__init__.py": "import typer\nfrom landbridge import wiring, twin\n",
            "wiring.py": "import boto3\nfrom landbridge import run, stores, sources, twin\n",
            "twin/__init__.py": "import asyncssh\nfrom landbridge import stores\n",
            "run.py": "from landbridge import ledger, plan, steps, facts\n",
            "collect.py": "from landbridge import ledger, steps, ports\n",
            "stores/s3.py": "import obstore, botocore.exceptions\nfrom landbridge import ports\n",
            "sftp/client.py": "import asyncssh\nfrom landbridge import errors\n",
            "sources/sql.py": "import sqlalchemy\nfrom landbridge import feed\n",
            "ledger/__init__.py": "from landbridge import ports\n",
            "plan.py": "from landbridge import feed, naming\n",
            "steps/__init__.py": "from landbridge import formats, contract\n",
            "formats/__init__.py": "from landbridge import facts\n",
            "contract/__init__.py": "from landbridge import facts\n",
            "feed.py": "from landbridge import naming, errors\n",
            "facts.py": "",
            "ports.py": "from landbridge import facts\n",
            "naming.py": "from landbridge import errors\n",
            "errors.py": "",
        },
    )
    assert code == 0, output


@pytest.mark.parametrize(
    ("contract", "modules"),
    [
        ("Floors", {"facts.py": "from landbridge import plan\n", "plan.py": ""}),
        ("Floors", {"errors.py": "from landbridge import facts\n", "facts.py": ""}),
        ("Floors", {"run.py": "from landbridge.stores import s3\n", "stores/s3.py": ""}),
        ("Floors", {"collect.py": "from landbridge import share\n", "share/__init__.py": ""}),
        ("Floors", {"sftp/client.py": "from landbridge import share\n", "share/__init__.py": ""}),
        ("Floors", {"ledger/__init__.py": "from landbridge import stores\n", "stores/__init__.py": ""}),
        ("Floors", {"formats/csv.py": "from landbridge import contract\n", "contract/__init__.py": ""}),
        ("Floors", {"twin/__init__.py": "from landbridge import wiring\n", "wiring.py": ""}),
        ("utils", {"utils.py": ""}),
        ("Adapters", {"stores/s3.py": "from landbridge import ledger\n", "ledger/__init__.py": ""}),
        ("The plan", {"plan.py": "from landbridge import formats\n", "formats/__init__.py": ""}),
        ("S3 clients", {"run.py": "import boto3\n"}),
        ("stamina is taken from retries", {"sources/http.py": "import stamina\n"}),
        ("S3 clients", {"steps/stage.py": "def f():\n    import obstore.store\n"}),
        ("asyncssh", {"collect.py": "import asyncssh\n"}),
        ("Database and REST", {"formats/csv.py": "from urllib3 import PoolManager\n"}),
        ("typer and rich", {"twin/__init__.py": "from rich.progress import Progress\n"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_wrong_arrow_is_found(tmp_path: Path, contract: str, modules: dict[str, str]) -> None:
    code, output = _lint(tmp_path, modules)
    assert code == 1
    assert any(contract in line and ("BROKEN" in line or "utils" in line) for line in output.splitlines()), (
        output
    )
