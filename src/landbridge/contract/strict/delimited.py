"""Is this CSV file, byte for byte, what its declaration says?

Reads blocks of 1 MiB with word operations (blocks.py, vector.py) and single records exactly (records.py, lexical.py)
where a block has something unusual. The exact half decides; the fast half only spares it work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from landbridge.contract.columns import StrictReport
from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.encodings import Encoding
from landbridge.contract.strict.findings import Findings, rules_of, shown
from landbridge.contract.strict.heading import header_faults, record_faults
from landbridge.contract.strict.judge import Judge
from landbridge.contract.strict.records import Dialect, Fault, Records
from landbridge.contract.strict.walk import BLOCK, Place, Stretch, Walk
from landbridge.contract.strict.window import Window
from landbridge.facts import Defect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.records import Field, Record
    from landbridge.feed.outputs import Csv
    from landbridge.ports import Progress

_BOM = b"\xef\xbb\xbf"
_STEP = "strict"
_SNIPPET = 40
_SELF_EVIDENT = ("date", "boolean")
"""Kinds whose values show that nothing was cut off their end."""
_RULES = (
    rule.EMPTY_FILE,
    rule.QUOTES,
    rule.COLUMNS,
    rule.BLANK_LINE,
    rule.LINE_ENDS,
    rule.CUT,
    rule.BYTES,
    rule.NUL,
)


@dataclass(frozen=True, slots=True)
class CsvGate:
    """The strict gate of one declared CSV file. `block` is how many bytes are looked at at once."""

    csv: Csv
    columns: tuple[ColumnRule, ...]
    block: int = BLOCK

    def scan(self, path: Path, progress: Progress | None = None) -> StrictReport:
        """Read the file once; see `StrictGate`."""
        with Window(path) as window:
            return _Pass(self, window).run(path, progress)

    def locate(
        self, path: Path, marks: Sequence[Place], line_end: bytes, records: Sequence[int]
    ) -> list[tuple[int, int]]:
        """Map data records to (physical line, byte offset) by a second look at the file, from the marks of the first."""
        with Window(path) as window:
            return _Pass(self, window).places(marks, line_end, records)


class _Pass:
    """One pass over one file."""

    def __init__(self, gate: CsvGate, window: Window) -> None:
        csv = gate.csv
        self._gate = gate
        self._window = window
        self._encoding = Encoding(csv.encoding)
        dialect = Dialect(
            _byte(csv.delimiter, self._encoding.name),
            -1 if csv.quoting == "none" else _byte(csv.quote, self._encoding.name),
            csv.null.encode(self._encoding.name),
            self._encoding.name,
        )
        self._records = Records(window, dialect)
        self._judge = Judge(gate.columns, dialect)
        self._findings = Findings()
        self._line_end = b""
        self._shy = any(column.personal for column in gate.columns)
        self._walk = Walk(window, self._records, dialect, self._encoding, len(gate.columns), gate.block)
        self._walk.holds_back = csv.trailing is not None

    def run(self, path: Path, progress: Progress | None) -> StrictReport:
        if progress:
            progress.start(_STEP, self._window.size, "B")
        csv = self._gate.csv
        start = Place(len(_BOM) if self._bom() else 0, 0, 1)
        if start.offset >= self._window.size and (csv.header or csv.leading or csv.trailing):
            self._fault(Fault(rule.EMPTY_FILE, 0, -1, "the file is empty"), 0, lambda: 1)
        start, leading = self._around(start, rule.LEADING, csv.leading.fields if csv.leading else None)
        start, header = self._header(start)
        self._walk.crlf = self._line_end == b"\r\n"
        place = start = Place(start.offset, 1, start.line)
        trailing: tuple[str, ...] | None = None
        for stretch in self._walk.from_(start):
            if csv.trailing and stretch.last and stretch.block is None:
                _, trailing = self._around(stretch.place, rule.TRAILING, csv.trailing.fields)
                place = stretch.place
            else:
                place = self._data(stretch)
            if progress:
                progress.advance(_STEP, stretch.length)
        if csv.trailing and trailing is None and self._window.size > len(_BOM):
            self._fault(
                Fault(rule.TRAILING, place.offset, -1, "no trailing record"), place.record, lambda: place.line
            )
        if progress:
            progress.finish(_STEP)
        return StrictReport(
            rows=place.record - 1,
            header=header,
            defects=dict(self._findings.counts),
            first=self._findings.first(),
            rules=self._rules(),
            leading=leading,
            trailing=trailing,
            data=(start.offset, place.offset),
            locate=partial(self._gate.locate, path, self._walk.marks, self._line_end),
        )

    def places(
        self, marks: Sequence[Place], line_end: bytes, records: Sequence[int]
    ) -> list[tuple[int, int]]:
        self._walk.crlf = line_end == b"\r\n"
        self._walk.marks.extend(marks)
        return [self._walk.locate(record) for record in records]

    def _bom(self) -> bool:
        return self._encoding.name == "utf-8" and self._window.read(0, len(_BOM)) == _BOM

    def _around(
        self, place: Place, name: str, declared: Sequence[str] | None
    ) -> tuple[Place, tuple[str, ...] | None]:
        """Read a leading or trailing record, if one is declared and there is one; give the place after it."""
        if declared is None or place.offset >= self._window.size:
            return place, None
        record = self._records.read(place.offset, len(declared))
        self._structure(record, place.record, lambda: place.line, without=(rule.COLUMNS, rule.BLANK_LINE))
        seen = self._texts(record)
        for at, message in [] if record.broken else record_faults(seen, declared):
            offset = record.fields[at].start if at >= 0 else record.start
            self._fault(Fault(name, offset, -1, message), place.record, lambda: place.line)
        if name == rule.TRAILING and not record.line_end and "{" in declared[-1]:
            self._cut(record, place.record, lambda: place.line)
        return self._after(place, record), seen

    def _header(self, place: Place) -> tuple[Place, tuple[str, ...]]:
        if not self._gate.csv.header or place.offset >= self._window.size:
            return place, ()
        expected = [column.name for column in self._gate.columns]
        record = self._records.read(place.offset, len(expected))
        self._structure(record, 0, lambda: place.line, without=(rule.COLUMNS, rule.BLANK_LINE, rule.CUT))
        seen = self._texts(record)
        for at, message in [] if record.broken else header_faults(seen, expected):
            offset = record.fields[min(at, len(record.fields) - 1)].start
            self._fault(Fault(rule.HEADER, offset, at, message), 0, lambda: place.line)
        return self._after(place, record), seen

    def _after(self, place: Place, record: Record) -> Place:
        self._line_end = self._line_end or record.line_end
        return Place(record.end, place.record, place.line + self._window.lines(record.start, record.end))

    def _texts(self, record: Record) -> tuple[str, ...]:
        return tuple(self._records.value(f).decode(self._encoding.name, "replace") for f in record.fields)

    def _data(self, stretch: Stretch) -> Place:
        """Judge the data records of a stretch in their order; give the place after it."""
        page, block, place = self._walk.page, stretch.block, stretch.place
        lexical = self._judge.block(page, block) if block else []
        found = [(row, fault, value) for row, fault, value in lexical if row not in stretch.exact]
        todo: list[tuple[int, Fault | None, bytes]] = [*found, *((row, None, b"") for row in stretch.exact)]
        for row, fault, value in sorted(todo, key=lambda one: one[0]):
            line = partial(self._walk.line, stretch, row)
            if fault is None:
                self._record(stretch.exact[row], place.record + row, line)
            else:
                self._fault(fault, place.record + row, line, value, place.offset)
        return stretch.after

    def _record(self, record: Record, number: int, line: Callable[[], int]) -> None:
        self._line_end = self._line_end or record.line_end
        self._walk.crlf = self._line_end == b"\r\n"
        self._structure(record, number, line)
        lexical = 0
        for fault, value in self._judge.record(self._records, record):
            self._fault(fault, number, line, value)
            lexical += fault.field == len(self._gate.columns) - 1
        if (
            not record.line_end
            and not record.broken
            and not record.faults
            and not (self._evident(record) and not lexical)
        ):
            self._cut(record, number, line)

    def _evident(self, record: Record) -> bool:
        """Tell whether a last record without a line end shows that nothing is missing from it."""
        last = record.fields[-1]
        return last.quoted or (
            self._gate.columns[-1].kind in _SELF_EVIDENT and not self._records.is_null(last)
        )

    def _cut(self, record: Record, number: int, line: Callable[[], int]) -> None:
        message = "the last record has no line end, so the file may be cut"
        self._fault(Fault(rule.CUT, record.end, -1, message), number, line)

    def _structure(
        self, record: Record, number: int, line: Callable[[], int], without: Sequence[str] = ()
    ) -> None:
        """Report what is wrong with a record whatever its columns mean."""
        expected = self._line_end or record.line_end
        faults = [*record.faults, *self._encoding.faults(self._window, record.start, record.end)]
        if record.line_end and record.line_end != expected:
            names = {b"\n": "a line feed", b"\r\n": "carriage return and line feed"}
            message = f"ends with {names[record.line_end]}, the records before with {names[expected]}"
            faults.append(Fault(rule.LINE_ENDS, record.end - len(record.line_end), -1, message))
        for fault in faults:
            if fault.rule in without:
                continue
            at = fault.field if fault.field >= 0 else _field_at(record.fields, fault.offset)
            snippet = (
                self._window.read(fault.offset, fault.offset + _SNIPPET) if at >= 0 and not self._shy else b""
            )
            self._fault(Fault(fault.rule, fault.offset, at, fault.message), number, line, snippet)

    def _fault(
        self, fault: Fault, number: int, line: Callable[[], int], value: bytes = b"", base: int = 0
    ) -> None:
        if not self._findings.count(fault.rule):
            return
        columns = self._gate.columns
        column = columns[fault.field] if 0 <= fault.field < len(columns) else None
        self._findings.keep(
            Defect(
                rule=fault.rule,
                record=number,
                line=line(),
                offset=base + fault.offset,
                column=column.name if column else "",
                message=fault.message,
                value=shown(value, column) if value else "",
            )
        )

    def _rules(self) -> tuple[str, ...]:
        csv = self._gate.csv
        around = ((rule.HEADER, csv.header), (rule.LEADING, csv.leading), (rule.TRAILING, csv.trailing))
        return rules_of([*_RULES, *(name for name, declared in around if declared)], self._gate.columns)


def _byte(character: str, encoding: str) -> int:
    """Give the one byte of a delimiter or quote."""
    (byte,) = character.encode(encoding)
    return byte


def _field_at(fields: Sequence[Field], offset: int) -> int:
    """Give the field (from 0) that holds the byte at `offset`, -1 for none."""
    return next((i for i, f in enumerate(fields) if f.start <= offset < f.end), -1)
