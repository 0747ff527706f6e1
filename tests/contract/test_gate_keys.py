"""Unique keys: in any order of the file, of any types, with nulls, spilled or not, the count is what counting by hand gives."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.odcs_texts import judged, named, written

KEY = [
    "name: a, logicalType: integer, quality: [{metric: duplicateValues, mustBe: 0}]",
    "name: b, logicalType: string",
]
BOTH = ["metric: duplicateValues, arguments: {properties: [b, a]}, mustBe: 0"]
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-3, 3)), st.one_of(st.none(), st.sampled_from(["", "x", "X", "é"]))
    ),
    max_size=25,
)


def text(row: tuple[int | None, str | None]) -> str:
    number, word = row
    return f"{'' if number is None else number},{'' if word is None else f'{chr(34)}{word}{chr(34)}'}\n"


def repeated(values: list[object]) -> int:
    return sum(count - 1 for count in Counter(values).values())


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, in_order=st.booleans())
def test_duplicates_are_counted_exactly(rows: list[tuple[int | None, str | None]], in_order: bool) -> None:
    if in_order:
        rows = sorted(rows, key=lambda row: (row[1] or "", row[0] or 0))
    with TemporaryDirectory() as folder:
        report = judged(written(Path(folder), KEY, BOTH), ("a,b\n" + "".join(map(text, rows))).encode())
    single = named(report, "duplicateValues", "a")
    both = named(report, "duplicateValues", "b, a")
    assert single.broken == repeated([number for number, _ in rows if number is not None])
    assert both.broken == repeated([row for row in rows if None not in row])
    shown = [defect.record for defect in report.defects if defect.column == "b, a"]
    seen: set[tuple[int | None, str | None]] = set()
    expected = []
    for record, row in enumerate(rows, 1):
        if None not in row and row in seen:
            expected.append(record)
        seen.add(row)
    assert shown == expected[:20]


@pytest.mark.parametrize("memory", [128, 512])
@pytest.mark.parametrize("in_order", [True, False])
def test_one_double_key_among_many_is_found(memory: int, in_order: bool, tmp_path: Path) -> None:
    keys = list(range(300_000))
    if not in_order:
        random.Random(7).shuffle(keys)
    keys[250_000] = keys[249_999] if in_order else keys[17]
    path = tmp_path / "things.csv"
    path.write_text("id,v\n" + "".join(f"{key},x{key}\n" for key in keys), encoding="utf-8")
    contract = written(
        tmp_path,
        ["name: id, logicalType: integer, primaryKey: true", "name: v, logicalType: string, unique: true"],
    )
    report = judged(contract, path, memory=memory)
    assert named(report, "primaryKey").broken == 1
    assert named(report, "unique").broken == 1
    first = 250_000 if in_order else 18
    assert {(defect.record, defect.line, defect.message) for defect in report.defects} == {
        (250_001, 250_002, f"the same key as record {first}")
    }
    assert judged(contract, path, memory=memory) == report
