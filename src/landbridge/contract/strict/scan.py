"""Is this file of records, byte for byte, what its declaration says?

Reads blocks of 1 MiB with word operations (blocks.py, vector.py) and single records exactly (records.py, lexical.py)
where a block has something unusual. The exact half decides; the fast half only spares it work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from landbridge.contract.columns import MASK, StrictReport
from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.encodings import Encoding
from landbridge.contract.strict.findings import Findings, rules_of, shown
from landbridge.contract.strict.heading import header_faults, record_faults
from landbridge.contract.strict.records import Fault, Records
from landbridge.contract.strict.walk import BLOCK, Place, Stretch, Walk
from landbridge.contract.strict.window import Window
from landbridge.facts import Defect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.blocks import Block
    from landbridge.contract.strict.page import Page
    from landbridge.contract.strict.records import Dialect, Field, Record
    from landbridge.ports import Progress

_BOM = b"\xef\xbb\xbf"
_STEP = "strict"
_SNIPPET = 40
_AROUND_SAYS = (rule.COLUMNS, rule.BLANK_LINE, rule.CUT)
"""What is said of a header, leading or trailing record in its own words."""
_COMMON = (rule.EMPTY_FILE, rule.BLANK_LINE, rule.LINE_ENDS, rule.CUT, rule.BYTES, rule.NUL)


class Layout(Protocol):
    """What tells one format of records from another."""

    rules: Sequence[str]
    """Rules that only this format has."""
    dialect: Dialect
    width: int
    """Fields of a data record, as the structure has them."""
    marked: bool
    """Whether a byte order mark may stand before the first record."""

    def block(self, page: Page, block: Block) -> Iterable[tuple[int, Fault, bytes]]:
        """Give (row, fault, value) of what is wrong inside the regular records; faults count bytes from the page's first."""
        ...

    def record(self, records: Records, record: Record) -> Iterable[tuple[Fault, bytes]]:
        """Give (fault, value) of what is wrong inside one record whose structure may be wrong too."""
        ...

    def evident(self, records: Records, record: Record) -> bool:
        """Tell whether a last record without a line end shows that nothing is missing from it."""
        ...

    def names(self, records: Records, record: Record) -> tuple[str, ...]:
        """Give the names in a header."""
        ...

    def around(self, records: Records, record: Record, declared: Sequence[str]) -> tuple[str, ...]:
        """Give the fields of a leading or trailing record."""
        ...


@dataclass(frozen=True, slots=True)
class RecordGate:
    """The strict gate of one declared file of records. `block` is how many bytes are looked at at once."""

    columns: tuple[ColumnRule, ...]
    layout: Layout
    header: bool = False
    leading: tuple[str, ...] | None = None
    trailing: tuple[str, ...] | None = None
    block: int = BLOCK

    def scan(self, path: Path, progress: Progress | None = None) -> StrictReport:
        """Read the file once; see `StrictGate`."""
        with Window(path) as window:
            return _Pass(self, window).run(path, progress)

    def located(self, report: StrictReport, path: Path, records: Sequence[int]) -> list[tuple[int, int]]:
        """Do what `report.locate` does, for a file of the same bytes at another `path`."""
        known = report.locate
        return known.again(path, records) if isinstance(known, _Locate) else []


@dataclass(frozen=True, slots=True)
class _Locate:
    """Maps data records to (physical line, byte offset) by a second look at the file, from the marks of the first."""

    gate: RecordGate
    path: Path
    marks: Sequence[Place]
    line_end: bytes

    def __call__(self, records: Sequence[int]) -> list[tuple[int, int]]:
        return self.again(self.path, records)

    def again(self, path: Path, records: Sequence[int]) -> list[tuple[int, int]]:
        with Window(path) as window:
            return _Pass(self.gate, window).places(self.marks, self.line_end, records)


class _Pass:
    """One pass over one file."""

    def __init__(self, gate: RecordGate, window: Window) -> None:
        layout = gate.layout
        self._gate = gate
        self._window = window
        self._encoding = Encoding(layout.dialect.encoding)
        self._records = Records(window, layout.dialect)
        self._findings = Findings()
        self._line_end = b""
        self._longest = 0
        self._empty = False
        """Whether nothing stands in the file, which is said once."""
        self._shy = any(column.personal for column in gate.columns)
        self._walk = Walk(window, self._records, layout.dialect, self._encoding, layout.width, gate.block)
        self._walk.holds_back = gate.trailing is not None

    def run(self, path: Path, progress: Progress | None) -> StrictReport:
        if progress:
            progress.start(_STEP, self._window.size, "B")
        gate = self._gate
        start = Place(len(_BOM) if self._bom() else 0, 0, 1)
        self._empty = start.offset >= self._window.size
        if self._empty and (gate.header or gate.leading or gate.trailing):
            self._fault(Fault(rule.EMPTY_FILE, 0, -1, "the file is empty"), 0, lambda: 1)
        start, leading = self._around(start, rule.LEADING, gate.leading)
        start, header = self._header(start)
        if not self._line_end and start.offset < self._window.size:
            self._line_end = self._records.read(start.offset, gate.layout.width).line_end
        self._walk.crlf = self._line_end == b"\r\n"
        place = start = Place(start.offset, 1, start.line)
        trailing: tuple[str, ...] | None = None
        for stretch in self._walk.from_(start):
            if gate.trailing and stretch.last and stretch.block is None:
                _, trailing = self._around(stretch.place, rule.TRAILING, gate.trailing)
                place = stretch.place
            else:
                place = self._data(stretch)
            if progress:
                progress.advance(_STEP, stretch.length)
        if gate.trailing and trailing is None and not self._empty:
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
            longest=self._longest,
            line_end=self._line_end or b"\n",
            locate=_Locate(self._gate, path, self._walk.marks, self._line_end),
        )

    def places(
        self, marks: Sequence[Place], line_end: bytes, records: Sequence[int]
    ) -> list[tuple[int, int]]:
        self._walk.crlf = line_end == b"\r\n"
        self._walk.marks.extend(marks)
        return [self._walk.locate(record) for record in records]

    def _bom(self) -> bool:
        return (
            self._gate.layout.marked
            and self._encoding.name == "utf-8"
            and self._window.read(0, len(_BOM)) == _BOM
        )

    def _around(
        self, place: Place, name: str, declared: Sequence[str] | None
    ) -> tuple[Place, tuple[str, ...] | None]:
        """Read a leading or trailing record, if one is declared and there is one; give the place after it."""
        if declared is None or place.offset >= self._window.size:
            return place, None
        layout = self._gate.layout
        record = self._records.read(place.offset, 1 if layout.dialect.delimiter < 0 else len(declared))
        self._structure(record, place.record, lambda: place.line, without=_AROUND_SAYS)
        seen = layout.around(self._records, record, declared)
        for at, message in [] if record.broken else record_faults(seen, declared, shy=self._shy):
            offset = record.fields[at].start if 0 <= at < len(record.fields) else record.start
            self._fault(Fault(name, offset, -1, message), place.record, lambda: place.line)
        if not record.line_end and "{" in declared[-1]:
            self._cut(record, place.record, lambda: place.line)
        return self._after(place, record), seen

    def _header(self, place: Place) -> tuple[Place, tuple[str, ...]]:
        if not self._gate.header:
            return place, ()
        if place.offset >= self._window.size:
            if not self._empty:
                self._fault(Fault(rule.HEADER, place.offset, -1, "no header"), 0, lambda: place.line)
            return place, ()
        expected = [column.name for column in self._gate.columns]
        record = self._records.read(place.offset, self._gate.layout.width)
        self._structure(record, 0, lambda: place.line, without=_AROUND_SAYS)
        seen = self._gate.layout.names(self._records, record)
        for at, message in [] if record.broken else header_faults(seen, expected, shy=self._shy):
            offset = record.fields[min(at, len(record.fields) - 1)].start
            self._fault(Fault(rule.HEADER, offset, at, message), 0, lambda: place.line)
        return self._after(place, record), seen

    def _after(self, place: Place, record: Record) -> Place:
        self._line_end = self._line_end or record.line_end
        return Place(record.end, place.record, place.line + self._window.lines(record.start, record.end))

    def _data(self, stretch: Stretch) -> Place:
        """Judge the data records of a stretch in their order; give the place after it."""
        page, block, place = self._walk.page, stretch.block, stretch.place
        lexical = self._gate.layout.block(page, block) if block else []
        found = [(row, fault, value) for row, fault, value in lexical if row not in stretch.exact]
        todo: list[tuple[int, Fault | None, bytes]] = [*found, *((row, None, b"") for row in stretch.exact)]
        for row, fault, value in sorted(todo, key=lambda one: one[0]):
            line = partial(self._walk.line, stretch, row)
            if fault is None:
                self._record(stretch.exact[row], place.record + row, line)
            else:
                self._fault(fault, place.record + row, line, value, place.offset)
        longest = block.longest() if block else stretch.length
        self._longest = max(self._longest, longest)
        return stretch.after

    def _record(self, record: Record, number: int, line: Callable[[], int]) -> None:
        self._structure(record, number, line)
        lexical = 0
        for fault, value in self._gate.layout.record(self._records, record):
            self._fault(fault, number, line, value)
            lexical += fault.field in (-1, len(self._gate.columns) - 1)
        if record.line_end or record.broken or record.faults:
            return
        if lexical or not self._gate.layout.evident(self._records, record):
            self._cut(record, number, line)

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
                # Where structure or types are broken, a value may stand in another column than it belongs to.
                value=(MASK if self._shy else shown(value)) if value else "",
            )
        )

    def _rules(self) -> tuple[str, ...]:
        gate = self._gate
        around = ((rule.HEADER, gate.header), (rule.LEADING, gate.leading), (rule.TRAILING, gate.trailing))
        names = [*gate.layout.rules, *_COMMON, *(name for name, declared in around if declared)]
        return rules_of(names, gate.columns)


def _field_at(fields: Sequence[Field], offset: int) -> int:
    """Give the field (from 0) that holds the byte at `offset`, -1 for none."""
    return next((i for i, f in enumerate(fields) if f.start <= offset < f.end), -1)
