"""Each supported clause, met and broken: the rule, the count, and the failing row with its place."""

from __future__ import annotations

import gzip
import tempfile
from typing import TYPE_CHECKING

import pytest

from landbridge.contract.gate import gate_for
from landbridge.contract.odcs import load
from landbridge.errors import DeclarationWrong
from landbridge.feed.outputs import Jsonl
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from pathlib import Path

ID = "name: id, logicalType: integer"

# A property `v` with one clause; the rule's name; values that keep it; values that break it.
COLUMN_CLAUSES = [
    ("logicalType: string, required: true", "required", ["a", '""'], [""]),
    ("logicalType: integer, primaryKey: true", "required", ["1"], [""]),
    ("logicalType: integer, logicalTypeOptions: {minimum: 3}", "minimum", ["3", "4", ""], ["2", "-9"]),
    ("logicalType: integer, logicalTypeOptions: {maximum: 3}", "maximum", ["3", ""], ["4"]),
    ("logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 3}", "exclusiveMinimum", ["4"], ["3"]),
    ("logicalType: integer, logicalTypeOptions: {exclusiveMaximum: 3}", "exclusiveMaximum", ["2"], ["3"]),
    ("logicalType: integer, logicalTypeOptions: {multipleOf: 5}", "multipleOf", ["0", "-10", ""], ["7"]),
    (
        'logicalType: number, physicalType: "DECIMAL(9,2)", logicalTypeOptions: {multipleOf: 0.05}',
        "multipleOf",
        ["1.05", "0.10", "-0.05"],
        ["1.01"],
    ),
    (
        'logicalType: number, physicalType: "DECIMAL(9,2)", logicalTypeOptions: {maximum: 0.1}',
        "maximum",
        ["0.10", "-1"],
        ["0.11"],
    ),
    ("logicalType: number, logicalTypeOptions: {minimum: 0.1}", "minimum", ["0.1", "1e3"], ["0.09", "-1"]),
    (
        "logicalType: date, logicalTypeOptions: {minimum: 2026-01-01}",
        "minimum",
        ["2026-01-01", ""],
        ["2025-12-31"],
    ),
    (
        'logicalType: date, logicalTypeOptions: {format: dd/MM/yyyy, maximum: "31/12/2026"}',
        "maximum",
        ["31/12/2026"],
        ["01/01/2027"],
    ),
    (
        'logicalType: time, logicalTypeOptions: {exclusiveMaximum: "12:00:00"}',
        "exclusiveMaximum",
        ["11:59:59.999999"],
        ["12:00:00"],
    ),
    (
        'logicalType: timestamp, logicalTypeOptions: {minimum: "2026-01-01T00:00:00"}',
        "minimum",
        ["2026-01-01T00:00:00"],
        ["2025-12-31T23:59:59.999999"],
    ),
    (
        'logicalType: timestamp, logicalTypeOptions: {timezone: true, minimum: "2026-01-01T00:00:00Z"}',
        "minimum",
        ["2026-01-01T00:00:00Z", "2025-12-31T23:00:00-01:00"],
        ["2026-01-01T00:30:00+01:00"],
    ),
    (
        "logicalType: string, logicalTypeOptions: {minLength: 2}",
        "minLength",
        ["ab", "éé", ""],
        ["a", "é", '""'],
    ),
    ("logicalType: string, logicalTypeOptions: {maxLength: 0}", "maxLength", ['""', ""], ["a"]),
    ("logicalType: string, physicalType: VARCHAR, required: true", "required", ["abc"], [""]),
    ("logicalType: string, physicalType: VARCHAR(max), required: true", "required", ["abc"], [""]),
    ("logicalType: string, physicalType: NVARCHAR(MAX), required: true", "required", ["abc"], [""]),
    (
        "logicalType: integer, quality: [{metric: missingValues, arguments: {missingValues: [N/A, null, -1]}, mustBe: 0}]",
        "missingValues",
        ["1", "0"],
        ["", "-1"],
    ),
    ("logicalType: string, physicalType: FOO(2), required: true", "required", ["abc"], [""]),
    (
        "logicalType: date, physicalType: VARCHAR(3), logicalTypeOptions: {minimum: 2026-01-01}",
        "minimum",
        ["2026-01-01"],
        ["2025-12-31"],
    ),
    ("logicalType: string, logicalTypeOptions: {maxLength: 2}", "maxLength", ["ab", "éé", "𝄞𝄞"], ["abc"]),
    ('logicalType: string, physicalType: "VARCHAR(2)"', "physicalType", ["ab", "éé"], ["abc"]),
    ('logicalType: string, logicalTypeOptions: {pattern: "^[A-Z]+$"}', "pattern", ["AB", ""], ["Ab", '""']),
    ("logicalType: string, logicalTypeOptions: {pattern: b+}", "pattern", ["abba"], ["aa"]),
    ("logicalType: string, enum: [{value: a}, {value: b}]", "enum", ["a", "b", ""], ["c", "A", '""']),
    ("logicalType: integer, enum: [{value: 1}, {value: 2}]", "enum", ["1", "2", ""], ["3"]),
    (
        'logicalType: number, physicalType: "DECIMAL(9,2)", enum: [{value: 1.5}, {value: -2}]',
        "enum",
        ["1.50", "-2", ""],
        ["1.51", "2"],
    ),
    ("logicalType: number, enum: [{value: 0.1}]", "enum", ["0.1", "1e-1", ""], ["0.11"]),
    (
        "logicalType: boolean, enum: [{value: true}]",
        "enum",
        ["true", ""],
        ["false"],
    ),
    (
        "logicalType: date, logicalTypeOptions: {format: dd/MM/yyyy}, enum: [{value: 31/12/2026}]",
        "enum",
        ["31/12/2026", ""],
        ["30/12/2026"],
    ),
    (
        "logicalType: timestamp, logicalTypeOptions: {format: dd/MM/yyyy HH:mmXXX, maximum: 31/12/2026 23:00Z}",
        "maximum",
        ["31/12/2026 23:00Z", "31/12/2026 23:30+01:00", "01/01/2026 00:00-15:00"],
        ["31/12/2026 23:01Z", "31/12/2026 22:30-01:00"],
    ),
    (
        "logicalType: time, logicalTypeOptions: {format: HHmm, minimum: '0930'}",
        "minimum",
        ["0930", "2359", ""],
        ["0929"],
    ),
    (
        "logicalType: timestamp, logicalTypeOptions: {maximum: 2026-01-01}",
        "maximum",
        ["2026-01-01T00:00:00"],
        ["2026-01-01T00:00:00.000001"],
    ),
    (
        "logicalType: timestamp, logicalTypeOptions: {timezone: true, maximum: '2026-01-01T00:00:00'}",
        "maximum",
        ["2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00"],
        ["2026-01-01T00:00:01Z"],
    ),
    ("logicalType: string, enum: [{value: null}, {value: a}]", "enum", ["a", ""], ["c", '""']),
    ("logicalType: string, enum: [{value: null}]", "enum", [""], ["c", '""']),
    (
        "logicalType: string, logicalTypeOptions: {format: email}",
        "format",
        ["a@b.example", "x+y@a-b.co"],
        ["a@", "a b@c", "a@b..c", "@b"],
    ),
    (
        "logicalType: string, logicalTypeOptions: {format: uuid}",
        "format",
        ["123e4567-e89b-12d3-a456-426614174000"],
        ["123e4567e89b12d3a456426614174000", "g23e4567-e89b-12d3-a456-426614174000"],
    ),
    (
        "logicalType: string, logicalTypeOptions: {format: uri}",
        "format",
        ["https://a.b/c?d=e#f", "urn:x:y"],
        ["a b", "/x"],
    ),
    (
        "logicalType: string, logicalTypeOptions: {format: hostname}",
        "format",
        ["a.b-c.d", "x"],
        ["-a", "a..b", "a_b"],
    ),
    (
        "logicalType: string, logicalTypeOptions: {format: ipv4}",
        "format",
        ["1.2.3.255"],
        ["1.2.3", "1.2.3.256", "01.2.3.4"],
    ),
    (
        "logicalType: string, logicalTypeOptions: {format: ipv6}",
        "format",
        [
            "::",
            "::1",
            "1::",
            "2001:db8::8:800:200c:417a",
            "1:2:3:4:5:6:7:8",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:7::",
        ],
        ["1", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "1.2.3.4"],
    ),
]

# A rule of quality at property `v` (text), its name, values that keep it, values that break it.
METRICS = [
    ("metric: nullValues, mustBe: 0", ["a", '""'], ["a", ""]),
    ("rule: nullValues, mustBe: 0", ["a"], [""]),
    ("metric: nullValues, mustBeLessThan: 2", ["a", ""], ["", ""]),
    ("metric: nullValues, mustBeLessOrEqualTo: 50, unit: percent", ["a", ""], ["a", "", ""]),
    ("metric: nullValues, mustBeLessThan: 50, unit: percent", ["a", "b", ""], ["a", ""]),
    ("metric: nullValues, mustBeGreaterThan: 0", [""], ["a"]),
    ("metric: nullValues, mustBeGreaterOrEqualTo: 2", ["", ""], ["a", ""]),
    ("metric: nullValues, mustNotBe: 1", ["a", "b"], ["a", ""]),
    ("metric: nullValues, mustBeBetween: [1, 2]", ["", "a"], ["", "", ""]),
    ("metric: nullValues, mustNotBeBetween: [1, 2]", ["a"], ["", "a"]),
    (
        "metric: missingValues, arguments: {missingValues: [null, '', N/A]}, mustBe: 0",
        ["a"],
        ["N/A", "", '""'],
    ),
    ("metric: missingValues, arguments: {missingValues: [N/A]}, mustBe: 0", ["", "a"], ["N/A"]),
    ("metric: invalidValues, arguments: {validValues: [a, b]}, mustBe: 0", ["a", ""], ["c"]),
    ("metric: invalidValues, arguments: {validValues: [a, null]}, mustBe: 0", ["a", ""], ["c"]),
    ("metric: invalidValues, arguments: {validValues: [null]}, mustBe: 0", [""], ["c"]),
    ("metric: invalidValues, arguments: {pattern: '^[a-z]$'}, mustBe: 0", ["a", ""], ["ab"]),
    (
        "metric: invalidValues, arguments: {validValues: [a, B], pattern: '^[a-z]$'}, mustBe: 0",
        ["a"],
        ["b", "B"],
    ),
    ("metric: duplicateValues, mustBe: 0", ["a", "b", "", ""], ["b", "a", "b"]),
    ("metric: duplicateValues, mustBeLessThan: 50, unit: percent", ["a", "b", "a"], ["a", "a"]),
    ("type: sql, query: 'SELECT count(*) FROM {object} WHERE {property} = 1 || 2', mustBe: 0", ["a"], ["12"]),
    (
        "type: sql, query: 'SELECT count(${column}) FROM ${table};', mustBeGreaterThan: 1",
        ["a", "b"],
        ["a", ""],
    ),
    ("type: sql, query: ' SELECT count(v) FROM things ;  ', mustBe: 1", ["a"], ["a", "b"]),
    ("type: sql, query: SELECT count(v) FROM things, unit: rows, mustBe: 1", ["a"], ["a", "b"]),
    ("type: sql, query: 'SELECT bool_and(v < 3 || v) FROM things', mustBe: true", ["1"], ["4"]),
    ("type: sql, query: 'SELECT min(v) FROM things', mustBe: a", ["b", "a"], ["b"]),
    ("type: sql, query: 'SELECT min(v) FROM things', mustNotBe: a", ["b"], ["b", "a"]),
    ("type: sql, query: 'SELECT NULL::INT FROM things', mustBe: 0", [], []),
]


def csv(values: list[str]) -> bytes:
    return ("id,v\n" + "".join(f"{number},{value}\n" for number, value in enumerate(values, 1))).encode()


@pytest.mark.parametrize(("clause", "rule", "good", "bad"), COLUMN_CLAUSES)
def test_a_clause_holds_and_breaks(
    clause: str, rule: str, good: list[str], bad: list[str], tmp_path: Path
) -> None:
    contract = written(tmp_path, [ID, f"name: v, {clause}"])
    met = judged(contract, csv(good))
    assert met.passed, [each for each in met.rules if not each.passed]
    assert (named(met, rule).broken, named(met, rule).checked) == (0, len(good))
    broken = judged(contract, csv(good + bad))
    assert not broken.passed
    result = named(broken, rule)
    assert (result.broken, result.column, result.passed) == (len(bad), "v", False)
    shown = [defect for defect in broken.defects if defect.rule == rule]
    assert [defect.record for defect in shown] == [len(good) + number for number in range(1, len(bad) + 1)]
    assert [defect.line for defect in shown] == [defect.record + 1 for defect in shown]
    text = csv(good + bad)
    for defect in shown:
        assert text[defect.offset :].startswith(f"{defect.record},".encode())


@pytest.mark.parametrize(("rule", "good", "bad"), METRICS)
def test_a_metric_holds_and_breaks(rule: str, good: list[str], bad: list[str], tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, f"name: v, logicalType: string, quality: [{{{rule}}}]"])
    if good:
        met = judged(contract, csv(good))
        assert (met.passed, met.defects) == (True, ()), "rows that a bound allows are not shown as broken"
    assert not judged(contract, csv(bad)).passed


@pytest.mark.parametrize(
    ("rule", "rows", "passes"),
    [
        ("metric: rowCount, mustBeBetween: [1, 2]", 2, True),
        ("metric: rowCount, mustBeBetween: [1, 2]", 3, False),
        ("metric: rowCount, mustBe: 0", 0, True),
        ("metric: rowCount, mustBeGreaterThan: 0", 0, False),
        ("metric: rowCount, mustBeGreaterThan: 1, mustBeLessThan: 3", 2, True),
        ("metric: rowCount, mustBeGreaterThan: 1, mustBeLessThan: 3", 3, False),
        ("type: sql, query: SELECT count(*) FROM things, mustBeLessThan: 3", 3, False),
        ("type: sql, query: SELECT id FROM things, mustBe: 1", 1, True),
        ("type: sql, query: SELECT id FROM things, mustBe: 1", 2, False),
        ("type: sql, query: SELECT id FROM things, mustBe: 1", 0, False),
    ],
)
def test_a_rule_of_the_whole_file(rule: str, rows: int, passes: bool, tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, "name: v, logicalType: string"], [rule])
    report = judged(contract, csv(["x"] * rows))
    assert report.passed is passes
    assert [each.broken for each in report.rules if each.rule in ("rowCount", "sql")] == [0 if passes else 1]


def test_a_composite_key_names_the_row_and_its_twin(tmp_path: Path) -> None:
    contract = written(
        tmp_path,
        [
            "name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 2",
            "name: b, logicalType: integer, primaryKey: true, primaryKeyPosition: 1",
        ],
    )
    assert judged(contract, b"a,b\nx,1\ny,1\nx,2\n").passed
    report = judged(contract, b"a,b\nx,1\ny,1\nx,2\ny,1\nx,1\ny,1\n")
    result = named(report, "primaryKey")
    assert (result.column, result.broken) == ("b, a", 3)
    assert [(defect.record, defect.line, defect.value, defect.message) for defect in report.defects] == [
        (4, 5, "1, y", "the same key as record 2"),
        (5, 6, "1, x", "the same key as record 1"),
        (6, 7, "1, y", "the same key as record 2"),
    ]


def test_a_warning_is_told_and_lets_the_file_pass(tmp_path: Path) -> None:
    rule = "metric: nullValues, mustBe: 0, severity: warning"
    contract = written(tmp_path, [ID, f"name: v, logicalType: string, quality: [{{{rule}}}]"])
    report = judged(contract, csv(["a", ""]))
    assert report.passed
    assert (named(report, "nullValues").passed, named(report, "nullValues").severity) == (False, "warning")
    assert [defect.record for defect in report.defects] == [2]


@pytest.mark.parametrize(
    "private",
    [
        "classification: restricted",
        "classification: Level-7",
        "tags: [finance, PII]",
        "customProperties: [{property: personal, value: true}]",
        'customProperties: [{property: PII, value: "yes"}]',
    ],
)
def test_a_personal_value_is_never_shown(private: str, tmp_path: Path) -> None:
    rules = "{metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0}, {metric: duplicateValues, mustBe: 0}, {type: sql, query: SELECT min(v) FROM things, mustBe: a}"
    contract = written(
        tmp_path,
        [
            ID,
            f"name: v, logicalType: string, {private}, logicalTypeOptions: {{maxLength: 3}}, quality: [{rules}]",
        ],
    )
    report = judged(contract, csv(["secret", "secret"]))
    assert {defect.value for defect in report.defects} == {"***"}
    assert len(report.defects) == 5
    assert "secret" not in repr(report)


def test_a_public_value_is_shown_and_shortened(tmp_path: Path) -> None:
    contract = written(
        tmp_path,
        [ID, "name: v, logicalType: string, classification: public, logicalTypeOptions: {maxLength: 3}"],
    )
    (defect,) = judged(contract, csv(["x" * 500])).defects
    assert defect.value == "x" * 80


def test_at_most_twenty_rows_of_a_rule_are_shown(tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, "name: v, logicalType: string, required: true"])
    report = judged(contract, csv([""] * 3000))
    assert named(report, "required").broken == 3000
    assert [(defect.record, defect.value) for defect in report.defects] == [(n, "") for n in range(1, 21)]


def test_values_are_not_judged_in_a_file_whose_bytes_are_broken(tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, "name: v, logicalType: integer, logicalTypeOptions: {maximum: 3}"])
    report = judged(contract, b"id,v\n1,9\n2,0x1F\n")
    assert not report.passed
    assert (named(report, "type", "v").broken, report.rows) == (1, 2)
    assert [(defect.rule, defect.column) for defect in report.defects] == [("type", "v")]
    both = judged(contract, b"id,v\nx,9\n2,0x1F,3\n")
    said = {rule.rule: rule.message for rule in both.rules if not rule.passed}
    assert said["type"] == "first: not an integer"
    assert said["structure.columns"] == "first: 3 fields, expected 2"
    told = named(report, "values")
    assert (told.severity, told.message) == (
        "warning",
        "the bytes are not sound, so 1 rule about values was not judged",
    )


def test_a_text_that_a_spreadsheet_would_run_is_refused_where_the_feed_says_so(tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, "name: v, logicalType: string"])
    content = csv(["=1+1", "+4", "-4", "@x", "a=b"])
    assert judged(contract, content, declared(formula_injection="allow")).passed
    for policy in ("reject", "escape"):
        report = judged(contract, content, declared(formula_injection=policy))
        assert named(report, "formula").broken == 4
    assert judged(contract, csv(["'=1+1", "a=b"]), declared(formula_injection="escape")).passed


def test_a_contracts_own_sql_cannot_leave_the_file(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("id,v\n1,secret\n", encoding="utf-8")
    query = f"SELECT count(*) FROM read_csv(''{tmp_path / 'other.csv'}'')"
    with pytest.raises(Exception, match="mistake"):
        judged(written(tmp_path, [ID], [f"type: sql, query: '{query}', mustBe: 0"]), b"id\n1\n")


@pytest.mark.parametrize(
    "operator", ["mustBeGreaterThan: 1", "mustBeGreaterOrEqualTo: 2", "mustNotBeBetween: [0, 1]"]
)
def test_rows_of_which_there_are_too_few_are_not_shown_as_broken(operator: str, tmp_path: Path) -> None:
    rule = f"metric: nullValues, {operator}"
    contract = written(tmp_path, [ID, f"name: v, logicalType: string, quality: [{{{rule}}}]"])
    report = judged(contract, csv(["a", ""]))
    assert (report.passed, report.defects) == (False, ())


@pytest.mark.parametrize(
    "rule",
    [
        "type: sql, query: SELECT count(*) FROM things, mustBe: 9",
        "type: sql, query: SELECT min(v) FROM things, mustBe: z",
        "metric: rowCount, mustBe: 9",
        "metric: duplicateValues, arguments: {properties: [v]}, mustBe: 0",
        "type: custom, engine: landbridge, implementation: {field: 1, equals: rows}",
    ],
)
@pytest.mark.parametrize("severity", ["warning", "info", " Info ", "error"])
def test_the_severity_of_any_rule_decides(rule: str, severity: str, tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, "name: v, logicalType: string"], [f"{rule}, severity: '{severity}'"])
    report = judged(contract, csv(["a", "a"]))
    (broken,) = [each for each in report.rules if not each.passed]
    assert report.passed is (severity != "error")
    assert broken.severity == ("error" if severity == "error" else "warning")


def test_formulas_are_no_matter_of_formats_that_spreadsheets_do_not_open(tmp_path: Path) -> None:
    contract = written(tmp_path, ["name: v, logicalType: string"])
    report = judged(contract, b'{"v":"=1+1"}\n', declared(Jsonl(kind="jsonl"), formula_injection="reject"))
    assert report.passed
    assert not {"formula", "nul", "range", "finite"} & {rule.rule for rule in report.rules}


def test_the_scratch_folder_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    contract = load(written(tmp_path, ["name: v, logicalType: string"]))
    (tmp_path / "a.csv").write_bytes(b"v\nx\n")
    gate = gate_for(contract, declared(), memory=256, spill=tmp_path / "not" / "there")
    assert gate.judge(tmp_path / "a.csv").passed
    assert gate.judge(tmp_path / "a.csv").passed


@pytest.mark.parametrize(
    "rule",
    [
        "metric: nullValues, mustBe: 1",
        "metric: duplicateValues, mustBe: 1",
        "metric: nullValues, mustBeBetween: [2, 3]",
    ],
)
def test_a_rule_that_wants_rows_which_are_not_there_has_none_to_show(rule: str, tmp_path: Path) -> None:
    contract = written(tmp_path, [ID, f"name: v, logicalType: string, quality: [{{{rule}}}]"])
    report = judged(contract, csv(["a", "b"]))
    assert (report.passed, report.defects) == (False, ())


def test_what_the_gate_puts_aside_lies_in_the_folder_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own folder may be small, or belong to nobody who may write there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    contract = written(tmp_path, [ID])
    assert judged(contract, gzip.compress(b"id\n1\n"), declared(compression="gzip")).passed


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "the query gave no row"),
        (["a", "b"], "the query gave several rows"),
        (["a"], ""),
        (["b"], "the query gave b"),
    ],
)
def test_a_query_at_a_column_is_told_with_the_column_and_what_it_gave(
    rows: list[str], told: str, tmp_path: Path
) -> None:
    rule = "{type: sql, name: own, query: SELECT v FROM things, mustBe: a}"
    contract = written(tmp_path, [ID, f"name: v, logicalType: string, quality: [{rule}]"])
    result = named(judged(contract, csv(rows)), "own")
    assert (result.column, result.passed, result.message) == ("v", not told, told)
    assert (result.broken, result.checked, result.threshold) == (int(bool(told)), len(rows), "= a")


@pytest.mark.parametrize(
    ("listed", "broken"),
    [("[N/A]", 0), ("[null]", 1), ("[N/A, null]", 1), ("[N/A, 7]", 1), ("[null, 7, 8]", 2)],
)
def test_a_missing_value_that_no_value_can_be_is_missed_by_nobody(
    listed: str, broken: int, tmp_path: Path
) -> None:
    rule = f"{{metric: missingValues, arguments: {{missingValues: {listed}}}, mustBe: 0}}"
    contract = written(tmp_path, [ID, f"name: v, logicalType: integer, quality: [{rule}]"])
    assert named(judged(contract, csv(["7", "", "1"])), "missingValues").broken == broken


@pytest.mark.parametrize("word", ["object", "table", "schema", "model", "property", "column", "field"])
def test_a_name_is_put_in_for_its_word(word: str, tmp_path: Path) -> None:
    ours = word in ("property", "column", "field")
    query = f"SELECT count({{{word}}}) FROM things" if ours else f"SELECT count(*) FROM ${{{word}}}"
    rule = f"type: sql, name: own, query: '{query}', mustBe: 1"
    contract = written(tmp_path, [ID, f"name: v, logicalType: string, quality: [{{{rule}}}]"])
    assert judged(contract, csv(["a"])).passed
    if ours:
        with pytest.raises(DeclarationWrong) as wrong:
            load(written(tmp_path, [ID], [rule]))
        assert wrong.value.problems[0].what == f"`{{{word}}}` is not supported here"
