"""What does it cost to make a file from a database and from an API?

TPC-H lineitem (16 columns, about 105 MB of CSV) out of a real PostgreSQL, and 300 JSON pages of 1,000 records from a
local HTTP API; whole processes, imports included, the servers' CPU apart. Ours also keeps types strictly, hashes
rows and bytes, and looks for formulas.
Must: at most 0.35 x dlt's best backend for PostgreSQL, 0.25 x dlt for REST; at most 400 MiB for 10 million rows.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from bench.installed import installed, needed
from bench.measure import cost, in_turn, table
from examples.servers import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.measure import Cost

SCALE = "0.145"
RUNS = 3
PAGES = 300
TIMES = 12
"""So many times lineitem is more than 10 million rows."""

_BACKENDS = {"connectorx": "connectorx", "pyarrow": "dlt", "sqlalchemy": "dlt"}
"""Of dlt -> the module that brings each."""

_TABLE = """
CREATE UNLOGGED TABLE lineitem (
  l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity numeric(15,2),
  l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag text, l_linestatus text,
  l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct text, l_shipmode text, l_comment text)
"""
# Neither we nor dlt need pandas, and a pod has none; where it is installed, pyarrow imports it (1.3 s) unasked.
_NO_PANDAS = """
import sys
class _NoPandas:
    def find_spec(self, name, *_):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, _NoPandas())
"""
_OURS = """
import json, sys
from datetime import UTC, date, datetime
from pathlib import Path
from landbridge.facts import Slot
from landbridge.feed import Feed
from landbridge.formats.records import Words
from landbridge.sources.around import Silent
from landbridge.sources.table import open_sources
from landbridge.steps.generate import generate
class Clock:
    def now(self): return datetime.now(UTC)
feed = Feed.model_validate_json(json.dumps({
    "feed": "bench", "owner": "o", "sources": {"s": json.loads(sys.argv[1])}, "schedule": {"cron": "0 6 * * *"},
    "contract": {"file": "c"}, "file": {"name": "n", "folder": "f", "formula_injection": "escape"},
}))
slot = Slot("bench", "2026-11-20", date(2026, 11, 20), datetime(2026, 11, 20, tzinfo=UTC))
with open_sources(feed, folder=Path("."), secrets=None, environment="DEV", variables={}, clock=Clock()) as sources:
    made = generate(feed, Words(slot, "DEV", 1, {}), sources, Path(sys.argv[2]).parent, Silent())
    assert made.sources[0].rows > 0
    made.path.rename(sys.argv[2])
"""
_COPY = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection, open(sys.argv[2], "wb") as file:
    with connection.cursor().copy("COPY lineitem TO STDOUT (FORMAT csv, HEADER)") as copy:
        for row in copy:
            file.write(row)
"""
_SQLALCHEMY = """
import csv, sys, sqlalchemy
engine = sqlalchemy.create_engine(sys.argv[1].replace("postgresql:", "postgresql+psycopg:"))
with engine.connect() as connection, open(sys.argv[2], "w", newline="") as file:
    result = connection.execution_options(stream_results=True).exec_driver_sql("SELECT * FROM lineitem")
    writer = csv.writer(file)
    writer.writerow(result.keys())
    for rows in result.partitions(10_000):
        writer.writerows(rows)
"""
_DLT = """
import sys
from pathlib import Path
import dlt
dlt.config["runtime.dlthub_telemetry"] = False
dlt.config["normalize.data_writer.disable_compression"] = True
folder = Path(sys.argv[2]).with_suffix(".dlt")
pipeline = dlt.pipeline("bench", destination=dlt.destinations.filesystem(f"file://{folder}/out"),
                        dataset_name="bench", pipelines_dir=f"{folder}/state")
"""
_DLT_SQL = (
    _DLT
    + """
from dlt.sources.sql_database import sql_table
more = {"backend_kwargs": {"conn": sys.argv[1]}} if "BACKEND" == "connectorx" else {}
rows = sql_table(credentials=sys.argv[1].replace("postgresql:", "postgresql+psycopg:"), table="lineitem",
                 backend="BACKEND", chunk_size=65536, reflection_level="full_with_precision", **more)
pipeline.run(rows, loader_file_format="csv", write_disposition="replace")
"""
)
_DLT_REST = (
    _DLT
    + """
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator
@dlt.resource(name="records", write_disposition="replace")
def rows():
    yield from RESTClient(sys.argv[1], paginator=JSONLinkPaginator("next"), data_selector="items").paginate("")
pipeline.run(rows(), loader_file_format="csv")
"""
)
_LOOP = """
import csv, json, sys, requests
session = requests.Session()
url, writer = sys.argv[1], None
with open(sys.argv[2], "w", newline="") as file:
    while url:
        page = session.get(url).json()
        writer = writer or csv.DictWriter(file, page["items"][0])
        writer.writerows(page["items"])
        url = page["next"]
"""


def main(_: Sequence[str] = ()) -> None:
    """Measure PostgreSQL, REST, and the memory of many rows."""
    print(__doc__)
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    try:
        with postgres.running("shared_buffers=512MB") as server:
            _fill(server.url, folder)
            _postgresql(server, folder)
            _many_rows(server.url, folder)
        _rest(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql(server: postgres.Postgres, folder: Path) -> None:
    print("\n### PostgreSQL to CSV\n")
    url, at_the_server = server.url, dict[str, list[float]]()
    ours = _declared("sql", url=url, query="SELECT * FROM lineitem")
    peers = {
        "landbridge": partial(_run, folder, _OURS, ours),
        **{
            f"dlt, {backend}": partial(_run, folder, _DLT_SQL.replace("BACKEND", backend), url)
            for backend in _BACKENDS
        },
        "SQLAlchemy and csv": partial(_run, folder, _SQLALCHEMY, url),
        "COPY alone (no types, no checks)": partial(_run, folder, _COPY, url),
    }
    peers = installed(peers, {f"dlt, {backend}": module for backend, module in _BACKENDS.items()})
    watched = {name: partial(_with_server, server, at_the_server, name, run) for name, run in peers.items()}
    print(table(in_turn(watched, RUNS), "landbridge"))
    seconds = (f"{name} {statistics.median(all_of[1:]):.2f}" for name, all_of in at_the_server.items())
    print("\nCPU seconds of the database server meanwhile: " + "; ".join(seconds))


def _with_server(
    server: postgres.Postgres, seen: dict[str, list[float]], name: str, run: Callable[[], Cost]
) -> Cost:
    before = _server_cpu(server)
    took = run()
    time.sleep(0.5)  # until the server has seen its last connection end
    seen.setdefault(name, []).append(_server_cpu(server) - before)
    return took


def _server_cpu(server: postgres.Postgres) -> float:
    """Give the CPU seconds of all connections that ended so far (Linux, proc(5): cutime and cstime)."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def _many_rows(url: str, folder: Path) -> None:
    print("\n### More than 10 million rows\n")
    query = f"SELECT l.* FROM lineitem AS l, generate_series(1, {TIMES})"
    took = _run(folder, _OURS, _declared("sql", url=url, query=query))
    print("| | CPU s | wall s | peak MiB |\n|---|---|---|---|")
    print(f"| **landbridge** | {took.cpu:.1f} | {took.wall:.1f} | {took.rss:.0f} |")


def _rest(folder: Path) -> None:
    print(f"\n### REST to CSV, {PAGES} pages of 1,000 records\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        columns = {
            "id": "int64", "customer": "string", "amount": "decimal(12,2)", "ok": "boolean", "score": "float64",
            "at": "timestamptz", "day": "date", "note": "string", "country": "string", "channel": "string",
        }  # fmt: skip
        paging = {"kind": "next_url", "path": "next"}
        ours = _declared("rest", url=url, records="items", paging=paging, columns=columns)
        peers = {
            "landbridge": partial(_run, folder, _OURS, ours),
            "dlt": partial(_run, folder, _DLT_REST, url),
            "requests and csv (no types, no checks)": partial(_run, folder, _LOOP, url),
        }
        print(table(in_turn(installed(peers, {"dlt": "dlt"}), RUNS), "landbridge"))
        server.shutdown()
        thread.join(10)


def _fill(url: str, folder: Path) -> None:
    import psycopg

    subprocess.run(
        [
            needed("tpchgen-cli"),
            "csv",
            *("--scale-factor", SCALE, "--tables", "lineitem"),
            *("--output-dir", folder),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    made = folder / "lineitem.csv"
    with psycopg.connect(url) as connection, made.open("rb") as file:
        connection.execute(_TABLE)
        with connection.cursor().copy("COPY lineitem FROM STDIN (FORMAT csv, HEADER)") as copy:
            while part := file.read(1 << 20):
                copy.write(part)
    made.unlink()


def _declared(kind: str, **keys: object) -> str:
    import json

    return json.dumps({"kind": kind, **keys})


def _run(folder: Path, script: str, asked: str) -> Cost:
    into = folder / "made.csv"
    into.unlink(missing_ok=True)
    shutil.rmtree(into.with_suffix(".dlt"), ignore_errors=True)
    # As in any installation, what the warm-up imported is compiled already.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    command: list[str | Path] = [sys.executable, "-W", "ignore", "-c", _NO_PANDAS + script, asked, into]
    return cost(command, env={**os.environ, **compiled})


def _page() -> bytes:
    import json
    import random

    pick = random.Random(1)
    return json.dumps(
        [
            {
                "id": number,
                "customer": f"C{number:08d}",
                "amount": f"{pick.random() * 1000:.2f}",
                "ok": number % 3 == 0,
                "score": pick.random(),
                "at": f"2026-11-20T10:{number % 60:02d}:00Z",
                "day": f"2026-11-{1 + number % 28:02d}",
                "note": None if number % 7 else 'hello, "world"',
                "country": pick.choice(["GB", "DE", "FR"]),
                "channel": "web",
            }
            for number in range(1000)
        ]
    ).encode()


class _Pages(BaseHTTPRequestHandler):
    """Answers page after page with the same records."""

    protocol_version = "HTTP/1.1"
    records = _page()

    def do_GET(self) -> None:
        """Give the page that the query names, and the URL of the next."""
        number = int(self.path.partition("page=")[2] or 1)
        host = f"http://{self.headers['Host']}"
        following = f'"{host}/?page={number + 1}"' if number < PAGES else "null"
        body = b'{"next": ' + following.encode() + b', "items": ' + self.records + b"}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


if __name__ == "__main__":
    main()
