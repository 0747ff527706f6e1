"""Thresholds, bounds and totals are compared digit by digit: nothing on the way to a verdict rounds."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from landbridge.contract.checks import Bound, Operator
from landbridge.contract.clauses import _broken_by
from landbridge.contract.columns import ColumnRule
from landbridge.contract.engine import engine
from landbridge.feed.outputs import Csv, Jsonl, Record
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from pathlib import Path

_DIGITS = st.one_of(
    st.integers(-(10**3), 10**3), st.integers(-(10**39), 10**39), st.sampled_from([2**53 + 1, 10**28 + 1])
)
_NUMBERS = st.tuples(_DIGITS, st.integers(0, 12)).map(lambda pair: Decimal(f"{pair[0]}e-{pair[1]}"))


@settings(max_examples=300)
@given(
    bound=_NUMBERS,
    off=st.sampled_from([Decimal(0), Decimal("1e-16"), Decimal("-1e-16"), Decimal(1)]),
    rows=st.integers(0, 10**12),
    unit=st.sampled_from(["rows", "percent"]),
)
def test_a_bound_compares_as_fractions_do(bound: Decimal, off: Decimal, rows: int, unit: str) -> None:
    with localcontext(prec=99):  # on the bound, or next to it
        measured = (bound * max(rows, 1) / 100 if unit == "percent" else bound) + off
    value = Fraction(measured) * (100 if unit == "percent" else 1)
    limit = Fraction(bound) * (max(rows, 1) if unit == "percent" else 1)
    assert (value == limit) is (off == 0)
    expected: dict[Operator, bool] = {
        "=": value == limit,
        "!=": value != limit,
        ">": value > limit,
        ">=": value >= limit,
        "<": value < limit,
        "<=": value <= limit,
        "between": value == limit,
        "not between": value != limit,
    }
    for operator, holds in expected.items():
        assert Bound(operator, (bound,), unit).holds(measured, rows) is holds  # type: ignore[arg-type] # drawn above


@pytest.mark.parametrize(("precision", "scale"), [(38, 0), (38, 10), (38, 38), (9, 2), (2, 2), (1, 0)])
def test_the_bound_of_a_decimal_is_exact_whatever_its_digits(precision: int, scale: int) -> None:
    column = ColumnRule("v", "decimal", precision=precision, scale=scale)
    most = 10**precision - 1
    stored = st.one_of(st.integers(-most, most), st.sampled_from([0, most, -most, most - 1]))
    bounds = st.one_of(
        _NUMBERS,
        st.tuples(stored, st.integers(-9, 9)).map(lambda p: Decimal(f"{p[0] * 10 + p[1]}e-{scale + 1}")),
        st.sampled_from([Decimal("1e30"), Decimal("-1e300"), Decimal("0.5"), Decimal(1)]),
    )
    with engine() as connection:

        @settings(max_examples=40)
        @given(value=stored, bound=bounds)
        def judged_alike(value: int, bound: Decimal) -> None:
            own, limit = Fraction(value, 10**scale), Fraction(bound)
            expected = {
                "minimum": own < limit,
                "maximum": own > limit,
                "exclusiveMinimum": own <= limit,
                "exclusiveMaximum": own >= limit,
            }
            conditions = [f"({_broken_by(column, option, str(bound))[0]})" for option in expected]
            text = f"{Decimal(f'{value}e-{scale}'):f}"
            table = f"(SELECT CAST('{text}' AS DECIMAL({precision}, {scale})) AS v)"
            row = connection.execute(f"SELECT {', '.join(conditions)} FROM {table}").fetchone()
            assert dict(zip(expected, row or (), strict=True)) == expected

        judged_alike()


@pytest.mark.parametrize("form", ["u128", "i128", "u64", "i64"])
def test_a_total_of_integers_of_any_size_is_exact(form: str, tmp_path: Path) -> None:
    values = [2**63 - 1, 2**53 + 1, 2**53 + 3, 1]
    values += {"u128": [2**128 - 1, 2**127], "i128": [2**127 - 1, -(2**127), -1], "u64": [2**64 - 1]}.get(
        form, [-(2**63), -1]
    )
    contract = written(tmp_path, [f"name: v, logicalType: integer, logicalTypeOptions: {{format: {form}}}"])
    file = declared(Csv(trailing=Record(fields=("T", "{total:v}"))))
    for off in (0, 1, -1):
        text = "v\n" + "".join(f"{value}\n" for value in values) + f"T,{sum(values) + off}\n"
        report = judged(contract, text.encode(), file)
        assert report.passed is (off == 0)
        assert named(report, "trailing record").threshold == f"total of v = {sum(values)}"


@pytest.mark.parametrize(
    ("operator", "off", "passes"),
    [
        ("mustBe", 0, True),
        ("mustBe", 1, False),
        ("mustBeLessThan", 0, False),
        ("mustBeLessThan", 1, True),
        ("mustBeGreaterThan", 0, False),
        ("mustBeGreaterThan", -1, True),
        ("mustBeGreaterOrEqualTo", 1, False),
        ("mustBeLessOrEqualTo", -1, False),
    ],
)
@pytest.mark.parametrize("total", [9007199254740993, 123456789012345678901234567891])
def test_a_threshold_of_many_digits_is_held_to_the_last(
    operator: str, off: int, passes: bool, total: int, tmp_path: Path
) -> None:
    rule = f"type: sql, name: s, query: 'SELECT sum(v) FROM things', {operator}: {total + off}"
    contract = written(
        tmp_path, ["name: v, logicalType: integer, logicalTypeOptions: {format: i128}"], [rule]
    )
    assert named(judged(contract, f"v\n{total - 1}\n1\n".encode()), "s").passed is passes


@settings(max_examples=60)
@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    other=st.floats(allow_nan=False, allow_infinity=False),
)
@example(value=123456789.12345678, other=0.1)
def test_the_bound_of_a_float_is_the_float_that_its_text_is(value: float, other: float) -> None:
    column = ColumnRule("v", "float")
    options = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    for bound in (value, other):
        conditions = [f"({_broken_by(column, option, repr(bound))[0]})" for option in options]
        query = f"SELECT {', '.join(conditions)} FROM (SELECT ?::DOUBLE AS v)"
        with engine() as connection:
            row = connection.execute(query, [value]).fetchone()
        assert row == (value < bound, value > bound, value <= bound, value >= bound)


@pytest.mark.parametrize(
    ("clause", "text", "off"),
    [
        ('physicalType: "DECIMAL(16,1)"', "999999999999999.2", "0.1"),
        ('physicalType: "DECIMAL(38,2)"', "123456789012345678901234567890.12", "0.01"),
        ("logicalType: integer, logicalTypeOptions: {format: i128}", str(2**100 + 1), "1"),
        ("logicalType: integer, logicalTypeOptions: {format: u64}", str(2**64 - 1), "1"),
        ("logicalType: integer", str(2**53 + 1), "1"),
    ],
)
@pytest.mark.parametrize("name", ["v", "\u00e9", "a.b"])
def test_a_number_of_json_is_the_number_that_is_written(
    clause: str, text: str, off: str, name: str, tmp_path: Path
) -> None:
    quoted = f'"{name}"'
    with localcontext(prec=50):
        values = {True: Decimal(text), False: Decimal(text) - Decimal(off)}
    for holds, value in values.items():
        rule = f"type: sql, query: 'SELECT sum({quoted}) FROM things', mustBe: {value}"
        contract = written(tmp_path, [f"name: {name}, {clause}", "name: w, logicalType: string"], [rule])
        line = f'{{"w": "{name}", "{name}": {text}}}\n'
        assert judged(contract, line.encode(), declared(Jsonl(kind="jsonl"))).passed is holds


@pytest.mark.parametrize(
    ("operator", "bound", "measured", "holds"),
    [
        ("<", "1e2000000", 1, True),
        (">", "-1e2000000", 1, True),
        ("=", "1e-2000000", 0, False),
        (">", "1e-2000000", 0, False),
        (">", "-1e-2000000", 0, True),
    ],
)
@pytest.mark.parametrize("unit", ["rows", "percent"])
def test_a_bound_beyond_any_column_is_no_bug(
    operator: Operator, bound: str, measured: int, holds: bool, unit: str
) -> None:
    assert Bound(operator, (Decimal(bound),), unit).holds(measured, 10) is holds  # type: ignore[arg-type] # listed above


@pytest.mark.parametrize(
    ("kind", "digits", "fine"),
    [
        ("number, physicalType: 'DECIMAL(30,2)'", "123456789012.45", True),
        ("number, physicalType: 'DECIMAL(30,2)'", "1234567890123.45", True),
        ("number, physicalType: 'DECIMAL(30,2)'", "12345678901234.45", False),
    ],
)
def test_a_number_of_so_few_digits_that_no_reader_rounds_it_may_stand_under_any_key(
    kind: str, digits: str, fine: bool, tmp_path: Path
) -> None:
    contract = written(tmp_path, [f"name: v, logicalType: {kind}"])
    report = judged(contract, f'{{"\\u0076": {digits}}}\n'.encode(), declared(Jsonl(kind="jsonl")))
    assert report.passed is fine


@pytest.mark.parametrize(
    ("clause", "value", "broken"),
    [
        ("minimum: 1", "0.99999999999999999999", True),
        ("minimum: 0.99999999999999999999", "0.99999999999999999999", False),
        ("exclusiveMaximum: 0.3", "0.29999999999999999999", False),
        ("exclusiveMaximum: 0.3", "0.30000000000000000000", True),
        ("maximum: 0.3", "0.30000000000000000001", True),
        ("minimum: 10000000000000000", "9999999999999999.99", True),
        ("maximum: -1", "-0.99999999999999999999", True),
        ("maximum: 123.45", "123.45000000000000000001", True),
        ("maximum: 123.45", "123.45", False),
    ],
)
@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("key", ['"v"', '"\\u0076"'])
def test_a_number_of_json_next_to_a_bound_is_not_taken_for_it(
    clause: str, value: str, broken: bool, quoted: bool, key: str, tmp_path: Path
) -> None:
    """A reader of JSON makes 1 of 0.99999999999999999999, which shows in no digit of what it read."""
    contract = written(
        tmp_path,
        [f"name: v, logicalType: number, physicalType: 'DECIMAL(38,20)', logicalTypeOptions: {{{clause}}}"],
    )
    text = f'{{{key}:"{value}"}}\n' if quoted else f"{{{key}:{value}}}\n"
    report = judged(contract, text.encode(), declared(Jsonl(kind="jsonl")))
    wrong = [rule.rule for rule in report.rules if not rule.passed]
    if quoted or key == '"v"' or value == "123.45":
        assert wrong == ([clause.partition(":")[0]] if broken else [])
    else:
        assert wrong == ["exact"], "which number it is, nobody can tell"
