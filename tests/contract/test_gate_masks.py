"""No value of a personal column leaves the gate, by whatever way the file is wrong: rule, header, key, trailer or query."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landbridge.contract.odcs import load
from landbridge.contract.report import as_json, junit
from landbridge.feed.outputs import Csv, Fixed, FixedColumn, Jsonl, Parquet, Record
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.facts import GateReport

NAME = "name: who, logicalType: string, classification: restricted"
NUMBER = "name: account, logicalType: integer, tags: [pii]"
PUBLIC = "name: city, logicalType: string"
SECRET, DIGITS = "Ms Secret", "47110815"
TAGS = ("personal", "pii", "gdpr", "sensitive", "confidential", "restricted", "phi", "pci")


def silent(report: GateReport) -> bool:
    told = json.dumps(as_json(report)) + junit(report, "a.csv") + repr(report)
    return not report.passed and SECRET not in told and DIGITS not in told


def query(text: str, then: str) -> str:
    return f"type: sql, name: own, query: '{text}', {then}"


@pytest.mark.parametrize(
    "rule",
    [
        query("SELECT min(who) FROM things", "mustBe: x"),
        query("SELECT max(account) FROM things", "mustBeLessThan: 5"),
        query("SELECT sum(account) FROM things", "mustBeLessThan: 5"),
        query("SELECT max(account)::DOUBLE FROM things", "mustBeLessThan: 5"),
        query("SELECT max(account)::DECIMAL(20, 2) FROM things", "mustBeLessThan: 5"),
        query("SELECT any_value(who) FROM (SELECT count(*), who FROM things GROUP BY who)", "mustBe: x"),
        query("SELECT count(*) + max(account) FROM things", "mustBe: 0"),
        query(
            "SELECT count(*) FROM things GROUP BY who HAVING false UNION ALL SELECT max(account) FROM things",
            "mustBe: 0",
        ),
        query(
            "SELECT count(*) FROM things\n  EXCEPT SELECT 1\n  UNION SELECT max(account) FROM things",
            "mustBe: 0",
        ),
    ],
)
@pytest.mark.parametrize("at_public_column", [False, True])
def test_a_query_of_the_contract_tells_no_personal_value(
    rule: str, at_public_column: bool, tmp_path: Path
) -> None:
    public = f"{PUBLIC}, quality: [{{{rule}}}]" if at_public_column else PUBLIC
    contract = written(tmp_path, [NAME, NUMBER, public], [] if at_public_column else [rule])
    report = judged(contract, f"who,account,city\n{SECRET},{DIGITS},Rome\n".encode())
    assert silent(report)
    assert named(report, "own").message == "the query gave a personal value"


def test_a_count_is_told_also_among_personal_columns(tmp_path: Path) -> None:
    rules = [
        query("SELECT count(*) AS n\n FROM things WHERE account > 1", "mustBe: 0"),
        query("SELECT bool_or(account > 1) FROM things", "mustBe: false"),
        query("SELECT NULL::INT FROM things", "mustBe: 0"),
    ]
    for rule, told in zip(rules, ("1", "True", "None"), strict=True):
        report = judged(
            written(tmp_path, [NAME, NUMBER, PUBLIC], [rule]), b"who,account,city\nx,47110815,Rome\n"
        )
        assert named(report, "own").message == f"the query gave {told}"


def test_a_number_without_personal_columns_is_told(tmp_path: Path) -> None:
    rule = query("SELECT max(length(city)) FROM things", "mustBe: 0")
    assert (
        named(judged(written(tmp_path, [PUBLIC], [rule]), b"city\nRome\n"), "own").message
        == "the query gave 4"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [(("{feed}", "{feed}", "{feed}"), "***"), (("T", "{feed}", "{feed}"), SECRET)],
)
def test_a_row_in_the_place_of_a_trailing_record_is_not_repeated(
    fields: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    total = "type: custom, engine: landbridge, name: c, implementation: {field: 2, equals: rows}"
    contract = written(tmp_path, [PUBLIC, NAME, NUMBER], [total])
    text = f"city,who,account\nRome,x,1\nT,{SECRET},{DIGITS}\n".encode()
    report = judged(contract, text, declared(Csv(trailing=Record(fields=fields))))
    assert named(report, "c").message == f"field 2 of the trailing record says `{said}`"


def test_a_total_in_a_leading_record_without_text_of_its_own_is_not_repeated(tmp_path: Path) -> None:
    total = (
        "type: custom, engine: landbridge, name: c, implementation: {record: leading, field: 1, equals: rows}"
    )
    file = declared(Csv(header=False, leading=Record(fields=("{feed}",)), trailing=Record(fields=("T",))))
    report = judged(written(tmp_path, [NAME], [total]), f"{SECRET}\nx\nT\n".encode(), file)
    assert silent(report)


@pytest.mark.parametrize(
    "first",
    [
        f"{SECRET},{DIGITS},city",  # no header, and a value that is the name of a column
        f"city,{SECRET},{SECRET}",
        f"who,account,{SECRET}",
        f"who,account,city,{SECRET}",
        f"account,{DIGITS}",
    ],
)
def test_a_row_in_the_place_of_the_header_is_not_repeated(first: str, tmp_path: Path) -> None:
    contract = written(tmp_path, [NAME, NUMBER, PUBLIC])
    report = judged(contract, f"{first}\nx,1,Rome\n".encode())
    assert silent(report)
    assert named(report, "header").broken == 1


def test_what_stands_in_a_header_is_told_where_nothing_is_personal_but_never_whole_pages(
    tmp_path: Path,
) -> None:
    contract = written(tmp_path, [PUBLIC, "name: land, logicalType: string"])
    report = judged(contract, b"city," + b"x" * 100_000 + b"\nRome,Italy\n")
    assert report.defects[0].message == f"expected the column `land`, seen `{'x' * 80}`"
    twice = judged(contract, b"city," + b"x" * 500 + b"," + b"x" * 500 + b"\nRome,Italy\n")
    assert twice.defects[0].message == f"the column `{'x' * 80}` is there twice"


def test_a_key_of_json_is_told_where_nothing_is_personal_but_never_whole_pages(tmp_path: Path) -> None:
    form = Jsonl(kind="jsonl")
    line = json.dumps({"city": "x", SECRET * 100: 1}).encode() + b"\n"
    report = judged(written(tmp_path, [PUBLIC]), line, declared(form))
    assert report.defects[0].message == f"keys not in the contract: {(SECRET * 100)[:80]!r}"
    line = json.dumps({"city": "x", "who": "x", "account": 1, SECRET: 1}).encode() + b"\n"
    report = judged(written(tmp_path, [PUBLIC, NAME, NUMBER]), line, declared(form))
    assert report.defects[0].message == "keys not in the contract: '***'"
    assert silent(report)


@pytest.mark.parametrize(
    "line",
    [
        f'{{"who":"{SECRET}","account":1.5,"city":"x"}}',
        f'{{"who":["{SECRET}"],"account":1,"city":"x"}}',
        f'{{"who":{{"{SECRET}":1}},"account":1,"city":"x"}}',
        f'{{"who":"x","account":"{SECRET}","city":"x"}}',
        f'{{"who":"{SECRET}\\u0000","account":1,"city":"x"}}',
        f'{{"who":"{SECRET}","account":{DIGITS},"city":NaN}}',
        f'{{"who":"{SECRET}","account":{DIGITS},"city":"x"',
        f'{{"who":"{SECRET}","account":{DIGITS}{DIGITS}{DIGITS},"city":7}}',
        f'{{"who":"{SECRET}"}}',
        f'["{SECRET}"]',
    ],
)
def test_a_broken_line_of_json_is_not_repeated(line: str, tmp_path: Path) -> None:
    contract = written(tmp_path, [NAME, NUMBER, PUBLIC])
    assert silent(judged(contract, line.encode() + b"\n", declared(Jsonl(kind="jsonl"))))


@pytest.mark.parametrize(
    "public",
    [
        "classification: public",
        "classification: ' Internal '",
        "classification: open",
        "classification: General",
        "classification: none",
        "customProperties: [{property: pii, value: 0}]",
        "customProperties: [{value: pii}]",
        "tags: [finance]",
        "customProperties: [{property: owner, value: true}]",
        "customProperties: [{property: pii, value: false}]",
        'customProperties: [{property: pii, value: "No"}]',
        'customProperties: [{property: pii, value: " false "}]',
        "customProperties: [{property: pii, value: null}]",
        "required: true",
    ],
)
def test_a_value_that_is_nobodys_is_shown(public: str, tmp_path: Path) -> None:
    contract = written(
        tmp_path, [f"name: v, logicalType: string, {public}, logicalTypeOptions: {{maxLength: 2}}"]
    )
    assert [defect.value for defect in judged(contract, b"v\nabc\n").defects] == ["abc"]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "where", ["classification: {}", "tags: [a, {}]", "customProperties: [{{property: {}, value: 1}}]"]
)
def test_a_word_for_what_is_somebodys_hides_its_values(tag: str, where: str, tmp_path: Path) -> None:
    clause = where.format(tag.upper())
    contract = written(
        tmp_path, [f"name: v, logicalType: string, {clause}, logicalTypeOptions: {{maxLength: 2}}"]
    )
    assert [column.personal for column in load(contract).columns] == [True]
    spaced = written(tmp_path, [f"name: v, logicalType: string, {where.format(repr(f' {tag} '))}"])
    assert [column.personal for column in load(spaced).columns] == [True]


def test_a_key_of_long_values_is_shown_shortened(tmp_path: Path) -> None:
    rule = "metric: duplicateValues, arguments: {properties: [a, b]}, mustBe: 0"
    contract = written(tmp_path, ["name: a, logicalType: string", "name: b, logicalType: string"], [rule])
    row = f"{'x' * 70},{'y' * 70}\n"
    report = judged(contract, f"a,b\n{row}{row}".encode())
    assert [defect.value for defect in report.defects] == [f"{'x' * 70}, {'y' * 8}"]


def test_what_a_parquet_file_has_instead_is_told_shortened(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(pa.table({f"column_{number}": [1] for number in range(300)}), path)
    report = judged(written(tmp_path, [PUBLIC]), path, declared(Parquet(kind="parquet")))
    assert [len(defect.message) for defect in report.defects] == [400]


@pytest.mark.parametrize(("fields", "said"), [(("T", "{feed}"), "7"), (("{feed}",), "***")])
def test_a_total_of_fixed_width_is_told_where_the_record_has_a_text_of_its_own(
    fields: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    form = Fixed(kind="fixed", columns={"who": FixedColumn(width=4)}, trailing=Record(fields=fields))
    total = f"{{record: trailing, field: {len(fields)}, equals: rows}}"
    rule = f"type: custom, engine: landbridge, name: c, implementation: {total}"
    text = f"Anna\n{'T' if len(fields) > 1 else ''}7\n".encode()
    report = judged(written(tmp_path, [NAME], [rule]), text, declared(form))
    assert named(report, "c").message == f"field {len(fields)} of the trailing record says `{said}`"
