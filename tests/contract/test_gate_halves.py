"""The two halves distrust each other, and a contract's own SQL is held inside the file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import pytest

from landbridge.contract import gate
from landbridge.contract.checks import Bound, Place, RowCheck, SqlCheck
from landbridge.contract.columns import StrictReport
from landbridge.contract.gate import TwoHalves
from landbridge.contract.odcs import load
from landbridge.errors import DiskFailed
from landbridge.feed.outputs import Fixed, FixedColumn, Jsonl
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.ports import Progress


@dataclass
class Says:
    """A strict half that finds any file sound, with so many rows."""

    rows: int

    def scan(self, path: Path, progress: Progress | None = None) -> StrictReport:
        return StrictReport(rows=self.rows, header=("id", "v"), defects={}, first=())


def halves(folder: Path, rows: int) -> TwoHalves:
    contract = load(written(folder, ["name: id, logicalType: integer", "name: v, logicalType: string"]))
    return TwoHalves(contract, declared(), Says(rows), 256, folder / "spill")


def test_halves_that_count_different_rows_refuse_the_file(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_bytes(b"id,v\n1,a\n2,b\n")
    assert halves(tmp_path, 2).judge(path).passed
    report = halves(tmp_path, 3).judge(path)
    assert not report.passed
    assert named(report, "values").message == "the strict half counts 3 rows and the query 2"


def test_a_value_that_only_the_query_cannot_read_refuses_the_file_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_bytes(b"id,v\nsecret,a\n")
    report = halves(tmp_path, 1).judge(path)
    assert not report.passed
    assert "cannot read" in named(report, "values").message
    assert "secret" not in repr(report)


@pytest.mark.parametrize(
    "query", ["read_text('{other}')", "read_csv('{other}', columns = {{a: 'VARCHAR'}})", "'{other}'"]
)
def test_a_contracts_own_sql_reads_no_other_file(query: str, tmp_path: Path) -> None:
    path, other = tmp_path / "things.csv", tmp_path / "other.csv"
    path.write_bytes(b"id,v\n1,a\n")
    other.write_bytes(b"id,v\n1,a\n")
    made = halves(tmp_path, 1)
    text = f"SELECT count(*) FROM {query.format(other=other)}"
    own = SqlCheck("own", "", text, Place("", 1, 1, ""), (Bound(">=", (0,)),))  # type: ignore[arg-type]
    made = replace(made, contract=replace(made.contract, checks=(own,)))
    assert named(made.judge(path), "own").message == "the query gave no answer (PermissionException)"
    inside = replace(own, query="SELECT count(*) FROM things")
    assert replace(made, contract=replace(made.contract, checks=(inside,))).judge(path).passed


def test_a_contracts_own_sql_knows_one_zone_wherever_the_machine_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = written(
        tmp_path,
        ["name: moment, logicalType: timestamp, logicalTypeOptions: {timezone: true}"],
        ["type: sql, name: hour, query: SELECT max(hour(moment)) + 0 FROM things, mustBe: 23"],
    )
    connect = duckdb.connect

    def far_away(**settings: object) -> duckdb.DuckDBPyConnection:
        connection = connect(**settings)  # type: ignore[arg-type] # as it was called
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        return connection

    monkeypatch.setattr(duckdb, "connect", far_away)
    assert judged(contract, b"moment\n2026-11-20T23:00:00Z\n2026-11-21T00:30:00+01:00\n").passed


def test_a_query_of_the_gate_may_take_half_of_the_memory_and_spills_to_the_scratch_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    connect = duckdb.connect

    def remembered(**settings: dict[str, object]) -> duckdb.DuckDBPyConnection:
        asked.append(settings["config"])
        return connect(**settings)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr(duckdb, "connect", remembered)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    contract = written(tmp_path, ["name: id, logicalType: integer"])
    for memory in (100, 512, 4096):
        judged(contract, b"id\n1\n", memory=memory)
    assert [(one["memory_limit"], one["threads"]) for one in asked] == [
        ("64MiB", 1),
        ("256MiB", 2),
        ("2048MiB", 3),
    ]
    assert all(str(one["temp_directory"]).startswith(str(tmp_path / "spill")) for one in asked)
    assert all(
        one[f"{word}_known_extensions"] is False for one in asked for word in ("autoinstall", "autoload")
    )


@pytest.mark.parametrize(
    ("kind", "said", "told"),
    [
        (duckdb.OutOfMemoryException, ("not enough\nsecret",), "ran out of memory or disk"),
        (duckdb.IOException, ("no room\nsecret",), "ran out of memory or disk"),
        (OSError, (5, "it broke"), "cannot read"),
    ],
)
@pytest.mark.parametrize("at", ["measure", "answer", "first_failing"])
def test_what_the_machine_lacks_is_not_the_files_fault(
    at: str,
    kind: type[Exception],
    said: tuple[object, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise kind(*said)

    rule = "type: sql, query: SELECT count(DISTINCT id) FROM things, mustBe: 1"
    contract = written(tmp_path, ["name: id, logicalType: integer, logicalTypeOptions: {maximum: 0}"], [rule])
    monkeypatch.setattr(gate, at, fails)
    with pytest.raises(DiskFailed, match=told) as failed:
        judged(contract, b"id\n1\n")
    assert "secret" not in str(failed.value)
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_query_that_we_built_wrongly_is_a_bug_and_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_bytes(b"id,v\n1,a\n")
    wrong = RowCheck("r", "id", "nonsense > 1", "", Place("", 1, 1, ""))
    made = halves(tmp_path, 1)
    with pytest.raises(duckdb.BinderException):
        replace(made, contract=replace(made.contract, checks=(wrong,))).judge(path)


@pytest.mark.slow
def test_rows_are_numbered_in_the_order_of_a_large_file(tmp_path: Path) -> None:
    contract = written(
        tmp_path,
        [
            "name: id, logicalType: integer",
            "name: v, logicalType: string, logicalTypeOptions: {maxLength: 60}",
        ],
    )
    path, wide = tmp_path / "things.csv", "x" * 60
    late = {400_000, 700_000, 1_199_999}
    with path.open("w", encoding="utf-8") as file:
        file.write("id,v\n")
        file.writelines(f"{number},{wide}{'!' if number in late else ''}\n" for number in range(1, 1_200_001))
    report = judged(contract, path)
    assert [(defect.record, defect.line) for defect in report.defects] == [(n, n + 1) for n in sorted(late)]


_BITS = "logicalType: integer, logicalTypeOptions: {format: "
_FORM = "logicalTypeOptions: {format: "
SOUND = [
    (
        "logicalType: number",
        "1e39 -1e308 1e-400 0 -0.5 1E+5 4.9e-324 1.7976931348623157e308 -0 00.5 1e05 0.1",
    ),
    ("logicalType: number, logicalTypeOptions: {format: f32}", "1e38 3.4028235e38 1e-46 -0"),
    (f"{_BITS}i8}}", "127 -128 00127 -0 -00128"),
    (f"{_BITS}u8}}", "255 0 -0 000255"),
    (f"{_BITS}u16}}", "65535 0065535"),
    (f"{_BITS}u32}}", "4294967295 04294967295"),
    ("logicalType: integer", f"9223372036854775807 -9223372036854775808 {'0' * 60}7"),
    (f"{_BITS}u64}}", "18446744073709551615 007"),
    (f"{_BITS}i128}}", f"{2**127 - 1} {-(2**127)} {'0' * 90}7"),
    (f"{_BITS}u128}}", f"{2**128 - 1} {'0' * 90}7"),
    ("physicalType: 'DECIMAL(3,1)'", "99.9 -99.9 0099.9 7 -0 -0.0"),
    ("physicalType: 'DECIMAL(2,2)'", "0.99 -0.01 000.5 0"),
    ("physicalType: 'DECIMAL(15,10)'", "0.0000001 99999.0000000001 -0.0000000001"),
    ("physicalType: 'DECIMAL(38,10)'", f"-{'9' * 28}.{'9' * 10} {'0' * 50}1.5"),
    ("physicalType: 'DECIMAL(38,0)'", f"{'9' * 38} -{'9' * 38}"),
    ("physicalType: 'DECIMAL(38,38)'", f"0.{'9' * 38} -0.{'9' * 38}"),
    (f"logicalType: string, {_FORM}binary}}", "QQ== QUI= QUJD +/=="),
    ("logicalType: time", "00:00:00 23:59:59.999999 12:00:00.1"),
    ("logicalType: timestamp", "0001-01-01T00:00:00 9999-12-31T23:59:59.999999 2024-02-29T12:00:00.5"),
    (
        "logicalType: timestamp, logicalTypeOptions: {timezone: true}",
        "2026-01-01T00:00:00-15:59 0001-01-01T00:00:00+15:00 9999-12-31T23:59:59-15:00 2026-01-01T00:00:00.123456Z",
    ),
    ("logicalType: date", "0001-01-01 9999-12-31 2024-02-29"),
    (f"logicalType: date, {_FORM}dd/MM/yyyy}}", "01/01/0001 31/12/9999 29/02/2024"),
    (f"logicalType: timestamp, {_FORM}ddMMyyyyHHmmXXX}}", "010100010000Z 311299992359+15:59"),
    (f"logicalType: timestamp, {_FORM}yyyyMMddHHmmssSSSSSS}}", "20261120235959123456 00010101000000000000"),
    (f"logicalType: time, {_FORM}HHmm}}", "0000 2359"),
    (f"logicalType: time, {_FORM}'HH:mm:ss.SS'}}", "00:00:00.05 23:59:59.99"),
]


@pytest.mark.parametrize("spelling", ["csv", "json text", "json number", "fixed"])
@pytest.mark.parametrize(("clause", "values"), SOUND)
def test_what_the_strict_half_finds_sound_the_query_reads(
    clause: str, values: str, spelling: str, tmp_path: Path
) -> None:
    contract = written(tmp_path, [f"name: v, {clause}, required: true", "name: w, logicalType: string"])
    listed = values.split()
    match spelling:
        case "csv":
            text = "v,w\n" + "".join(f'{value},x\n"{value}",x\n' for value in listed)
            file = declared()
        case "fixed":
            text = "".join(f"{value:<100}x\n" for value in listed)
            file = declared(
                Fixed(kind="fixed", columns={"v": FixedColumn(width=100), "w": FixedColumn(width=1)})
            )
        case "json text":
            text = "".join(f'{{"v":"{value}","w":"x"}}\n' for value in listed)
            file = declared(Jsonl(kind="jsonl"))
        case _:
            numbers = [
                value for value in listed if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", value)
            ]
            if not re.search("number|integer|DECIMAL", clause) or not numbers:
                return
            text = "".join(f'{{"v":{value},"w":"x"}}\n' for value in numbers)
            file = declared(Jsonl(kind="jsonl"))
    report = judged(contract, text.encode(), file)
    assert report.passed, [(rule.rule, rule.message) for rule in report.rules if not rule.passed]
