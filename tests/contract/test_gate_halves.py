"""The two halves distrust each other, and a contract's own SQL is held inside the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from landbridge.contract.checks import Bound, Place, SqlCheck
from landbridge.contract.columns import StrictReport
from landbridge.contract.gate import TwoHalves
from landbridge.contract.odcs import load
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
    gate = halves(tmp_path, 1)
    text = f"SELECT count(*) FROM {query.format(other=other)}"
    own = SqlCheck("own", "", text, Place("", 1, 1, ""), (Bound(">=", (0,)),))  # type: ignore[arg-type]
    gate = replace(gate, contract=replace(gate.contract, checks=(own,)))
    assert named(gate.judge(path), "own").message == "the query gave no answer (PermissionException)"
    inside = replace(own, query="SELECT count(*) FROM things")
    assert replace(gate, contract=replace(gate.contract, checks=(inside,))).judge(path).passed


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
