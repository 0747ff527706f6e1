"""What does a command cost before it does anything, and what does a whole small run cost?

Must: `landbridge --help` at most 0.3 s of CPU; `landbridge run` of a 100-row SQL feed at most 1.5 s.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import cost, in_turn, table

if TYPE_CHECKING:
    from collections.abc import Sequence

LANDBRIDGE = Path(__file__).parent.parent / ".venv" / "bin" / "landbridge"
"""As users have it: without the peers, which bring pandas."""
RUNS = 7


def main(_: Sequence[str] = ()) -> None:
    """Measure on a twin with a project of one feed; each run takes a slot that nobody ran before."""
    print(__doc__)
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    try:
        dates = iter(_project(folder))
        subprocess.run([LANDBRIDGE, "twin", "up"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        costs = in_turn(
            {
                "python -c pass": lambda: cost([sys.executable, "-c", "pass"]),
                "landbridge --help": lambda: cost([LANDBRIDGE, "--help"]),
                "landbridge run, 100 rows from SQLite": lambda: cost(
                    [LANDBRIDGE, "run", "hundred", "--date", next(dates), "--twin", "--project", folder]
                ),
            },
            RUNS,
        )
    finally:
        subprocess.run([LANDBRIDGE, "twin", "down"], cwd=folder, check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
    print(table(costs, "landbridge --help"))


def _project(folder: Path) -> list[str]:
    subprocess.run([LANDBRIDGE, "init", folder], check=True, stdout=subprocess.DEVNULL)
    for old in (*(folder / "feeds").iterdir(), *(folder / "contracts").iterdir()):
        old.unlink()
    with sqlite3.connect(folder / "hundred.db") as database:
        database.execute("CREATE TABLE hundred (id INTEGER PRIMARY KEY, name TEXT, amount TEXT)")
        database.executemany(
            "INSERT INTO hundred VALUES (?, ?, ?)", [(n, f"name {n}", f"{n}.50") for n in range(1, 101)]
        )
    database.close()
    (folder / "feeds" / "hundred.yaml").write_text(_FEED)
    (folder / "contracts" / "hundred.odcs.yaml").write_text(_CONTRACT)
    return [f"2026-10-{day:02d}" for day in range(1, RUNS + 2)]


_FEED = """
feed: hundred
owner: bench@example.org
schedule: {cron: "0 6 * * *", starts: 2026-01-01}
sources:
  rows: {kind: sql, url: "sqlite:///hundred.db", query: "SELECT id, name, amount FROM hundred ORDER BY id"}
file:
  name: "HUNDRED_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}.csv"
  folder: hundred
contract: {file: contracts/hundred.odcs.yaml}
"""
_CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: hundred
version: 1.0.0
status: active
schema:
  - name: hundred
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - {name: name, logicalType: string, required: true}
      - {name: amount, logicalType: number, physicalType: "decimal(9,2)", required: true}
"""

if __name__ == "__main__":
    main()
