"""Where does one delimited record begin and end, byte for byte, and what is wrong with its structure?

The exact half of the CSV gate: slow, one record at a time, any length. What the vectorised half (blocks.py) does not
understand at once comes here, and this decides.

A record ends at a line end outside of quotes. One whose quoting is broken (a quote inside a plain field, text after a
closing quote, no closing quote, or several lines that make the wrong number of fields) ends at its first line end
instead, so that one stray quote does not hide the records after it.

Source: RFC 4180; a doubled quote inside quotes stands for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.contract.strict import findings as rule
from landbridge.counted import counted

if TYPE_CHECKING:
    from landbridge.contract.strict.window import Window

LF = 10
CR = 13
_MOST_EXTRA_FIELDS = 1000
LONGEST_VALUE = 1 << 24
"""Bytes of the longest value that is held to a form."""
_LINE_END = re.compile(b"\n")
_CR = re.compile(b"\r")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How fields and records are told apart.

    `delimiter` is -1 where a record is one field, its line; `quote` is -1 where nothing is quoted.
    """

    delimiter: int
    quote: int
    null: bytes
    encoding: str


@dataclass(frozen=True, slots=True)
class Field:
    """The bytes of one field, without its quotes."""

    start: int
    end: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a record itself; `field` counts from 0, -1 for the record as a whole."""

    rule: str
    offset: int
    field: int
    message: str


@dataclass(slots=True)
class Record:
    """One record: [start, end) with its line end; `fields` is empty when its quoting is broken."""

    start: int
    end: int = 0
    line_end: bytes = b""
    fields: list[Field] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    broken: bool = False
    text: bytes = b""
    """The bytes of a record that is one sound line; empty when they must be read again."""


class Records:
    """Reads records of one dialect from a window."""

    def __init__(self, window: Window, dialect: Dialect) -> None:
        self._window = window
        self._dialect = dialect
        quote = re.escape(bytes([dialect.quote])) if dialect.quote >= 0 else b""
        self._delimiter = bytes([dialect.delimiter]) if dialect.delimiter >= 0 else b""
        plain = b"[^%b\n%b]*+" % (re.escape(self._delimiter), quote)
        enclosed = b"(%b[^%b]*+(?:%b%b[^%b]*+)*+%b)|" % ((quote,) * 6) if quote else b""
        self._sound = re.compile(enclosed + plain)
        self._stop = re.compile(b"[" + re.escape(self._delimiter) + b"\n" + quote + b"]")
        self._quoted = (
            re.compile(b"[^%b]*+(?:%b%b[^%b]*+)*+" % (quote, quote, quote, quote)) if quote else None
        )

    def read(self, start: int, width: int) -> Record:
        """Read the record at `start` (before the end of the file), expecting `width` fields.

        A record with far too many fields ends at its first line end, unread.
        """
        simple = self._simple(start)
        if simple and len(simple.fields) <= width + _MOST_EXTRA_FIELDS:
            if len(simple.fields) != width or self._is_blank(simple):
                self._wrong_width(simple, width)
            return simple
        record = Record(start)
        at = start
        while not record.end and not record.broken:
            at = self._field(record, at)
            if len(record.fields) > width + _MOST_EXTRA_FIELDS:
                message = f"more than {len(record.fields) - 1} fields, expected {width}"
                record.faults.append(Fault(rule.COLUMNS, start, -1, message))
                record.broken = True
                self._resume(record)
                return record
        if not record.broken and (len(record.fields) != width or self._is_blank(record)):
            self._wrong_width(record, width)
        if record.broken:
            self._resume(record)
        return record

    def value(self, record: Record, found: Field) -> bytes:
        """Give the text of a field, doubled quotes made one; only the first 16 MiB of a longer one."""
        text = self._bytes(record, found.start, min(found.end, found.start + LONGEST_VALUE))
        if found.quoted:
            quote = bytes([self._dialect.quote])
            text = text.replace(quote + quote, quote)
        return text

    def is_null(self, record: Record, found: Field) -> bool:
        """Tell whether a field is the declared null text, unquoted."""
        null = self._dialect.null
        if found.quoted or found.end - found.start != len(null):
            return False
        return not null or self._bytes(record, found.start, found.end) == null

    def _bytes(self, record: Record, start: int, end: int) -> bytes:
        if record.text:
            return record.text[start - record.start : end - record.start]
        return self._window.read(start, end)

    def _simple(self, start: int) -> Record | None:
        """Read a record that is one line and sound; None for any other."""
        line = self._window.line(start)
        content = line[:-1].removesuffix(b"\r")
        if not line or b"\r" in content:
            return None
        record = Record(start, start + len(line), line[len(content) :], text=line)
        at = 0
        while found := self._sound.match(content, at):
            quoted = found.lastindex is not None
            record.fields.append(Field(start + found.start() + quoted, start + found.end() - quoted, quoted))
            at = found.end() + 1
            if at > len(content):
                return record
            if content[at - 1] != self._dialect.delimiter:
                return None
        return None

    def _field(self, record: Record, at: int) -> int:
        if self._quoted and self._window.byte(at) == self._dialect.quote:
            return self._quoted_field(record, at, self._quoted)
        return self._plain_field(record, at)

    def _plain_field(self, record: Record, start: int) -> int:
        at = self._window.find(self._stop, start)
        stop = self._window.byte(at)
        if stop == self._dialect.quote and stop >= 0:
            record.faults.append(
                Fault(rule.QUOTES, at, len(record.fields), "a quote inside a field that is not quoted")
            )
            record.broken = True
            return at
        end = at
        if stop == LF and at > start and self._window.byte(at - 1) == CR:
            end = at - 1
        lone = self._window.find(_CR, start, end)
        if lone < end:
            record.faults.append(
                Fault(rule.LINE_ENDS, lone, len(record.fields), "a carriage return without a line feed")
            )
        record.fields.append(Field(start, end, quoted=False))
        return self._after(record, end)

    def _quoted_field(self, record: Record, opening: int, content: re.Pattern[bytes]) -> int:
        quote = self._dialect.quote
        at = self._window.skip(content, opening + 1)
        while self._window.byte(at) == quote and self._window.byte(at + 1) == quote:
            at = self._window.skip(content, at + 2)
        if at >= self._window.size:
            message = "a quoted field that is never closed"
            record.faults.append(Fault(rule.QUOTES, opening, len(record.fields), message))
            record.broken = True
            return at
        after = self._window.byte(at + 1)
        if after in (self._dialect.delimiter, LF, -1) or (after == CR and self._window.byte(at + 2) == LF):
            record.fields.append(Field(opening + 1, at, quoted=True))
            return self._after(record, at + 1)
        if self._window.find(_LINE_END, opening) < at:
            fault = Fault(
                rule.QUOTES, opening, len(record.fields), "a quoted field that is not closed on its line"
            )
        else:
            fault = Fault(rule.QUOTES, at + 1, len(record.fields), "text after a closing quote")
        record.faults.append(fault)
        record.broken = True
        return at

    def _after(self, record: Record, end: int) -> int:
        """Step over what ends a field: a delimiter, or the line end that closes the record."""
        stop = self._window.byte(end)
        if stop == self._dialect.delimiter and stop >= 0:
            return end + 1
        record.line_end = {LF: b"\n", CR: b"\r\n"}.get(stop, b"")
        record.end = end + len(record.line_end)
        return record.end

    def _is_blank(self, record: Record) -> bool:
        """Tell whether a delimited record has nothing on its line. Readers pass over it, so it is no null of a file with one column either."""
        return (
            self._dialect.delimiter >= 0 and len(record.fields) == 1 and record.fields[0].end == record.start
        )

    def _wrong_width(self, record: Record, width: int) -> None:
        content = record.end - len(record.line_end)
        if self._is_blank(record):
            record.faults.append(Fault(rule.BLANK_LINE, record.start, -1, "a blank line"))
        elif self._window.find(_LINE_END, record.start) < content:
            last = next(f for f in record.fields if f.quoted and self._window.lines(f.start, f.end))
            message = f"a quoted field that is not closed on its line ({counted(len(record.fields), 'field')}, expected {width})"
            record.faults.append(Fault(rule.QUOTES, last.start - 1, record.fields.index(last), message))
            record.broken = True
        else:
            message = f"{counted(len(record.fields), 'field')}, expected {width}"
            cut = not record.line_end and len(record.fields) < width
            broken = (
                Fault(rule.CUT, content, -1, "the file ends inside a record: " + message)
                if cut
                else Fault(rule.COLUMNS, content, -1, message)
            )
            record.faults.append(broken)

    def _resume(self, record: Record) -> None:
        """End a broken record at its first line end."""
        line_end = self._window.find(_LINE_END, record.start)
        record.fields = []
        record.end = min(line_end + 1, self._window.size)
        crlf = line_end > record.start and self._window.byte(line_end - 1) == CR
        record.line_end = b"" if line_end >= self._window.size else b"\r\n" if crlf else b"\n"
