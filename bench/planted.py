"""Which 34 defects does a strict reader refuse, which 7 oddities does it accept, and where is each planted?

One valid CSV file of 42,000 records; each case changes it in one place, most of them at record 40,000. Record 10 holds
a quoted line break, so that a physical line is not a record number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from landbridge.contract.columns import ColumnRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 42_000
DEEP = 40_000
_EXTRA_LINES = 1
"""Line breaks inside record 10."""

COLUMNS = (
    ColumnRule("id", "integer"),
    ColumnRule("account", "integer"),
    ColumnRule("amount", "decimal", precision=15, scale=2),
    ColumnRule("rate", "float"),
    ColumnRule("flag", "string"),
    ColumnRule("opened", "date"),
    ColumnRule("note", "string"),
)
HEADER = b"id,account,amount,rate,flag,opened,note\n"


@dataclass(frozen=True, slots=True)
class Planted:
    """One case: the file, and the record and line that a reader should name (0 where any will do)."""

    name: str
    defect: bool
    make: Callable[[], bytes]
    record: int = 0
    line: int = 0


def cases() -> Iterator[Planted]:
    """Give the 34 defects, then the 7 oddities."""
    for name, column, value in _VALUES:
        yield _at(name, lambda row, c=column, v=value: _with(row, c, v))  # type: ignore[misc]  # bound at once
    yield _at("text in a number, last line", lambda row: _with(row, 2, b"ten"), ROWS)
    yield _at("unclosed quote, last line", lambda row: _with(row, 6, b'"never closed'), ROWS)
    yield _at("truncated last line", lambda row: row[: row.index(b",", 20)], ROWS)
    yield _at("too few columns", lambda row: b",".join(row.split(b",")[:5]) + b"\n")
    yield _at("too many columns", lambda row: row[:-1] + b",more\n")
    yield _at("extra empty column", lambda row: row[:-1] + b",\n")
    yield _at("mixed line ends", lambda row: row[:-1] + b"\r\n")
    yield _at("blank line", lambda _: b"\n")
    yield Planted("empty file", defect=True, make=bytes, line=1)
    for name, header in (
        ("header missing", b""),
        ("header renamed", HEADER.replace(b"amount", b"sum")),
        ("header re-ordered", HEADER.replace(b"id,account", b"account,id")),
        ("header duplicated", HEADER.replace(b"account", b"id")),
    ):
        yield Planted(name, True, lambda h=header: h + _body(), 0, 1)  # type: ignore[misc]  # noqa: FBT003 # bound at once
    yield _odd("byte order mark", lambda: b"\xef\xbb\xbf" + HEADER + _body())
    yield _odd("CRLF throughout", lambda: (HEADER + _body()).replace(b"\n", b"\r\n"))
    yield _odd("field of 1 MB", lambda: _changed(DEEP, lambda row: _with(row, 6, b"x" * 1_000_000)))
    yield _odd("field of 40 MB", lambda: _changed(DEEP, lambda row: _with(row, 6, b"x" * 40_000_000)))
    yield _odd(
        "quoted delimiters and line ends",
        lambda: _changed(DEEP, lambda row: _with(row, 6, b'"one, two,\nthree\r\nfour"')),
    )
    yield _odd("doubled quotes", lambda: _changed(DEEP, lambda row: _with(row, 6, b'"say ""yes"", """""')))
    yield _odd(
        "characters of four bytes", lambda: _changed(DEEP, lambda row: _with(row, 6, "🚢 🌉 ü €".encode()))
    )


_VALUES = (
    ("bare quote", 6, b'ab"c'),
    ("text after a closing quote", 6, b'"quoted"text'),
    ("unclosed quote, middle", 6, b'"never closed'),
    ("invalid UTF-8", 6, b"caf\xe9 au lait"),
    ("overlong UTF-8", 6, b"a\xc0\xafb"),
    ("lone CR", 6, b"one\rtwo"),
    ("NUL in text", 6, b"one\0two"),
    ("NUL in a number", 1, b"10\x0000"),
    ("huge integer", 1, b"99999999999999999999"),
    ("fraction in an integer", 1, b"40000.7"),
    ("impossible date", 5, b"2026-02-30"),
    ("re-ordered date", 5, b"14-03-2026"),
    ("decimal with too many places", 2, b"1.005"),
    ("decimal overflow", 2, b"12345678901234.00"),
    ("NaN", 3, b"NaN"),
    ("infinity", 3, b"inf"),
    ("hexadecimal", 1, b"0x1F"),
    ("underscores", 1, b"40_000"),
    ("exponent", 1, b"1e3"),
    ("space before a number", 1, b" 40000"),
    ("space after a number", 1, b"40000 "),
)


@cache
def _rows() -> tuple[bytes, ...]:
    """Give the valid records, line end included."""
    rows = [
        b'%d,%d,%d.%02d,%d.5,%b,2026-%02d-%02d,"note %d, quoted"\n'
        % (n, 10**9 + n, n, n % 100, n % 7, b"ABC"[n % 3 : n % 3 + 1], n % 12 + 1, n % 28 + 1, n)
        for n in range(1, ROWS + 1)
    ]
    rows[9] = _with(rows[9], 6, b'"two\nlines"')
    return tuple(rows)


@cache
def _body() -> bytes:
    return b"".join(_rows())


def _with(row: bytes, column: int, value: bytes) -> bytes:
    """Put `value` in the place of a field; only the last field of a valid record is quoted."""
    fields = row[:-1].split(b",", len(COLUMNS) - 1)
    fields[column] = value
    return b",".join(fields) + b"\n"


def _changed(record: int, change: Callable[[bytes], bytes]) -> bytes:
    rows = _rows()
    return HEADER + b"".join(rows[: record - 1]) + change(rows[record - 1]) + b"".join(rows[record:])


def _at(name: str, change: Callable[[bytes], bytes], record: int = DEEP) -> Planted:
    return Planted(
        name,
        defect=True,
        make=lambda: _changed(record, change),
        record=record,
        line=record + 1 + _EXTRA_LINES,
    )


def _odd(name: str, make: Callable[[], bytes]) -> Planted:
    return Planted(name, defect=False, make=make)
