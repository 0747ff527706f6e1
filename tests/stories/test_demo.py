"""Does the demo keep what the README says of it?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.story
@pytest.mark.slow
@pytest.mark.timeout(580)
def test_the_demo_carries_both_examples_and_quarantines_the_breach(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "examples.demo", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    status = ended.stdout[ended.stdout.index("Where everything stands") :]
    for word in ("delivered", "quarantined", "336,776", "landed", "What to try next"):
        assert word in status
    shares = sorted(path.name for path in tmp_path.glob("*/.landbridge/twin/dev/share/*") if path.is_file())
    assert len([name for name in shares if name.startswith("eIDVAPPSTORE_EDBH_DEV_")]) >= 3
    assert not [name for name in shares if "SCREENING" in name]
