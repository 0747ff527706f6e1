"""Does content that is made to harm end in a clear verdict, with memory bounded? Each case in a child process that is measured."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from reliability.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MOST_MEMORY = 1 << 30
"""Bytes of resident memory that any case may take; the largest answer of an API that is taken is a quarter of it."""
_ADDRESSES = 12 << 30
"""Bytes of address space, so that what is not bounded ends soon."""
_SECONDS = 60
"""Of processor time."""
_LAUNCH = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({_ADDRESSES}, {_ADDRESSES}))
resource.setrlimit(resource.RLIMIT_CPU, ({_SECONDS}, {_SECONDS}))
child = os.fork()
if not child:
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
_, status, used = os.wait4(child, 0)
print(f"\\n{{os.waitstatus_to_exitcode(status)}} {{used.ru_maxrss}} {{used.ru_utime + used.ru_stime}}", end="")
"""
"""In between, and small: what a process took at most counts from its fork on, when it still is its parent."""
_MIB = 1 << 20
_WRONG, _INTEGRITY = 65, 76
_X = b"x" * _MIB
_CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: suite
version: 1.0.0
status: active
schema:
  - name: rows
    logicalType: object
    physicalType: file
    properties:
      - name: id
        logicalType: string
        required: true
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile content, and what it must come to."""

    name: str
    make: Callable[[Path], None]
    """Writes it."""
    exits: tuple[int, ...] = (_WRONG, _INTEGRITY)
    says: str = ""
    """In what is printed."""
    source: Mapping[str, object] | None = None
    """Keys of the source that reads it; None: it is judged by `landbridge validate`."""


@dataclass(frozen=True, slots=True)
class Came:
    """What a child came to."""

    exit: int
    memory: int
    """Bytes, resident, at most."""
    seconds: float
    """Of processor time."""
    said: str


def child(arguments: Sequence[str], folder: Path) -> Came:
    """Run a child of this interpreter, and measure it."""
    process = subprocess.run(
        [sys.executable, "-c", _LAUNCH, "-m", *arguments],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(folder)},
        check=True,
    )
    said, _, last = process.stdout.decode(errors="replace").rpartition("\n")
    code, memory, seconds = last.split()
    return Came(int(code), int(memory) << 10, float(seconds), said)


def judge(case: Case, came: Came) -> None:
    """See that it ended as it must.

    Raises:
        AssertionError: another end, a traceback, or too much memory.
    """
    assert "Traceback" not in came.said, f"{case.name}: {came.said[-1500:]}"
    assert came.exit in case.exits, f"{case.name}: exit {came.exit}, said {came.said[:600]}"
    assert case.says in came.said, f"{case.name}: said {came.said[:600]}"
    assert came.memory <= MOST_MEMORY, f"{case.name}: {came.memory >> 20} MiB"


# What is judged or read from files


def _times(name: str, first: bytes, block: bytes, count: int, last: bytes = b"") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.write(first)
            for _ in range(count):
                file.write(block)
            file.write(last)

    return make


def _bomb(name: str, letter: bytes, gibibytes: int) -> Callable[[Path], None]:
    """Put members of 256 MiB one after the other, each squeezed to a few hundred KiB or less."""

    def squeezed(body: bytes) -> bytes:
        if name.endswith(".gz"):
            return gzip.compress(body, 6)
        return bytes(pa.compress(body, codec="zstd", asbytes=True))

    def make(folder: Path) -> None:
        _times(name, squeezed(b"id\n"), squeezed(letter * (256 * _MIB)), 4 * gibibytes)(folder)

    return make


def _cut(folder: Path) -> None:
    (folder / "x.csv.gz").write_bytes(gzip.compress(b"id\n" + b"1\n" * 9999)[:-9])


def _wide(folder: Path) -> None:
    columns, row = ",".join(f"c{number}" for number in range(10_000)), ",".join(["1"] * 10_000)
    (folder / "wide.csv").write_text(columns + "\n" + (row + "\n") * 20)


def _rows(folder: Path) -> None:
    block = b"".join(b"%07d\n" % number for number in range(100_000))
    _times("rows.csv", b"id\n", block, 100)(folder)


def _lying(folder: Path) -> None:
    """Write a Parquet file whose footer says that it has other rows than there are."""
    pq.write_table(pa.table({"id": ["a", "b", "c"] * 1000}), folder / "lies.parquet", compression="none")
    body = (folder / "lies.parquet").read_bytes()
    at = body.rindex(b"\x16\xf0\x2e")  # an i64 of the footer: 3000 as Thrift's compact protocol has it
    (folder / "lies.parquet").write_bytes(body[: at + 1] + b"\xfe\x7e" + body[at + 3 :])


_FILES = {"kind": "files", "path": "*", "format": "csv"}
_JSONL = {"kind": "files", "path": "*.jsonl", "format": "jsonl"}
CASES = (
    Case("a field of 1 GiB in CSV, judged", _times("x.csv", b"id\n", _X, 1024), says="id"),
    Case("a field of 1 GiB in CSV, read", _times("x.csv", b"id\n", _X, 1024), source=_FILES),
    Case("a quoted field of 1 GiB that never ends, judged", _times("x.csv", b'id\n"', _X, 1024)),
    Case("a quoted field of 1 GiB that never ends, read", _times("x.csv", b'id\n"', _X, 1024), source=_FILES),
    Case("a text of 1 GiB in JSONL, judged", _times("x.jsonl", b'{"id":"', _X, 1024, b'"}\n')),
    Case("a text of 1 GiB in JSONL, read", _times("x.jsonl", b'{"id":"', _X, 1024, b'"}\n'), source=_JSONL),
    Case("a header of 1 GiB, judged", _times("x.csv", b"", _X, 1024)),
    Case("a bomb of 4 GiB in gzip, judged", _bomb("x.csv.gz", b"x", 4), says="500 times"),
    Case("a bomb of 64 GiB in zstd, judged", _bomb("x.csv.zst", b"\n", 64), says="500 times"),
    Case("a bomb of 4 GiB in gzip, read", _bomb("x.csv.gz", b"x", 4), source=_FILES),
    Case("a bomb of 64 GiB in zstd, read", _bomb("x.csv.zst", b"x", 64), source=_FILES),
    Case("gzip that is cut", _cut, says="gzip"),
    Case("10,000,000 rows, judged", _rows, exits=(0,), says='"rows": 10000000'),
    Case("10,000,000 rows, read", _rows, exits=(0,), says="10000000 rows", source=_FILES),
    Case("10,000 columns, judged", _wide),
    Case("10,000 columns, read", _wide, exits=(0,), says="20 rows", source=_FILES),
    Case("JSON 200,000 deep, judged", _times("x.jsonl", b'{"id":' * 200_000, b"1", 1, b"}" * 200_000)),
    Case(
        "JSON 200,000 deep, read",
        _times("x.jsonl", b'{"id":' * 200_000, b"1", 1, b"}" * 200_000),
        source=_JSONL,
    ),
    Case(
        "arrays 500 deep, read",
        _times("x.jsonl", b'{"id":' + b"[" * 500, b"1", 1, b"]" * 500 + b"}\n"),
        exits=(0, 65),
        source=_JSONL,
    ),
    Case(
        "a number of 1,000,000 digits, read",
        _times("x.jsonl", b'{"id":', b"9" * 1_000_000, 1, b"}\n"),
        source=_JSONL,
    ),
    Case("Parquet that says other numbers of rows, judged", _lying),
    Case(
        "Parquet that says other numbers of rows, read",
        _lying,
        exits=(0, 65),
        source={**_FILES, "format": "parquet"},
    ),
)


# What an API answers


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer badly, as the path says."""
        self.close_connection = True
        with suppress(OSError):
            match self.path.partition("?")[0]:
                case "/endless":
                    self._stream({}, b'{"rows": [{"id": "', _X, 100_000)
                case "/chunked":
                    self._stream(
                        {"Transfer-Encoding": "chunked"}, b"", b"%x\r\n" % _MIB + _X + b"\r\n", 100_000
                    )
                case "/bomb":
                    self._stream(
                        {"Content-Encoding": "gzip"}, _zipped(b'{"rows": [{"id": "'), _zipped(_X * 64), 1000
                    )
                case "/promised":
                    self._stream({"Content-Length": str(1 << 40)}, b"[", _X, 100_000)
                case "/pages":
                    number = int(self.path.partition("=")[2] or 0)
                    body = json.dumps(
                        {"rows": [{"id": f"{number}"}], "next": f"/pages?n={number + 1}"}
                    ).encode()
                    self._stream({"Content-Length": str(len(body)), "Connection": "close"}, body, b"", 0)
                case "/deep":
                    self._stream({}, b'{"rows":' * 200_000, b"1", 1)
                case "/headers":
                    self._stream({f"X-{number}": "x" * 1000 for number in range(5000)}, b"{}", b"", 0)
                case _:
                    self.send_error(404)

    def _stream(self, headers: Mapping[str, str], first: bytes, block: bytes, count: int) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(first)
        for _ in range(count):
            self.wfile.write(block)


def _zipped(body: bytes) -> bytes:
    return gzip.compress(body, 6)


@contextmanager
def _serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


ANSWERS = {
    "an answer that never ends": ("/endless", (_WRONG,), "larger than"),
    "an answer in chunks that never ends": ("/chunked", (_WRONG,), "larger than"),
    "an answer of 64 GiB in gzip": ("/bomb", (_WRONG,), "larger than"),
    "an answer that promises 1 TiB": ("/promised", (_WRONG,), "larger than"),
    "pages that never end": ("/pages", (_WRONG,), "at most 50 pages"),
    "an answer 200,000 deep": ("/deep", (_WRONG,), "JSON"),
    "headers of 5 MB": ("/headers", (69,), "cut"),
}
"""Path, exit codes, and a word of what is said."""


def _asked(url: str) -> dict[str, object]:
    return {
        "kind": "rest",
        "url": url,
        "records": "rows",
        "columns": {"id": "string"},
        "paging": {"kind": "next_url", "path": "next"},
        "most_pages": 50,
        "retries": {"attempts": 1, "longest_wait": "0s"},
    }


# Parquet, damaged byte by byte


def damaged(folder: Path, count: int, seed: int) -> int:
    """Write `count` Parquet files of which bytes were changed, most of them in the footer; give how many."""
    drawn = random.Random(seed)
    pq.write_table(pa.table({"id": [f"n{number}" for number in range(50)]}), folder / "x", compression="none")
    body = (folder / "x").read_bytes()
    (folder / "x").unlink()
    footer = len(body) - 8 - int.from_bytes(body[-8:-4], "little")
    for number in range(count):
        spoiled = bytearray(body)
        first = footer if number % 4 else 4
        for _ in range(drawn.randrange(1, 4)):
            spoiled[drawn.randrange(first, len(body) - 4)] = drawn.choice(
                (0, 1, 127, 128, 255, drawn.randrange(256))
            )
        (folder / f"{number:05d}").write_bytes(spoiled)
    return count


@dataclass(slots=True)
class _Most:
    """The greatest of what was measured."""

    memory: int = 0
    what: str = ""
    took: dict[str, float] = field(default_factory=dict)

    def see(self, name: str, came: Came) -> None:
        """Take one in."""
        self.took[name] = came.seconds
        if came.memory > self.memory:
            self.memory, self.what = came.memory, name


def try_case(case: Case) -> Came:
    """Make it, have it judged or read, and see that it ends as it must."""
    with tempfile.TemporaryDirectory(prefix="landbridge-content-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        case.make(folder / "data")
        (file,) = (folder / "data").iterdir()
        (folder / "suite.odcs.yaml").write_text(_CONTRACT)
        came = (
            child(
                ["landbridge", "validate", str(file), "-c", str(folder / "suite.odcs.yaml"), "--json"], folder
            )
            if case.source is None
            else child(
                ["reliability.hostile_reading", "source", str(folder / "data"), json.dumps(case.source)],
                folder,
            )
        )
        judge(case, came)
    return came


def try_damaged(count: int, seed: int) -> Came:
    """Judge damaged Parquet files, all in one child."""
    with tempfile.TemporaryDirectory(prefix="landbridge-content-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        damaged(folder / "data", count, seed)
        (folder / "suite.odcs.yaml").write_text(_CONTRACT)
        came = child(
            ["reliability.hostile_reading", "gate", str(folder / "data"), str(folder / "suite.odcs.yaml")],
            folder,
        )
    judge(Case("damaged Parquet", damaged, exits=(0,), says="broke"), came)  # type: ignore[arg-type] # made above
    return came


def content(parquets: int = 400, seed: int = 13) -> Figure:
    """Try all of it."""
    began, most = time.monotonic(), _Most()
    for case in CASES:
        most.see(case.name, try_case(case))
    with _serving() as url, tempfile.TemporaryDirectory(prefix="landbridge-content-") as folder:
        for name, (path, exits, says) in ANSWERS.items():
            asked = json.dumps(_asked(url + path))
            came = child(["reliability.hostile_reading", "source", folder, asked], Path(folder))
            judge(Case(name, lambda _: None, exits, says), came)
            most.see(name, came)
    most.see("damaged Parquet", try_damaged(parquets, seed))
    return Figure(
        "hostile content: bounded memory, a clear verdict",
        len(CASES) + len(ANSWERS) + parquets,
        len(most.took) - 1 + parquets,
        round(time.monotonic() - began, 1),
        seed,
        f"at most {MOST_MEMORY >> 20} MiB allowed, {most.memory >> 20} MiB seen ({most.what}); {sum(most.took.values()):.0f} s "
        f"of processor time; bombs in gzip and zstd, fields of 1 GiB, 10,000,000 rows, 10,000 columns, deep JSON, answers and "
        f"pages that never end, {parquets} Parquet files with bytes changed",
    )
