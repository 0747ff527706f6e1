"""Does the strict gate refuse each of the 34 planted defects at its place, and accept the 7 oddities?"""

from pathlib import Path

import pytest

from bench.planted import COLUMNS, ROWS, Planted, cases
from landbridge.contract.strict import strict_gate
from landbridge.feed.outputs import File

CASES = list(cases())


def test_all_classes_are_there() -> None:
    assert [sum(c.defect for c in CASES), sum(not c.defect for c in CASES)] == [34, 7]
    assert len({c.name for c in CASES}) == 41


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_a_planted_defect_is_refused_at_its_place_and_an_oddity_accepted(
    tmp_path: Path, case: Planted
) -> None:
    path = tmp_path / "planted.csv"
    path.write_bytes(case.make())
    report = strict_gate(File(name="x.csv", folder="x"), COLUMNS).scan(path)
    if not case.defect:
        assert (report.rows, report.defects) == (ROWS, {})
        return
    assert [(d.record, d.line) for d in report.first][:1] == [(case.record, case.line)]
    assert sum(report.defects.values()) <= 2
