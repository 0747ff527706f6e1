"""Does the strict gate see in a CSV file exactly what the plain oracle sees, whatever the bytes and the size of a block?"""

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from landbridge.contract.columns import ColumnRule, StrictReport
from landbridge.contract.strict.delimited import csv_gate
from landbridge.feed.outputs import Csv
from tests.contract.strict_oracle import Seen, read

_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

COLUMNS = (
    ColumnRule("id", "integer"),
    ColumnRule("amount", "decimal", precision=7, scale=2),
    ColumnRule("day", "date"),
    ColumnRule("ok", "boolean"),
    ColumnRule("text", "string"),
)
HEADER = b"id,amount,day,ok,text\n"

_ROWS = st.sampled_from(
    [
        b"1,2.50,2026-11-20,true,plain\n",
        b'2,-0.05,2024-02-29,false,"a, b"\n',
        b'3,,,,"two\nlines"\n',
        b'4,12345.67,1999-12-31,true,"say ""hi"""\n',
        b'"5","1.00","2026-01-01","true",""\n',
        b"-9223372036854775808,0,2026-11-20,true,\xc3\xa9\xe2\x82\xac\n",
        b"9223372036854775808,0,2026-11-20,true,x\n",
        b"1,2.50,2026-11-20,true,crlf\r\n",
        b"1,2.505,2025-02-29,True,x\n",
        b"1,123456.00,2026-13-01,1,x\n",
        b"1,2.50,2026-11-20,true\n",
        b"1,2.50,2026-11-20,true,x,\n",
        b"\n",
        b'1,2.50,2026-11-20,true,ab"c\n',
        b'1,2.50,2026-11-20,true,"ab"c\n',
        b'1,2.50,2026-11-20,true,"never closed\n',
        b'1,2.50,2026-11-20,true,"a\r\nb"\r\n',
        b"1,2.50,2026-11-20,true,a\rb\n",
        b"1,2.50,2026-11-20,true,nul\0\n",
        b"1,2.50,2026-11-20,true,\xff\xc0\xaf\n",
        b"1e3,0x1F,20-11-2026,true, x\n",
        b" 1,1_0,NaN,true,x\n",
        b"1,2.50,2026-11-20,true",
        b'1,2.50,2026-11-20,true,"last"',
    ]
)
_TAILORED = st.lists(_ROWS, max_size=12).map(b"".join)
_WILD = st.text(alphabet='0123,"\n\r-.e\u00e9 ', max_size=60).map(str.encode)
_RAW = st.binary(max_size=40)
_BODY = st.lists(st.one_of(_TAILORED, _WILD, _RAW), max_size=4).map(b"".join)


def _scan(tmp_path: Path, text: bytes, block: int) -> StrictReport:
    path = tmp_path / "file.csv"
    path.write_bytes(text)
    return csv_gate(Csv(), COLUMNS, block).scan(path)


def _seen(report: StrictReport) -> list[Seen]:
    return [
        (
            d.rule,
            d.record,
            d.line,
            -1 if d.rule == "header" else d.offset,
            "" if d.rule == "header" else d.column,
        )
        for d in report.first
    ]


@settings(max_examples=300, deadline=None, suppress_health_check=_CHECKS)
@given(body=_BODY, block=st.sampled_from([64, 100, 256, 1 << 16]))
@example(body=b'1,2.50,2026-11-20,true,"a\n' * 3, block=64)
def test_the_gate_and_the_oracle_agree(tmp_path: Path, body: bytes, block: int) -> None:
    text = HEADER + body
    rows, expected = read(text, COLUMNS)
    report = _scan(tmp_path, text, block)
    kept = [one for one in expected if _among_the_first(one, expected)]
    assert _seen(report) == kept
    assert report.rows == rows
    assert sum(report.defects.values()) == len(expected)


def _among_the_first(one: Seen, everything: list[Seen]) -> bool:
    return [other for other in everything if other[0] == one[0]].index(one) < 20


_CELLS = st.sampled_from(
    [
        b"1",
        b"-7",
        b"2.50",
        b"2026-11-20",
        b"true",
        b"x",
        b"",
        b'""',
        b'"NULL"',
        b"NULL",
        b"NUL",
        b'"a;b"',
        b'"a,b"',
        b'a"b',
        b"\xff",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=_CHECKS)
@given(
    rows=st.lists(st.lists(_CELLS, min_size=4, max_size=6), max_size=9),
    delimiter=st.sampled_from([b";", b","]),
    null=st.sampled_from([b"", b"NULL"]),
    block=st.sampled_from([64, 4096]),
)
def test_another_dialect_is_read_as_plainly(
    tmp_path: Path, rows: list[list[bytes]], delimiter: bytes, null: bytes, block: int
) -> None:
    text = HEADER.replace(b",", delimiter) + b"".join(delimiter.join(row) + b"\n" for row in rows)
    (tmp_path / "file.csv").write_bytes(text)
    form = Csv(delimiter=delimiter.decode(), null=null.decode())
    report = csv_gate(form, COLUMNS, block).scan(tmp_path / "file.csv")
    number, expected = read(text, COLUMNS, delimiter=delimiter[0], null=null)
    assert (report.rows, report.defects) == (number, Counter(rule for rule, *_ in expected))


@settings(max_examples=120, deadline=None, suppress_health_check=_CHECKS)
@given(
    text=st.one_of(_RAW, _WILD, st.just(b"\xef\xbb\xbf"), _BODY.map(lambda b: b"\xef\xbb\xbf" + HEADER + b))
)
@example(text=b"\xef\xbb\xbf" + HEADER + b"1,0x1F,2026-11-20,true,x\n" * 21)
def test_any_bytes_at_all_are_judged_alike(tmp_path: Path, text: bytes) -> None:
    rows, expected = read(text, COLUMNS)
    report = _scan(tmp_path, text, 64)
    kept = [one for one in expected if _among_the_first(one, expected)]
    assert (max(0, rows), sorted(kept)) == (report.rows, sorted(_seen(report)))
    assert sum(report.defects.values()) == len(expected)


@settings(max_examples=60, deadline=None, suppress_health_check=_CHECKS)
@given(body=_BODY, block=st.sampled_from([64, 4096]))
def test_records_are_found_again_where_the_first_pass_saw_them(
    tmp_path: Path, body: bytes, block: int
) -> None:
    report = _scan(tmp_path, HEADER + body, block)
    wanted = [d for d in report.first if 0 < d.record <= report.rows]
    places = report.locate([d.record for d in wanted])
    assert [line for line, _ in places] == [d.line for d in wanted]
    assert all(offset <= d.offset for (_, offset), d in zip(places, wanted, strict=True))


@pytest.mark.parametrize("size", [1 << 20, 40 << 20])
def test_a_huge_field_is_no_defect(tmp_path: Path, size: int) -> None:
    row = b"1,2.50,2026-11-20,true,"
    report = _scan(tmp_path, HEADER + row + b'"' + b"x" * size + b'"\n' + row + b"y" * size + b"\n", 1 << 20)
    assert (report.rows, report.defects) == (2, {})


@pytest.mark.parametrize("closing", [b'"', b""])
def test_memory_does_not_grow_with_a_field(tmp_path: Path, closing: bytes) -> None:
    path = tmp_path / "file.csv"
    with path.open("wb") as into:
        into.write(HEADER + b'1,2.50,2026-11-20,true,"')
        for _ in range(128):
            into.write((b"one\ntwo," if closing else b"one;two,") * (1 << 17))
        into.write(closing + b"\n")
    gate = csv_gate(Csv(), COLUMNS)
    tracemalloc.start()
    try:
        defects = gate.scan(path).defects
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bool(defects) == (not closing)
    assert peak < 64 << 20
