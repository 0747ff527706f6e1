"""What comes of reading something hostile? A child process, so that what it took can be measured and what it breaks is its own.

`python -m reliability.hostile_reading source FOLDER KEYS` reads a source to its end; `gate FOLDER CONTRACT` judges each file
of a folder. Ends as the command line does: an exit code for what an operator can act on, a traceback for a bug.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from landbridge.contract.gate import gate_for
from landbridge.contract.odcs import load
from landbridge.errors import LandbridgeError
from landbridge.feed.outputs import File
from tests.contract import bridge


def source(folder: Path, keys: str) -> None:
    """Read a declared source to its end, a batch at a time."""
    rows = 0
    given = bridge.around(folder)
    with bridge.adapter(given, **json.loads(keys)) as opened, opened.open(bridge.SLOT) as extract:
        for batch in extract.batches:
            rows += batch.num_rows
    sys.stdout.write(f"{rows} rows")


def gate(folder: Path, contract: str) -> None:
    """Judge every file; tell how many met the contract, broke it, or were refused."""
    met, broke, refused = 0, 0, 0
    file = File.model_validate({"name": "x.parquet", "folder": "x", "format": {"kind": "parquet"}})
    with tempfile.TemporaryDirectory(prefix="landbridge-gate-") as spill:
        one = gate_for(load(Path(contract)), file, memory=256, spill=Path(spill))
        for path in sorted(folder.iterdir()):
            try:
                report = one.judge(path)
            except LandbridgeError:
                refused += 1
                continue
            met, broke = met + report.passed, broke + (not report.passed)
    sys.stdout.write(f"{met} met, {broke} broke, {refused} refused")


if __name__ == "__main__":
    try:
        {"source": source, "gate": gate}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
    except LandbridgeError as error:
        sys.stdout.write(str(error)[:400])
        sys.exit(error.exit)
