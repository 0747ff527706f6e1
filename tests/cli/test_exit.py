"""How does the program end when it is wrong itself?"""

from __future__ import annotations

import subprocess
import sys

_A_BUG = """
import landbridge.cli.schema as command
def schema() -> None:
    raise ZeroDivisionError("planted")
command.schema = schema
from landbridge.cli import main
main(["schema"])
"""


def test_a_bug_keeps_its_traceback_and_exits_70() -> None:
    ended = subprocess.run([sys.executable, "-c", _A_BUG], capture_output=True, text=True, check=False)
    assert ended.returncode == 70
    assert "ZeroDivisionError: planted" in ended.stderr
    assert "please report it" in ended.stderr


def test_a_usage_error_is_64_without_a_traceback() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "landbridge", "run", "--no-such-option"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 64
    assert "Traceback" not in ended.stderr
