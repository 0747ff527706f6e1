"""Every small file of a few lines, with and without the records around the data: does the gate say what a plain reader says?"""

from __future__ import annotations

import os
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import pytest

from landbridge.contract.columns import ColumnRule
from landbridge.contract.strict.delimited import csv_gate
from landbridge.contract.strict.fixed import fixed_gate
from landbridge.feed.outputs import Csv, Fixed, FixedColumn, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

COLUMNS = (ColumnRule("v", "string"),)
LINES = {"csv": (b"H", b"T", b"v", b"x", b"", b"x,x"), "fixed": (b"H", b"T", b"v ", b"v", b"v  ", b"xx", b"")}
"""A leading, a trailing record, a header, and what else may stand on a line."""
HEADING = {"csv": b"v", "fixed": b"v "}


def plainly(
    text: bytes, kind: str, *, header: bool, leading: bool, trailing: bool
) -> tuple[int, dict[str, int]]:
    """Give the number of data records and how often each rule is broken."""
    lines = text.splitlines(keepends=True)
    wrong: Counter[str] = Counter()
    if not lines:
        return 0, {"structure.empty_file": 1} if header or leading or trailing else {}
    for declared, rule, wanted, at in (
        (leading, "leading_record", b"H", 0),
        (header, "header", HEADING[kind], 0),
        (trailing, "trailing_record", b"T", -1),
    ):
        if declared and (not lines or lines.pop(at).rstrip(b"\n") != wanted):
            wrong[rule] += 1
    for line in lines:
        content = line.rstrip(b"\n")
        whole = line.endswith(b"\n")
        if not content:
            wrong["structure.blank_line"] += 1
        elif kind == "fixed":
            wrong["structure.width"] += len(content) != 2
            wrong["structure.cut"] += len(content) != 2 and not whole
        else:
            wrong["structure.columns"] += b"," in content
            wrong["structure.cut"] += b"," not in content and not whole
    return len(lines), {rule: count for rule, count in wrong.items() if count}


def files(kind: str) -> Iterator[bytes]:
    """Give every file of two lines, and most of three, the last line end there or not; and many rows before what ends the file."""
    for many in range(4):
        words = LINES[kind][: 5 if many == 3 else None]
        for number, lines in enumerate(product(words, repeat=many)):
            ends = (b"\n", b"") if many < 3 else ((b"\n", b"")[number % 2],)
            yield from (b"\n".join(lines) + end * bool(many) for end in ends)
    row = LINES[kind][-3]
    for rows, last in product(range(24, 64, 3), (b"T\n", b"T", b"H\n", b"")):
        yield b"H\n" + HEADING[kind] + b"\n" + (row + b"\n") * rows + last


@pytest.mark.parametrize(("header", "leading", "trailing"), list(product((True, False), repeat=3)))
@pytest.mark.parametrize("kind", LINES)
def test_every_small_file_is_read_as_by_a_plain_reader(
    kind: str, header: bool, leading: bool, trailing: bool, tmp_path: Path
) -> None:
    first = Record(fields=("H",)) if leading else None
    last = Record(fields=("T",)) if trailing else None
    if kind == "csv":
        gate = csv_gate(Csv(header=header, leading=first, trailing=last), COLUMNS, 64)
    else:
        columns = {"v": FixedColumn(width=2)}
        form = Fixed(kind="fixed", columns=columns, header=header, leading=first, trailing=last)
        gate = fixed_gate(form, COLUMNS, 64)
    differ: Sequence[bytes] = []
    with (tmp_path / "file").open("wb", buffering=0) as file:
        for text in files(kind):
            os.pwrite(file.fileno(), text, 0)
            file.truncate(len(text))
            report = gate.scan(tmp_path / "file")
            seen = (report.rows, dict(report.defects))
            if seen != plainly(text, kind, header=header, leading=leading, trailing=trailing):
                differ = [*differ, text]
    assert differ == []
