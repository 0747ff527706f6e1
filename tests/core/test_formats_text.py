"""Fixed width, JSON lines, the records around the data: does each hold exactly the rows?"""

import json
from base64 import b64encode
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

FIXED = {
    "kind": "fixed",
    "columns": {
        "name": {"width": 6},
        "amount": {"width": 8, "align": "right", "fill": "0"},
        "day": {"width": 10},
    },
}
ROWS = pa.table(
    {
        "day": [date(2026, 11, 20), None],
        "name": ["Zoë", None],
        "amount": pa.array([Decimal("-12.50"), Decimal("7.05")], pa.decimal128(9, 2)),
    }
)


def test_fixed_width_puts_columns_in_the_declared_order_and_the_sign_before_the_zeros(tmp_path: Path) -> None:
    assert text(FIXED, ROWS, tmp_path) == "Zoë   -0012.502026-11-20\n      00007.05          \n"


def test_fixed_width_has_a_header_and_records_when_declared(tmp_path: Path) -> None:
    form = {
        **FIXED,
        "header": True,
        "line_end": "crlf",
        "encoding": "iso-8859-1",
        "leading": {"fields": ["HDR", "{business_date:%Y%m%d}"]},
        "trailing": {"fields": ["TRL", "{records:06d}"]},
    }
    written(declared(form), ROWS, tmp_path / "out")
    lines = (tmp_path / "out").read_bytes().decode("iso-8859-1").split("\r\n")
    assert lines == [
        "HDR20261120",
        "name    amountday       ",
        "Zoë   -0012.502026-11-20",
        "      00007.05          ",
        "TRL000004",
        "",
    ]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=9) | st.none()))
def test_fixed_width_never_cuts(texts: list[str | None]) -> None:
    form = {"kind": "fixed", "columns": {"t": {"width": 6, "fill": "_"}}}
    table = pa.table({"t": pa.array(texts, pa.string())})
    too_long = [row for row, value in enumerate(texts, 1) if value is not None and len(value) > 6]
    with TemporaryDirectory() as folder:
        if too_long:
            with pytest.raises(
                ContractBroken, match=f"row {too_long[0]}, column `t`: longer than the 6 char"
            ):
                text(form, table, Path(folder), formula_injection="allow")
        else:
            body = text(form, table, Path(folder), formula_injection="allow")
            assert body == "".join((value or "").ljust(6, "_") + "\n" for value in texts)


def test_what_fixed_width_cannot_hold_is_a_breach(tmp_path: Path) -> None:
    good = {"day": [None], "name": ["x"], "amount": [1]}
    for bad, said in (
        ({"name": ["a\nb"]}, "row 1, column `name`: holds a line break"),
        ({"amount": pa.array([None], pa.int64())}, "row 1, column `amount`: null would read as a number"),
        ({"name": ["=1"]}, "row 1, column `name`: a spreadsheet"),
        ({"more": [1]}, "other columns"),
    ):
        with pytest.raises(ContractBroken, match=said):
            written(declared(FIXED), pa.table({**good, **bad}), tmp_path / "out")


@pytest.mark.parametrize(("fill", "align"), [("0", "left"), ("9", "left"), ("9", "right")])
@pytest.mark.parametrize("number", [1, 1.5, Decimal("1.50")])
def test_digits_that_could_be_of_the_number_beside_them_are_refused(
    fill: str, align: str, number: object, tmp_path: Path
) -> None:
    form = {"kind": "fixed", "columns": {"n": {"width": 6, "fill": fill, "align": align}}}
    with pytest.raises(UsageError, match="digits beside it"):
        written(declared(form), pa.table({"n": [number]}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@given(
    st.lists(
        st.tuples(
            st.text(max_size=8) | st.none(),
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
            st.decimals(places=3, min_value=-(10**12), max_value=10**12) | st.none(),
            st.booleans() | st.none(),
            st.binary(max_size=4) | st.none(),
        )
    )
)
def test_json_lines_read_back_the_same(rows: list[tuple[object, ...]]) -> None:
    kinds = [pa.string(), pa.int64(), pa.float64(), pa.decimal128(18, 3), pa.bool_(), pa.binary()]
    names = ['"text"', "whole", "ratio", "money", "flag", "bytes"]
    columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
    with TemporaryDirectory() as folder:
        body = text({"kind": "jsonl"}, pa.Table.from_arrays(columns, names), Path(folder))
    assert body.count("\n") == len(rows)
    for line, row in zip(body.split("\n"), rows, strict=False):
        seen = json.loads(line, parse_float=Decimal)
        assert list(seen) == names
        assert [seen[names[i]] for i in (0, 1, 4)] == [row[i] for i in (0, 1, 4)]
        assert row[2] is None or float(seen["ratio"]) == row[2]
        assert seen["money"] == row[3]
        assert row[3] is None or str(seen["money"]) == format(row[3], "f")
        binary = row[5]
        assert seen["bytes"] == (b64encode(binary).decode() if isinstance(binary, bytes) else None)


def test_json_lines_hold_moments_as_text_and_nested_values_as_json(tmp_path: Path) -> None:
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    table = pa.table(
        {
            "day": [date(2026, 11, 20)],
            "clock": pa.array([time(10, 0, 0, 5)]),
            "at": pa.array([at], pa.timestamp("us", "UTC")),
            "list": [[{"d": Decimal("1.10"), "at": at, "b": b"\x00"}, None]],
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        }
    )
    assert text({"kind": "jsonl"}, table, tmp_path) == (
        '{"day":"2026-11-20","clock":"10:00:00.000005","at":"2026-11-20T10:00:00Z",'
        '"list":[{"d":1.10,"at":"2026-11-20T10:00:00Z","b":"AA=="},null],"map":{"k":1}}\n'
    )


def test_json_lines_refuse_what_json_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="row 1, column `x`"):
        written(declared({"kind": "jsonl"}), pa.table({"x": [float("inf")]}), tmp_path / "out")


AROUND = {
    "leading": {"fields": ["H,1", "{feed}", "{ENVIRONMENT}", "{revision:03d}", "{variables.site}"]},
    "trailing": {"fields": ["T", "{rows:05d}", "{records}", "{total:n}", "{total:d}", "{{x}}"]},
}
NUMBERS = pa.table(
    {
        "n": pa.array([2**63 - 1, 2**63 - 1, None, -1], pa.int64()),
        "d": pa.array([Decimal("0.10"), Decimal("0.20"), None, Decimal("-1.00")], pa.decimal128(38, 2)),
    }
)
TRAILING = "T,00004,6,18446744073709551613,-0.70,{x}"


def test_records_around_the_data_count_and_sum_exactly(tmp_path: Path) -> None:
    lines = text({"kind": "csv", **AROUND}, NUMBERS, tmp_path).splitlines()
    assert lines[:2] == ['"H,1",trades,DEV,002,north', "n,d"]
    assert lines[-1] == TRAILING
    assert len(lines) == 4 + 3


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_leading_record_may_count_what_follows(compression: str, tmp_path: Path) -> None:
    form = {"kind": "csv", "leading": AROUND["trailing"], "encoding": "utf-8-sig"}
    done = written(declared(form, compression=compression), NUMBERS, tmp_path / "out")
    body = (tmp_path / "out").read_bytes()
    if compression == "gzip":
        import gzip

        body = gzip.decompress(body)
    assert body.startswith(b"\xef\xbb\xbfT,00004,5,18446744073709551613,-0.70,{x}\nn,d\n")
    assert done.totals == {"n": "18446744073709551613", "d": "-0.70"}
    assert done.content.rows == 4
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_no_rows_have_a_total_of_nothing(tmp_path: Path) -> None:
    lines = text({"kind": "csv", **AROUND}, NUMBERS.slice(0, 0), tmp_path).splitlines()
    assert lines[1:] == ["n,d", "T,00000,2,0,0.00,{x}"]


@given(st.lists(st.decimals(places=4, min_value=-(10**20), max_value=10**20), max_size=30))
def test_totals_are_exact(numbers: list[Decimal]) -> None:
    table = pa.table({"d": pa.array(numbers, pa.decimal128(38, 4))})
    with TemporaryDirectory() as folder:
        form = {"kind": "csv", "trailing": {"fields": ["{total:d}"]}}
        total = written(declared(form), table, Path(folder) / "out").totals["d"]
    assert int(total.replace(".", "")) == sum(int(number.scaleb(4)) for number in numbers)
    assert total[-5] == "."


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("{total:nowhere}", "no column"),
        ("{total:t}", "no exact sum"),
        ("{total:f}", "no exact sum"),
        ("{rowz}", "unknown word"),
        ("{rows:%Y}", "does not fit a count"),
    ],
)
def test_a_field_that_cannot_be_filled_is_refused_before_a_row_is_read(
    field: str, said: str, tmp_path: Path
) -> None:
    table = pa.table({"t": ["=never looked at"], "f": [1.5]})
    with pytest.raises(UsageError, match=said):
        written(declared({"kind": "csv", "trailing": {"fields": [field]}}), table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "table", "error", "says"),
    [
        (
            {"kind": "csv", "quoting": "none", "trailing": {"fields": ["T,1"]}},
            {"a": [1]},
            ContractBroken,
            "`quoting` is `none`",
        ),
        ({"kind": "csv", "quoting": "none"}, {"a,b": [1]}, ContractBroken, "`quoting` is `none`"),
        (
            {"kind": "csv", "encoding": "ascii", "trailing": {"fields": ["é"]}},
            {"a": [1]},
            UsageError,
            "which ascii does not have",
        ),
        ({"kind": "csv", "encoding": "ascii"}, {"é": [1]}, UsageError, "which ascii does not have"),
        (
            {"kind": "csv", "encoding": "ascii", "null": "é"},
            {"a": [1, None]},
            ContractBroken,
            "the null text, a quote or a fill holds a character",
        ),
        (
            {"kind": "fixed", "columns": {"a": {"width": 3}}, "trailing": {"fields": ["x\ny"]}},
            {"a": ["1"]},
            ContractBroken,
            "holds a line break",
        ),
        (
            {"kind": "fixed", "columns": {"long": {"width": 3}}, "header": True},
            {"long": ["1"]},
            UsageError,
            "longer than its 3 characters",
        ),
    ],
)
def test_what_would_break_the_lines_around_the_rows_is_refused(
    form: dict[str, object],
    table: dict[str, list[object]],
    error: type[Exception],
    says: str,
    tmp_path: Path,
) -> None:
    """A header or a trailer is read by position and by its delimiters, as the rows are."""
    with pytest.raises(error, match=says):
        written(declared(form), pa.table(table), tmp_path / "out")
    assert not (tmp_path / "out").exists()
