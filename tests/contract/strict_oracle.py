"""What does a strict reading of a CSV file find, byte by byte and as plainly as it can be said?

Slow and whole-in-memory on purpose: the oracle that the gate must agree with. It covers UTF-8 and the plain kinds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from landbridge.contract.columns import ColumnRule

Seen = tuple[str, int, int, int, str]
"""(rule, record, line, offset, column)."""


@dataclass
class _Record:
    start: int
    end: int
    fields: list[tuple[int, bytes, bool]]
    """(offset of the text, text, quoted)."""
    wrong: list[tuple[str, int, int]]
    """(rule, offset, field)."""
    line_end: bytes


def read(
    text: bytes, columns: Sequence[ColumnRule], *, delimiter: int = 44, null: bytes = b""
) -> tuple[int, list[Seen]]:
    """Give the number of data records and everything that is wrong, in the order of the file."""
    at = 3 if text.startswith(b"\xef\xbb\xbf") else 0
    if at == len(text):
        return 0, [("structure.empty_file", 0, 1, 0, "")]
    found: list[Seen] = []
    style = b""
    number, line = 0, 1
    while at < len(text):
        record = _record(text, at, len(columns), delimiter)
        style = style or record.line_end
        wrong = [w for w in record.wrong if number or w[0] not in _HEADER_SAYS]
        wrong += _bytes_wrong(text, record)
        if record.line_end and record.line_end != style:
            wrong.append(("structure.line_ends", record.end - len(record.line_end), -1))
        if number:
            wrong += _values_wrong(record, columns, null)
            broken = not record.fields
            if not record.line_end and not broken and not record.wrong and not _whole(record, columns, null):
                wrong.append(("structure.cut", record.end, -1))
        elif record.fields:
            wrong += _header_wrong(record, [column.name for column in columns])
        for rule, offset, field in wrong:
            index = field if field >= 0 else _field_at(record, offset)
            name = columns[index].name if 0 <= index < len(columns) else ""
            found.append((rule, number, line, offset, name if rule != "header" else ""))
        line += text.count(b"\n", record.start, record.end)
        number += 1
        at = record.end
    return number - 1, sorted(found, key=lambda one: (one[1], one[3], one[0]))


_HEADER_SAYS = ("structure.columns", "structure.blank_line", "structure.cut")


def _record(text: bytes, start: int, width: int, delimiter: int) -> _Record:  # noqa: C901, PLR0912 # in one piece, to be compared with the rules
    fields: list[tuple[int, bytes, bool]] = []
    wrong: list[tuple[str, int, int]] = []
    at = start
    while True:
        if text[at : at + 1] == b'"':
            value, after, fault = _quoted(text, at)
            if value is None:
                return _broken(text, start, fault, len(fields), wrong)
            fields.append((at + 1, value, True))
        else:
            after = at
            while after < len(text) and text[after] not in (delimiter, 10):
                if text[after] == 34:
                    return _broken(text, start, after, len(fields), wrong)
                after += 1
            if text[after : after + 1] == b"\n" and after > at and text[after - 1] == 13:
                after -= 1
            if b"\r" in text[at:after]:
                wrong.append(("structure.line_ends", text.index(b"\r", at), len(fields)))
            fields.append((at, text[at:after], False))
        if after < len(text) and text[after] == delimiter:
            at = after + 1
            continue
        break
    line_end = b"" if after == len(text) else b"\n" if text[after] == 10 else b"\r\n"
    end = after + len(line_end)
    if len(fields) != width:
        if after == start:
            wrong.append(("structure.blank_line", start, -1))
        elif b"\n" in text[start:after]:
            index = next(i for i, f in enumerate(fields) if b"\n" in f[1])
            return _broken(text, start, fields[index][0] - 1, index, wrong)
        elif not line_end and len(fields) < width:
            wrong.append(("structure.cut", after, -1))
        else:
            wrong.append(("structure.columns", after, -1))
    return _Record(start, end, fields, wrong, line_end)


def _quoted(text: bytes, opening: int) -> tuple[bytes | None, int, int]:
    """Give (value, byte after the closing quote, -), or (None, -, offset of what is wrong)."""
    value = b""
    at = opening + 1
    while at < len(text):
        if text[at] != 34:
            value += text[at : at + 1]
            at += 1
        elif text[at + 1 : at + 2] == b'"':
            value += b'"'
            at += 2
        elif text[at + 1 : at + 2] in (b",", b";", b"\n", b"") or text[at + 1 : at + 3] == b"\r\n":
            return value, at + 1, -1
        else:
            return None, -1, opening if b"\n" in text[opening:at] else at + 1
    return None, -1, opening


def _broken(
    text: bytes, start: int, offset: int, field: int, before: Sequence[tuple[str, int, int]] = ()
) -> _Record:
    line_feed = text.find(b"\n", start)
    end = len(text) if line_feed < 0 else line_feed + 1
    crlf = text[max(start, end - 2) : end] == b"\r\n"
    line_end = b"" if line_feed < 0 else b"\r\n" if crlf else b"\n"
    return _Record(start, end, [], [*before, ("structure.quotes", offset, field)], line_end)


def _bytes_wrong(text: bytes, record: _Record) -> list[tuple[str, int, int]]:
    part = text[record.start : record.end]
    wrong = []
    if b"\0" in part:
        wrong.append(("encoding.nul", record.start + part.index(b"\0"), -1))
    try:
        part.decode()
    except UnicodeDecodeError as error:
        wrong.append(("encoding.bytes", record.start + error.start, -1))
    return wrong


def _field_at(record: _Record, offset: int) -> int:
    for index, (start, value, quoted) in enumerate(record.fields):
        length = len(value) + (value.count(b'"') if quoted else 0)
        if start <= offset < start + length:
            return index
    return -1


def _header_wrong(record: _Record, expected: list[str]) -> list[tuple[str, int, int]]:
    seen = [value.decode("utf-8", "replace") for _, value, _ in record.fields]
    return [] if seen == expected else [("header", -1, -1)]


def _values_wrong(record: _Record, columns: Sequence[ColumnRule], null: bytes) -> list[tuple[str, int, int]]:
    if len(record.fields) != len(columns):
        return []
    return [
        (f"type.{column.name}", offset, index)
        for index, ((offset, value, quoted), column) in enumerate(zip(record.fields, columns, strict=True))
        if (quoted or value != null) and not well_formed(value, column)
    ]


def _whole(record: _Record, columns: Sequence[ColumnRule], null: bytes) -> bool:
    _, value, quoted = record.fields[-1]
    if not quoted and (value == null or columns[-1].kind not in ("date", "boolean")):
        return False
    return (not quoted and value == null) or well_formed(value, columns[-1])


def well_formed(value: bytes, column: ColumnRule) -> bool:
    """Tell whether a value has the lexical form of its column, by Python's own types."""
    text = value.decode("latin-1")
    match column.kind:
        case "integer":
            bits = column.bits - 1
            return bool(re.fullmatch(r"-?[0-9]+", text)) and -(2**bits) <= int(text) < 2**bits
        case "decimal":
            if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
                return False
            exponent = Decimal(text).as_tuple().exponent
            whole = abs(int(Decimal(text)))
            return -int(exponent) <= column.scale and whole < 10 ** (column.precision - column.scale)
        case "boolean":
            return text in ("true", "false")
        case "date":
            return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and _exists(text)
        case _:
            return True


def _exists(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
