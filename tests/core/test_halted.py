"""Does a query that is interrupted end as an interruption, and not as a bug?"""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from landbridge.halted import halted

_LONG = "SELECT count(*) FROM range(200000) a, range(200000) b WHERE a.range * b.range % 7 = 3"
_JUDGED = f"""
import sys, pathlib
from tests.contract.odcs_texts import judged, written
contract = written(pathlib.Path(sys.argv[1]), ["name: v, logicalType: integer"], ["type: sql, query: '{_LONG}', mustBe: 0"])
print("begins", flush=True)
judged(contract, b"v\\n1\\n", memory=256)  # one thread: of several, the one that hears signals may be busy
"""
_SHAPED = f"""
import sys, pathlib
import pyarrow
from tests.core.sources import feed
from tests.core.test_transform import rows
declared = feed("trades", transform="{_LONG}")
print("begins", flush=True)
rows(declared, {{"trades": pyarrow.table({{"id": [1]}})}}, pathlib.Path(sys.argv[1]))
"""


def test_another_error_of_the_engine_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="another"), halted():
        raise RuntimeError("another")


@pytest.mark.parametrize("program", [_JUDGED, _SHAPED], ids=["contract", "transform"])
def test_a_query_that_would_take_minutes_is_interrupted(program: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begins\n"
        for _ in range(20):
            try:
                _, said = running.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGINT)
        else:
            running.kill()
            said = "it went on"
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    assert running.returncode == -signal.SIGINT
