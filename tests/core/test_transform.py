"""Are rows joined, shaped and ordered as declared, by SQL that sees nothing but the sources?"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import ContractBroken, DeclarationWrong, LandbridgeError, UsageError
from landbridge.feed import Feed
from landbridge.steps.transform import shaped
from tests.core.formats import SLOT
from tests.core.sources import Memory, feed

TRADES = pa.table({"id": [3, 1, 2], "client": ["b", "a", "a"], "amount": [10, 20, 30]})
CLIENTS = pa.table({"client": ["a", "b"], "name": ["Ada", "Bob"]})


def rows(declared: Feed, sources: Mapping[str, pa.Table | Memory], scratch: Path) -> list[dict[str, object]]:
    memories = {n: s if isinstance(s, Memory) else Memory(s) for n, s in sources.items()}
    extracts = {name: memory.open(SLOT).__enter__() for name, memory in memories.items()}
    with shaped(declared, SLOT, extracts, scratch) as shape:
        table = pa.Table.from_batches(list(shape.batches), shape.schema)
    assert not list(scratch.iterdir())
    return [dict(row) for row in table.to_pylist()]


def test_one_source_passes_as_it_is(tmp_path: Path) -> None:
    assert rows(feed("trades"), {"trades": TRADES}, tmp_path) == TRADES.to_pylist()


def test_several_sources_are_joined_by_name(tmp_path: Path) -> None:
    sql = "SELECT name, sum(amount)::BIGINT AS total FROM trades JOIN clients USING (client) GROUP BY ALL"
    declared = feed("trades", "clients", transform=sql, order_by=["name"])
    seen = rows(declared, {"trades": TRADES, "clients": CLIENTS}, tmp_path)
    assert seen == [{"name": "Ada", "total": 50}, {"name": "Bob", "total": 10}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT t.id, u.id AS next FROM trades t JOIN trades u ON u.id = t.id + 1",
        "WITH t AS NOT MATERIALIZED (SELECT * FROM trades) SELECT a.id, b.id AS next FROM t a JOIN t b ON b.id = a.id + 1",
        "SELECT id, id + 1 AS next FROM trades WHERE id < (SELECT max(id) FROM trades);",
    ],
)
def test_a_source_may_be_used_twice(sql: str, tmp_path: Path) -> None:
    seen = rows(feed("trades", transform=sql, order_by=["id"]), {"trades": TRADES}, tmp_path)
    assert seen == [{"id": 1, "next": 2}, {"id": 2, "next": 3}]


def test_names_that_sql_would_not_take_bare_are_quoted(tmp_path: Path) -> None:
    declared = feed(
        "my-trades", transform='SELECT count(*) AS "select" FROM "my-trades"', order_by=["select"]
    )
    assert rows(declared, {"my-trades": TRADES}, tmp_path) == [{"select": 3}]


def test_the_slot_is_bound_typed(tmp_path: Path) -> None:
    sql = "SELECT typeof($business_date) AS a, typeof($scheduled_at) AS b, $business_date AS c, $scheduled_at AS d FROM trades LIMIT 1 -- one"
    (row,) = rows(feed("trades", transform=sql), {"trades": TRADES}, tmp_path)
    assert row == {
        "a": "DATE",
        "b": "TIMESTAMP WITH TIME ZONE",
        "c": SLOT.business_date,
        "d": SLOT.scheduled_at,
    }


@settings(max_examples=25)  # each one starts an engine
@given(
    st.permutations(
        [(k, t, v) for k in (1, 2, None) for t in ("a", "B", "é", "", None) for v in (1.5, None)]
    ),
    st.integers(1, 7),
)
def test_the_same_rows_come_in_one_order_however_they_arrive(
    arriving: list[tuple[int | None, str | None, float | None]], size: int
) -> None:
    columns = list(zip(*arriving, strict=True))
    table = pa.table({"v": columns[2], "k": columns[0], "t": columns[1]})
    with TemporaryDirectory() as scratch:
        seen = rows(feed("s", order_by=["k"]), {"s": Memory(table, size)}, Path(scratch))

    def last(value: object) -> tuple[bool, object]:
        return (value is None, value if value is not None else 0)

    expected = sorted(
        ({"v": v, "k": k, "t": t} for k, t, v in arriving),
        key=lambda row: (last(row["k"]), last(row["v"]), row["t"] is None, str(row["t"] or "").encode()),
    )
    assert seen == expected


@pytest.mark.parametrize(
    ("sql", "line", "said"),
    [
        ("SELECT\n*\nFROM trades\nWHERE nowhere = 1", 4, "nowhere"),
        ("SELCT 1", 1, "syntax"),
        ("SELECT 1; SELECT 2", 1, "not one SELECT"),
        ("CREATE TABLE x AS SELECT 1", 1, "not one SELECT"),
        ("", 1, "not one SELECT"),
        ("SELECT *\nFROM elsewhere", 2, "elsewhere"),
        ("SELECT $other FROM trades", 1, "$other"),
    ],
)
def test_a_mistake_in_the_sql_is_named_with_its_line(sql: str, line: int, said: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationWrong) as caught:
        rows(feed("trades", transform=sql or " "), {"trades": TRADES}, tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (line, "transform")
    assert said in problem.what
    assert not list(tmp_path.iterdir())


def test_an_order_by_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationWrong) as caught:
        rows(feed("trades", order_by=["nowhere"]), {"trades": TRADES}, tmp_path)
    assert caught.value.problems[0].path == "order_by"


OUTSIDE = pa.table({"secret": ["nobody may see this"]})
"""A variable of this program with a name that the SQL below uses."""


@pytest.mark.parametrize(
    "reach",
    [
        "SELECT * FROM OUTSIDE",
        "SELECT * FROM '{folder}/private.csv'",
        "SELECT * FROM read_text('{folder}/private.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_csv('https://127.0.0.1:1/x.csv')",
        "SELECT getenv('HOME')",
    ],
)
def test_the_sql_reaches_neither_files_nor_network_nor_this_program(reach: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "private.csv").write_text("a\n1\n")
    with pytest.raises(LandbridgeError):
        rows(feed("trades", transform=reach.format(folder=tmp_path)), {"trades": TRADES}, scratch)


def test_rows_that_cannot_be_computed_are_a_breach_that_tells_no_value(tmp_path: Path) -> None:
    table = pa.table({"t": ["1", "it's private"]})
    with pytest.raises(ContractBroken) as caught:
        rows(feed("s", transform="SELECT t::INTEGER AS n FROM s"), {"s": table}, tmp_path)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("sql", ["SELECT * FROM s", "SELECT * FROM s JOIN s AS t USING (n)"])
def test_what_a_source_raises_comes_through(sql: str, tmp_path: Path) -> None:
    table = pa.table({"n": list(range(100))})
    with pytest.raises(LookupError, match="the source is gone"):
        rows(feed("s", transform=sql, order_by=["n"]), {"s": Memory(table, 10, fails_after=3)}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_more_than_the_memory_is_said_with_the_way_out(tmp_path: Path) -> None:
    sql = "SELECT list(t) AS all FROM s, range(400)"
    table = pa.table({"t": ["x" * 1000 + str(i) for i in range(2000)]})
    with pytest.raises(UsageError, match="memory") as caught:
        rows(feed("s", transform=sql, memory=128), {"s": Memory(table, 1000)}, tmp_path)
    assert "raise `memory`" in caught.value.hint
