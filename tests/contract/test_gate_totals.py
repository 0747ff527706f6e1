"""The leading and trailing records against what the data adds up to, by the contract's clause and by the feed's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge.contract.odcs import load
from landbridge.errors import DeclarationWrong
from landbridge.feed.outputs import Csv, Jsonl, Record
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    "name: id, logicalType: integer",
    'name: amount, logicalType: number, physicalType: "DECIMAL(38,2)"',
]
DATA = b"id,amount\n1,0.10\n2,0.20\n3,\n4,99999999999999999999.99\n"


def total(field: int, equals: str, column: str = "", record: str = "trailing") -> str:
    more = f", column: {column}" if column else ""
    words = f"record: {record}, field: {field}, equals: {equals}{more}"
    return f"type: custom, engine: landbridge, name: c, implementation: {{{words}}}"


@pytest.mark.parametrize(
    ("clause", "trailer", "passes"),
    [
        (total(2, "rows"), "T,4,x", True),
        (total(2, "rows"), "T,0000004,x", True),
        (total(2, "rows"), "T,5,x", False),
        (total(2, "rows"), "T,4.0,x", True),
        (total(2, "rows"), "T, 4 ,x", True),
        (total(2, "rows"), "T, 3 ,x", False),
        (total(2, "rows"), "T,4 5,x", False),
        (total(2, "rows"), "T,four,x", False),
        (total(2, "records"), "T,5,x", True),
        (total(2, "records"), "T,4,x", False),
        (total(3, "total", "amount"), "T,4,100000000000000000000.29", True),
        (total(3, "total", "amount"), "T,4,100000000000000000000.28", False),
        (total(3, "total", "id"), "T,4,10", True),
        (total(3, "total", "id"), "T,4,11", False),
    ],
)
def test_a_control_total_of_the_contract(clause: str, trailer: str, passes: bool, tmp_path: Path) -> None:
    form = Csv(trailing=Record(fields=("T", "{feed}", "{feed}")))
    report = judged(written(tmp_path, COLUMNS, [clause]), DATA + f"{trailer}\n".encode(), declared(form))
    assert named(report, "c").passed is passes
    assert report.passed is passes


def test_a_control_total_of_a_leading_record(tmp_path: Path) -> None:
    form = Csv(leading=Record(fields=("H", "{feed}")))
    contract = written(tmp_path, COLUMNS, [total(2, "rows", record="leading")])
    assert judged(contract, b"H,4\n" + DATA, declared(form)).passed
    assert not judged(contract, b"H,3\n" + DATA, declared(form)).passed


def test_a_control_total_without_a_record_is_broken(tmp_path: Path) -> None:
    report = judged(written(tmp_path, COLUMNS, [total(2, "rows")]), DATA)
    assert named(report, "c").message == "the file has no field 2 in a trailing record"


def test_a_control_total_of_a_format_without_records_is_broken(tmp_path: Path) -> None:
    private = ["name: who, logicalType: string, tags: [pii]"]
    report = judged(
        written(tmp_path, private, [total(1, "rows")]), b'{"who":"x"}\n', declared(Jsonl(kind="jsonl"))
    )
    assert named(report, "c").message == "the file has no field 1 in a trailing record"


def test_a_total_of_what_has_no_exact_sum_is_not_asked_of_the_data(tmp_path: Path) -> None:
    form = Csv(trailing=Record(fields=("T", "{total:v}", "{rows}")))
    contract = written(tmp_path, ["name: v, logicalType: number", "name: w, logicalType: string"])
    report = judged(contract, b"v,w\n1.5,x\nT,7,1\n", declared(form))
    assert [rule.threshold for rule in report.rules if rule.rule == "trailing record"] == ["rows = 1"]
    assert report.passed


def test_only_what_has_an_exact_sum_is_added_up(tmp_path: Path) -> None:
    for column in ("f", "s", "nothing"):
        properties = ["name: f, logicalType: number", "name: s, logicalType: string"]
        with pytest.raises(DeclarationWrong) as wrong:
            load(written(tmp_path, properties, [total(1, "total", column)]))
        assert "`column` names an integer or decimal property" in wrong.value.problems[0].what


def test_no_rows_add_up_to_nothing(tmp_path: Path) -> None:
    form = Csv(trailing=Record(fields=("T", "{rows}", "{total:amount}", "{records}")))
    contract = written(tmp_path, COLUMNS)
    assert judged(contract, b"id,amount\nT,0,0.00,1\n", declared(form)).passed
    assert not judged(contract, b"id,amount\nT,1,0.00,1\n", declared(form)).passed


@pytest.mark.parametrize(
    ("record", "passes"),
    [
        ("T,00004,10,5", True),
        ("T,00003,10,5", False),
        ("T,00004,11,5", False),
        ("T,00004,10,4", False),
    ],
)
def test_the_feeds_own_words_are_checked_without_a_clause(record: str, passes: bool, tmp_path: Path) -> None:
    form = Csv(trailing=Record(fields=("T", "{rows:05d}", "{total:id}", "{records}")))
    report = judged(written(tmp_path, COLUMNS), DATA + f"{record}\n".encode(), declared(form))
    assert report.passed is passes
    assert len([rule for rule in report.rules if rule.rule == "trailing record"]) == 3


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("{rows:,}", "1,234", "1,235"),
        ("{rows:_}", "1_234", "1_243"),
        ("{rows:8d}", "    1234", "    1235"),
        ("{rows:08,}", "0,001,234", "0,001,233"),
        ("rows {rows:8d};", "rows     1234;", "rows     1235;"),
        ("{rows}", "1234", "1,234"),
        ("{records:,}", "1,235", "1,234"),
    ],
)
def test_a_count_in_a_form_of_its_own_is_read_back(field: str, good: str, bad: str, tmp_path: Path) -> None:
    form = Csv(delimiter=";" if "," in field else ",", trailing=Record(fields=("T", field)))
    data = "v\n" + "x\n" * 1234 + "T" + form.delimiter
    contract = written(tmp_path, ["name: v, logicalType: string"])
    assert judged(contract, f"{data}{good}\n".encode(), declared(form)).passed
    assert not judged(contract, f"{data}{bad}\n".encode(), declared(form)).passed


@pytest.mark.parametrize(
    ("trailer", "broken"),
    [("END rows=4/5 on 20261120", 0), ("END rows=4/4 on 20261120", 1), ("END rows=5/4 on 20261120", 2)],
)
def test_words_inside_a_field_are_checked_too(trailer: str, broken: int, tmp_path: Path) -> None:
    form = Csv(trailing=Record(fields=("END rows={rows}/{records} on {business_date:%Y%m%d}",)))
    report = judged(written(tmp_path, COLUMNS), DATA + f"{trailer}\n".encode(), declared(form))
    assert sum(not rule.passed for rule in report.rules) == broken
