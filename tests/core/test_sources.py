"""Are the pure parts of the sources right: parameters in SQL, links in a header, bounded batches, inferred types?"""

from __future__ import annotations

import hashlib
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.sources import records, stream
from landbridge.sources.rest.http import Request
from landbridge.sources.rest.paging import linked
from landbridge.sources.sql.query import Query
from tests.contract.bridge import JumpingClock
from tests.core.formats import Silent


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("a = :x", "a = <x>"),
        ("a = :x::int", "a = <x>::int"),
        ("a::int = :x", "a::int = <x>"),
        ("':x' = :x", "':x' = <x>"),
        ("'it''s :x' = :x", "'it''s :x' = <x>"),
        (r"E'\' :x' = :x", r"E'\' :x' = <x>"),
        ('":x" = :x', '":x" = <x>'),
        ("`:x` = :x", "`:x` = <x>"),
        ("$$ :x $$ = :x", "$$ :x $$ = <x>"),
        ("$q$ :x $$ :x $q$ = :x", "$q$ :x $$ :x $q$ = <x>"),
        ("-- :x\n:x", "-- :x\n<x>"),
        ("/* :x\n */ :x", "/* :x\n */ <x>"),
        ("a[1:2] = :x", "a[1:2] = <x>"),
        ("f(a := 1, b => :x)", "f(a := 1, b => <x>)"),
        ("(:x)", "(<x>)"),
    ],
)
def test_only_a_parameter_is_taken_for_one(sql: str, rewritten: str) -> None:
    assert Query(sql, {"x": "1"}).rewritten(lambda name: f"<{name}>") == rewritten


@given(st.text(alphabet="ab:x'\"-/*$ \n", max_size=30))
def test_rewriting_with_itself_changes_nothing(sql: str) -> None:
    assert Query(sql, {}).rewritten(lambda name: f":{name}") == sql


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ('<https://x/2>; rel="next"', "https://x/2"),
        ('<https://x/1>; rel="prev", <https://x/3>; rel="next"', "https://x/3"),
        ("<https://x/3>; rel=next", "https://x/3"),
        ('<https://x/a,b;c>; title="a, b; rel=prev"; rel="last next"', "https://x/a,b;c"),
        ('<https://x/3>; rel="nextone"', ""),
        ('<https://x/3>; REL="Next"', "https://x/3"),
        ("", ""),
    ],
)
def test_the_next_link_is_found(header: str, url: str) -> None:
    assert linked(header, "next") == url


def test_parameters_replace_those_of_the_url() -> None:
    request = Request("https://x/p?a=1&b=&a=2#f", {"a": "ä&", "c": "3"}, {})
    assert request.target == "https://x/p?b=&a=%C3%A4%26&c=3#f"


@given(st.lists(st.integers(min_value=0, max_value=200_000), max_size=8))
def test_batches_are_bounded_and_keep_every_row_in_order(sizes: list[int]) -> None:
    schema = pa.schema([("n", pa.int32())])
    start = 0
    given_batches = []
    for size in sizes:
        given_batches.append(
            pa.RecordBatch.from_arrays([pa.array(range(start, start + size), pa.int32())], schema=schema)
        )
        start += size
    batches = list(stream.bounded(given_batches))
    assert all(0 < batch.num_rows <= stream.ROWS for batch in batches)
    numbers = [number for batch in batches for number in batch.column(0).to_numpy()]
    assert numbers == list(range(start))


def test_small_batches_are_joined() -> None:
    one = pa.RecordBatch.from_pylist([{"n": 1}])
    assert [batch.num_rows for batch in stream.bounded([one] * 1000)] == [1000]


def test_long_rows_among_short_ones_are_cut_apart() -> None:
    texts = ["x"] * 50_000 + ["y" * (3 << 20)] * 12
    batches = list(stream.bounded([pa.RecordBatch.from_pydict({"v": texts})]))
    assert [text for batch in batches for text in batch.column(0).to_pylist()] == texts
    assert max(batch.nbytes for batch in batches) <= stream.BYTES


def test_nothing_is_decided_by_a_null() -> None:
    shape = records.inferred("s", [{"a": None, "b": 1}, {"b": None, "c": 1.5}, {"c": 1}], "page 1")
    assert [(column.name, column.word) for column in shape.columns] == [
        ("a", "string"),
        ("b", "int64"),
        ("c", "float64"),
    ]


def test_the_digest_of_what_a_source_gave_is_that_of_its_batches() -> None:
    """It stands in the evidence: who has the batches can reckon it again, as an Arrow stream."""
    rows = [{"n": number} for number in range(3)]
    schema = pa.schema([("n", pa.int64())])
    batches = [pa.RecordBatch.from_pylist(rows, schema)]
    clock = JumpingClock()
    asked = stream.Asked("s", "sql", "q", {}, clock.now())
    given = stream.extract(asked, schema, batches, clock, Silent())
    assert list(given.batches) == batches
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema) as written:
        written.write_batch(batches[0])
    (fact,) = given.fact
    assert (fact.sha256, fact.rows) == (hashlib.sha256(sink.getvalue()).hexdigest(), 3)
