"""Does a CSV file hold exactly the rows, in every dialect that can be declared?"""

import csv
import io
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import ContractBroken, UsageError
from tests.core.formats import declared, text, written

NASTY = st.text(st.sampled_from("ab,;\"'\r\n\t =+-@\\|é€\u2028"), max_size=6)
TEXTS = st.lists(st.tuples(NASTY | st.none(), NASTY | st.none()), max_size=12)


def two(rows: list[tuple[str | None, str | None]]) -> pa.Table:
    return pa.table(
        {"a": pa.array([r[0] for r in rows], pa.string()), "b": pa.array([r[1] for r in rows], pa.string())}
    )


def fields(
    body: str, delimiter: str = ",", quote: str = '"', line_end: str = "\n"
) -> list[list[tuple[str, bool]]]:
    """Read CSV by the book: each field with whether it was quoted. Slow and plain, to check the writer by."""
    records: list[list[tuple[str, bool]]] = []
    at = 0
    while at < len(body):
        record: list[tuple[str, bool]] = []
        while True:
            if body.startswith(quote, at):
                found = re.compile(
                    f"{re.escape(quote)}((?:[^{re.escape(quote)}]|{re.escape(quote * 2)})*){re.escape(quote)}"
                ).match(body, at)
                assert found
                record.append((found[1].replace(quote * 2, quote), True))
            else:
                found = re.compile(f"[^{re.escape(delimiter + quote)}\r\n]*").match(body, at)
                assert found
                record.append((found[0], False))
            at = found.end()
            if not body.startswith(delimiter, at):
                break
            at += 1
        assert body.startswith(line_end, at)
        at += len(line_end)
        records.append(record)
    return records


@given(
    rows=TEXTS,
    delimiter=st.sampled_from(",;|\t§"),
    quote=st.sampled_from("\"'"),
    quoting=st.sampled_from(["minimal", "all", "strings"]),
    line_end=st.sampled_from(["lf", "crlf"]),
    null=st.sampled_from(["", "NULL", "a"]),
    header=st.booleans(),
)
def test_every_text_comes_back_and_null_stays_apart_from_it(
    rows: list[tuple[str | None, str | None]],
    delimiter: str,
    quote: str,
    quoting: str,
    line_end: str,
    null: str,
    header: bool,
) -> None:
    form = {
        "kind": "csv",
        "delimiter": delimiter,
        "quote": quote,
        "quoting": quoting,
        "line_end": line_end,
        "null": null,
        "header": header,
    }
    with TemporaryDirectory() as folder:
        body = text(form, two(rows), Path(folder), formula_injection="allow")
    seen = fields(body, delimiter, quote, {"lf": "\n", "crlf": "\r\n"}[line_end])
    if header:
        assert [name for name, _ in seen.pop(0)] == ["a", "b"]
    assert [
        tuple(None if field == (null, False) else field[0] for field in record) for record in seen
    ] == rows
    if quoting != "minimal":
        assert all(quoted or value == null for record in seen for value, quoted in record)


@given(TEXTS)
def test_pythons_reader_agrees(rows: list[tuple[str | None, str | None]]) -> None:
    with TemporaryDirectory() as folder:
        body = text({"kind": "csv", "header": False}, two(rows), Path(folder), formula_injection="allow")
    seen = list(csv.reader(io.StringIO(body, newline=""), strict=True))
    assert [tuple(record) for record in seen] == [(a or "", b or "") for a, b in rows]


@given(TEXTS)
def test_only_what_needs_quotes_gets_them(rows: list[tuple[str | None, str | None]]) -> None:
    with TemporaryDirectory() as folder:
        body = text({"kind": "csv", "header": False}, two(rows), Path(folder), formula_injection="allow")
    for record in fields(body):
        for value, quoted in record:
            assert quoted == bool(set(value) & set(',"\r\n')) or not value


TYPED = pa.table(
    {
        "whole": pa.array([-(2**63), 2**63 - 1, None], pa.int64()),
        "big": pa.array([0, 2**64 - 1, None], pa.uint64()),
        "money": pa.array([Decimal("-0.50"), Decimal("1234567890.00"), None], pa.decimal128(15, 2)),
        "small": pa.array([Decimal(0), Decimal("-0.0000000001"), None], pa.decimal128(38, 10)),
        "round": pa.array([Decimal(1200), Decimal(-100), None], pa.decimal128(10, -2)),
        "ratio": pa.array([0.1, 1e300, None]),
        "flag": pa.array([True, False, None]),
        "day": pa.array([date(2026, 11, 20), date(1, 1, 1), None]),
        "clock": pa.array([time(10), time(23, 59, 59, 999999), None], pa.time64("us")),
        "local": pa.array([10**9 * 1795168800, 10**9 * 1795168800 + 5000, None], pa.timestamp("ns")),
        "zoned": pa.array(
            [datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 10, 0, 0, 120000, tzinfo=UTC), None],
            pa.timestamp("ms", "Europe/London"),
        ),
        "bytes": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "word": pa.array(["x", "y", None]).dictionary_encode(),
        "nothing": pa.nulls(3),
    }
)


def test_every_type_has_its_lexical_form(tmp_path: Path) -> None:
    body = text({"kind": "csv", "header": False, "null": "~"}, TYPED, tmp_path)
    first, second, third = body.splitlines()
    assert first == (
        "-9223372036854775808,0,-0.50,0.0000000000,1200,0.1,true,2026-11-20,10:00:00,"
        "2026-11-20T10:00:00,2026-07-01T10:00:00Z,AP8=,x,~"
    )
    assert second == (
        "9223372036854775807,18446744073709551615,1234567890.00,-0.0000000001,-100,1e+300,false,0001-01-01,"
        '23:59:59.999999,2026-11-20T10:00:00.000005,2026-07-01T10:00:00.120000Z,"",y,~'
    )
    assert third == ",".join("~" * 14)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_read_back_the_same(numbers: list[float]) -> None:
    with TemporaryDirectory() as folder:
        body = text({"kind": "csv", "header": False}, pa.table({"f": numbers}), Path(folder))
    assert all(re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", line) for line in body.split())
    assert [float(line) for line in body.split()] == numbers


@given(st.lists(st.decimals(places=12, min_value=-(10**9), max_value=10**9), min_size=1))
def test_decimals_keep_their_scale_and_never_an_exponent(numbers: list[Decimal]) -> None:
    with TemporaryDirectory() as folder:
        table = pa.table({"d": pa.array(numbers, pa.decimal128(30, 12))})
        body = text({"kind": "csv", "header": False}, table, Path(folder))
    assert all(re.fullmatch(r"-?\d+\.\d{12}", line) for line in body.split())
    assert [Decimal(line) for line in body.split()] == numbers


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (pa.array([1.0, float("nan")]), "finite"),
        (pa.array([1.0, float("-inf")]), "finite"),
        (pa.array([0, 1], pa.timestamp("ns")), "microsecond"),
    ],
)
def test_a_value_without_a_text_is_named_by_row_and_column(
    values: pa.Array, what: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractBroken, match=f"row 2, column `v`: .*{what}"):
        written(declared(), pa.table({"v": values}), tmp_path / "out", sizes=[1])


def test_a_list_has_no_form(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="`v`"):
        written(declared(), pa.table({"v": [[1]]}), tmp_path / "out")


@pytest.mark.parametrize("bad", ["x,y", 'x"y', "x\ny", "x\ry", ""])
def test_without_quotes_a_value_that_needs_them_is_a_breach(bad: str, tmp_path: Path) -> None:
    table = pa.table({"a": ["good", "good", "good", bad], "b": ["1", "2", "3", "4"]})
    with pytest.raises(ContractBroken, match="row 4, column `a`"):
        written(declared({"kind": "csv", "quoting": "none"}), table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_quotes_sound_values_pass(tmp_path: Path) -> None:
    body = text(
        {"kind": "csv", "quoting": "none", "delimiter": "|"}, pa.table({"a": ["x,y"], "b": [1]}), tmp_path
    )
    assert body == "a|b\nx,y|1\n"
    table = pa.table({"a": ["", None], "b": [1, 2]})
    assert text({"kind": "csv", "quoting": "none", "null": "~"}, table, tmp_path) == "a,b\n,1\n~,2\n"


def test_a_number_that_looks_like_null_or_holds_the_delimiter_is_quoted(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([0, None, 10]), "d": pa.array([Decimal("1.5")] * 3)})
    assert (
        text({"kind": "csv", "null": "0", "delimiter": "."}, table, tmp_path)
        == 'n.d\n"0"."1.5"\n0."1.5"\n10."1.5"\n'
    )


def test_a_blank_line_is_never_written(tmp_path: Path) -> None:
    table = pa.table({"only": pa.array(["", None])})
    with pytest.raises(ContractBroken, match="row 2, column `only`: null would be a blank line"):
        written(declared(), table, tmp_path / "out")
    assert text({"kind": "csv", "null": "NULL"}, table, tmp_path) == 'only\n""\nNULL\n'
    with pytest.raises(ContractBroken, match="row 1, column `only`: an empty text would be a blank line"):
        written(declared({"kind": "csv", "null": "NULL", "quoting": "none"}), table, tmp_path / "out")


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_a_formula_is_refused_escaped_or_let_through_as_declared(start: str, tmp_path: Path) -> None:
    table = pa.table({"n": [-1, -2, -3, -4], "t": ["", None, "a=1", f"{start}1"]})
    with pytest.raises(ContractBroken, match="row 4, column `t`: a spreadsheet"):
        written(declared(), table, tmp_path / "out")
    form = {"kind": "csv", "header": False}
    escaped = fields(text(form, table, tmp_path, formula_injection="escape"))
    assert [record[1][0] for record in escaped] == ["", "", "a=1", f"'{start}1"]
    assert [record[0][0] for record in escaped] == ["-1", "-2", "-3", "-4"]
    allowed = fields(text(form, table, tmp_path, formula_injection="allow"))
    assert [record[1][0] for record in allowed] == ["", "", "a=1", f"{start}1"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "iso-8859-15", "windows-1252", "utf-16-le", "utf-16-be"]
)
def test_text_is_in_the_declared_encoding(encoding: str, tmp_path: Path) -> None:
    table = pa.table({"naïve": ["€5", "Zoë"]})
    written(declared({"kind": "csv", "encoding": encoding, "line_end": "crlf"}), table, tmp_path / "out")
    assert (tmp_path / "out").read_bytes().decode(encoding) == "naïve\r\n€5\r\nZoë\r\n"
    assert (tmp_path / "out").read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")


@pytest.mark.parametrize(("encoding", "bad"), [("ascii", "é"), ("iso-8859-1", "€"), ("windows-1252", "Ж")])
def test_a_character_that_the_encoding_does_not_have_is_a_breach(
    encoding: str, bad: str, tmp_path: Path
) -> None:
    table = pa.table({"n": [1, 2, 3, 4], "line": ["a\nb", "x", "x", "x"], "t": ["", "x", None, f"a{bad}"]})
    with pytest.raises(ContractBroken, match=f"row 4, column `t`: .*{encoding}"):
        written(declared({"kind": "csv", "encoding": encoding}), table, tmp_path / "out")


@pytest.mark.parametrize(
    "form", [{"quote": ","}, {"delimiter": "\n"}, {"null": "a,b"}, {"null": '"'}, {"quote": "\r"}]
)
def test_a_dialect_that_cannot_be_read_is_refused(form: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        written(declared({"kind": "csv", **form}), pa.table({"a": [1]}), tmp_path / "out")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(ContractBroken, match="two columns are called `a`"):
        written(declared(), table, tmp_path / "out")
