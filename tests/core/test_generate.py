"""Does a slot's draft hold what the sources gave, with its facts, and does nothing stay behind when it fails?"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from landbridge.errors import ContractBroken
from landbridge.facts import Draft, Slot, SourceFact
from landbridge.feed import Feed
from landbridge.feed.outputs import Csv
from landbridge.formats.records import Words
from landbridge.ports import Lines
from landbridge.steps.generate import generate
from tests.core.formats import SLOT, Silent
from tests.core.sources import Memory, feed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRADES = pa.table({"id": [3, 1, 2], "amount": [10, 20, 30]})
FILE = {
    "name": "x",
    "folder": "y",
    "format": {"kind": "csv", "trailing": {"fields": ["T", "{rows}", "{total:amount}", "{revision:03d}"]}},
}


def draft(declared: Feed, scratch: Path, **sources: Memory) -> Draft:
    return generate(declared, Words(SLOT, "DEV", 7, {}), sources, scratch, Silent())


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({}, [3, 1, 2]),
        ({"order_by": ["id"]}, [1, 2, 3]),
        ({"transform": "SELECT * FROM trades ORDER BY id DESC"}, [3, 2, 1]),
    ],
)
def test_a_draft_holds_the_rows_in_their_order(
    more: dict[str, object], ids: list[int], tmp_path: Path
) -> None:
    source = Memory(TRADES)
    made = draft(feed("trades", file=FILE, **more), tmp_path, trades=source)
    lines = made.path.read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines[1:-1]] == ids
    assert lines[-1] == "T,3,60,007"
    assert made.content.rows == 3
    assert made.content.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert made.totals == {"amount": "60"}
    assert [fact.rows for fact in made.sources] == [3]
    assert (source.slots, source.closed) == ([SLOT], 1)
    assert list(tmp_path.iterdir()) == [made.path]


def test_a_source_that_the_sql_does_not_exhaust_still_tells_its_fact(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(100_000))})
    made = draft(feed("s", transform="SELECT id FROM s LIMIT 1"), tmp_path, s=Memory(table, 1000))
    assert made.content.rows == 1
    assert made.sources[0].rows == 100_000


def test_a_source_that_fails_is_closed_and_leaves_no_file(tmp_path: Path) -> None:
    source = Memory(TRADES, 1, fails_after=2)
    with pytest.raises(LookupError):
        draft(feed("trades"), tmp_path, trades=source)
    assert source.closed == 1
    assert not list(tmp_path.iterdir())


def test_a_source_that_fails_after_the_file_was_written_leaves_no_file(tmp_path: Path) -> None:
    """What the SQL leaves unread is read for its fact; a file whose source broke there has none."""
    source = Memory(pa.table({"id": list(range(100_000))}), 1_000, fails_after=90)
    with pytest.raises(LookupError):
        draft(feed("s", transform="SELECT id FROM s LIMIT 1"), tmp_path, s=source)
    assert source.closed == 1
    assert not list(tmp_path.iterdir())


def test_a_breach_closes_every_source_and_leaves_no_file(tmp_path: Path) -> None:
    one, two = Memory(pa.table({"t": ["ok", "=1"]})), Memory(TRADES)
    with pytest.raises(ContractBroken, match="row 2, column `t`"):
        draft(feed("a", "b", transform="SELECT t FROM a ORDER BY t DESC"), tmp_path, a=one, b=two)
    assert (one.closed, two.closed) == (1, 1)
    assert not list(tmp_path.iterdir())


@dataclass
class Writing(Memory):
    """A source that writes lines itself; null stands for one that it is not sure of."""

    lines: tuple[str | None, ...] = ()
    asked: list[frozenset[str]] = field(default_factory=list)

    @contextmanager
    def open_lines(
        self, slot: Slot, csv: Csv, formulas: str, beside: frozenset[str]
    ) -> Iterator[Lines | None]:
        assert (slot, csv.header, formulas) == (SLOT, True, "reject")
        self.asked.append(beside)
        amounts = self.table.column("amount").combine_chunks()
        batch = pa.record_batch([pa.array(self.lines, pa.string()), amounts], names=["", "amount"])
        fact: list[SourceFact] = []
        yield Lines(self.table.schema, self._given(batch, fact), fact)

    def _given(self, batch: pa.RecordBatch, fact: list[SourceFact]) -> Iterator[pa.RecordBatch]:
        yield batch
        fact.append(SourceFact("memory", "lines", "", {}, len(batch), NOON, NOON))


def test_a_source_that_writes_lines_is_taken_at_its_word(tmp_path: Path) -> None:
    source = Writing(TRADES, lines=("3;10\n", "1;20\n", "2;30\n"))
    made = draft(feed("trades", file=FILE), tmp_path, trades=source)
    assert made.path.read_text() == "id,amount\n3;10\n1;20\n2;30\nT,3,60,007\n"
    assert (made.content.rows, made.totals) == (3, {"amount": "60"})
    assert [fact.kind for fact in made.sources] == ["lines"]
    assert (source.asked, source.slots) == ([frozenset({"amount"})], [])


def test_a_line_that_its_source_is_not_sure_of_has_the_values_read(tmp_path: Path) -> None:
    source = Writing(TRADES, lines=("3;10\n", None, "2;30\n"))
    made = draft(feed("trades", file=FILE), tmp_path, trades=source)
    assert made.path.read_text() == "id,amount\n3,10\n1,20\n2,30\nT,3,60,007\n"
    assert [fact.kind for fact in made.sources] == ["memory"]
    assert list(tmp_path.iterdir()) == [made.path]


@dataclass
class Unwilling(Writing):
    """A source that could write lines, and cannot these; or fails when its lines have been taken."""

    breaks: bool = False

    @contextmanager
    def open_lines(
        self, slot: Slot, csv: Csv, formulas: str, beside: frozenset[str]
    ) -> Iterator[Lines | None]:
        if not self.breaks:
            yield None
            return
        with super().open_lines(slot, csv, formulas, beside) as lines:
            yield lines
        raise LookupError("the source is gone")


def test_a_source_that_cannot_write_these_lines_has_its_values_read(tmp_path: Path) -> None:
    made = draft(feed("trades", file=FILE), tmp_path, trades=Unwilling(TRADES))
    assert made.path.read_text() == "id,amount\n3,10\n1,20\n2,30\nT,3,60,007\n"


def test_a_source_that_breaks_after_its_lines_leaves_no_file(tmp_path: Path) -> None:
    source = Unwilling(TRADES, lines=("3;10\n", "1;20\n", "2;30\n"), breaks=True)
    with pytest.raises(LookupError):
        draft(feed("trades", file=FILE), tmp_path, trades=source)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lines_are_not_asked_for_where_the_file_has_none(kind: str, tmp_path: Path) -> None:
    source = Writing(TRADES)
    draft(feed("trades", file={**FILE, "format": {"kind": kind}}), tmp_path, trades=source)
    assert source.asked == []


@pytest.mark.parametrize("more", [{"order_by": ["id"]}, {"transform": "SELECT * FROM trades"}])
def test_lines_are_not_asked_for_when_the_rows_are_shaped_here(
    more: dict[str, object], tmp_path: Path
) -> None:
    source = Writing(TRADES)
    draft(feed("trades", file=FILE, **more), tmp_path, trades=source)
    assert source.asked == []


_MANY = """
import sys, pathlib, numpy, pyarrow as pa, pyarrow.compute as pc
from tests.core.test_generate import *
batch = 65_536
class Endless(Memory):
    def _batches(self, fact):
        draw = numpy.random.default_rng(1)
        for number in range(rows // batch):
            key = pa.array(draw.integers(0, 2**40, batch))
            yield pa.record_batch([key, pc.binary_join_element_wise("row ", key.cast(pa.string()), " of many", "")], schema=self.table.schema)
        fact.append(SourceFact("many", "memory", "", {}, rows, datetime.now(UTC), datetime.now(UTC)))
from landbridge.facts import SourceFact
from datetime import UTC, datetime
rows, order = int(sys.argv[2]), [word for word in sys.argv[3:]]
source = Endless(pa.table({"k": pa.array([], pa.int64()), "t": pa.array([], pa.string())}))
made = draft(feed("s", order_by=order, memory=256), pathlib.Path(sys.argv[1]), s=source)
assert made.content.rows == rows // batch * batch, made
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", [[], ["k"]])
def test_memory_does_not_grow_with_the_rows(order: list[str], tmp_path: Path) -> None:
    peaks = []
    for rows in (4 * 65_536, 48 * 65_536):
        scratch = tmp_path / str(rows)
        scratch.mkdir()
        peaks.append(_peak([sys.executable, "-c", _MANY, str(scratch), str(rows), *order]))
    assert peaks[1] < 400
    assert peaks[1] - peaks[0] < 160


def _peak(command: list[str]) -> float:
    """Run a command and give its peak resident memory in MiB, as it says itself at its end.

    VmHWM, not ru_maxrss: that begins with the peak of the process that started the command.
    """
    tell = "\nstatus = pathlib.Path('/proc/self/status').read_text()\nprint(int(status.split('VmHWM:')[1].split()[0]) / 1024)"
    command[2] += tell
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=110)
    return float(done.stdout.split()[-1])
