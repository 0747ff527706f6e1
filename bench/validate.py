"""What does it cost to validate 1 GB of TPC-H lineitem (CSV), with 13 groups of checks?

Must: at most 1.6 x the CPU of dataframely and 0.8 x that of Great Expectations, in at most 512 MiB; the same memory at 10 GB,
which ours alone is asked for, once.
Checks: types, nulls in 16 columns, a composite unique key, ranges of three numbers and a date, two sets, a regular
expression, a length, the row count, a sum. Ours also proves every byte of the file (see strictness); the peers do not.
`landbridge, key in another order` groups the key with spilling, because its columns do not ascend.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.installed import installed, needed
from bench.measure import Cost, cost, in_turn, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCALE = 1.4
"""TPC-H scale factor of about 1 GB of CSV."""
LARGER = 10
"""How many times that the file is that shows whether memory is bounded."""
RUNS = 3
OURS = "landbridge"
PEERS = {
    OURS: "landbridge",
    "landbridge, key in another order": "landbridge",
    "DuckDB by hand": "duckdb",
    "dataframely": "dataframely",
    "pandera on Polars": "pandera",
    "Great Expectations": "great_expectations",
}


def main(asked: Sequence[str] | None = None) -> None:
    """Make the file, run every peer that is installed on it in turn, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.validate")
    parser.add_argument("--scale", type=float, default=SCALE)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", nargs="*", metavar="PEER", help=", ".join(PEERS))
    parser.add_argument(
        "--file", type=Path, help="lineitem.csv that is there already, and no larger one after it"
    )
    options = parser.parse_args(asked)
    print(__doc__)
    print(f"Runs counted of each, after one that is not: {options.runs}.")
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    try:
        file = options.file or _made(folder, options.scale)
        asked_for = {name: _run(name, file) for name in PEERS if not options.only or name in options.only}
        peers = installed(asked_for, PEERS)
        costs = in_turn(peers, options.runs)
        print(f"{file.stat().st_size / 1e9:.2f} GB\n")
        print(table(costs, OURS))
        if options.file or OURS not in peers:
            return
        file.unlink()
        file = _made(folder, options.scale * LARGER)
        print(f"\n{file.stat().st_size / 1e9:.2f} GB, once\n")
        print(table({name: _run(name, file)() for name in peers if PEERS[name] == OURS}, OURS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path, scale: float) -> Path:
    tool = needed("tpchgen-cli")
    words = ["csv", "-s", str(scale), "--tables=lineitem", f"--output-dir={folder}"]
    subprocess.run([tool, *words], check=True, capture_output=True)
    return folder / "lineitem.csv"


def _run(name: str, file: Path) -> Callable[[], Cost]:
    return lambda: cost([sys.executable, "-m", "bench.validate_peers", name, file])


if __name__ == "__main__":
    main()
