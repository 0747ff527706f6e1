"""What does it cost to write a file: Parquet to CSV, plain and gzipped?

TPC-H lineitem, 16 columns, about 105 MB of CSV; whole processes, reading included. Ours also hashes the bytes, looks
for formulas and keeps null apart from the empty string.
Must: csv.gz at most 0.2 of pyarrow's own gzip; memory bounded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.installed import installed, needed
from bench.measure import cost, in_turn, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.measure import Cost

SCALE = "0.145"
RUNS = 3

_OURS = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
import pyarrow.parquet as pq
from landbridge.facts import Slot
from landbridge.feed.outputs import File
from landbridge.formats.write import Words, write
class Silent:
    def start(self, *_): pass
    def advance(self, *_): pass
    def finish(self, *_): pass
rows = pq.ParquetFile(sys.argv[1])
slot = Slot("lineitem", "2026-11-20", date(2026, 11, 20), datetime(2026, 11, 20, tzinfo=UTC))
file = File(name="x", folder="y", compression=COMPRESSION, formula_injection="escape")
write(file, rows.schema_arrow, rows.iter_batches(65536), Path(sys.argv[2]), Words(slot, "DEV", 1, {}), progress=Silent())
"""
# Pyarrow's own CSV writer does not take views. In a process of its own, whose memory is not that of the peers.
_WITHOUT_VIEWS = """
import sys, pyarrow as pa, pyarrow.parquet as pq
rows = pq.read_table(sys.argv[1])
kinds = [f.with_type(pa.string()) if pa.types.is_string_view(f.type) else f for f in rows.schema]
pq.write_table(rows.cast(pa.schema(kinds)), sys.argv[1])
"""
_PYARROW = """
import sys, pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq
rows = pq.ParquetFile(sys.argv[1])
with OPENED as sink, csv.CSVWriter(sink, rows.schema_arrow) as writer:
    for batch in rows.iter_batches(65536):
        writer.write_batch(batch)
"""
_POLARS = "import sys, polars; polars.scan_parquet(sys.argv[1]).sink_csv(sys.argv[2])"
_DUCKDB = """
import sys, duckdb
duckdb.sql("SET threads = 2")
duckdb.sql(f"COPY (FROM '{sys.argv[1]}') TO '{sys.argv[2]}' (FORMAT csv, COMPRESSION COMPRESSED)")
"""
_CSV = """
import sys, csv, pyarrow.parquet as pq
rows = pq.ParquetFile(sys.argv[1])
with open(sys.argv[2], "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(rows.schema_arrow.names)
    for batch in rows.iter_batches(65536):
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns)))
"""
PLAIN = {
    "landbridge": _OURS.replace("COMPRESSION", repr("none")),
    "pyarrow": _PYARROW.replace("OPENED", "pa.OSFile(sys.argv[2], 'w')"),
    "Polars": _POLARS,
    "DuckDB": _DUCKDB.replace("COMPRESSED", "none"),
    "csv module": _CSV,
}
GZIPPED = {
    "landbridge": _OURS.replace("COMPRESSION", repr("gzip")),
    "pyarrow, its own gzip": _PYARROW.replace("OPENED", "pa.output_stream(sys.argv[2], compression='gzip')"),
    "DuckDB": _DUCKDB.replace("COMPRESSED", "gzip"),
}


def main(_: Sequence[str] = ()) -> None:
    """Measure both tables."""
    print(__doc__)
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    try:
        _make(folder)
        for title, scripts in (("CSV", PLAIN), ("csv.gz", GZIPPED)):
            print(f"\n### Parquet to {title}\n")
            peers = installed(_peers(scripts, folder), {"Polars": "polars"})
            print(table(in_turn(peers, RUNS), "landbridge"))
            print("\nSizes: " + ", ".join(_sizes(peers, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path) -> None:
    tpchgen = needed("tpchgen-cli")
    asked = ["--scale-factor", SCALE, "--tables", "lineitem", "--output-dir", str(folder)]
    subprocess.run([tpchgen, "parquet", *asked], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-c", _WITHOUT_VIEWS, folder / "lineitem.parquet"], check=True)


def _peers(scripts: Mapping[str, str], folder: Path) -> dict[str, partial[Cost]]:
    return {name: partial(_run, script, folder, name) for name, script in scripts.items()}


def _run(script: str, folder: Path, name: str) -> Cost:
    into = _output(folder, name)
    into.unlink(missing_ok=True)
    return cost([sys.executable, "-c", script, folder / "lineitem.parquet", into])


def _sizes(peers: Iterable[str], folder: Path) -> list[str]:
    return [f"{name} {_output(folder, name).stat().st_size / 1e6:.0f} MB" for name in peers]


def _output(folder: Path, name: str) -> Path:
    return folder / name.replace(" ", "-")


if __name__ == "__main__":
    main()
