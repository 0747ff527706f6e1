"""Are the lines that PostgreSQL writes the very bytes that our own writer makes of the same rows?"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from psycopg import sql as compose

from landbridge.errors import ContractBroken, LandbridgeError, Unavailable
from landbridge.feed import Feed
from landbridge.formats.records import Words
from landbridge.sources.table import open_sources
from landbridge.steps.generate import generate
from tests.contract.bridge import SLOT, JumpingClock, KnownSecrets
from tests.core.formats import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from examples.servers.postgres import Postgres
    from landbridge.facts import Draft, Slot
    from landbridge.ports import Extract, Lines, Source

pytestmark = pytest.mark.postgres

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class ByValues:
    """A source that promises no lines."""

    source: Source

    def open(self, slot: Slot) -> AbstractContextManager[Extract]:
        return self.source.open(slot)


@dataclass
class ByLines:
    """A source that counts which way it was read."""

    source: Any
    lines: int = 0
    values: int = 0

    def open(self, slot: Slot) -> AbstractContextManager[Extract]:
        self.values += 1
        opened: AbstractContextManager[Extract] = self.source.open(slot)
        return opened

    @contextmanager
    def open_lines(self, *asked: Any) -> Iterator[Lines | None]:
        with self.source.open_lines(*asked) as lines:
            self.lines += lines is not None
            yield lines


def feed(url: str, query: str, form: Mapping[str, object], **file: object) -> Feed:
    body = {
        "feed": "eidv", "owner": "o", "schedule": {"cron": "0 6 * * *"}, "contract": {"file": "c"},
        "sources": {"s": {"kind": "sql", "url": url, "query": query, "timeout": "1m"}},
        "file": {"name": "n", "folder": "f", "format": {"kind": "csv", **form}, **file},
    }  # fmt: skip
    return Feed.model_validate_json(json.dumps(body))


def draft(declared: Feed, source: Source, folder: Path) -> Draft:
    return generate(declared, Words(SLOT, "DEV", 1, {}), {"s": source}, folder, Silent())


@contextmanager
def opened(declared: Feed) -> Iterator[Source]:
    with open_sources(
        declared,
        folder=Path(),
        secrets=KnownSecrets({}),
        environment="DEV",
        variables={},
        clock=JumpingClock(),
    ) as sources:
        yield sources["s"]


Outcome = tuple[str, bytes, object]


def outcome(declared: Feed, source: Source) -> Outcome:
    """Give all that a draft is, or the error in its place; never may something stay behind."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            made = draft(declared, source, folder)
        except LandbridgeError as error:
            assert not list(folder.iterdir())
            return type(error).__name__, str(error).encode(), None
        [fact] = made.sources
        facts = (fact.rows, fact.query, fact.parameters, made.totals, made.content)
        return "whole", made.path.read_bytes(), facts


def both(declared: Feed) -> tuple[Outcome, ByLines]:
    """Read by lines and by values, and see that nothing differs."""
    with opened(declared) as source:
        counting = ByLines(source)
        by_lines = outcome(declared, counting)
        by_values = outcome(declared, ByValues(source))
    assert by_lines == by_values
    return by_lines, counting


_ODD = st.text(
    st.sampled_from(list("\"',;|=+-@\t\r\n\\ .0aTé€ß\u2028\ufeff\U0001f600")), max_size=6
) | st.sampled_from(["", "NULL", "-", "=x", "'-", "0", "true", "\\.", "\r\n", '=1,"2"'])
_TEXT = _ODD | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


def _numbers(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(str)


_DAYS = st.dates().map(str) | st.sampled_from(["0001-01-01", "9999-12-31"])
_BAD_DAYS = ["infinity", "-infinity", "0001-12-31 BC", "10000-01-01"]
_CLOCKS = st.times().map(str) | st.sampled_from(["00:00", "23:59:59.999999", "10:00:00.1", "10:00:00.000001"])
_MOMENTS = st.datetimes().map(str) | st.sampled_from(
    ["2026-11-20 10:00", "2026-11-20 10:00:00.5", "0001-01-01"]
)
_JSON = st.recursive(st.none() | st.integers() | _ODD, lambda inner: st.lists(inner, max_size=2)).map(
    json.dumps
)
_WIDE = Context(prec=40)
"""The usual 28 digits do not hold nine before the point and twenty behind it."""
_DECIMALS = st.decimals(-99999999, 99999999, places=2).map(lambda d: format(d, "f"))
SORTS: dict[str, st.SearchStrategy[str]] = {
    "text": _TEXT,
    "varchar(12)": _TEXT,
    "char(8)": _TEXT.map(lambda text: text[:8]),
    "text COLLATE pg_c_utf8": _TEXT,
    "smallint": _numbers(-32768, 32767),
    "int": _numbers(-(2**31), 2**31 - 1),
    "bigint": _numbers(-(2**63), 2**63 - 1),
    "oid": _numbers(0, 2**32 - 1),
    "numeric(10,2)": _DECIMALS,
    "numeric(40,12)": st.decimals(-(10**27), 10**27, places=12).map(lambda d: format(d, "f")),
    "numeric(4,-2)": _numbers(-99999, 99999),
    "numeric(3,5)": st.sampled_from(["0.00999", "-0.00001", "0"]),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9).map(
        lambda d: format(_WIDE.quantize(d, Decimal("1e-20")), "f")
    ) | _DECIMALS,
    "boolean": st.sampled_from(["t", "f"]),
    "date": _DAYS,
    "time": _CLOCKS,
    "timestamp": _MOMENTS,
    "timestamptz": _MOMENTS,
    "timetz": _CLOCKS.map(lambda clock: f"{clock}+02"),
    "bytea": st.binary(max_size=80).map(lambda body: "\\x" + body.hex()),
    "json": _JSON.filter(lambda text: "\\u0000" not in text),
    "jsonb": _JSON.filter(lambda text: "\\u0000" not in text),
    "uuid": st.uuids().map(str),
    "text[]": st.sampled_from(["{}", "{a,NULL}", '{"=1","a b"}']),
    "interval": st.sampled_from(["-1 day 2 hours", "1 month", "0"]),
    "name": st.sampled_from(["", "=1", "plain"]),
    "inet": st.sampled_from(["10.0.0.1", "::1/64"]),
    "float8": st.floats(allow_nan=False, allow_infinity=False).map(repr),
    "real": st.sampled_from(["0.1", "1e-9", "1234567"]),
}  # fmt: skip
"""Types of columns, and texts of their values."""
BAD: dict[str, Sequence[str]] = {
    "date": _BAD_DAYS,
    "timestamp": [*_BAD_DAYS, "9999-12-31 23:59:59.9999999"],
    "timestamptz": [*_BAD_DAYS, "0001-01-01 00:30+01"],
    "time": ["24:00"],
    "numeric(10,2)": ["NaN"],
    "numeric": ["NaN", "Infinity", "1e80"],
}
"""Values that no file can hold."""


@dataclass(frozen=True)
class Case:
    sorts: tuple[str, ...]
    rows: tuple[Row, ...]
    form: Mapping[str, object]
    file: Mapping[str, object]

    @property
    def query(self) -> str:
        def value(text: str | None, sort: str) -> str:
            kind, _, collation = sort.partition(" COLLATE ")
            cast = f"CAST({'NULL' if text is None else compose.Literal(text).as_string()} AS {kind})"
            return f"{cast} COLLATE {collation}" if collation else cast

        rows = (f"({', '.join(map(value, row, self.sorts))})" for row in self.rows)
        names = ", ".join(f"c{number}" for number in range(len(self.sorts)))
        return f"SELECT * FROM (VALUES {', '.join(rows)}) AS v({names})"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sorts = tuple(draw(st.lists(st.sampled_from(list(SORTS)), min_size=1, max_size=5)))
    values = [st.none() | SORTS[sort] for sort in sorts]
    if draw(st.integers(0, 5)) == 0:
        values = [
            one | st.sampled_from(BAD.get(sort, ["1"])) for one, sort in zip(values, sorts, strict=True)
        ]
    rows = draw(st.lists(st.tuples(*values), min_size=1, max_size=5))
    summed = [
        f"c{number}" for number, sort in enumerate(sorts) if sort.startswith(("num", "int", "big", "oid"))
    ]
    around = {
        "fields": [
            "T",
            "{rows}",
            *(f"{{total:{name}}}" for name in draw(st.sets(st.sampled_from(summed or ["c9"])))),
        ]
    }
    form = {
        "delimiter": draw(st.sampled_from(list(",,,;|\t'-0Té a"))),
        "quote": draw(st.sampled_from(list("\"\"\"'e="))),
        "quoting": draw(st.sampled_from(["minimal", "minimal", "all", "strings", "none"])),
        "line_end": draw(st.sampled_from(["lf", "crlf"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "windows-1252", "ascii", "utf-16-le"])),
        "header": draw(st.booleans()),
        "null": draw(st.sampled_from(["", "", "NULL", "-", "=x", "'-", "0", "true", "€"])),
        "leading": draw(st.none() | st.just(around)),
        "trailing": draw(st.none() | st.just(around)),
    }  # fmt: skip
    file = {
        "formula_injection": draw(st.sampled_from(["reject", "escape", "escape", "allow", "allow"])),
        "compression": draw(st.sampled_from(["none", "none", "gzip"])),
    }
    return Case(sorts, tuple(rows), form, file)


def _one(sort: str, *texts: str | None, form: Mapping[str, object] | None = None, **file: object) -> Case:
    return Case((sort, "int"), tuple((text, "1") for text in texts), form or {}, file)


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> str:
    return postgres.url


@pytest.mark.timeout(300)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
@example(case=_one("text", "=1", "", None, 'a"b', "a,b", formula_injection="escape"))
@example(case=_one("text", "'", "-x", form={"quote": "'"}, formula_injection="escape"))
@example(case=_one("text", "-", form={"null": "'-"}, formula_injection="escape"))
@example(case=_one("char(8)", "x ", None, ""))
@example(case=_one("bytea", "\\x" + "ff" * 200))
@example(case=_one("text", "a\rb", "\r", formula_injection="allow"))
@example(case=_one("text", "a,b", form={"quoting": "none"}))
def test_lines_of_the_database_are_those_of_our_writer(url: str, case: Case) -> None:
    made, taken = both(feed(url, case.query, case.form, **case.file))
    floats = {"float8", "real"} & set(case.sorts)
    event(f"{made[0]}, by {'values' if floats else 'lines'}")
    assert not (floats and taken.lines)
    if made[0] == "whole":
        assert taken.values == bool(floats), "the values are read only when the lines would not do"


@pytest.mark.parametrize("sort", sorted(BAD))
def test_a_value_that_no_file_can_hold_is_told_by_the_values(url: str, sort: str) -> None:
    for text in BAD[sort]:
        made, taken = both(feed(url, _one(sort, None, text).query, {}))
        assert made[0] == "ContractBroken"
        assert taken.lines <= 1


def test_the_row_and_the_column_of_a_breach_are_told(url: str) -> None:
    declared = feed(
        url, "SELECT n, CASE n WHEN 70001 THEN '=1' ELSE 'x' END AS t FROM generate_series(1, 90000) AS n", {}
    )
    made, taken = both(declared)
    assert (made[0], taken.lines, taken.values) == ("ContractBroken", 1, 1)
    assert b"row 70001, column `t`: a spreadsheet would run" in made[1]


def test_many_columns_and_rows_in_order(url: str) -> None:
    columns = ", ".join(f"(n * {number} % 7)::text AS c{number}" for number in range(150))
    declared = feed(url, f"SELECT {columns} FROM generate_series(1, 5000) AS n ORDER BY n % 17, n", {})
    made, taken = both(declared)
    assert (made[0], taken.values) == ("whole", 0)
    assert made[1].count(b"\n") == 5001


def test_the_order_of_the_query_is_that_of_the_lines_under_a_parallel_plan(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "CREATE TABLE parallel AS SELECT n, md5(n::text) AS t FROM generate_series(1, 200000) AS n"
        )
    eager = "-c min_parallel_table_scan_size=0 -c parallel_setup_cost=0 -c parallel_tuple_cost=0"
    try:
        made, taken = both(feed(f"{url}?options={quote(eager)}", "SELECT n, t FROM parallel ORDER BY t", {}))
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("DROP TABLE parallel")
    assert (made[0], taken.values) == ("whole", 0)
    texts = [line.split(b",")[1] for line in made[1].splitlines()[1:]]
    assert texts == sorted(texts)
    assert len(texts) == 200_000


def test_an_expression_of_the_query_is_computed_once_a_row(url: str) -> None:
    declared = feed(
        f"{url}?options={quote('-c track_functions=all')}",
        "SELECT counted(n) AS t FROM generate_series(1, 100) AS n",
        {},
    )
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "CREATE FUNCTION counted(int) RETURNS text STABLE LANGUAGE plpgsql AS $$BEGIN RETURN 'x'; END$$"
        )
        try:
            with opened(declared) as source:
                assert outcome(declared, source)[0] == "whole"
            row = None
            for _ in range(600):  # a busy server counts late
                row = admin.execute(
                    "SELECT calls FROM pg_stat_user_functions WHERE funcname = 'counted'"
                ).fetchone()
                if row is not None:
                    break
                threading.Event().wait(0.05)
            assert row == (100,)
        finally:
            admin.execute("DROP FUNCTION counted")


def test_parameters_the_fact_and_the_snapshot_are_the_same(url: str) -> None:
    declared = feed(
        url,
        "SELECT :business_date AS d, :scheduled_at::timestamptz AS t, pg_current_snapshot()::text AS s",
        {},
    )
    made, taken = both(declared)
    assert taken.values == 0
    assert b"2026-11-20,2026-11-21T06:00:00Z," in made[1]


@pytest.mark.parametrize("path", ["public", "public, pg_catalog"])
def test_a_function_of_somebody_elses_does_not_spell_our_lines(url: str, path: str) -> None:
    schema = "own" + path.replace(", ", "_")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        for name in ("concat", "concat_ws", "replace", "strpos", "ascii", "round", "rpad", "length"):
            for arguments in (
                "text",
                "text, text",
                "text, text, text",
                "numeric, integer",
                "text, integer, text",
            ):
                connection.execute(
                    f"CREATE FUNCTION {schema}.{name}({arguments}) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'theirs' $$"
                )
    options = f"options=-csearch_path%3D{schema}" + ("%2Cpg_catalog" if "pg_catalog" in path else "")
    there = f"{url}{'&' if '?' in url else '?'}{options}"
    declared = feed(
        there, "SELECT '=x' AS a, 'b,c' AS b, 1.5::numeric(4,2) AS c", {}, formula_injection="escape"
    )
    lines, counted = both(declared)
    assert b"theirs" not in repr(lines).encode()
    assert (counted.values > 0) == ("pg_catalog" in path)


def test_an_order_of_ours_or_another_format_reads_the_values(url: str) -> None:
    plain = feed(url, "SELECT 1 AS n", {})
    ordered = plain.model_copy(update={"order_by": ("n",)})
    other = feed(url, "SELECT 1 AS n", {}).model_copy(
        update={"file": plain.file.model_validate({"name": "n", "folder": "f", "format": {"kind": "jsonl"}})}
    )
    for declared in (ordered, other):
        _, taken = both(declared)
        assert (taken.lines, taken.values) == (0, 1)


def test_errors_are_those_of_the_values(url: str, tmp_path: Path) -> None:
    for query, error, says in (
        (
            "SELECT 1 / (n - 50000) AS d FROM generate_series(1, 90000) AS n",
            ContractBroken,
            "division by zero",
        ),
        ("SELECT nope", ContractBroken, "cannot answer the query.*nope"),
        ("SELECT pg_sleep(20)::text AS x", Unavailable, "raise the source's `timeout`"),
    ):
        declared = feed(url, query, {})
        slow = declared.sources["s"].model_copy(update={"timeout": timedelta(seconds=1)})
        declared = declared.model_copy(update={"sources": {"s": slow}})
        with opened(declared) as source, pytest.raises(error, match=says):
            draft(declared, source, tmp_path)
        assert not list(tmp_path.iterdir())


def test_a_line_that_is_left_early_ends_its_query(url: str) -> None:
    mine = f"{url}?application_name=lines"
    declared = feed(
        mine, "SELECT CASE n WHEN 1 THEN '=1' ELSE 'x' END AS t FROM generate_series(1, 3000000) AS n", {}
    )
    with opened(declared) as source:
        assert outcome(declared, source)[0] == "ContractBroken"
    # A transaction would show the activity of its first look for ever.
    with psycopg.connect(url, autocommit=True) as look:
        row = None
        for _ in range(600):  # a busy server notices late that nobody listens
            row = look.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lines'"
            ).fetchone()
            if row == (0,):
                break
            threading.Event().wait(0.05)
        assert row == (0,)
