"""What do both halves of the gate know of a column, and what does the strict half promise to the other?

The strict half owns structure and lexical form; the query owns everything that needs values of other rows or a
comparison (required, ranges, patterns, sets, keys, counts, SQL). `required` and `personal` travel with the column
because both halves mask, and both count; only the query judges `required`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from landbridge.facts import Defect
    from landbridge.ports import Progress

Kind = Literal["string", "integer", "decimal", "float", "boolean", "date", "time", "timestamp", "binary"]

MOST_DEFECTS = 20
"""First defects kept of each rule."""

MASK = "***"
"""What stands for a value of a personal column, wherever a value would be shown."""


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """One column of the file, in the file's order.

    Lexical form of a value in CSV, fixed width, and as a JSON string or number:
    string: any text. integer: `-?[0-9]+` within `bits`. decimal: `-?[0-9]+([.][0-9]+)?`, at most `scale` digits after
    the point and `precision - scale` before it. float: as decimal, or with an exponent; neither NaN nor infinity.
    boolean: `true` or `false`. date: `2026-11-20`. time: `10:00:00` with up to six digits of a fraction.
    timestamp: date, `T`, time; with `Z` or `+01:00` after it exactly when `zoned`. binary: base64 (RFC 4648, padded).
    Where `format` is set, `form` says the form of a date, time or timestamp instead.
    Calendar dates and clock times must exist (no 30 February, no 24:00:00).
    """

    name: str
    """As the file spells it: header of a CSV, key of a JSON object, column of a Parquet file."""
    kind: Kind
    precision: int = 38
    """Digits of a decimal, all together."""
    scale: int = 0
    """Digits of a decimal after the point."""
    bits: Literal[8, 16, 32, 64, 128] = 64
    """Size of an integer; 32 or 64 of a float."""
    signed: bool = True
    zoned: bool = False
    """Whether a timestamp tells its zone."""
    format: str = ""
    """Form of a date, time or timestamp in the letters of Java's DateTimeFormatter; empty for ISO 8601."""
    form: tuple[Part, ...] = ()
    """`format`, taken apart."""
    required: bool = False
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a date, time or timestamp: so many characters of one field, or literal text."""

    letter: Literal["y", "M", "d", "H", "m", "s", "S", "X", ""]
    """Year, month, day, hour (0-23), minute, second, fraction, zone (`Z` or `+01:00`, always last); empty for literal text."""
    width: int
    """Characters; 0 for the zone, which has one or six."""
    literal: str = ""


_WIDTHS = {
    "y": (4,),
    "M": (2,),
    "d": (2,),
    "H": (2,),
    "m": (2,),
    "s": (2,),
    "S": (1, 2, 3, 4, 5, 6),
    "X": (3,),
}
_PIECES = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|(?P<plain>[^A-Za-z'\[\]{}#]+)")


def parts_of(pattern: str) -> tuple[Part, ...]:
    """Take a pattern such as `dd/MM/yyyy HH:mm:ss.SSS` apart: digits of fixed width, literal text, zone `XXX` last.

    Raises:
        ValueError: a letter, width or order that is not supported; the message names it.

    Source: java.time.format.DateTimeFormatter, "Patterns for Formatting and Parsing".
    """
    parts: list[Part] = []
    at = 0
    while at < len(pattern):
        found = _PIECES.match(pattern, at)
        if found is None:
            message = f"`{pattern[at]}` of the date format `{pattern}` is not supported"
            raise ValueError(message)
        parts.append(_part(found, pattern))
        at = found.end()
    letters = [part.letter for part in parts if part.letter]
    if len(letters) != len(set(letters)) or "X" in letters[:-1] or not letters or not _complete(letters):
        message = f"the date format `{pattern}` must name each field once, without gaps, and a zone last"
        raise ValueError(message)
    return tuple(parts)


def _part(found: re.Match[str], pattern: str) -> Part:
    quoted, letters, plain = found.group("quoted"), found.group("letters"), found.group("plain")
    if letters is None:
        text = plain if quoted is None else (quoted.replace("''", "'") or "'")
        return Part("", len(text), text)
    letter = "y" if letters[0] == "u" else letters[0]
    if len(letters) not in _WIDTHS.get(letter, ()):
        message = f"`{letters}` of the date format `{pattern}` is not supported"
        raise ValueError(message)
    return Part(letter, 0 if letter == "X" else len(letters))  # type: ignore[arg-type]  # a key of _WIDTHS


def _complete(letters: Sequence[str]) -> bool:
    """Tell whether a day is a whole day (or absent) and a clock time has no finer field without the coarser."""
    day = {"y", "M", "d"} & set(letters)
    clock = [letter for letter in "HmsS" if letter in letters]
    return day in (set(), {"y", "M", "d"}) and clock == list("HmsS"[: len(clock)])


@dataclass(frozen=True, slots=True)
class StrictReport:
    """What the strict half saw. Records, lines and offsets count as in `facts.Defect`."""

    rows: int
    """Data records, without header, leading and trailing ones."""
    header: tuple[str, ...]
    """Names as the file spells them; empty where the format has no header."""
    defects: Mapping[str, int]
    """How often each rule was broken; a rule that held may be absent. Empty for a sound file."""
    first: tuple[Defect, ...]
    """The first `MOST_DEFECTS` defects of each rule, in the order of the file."""
    rules: tuple[str, ...] = ()
    """Every rule that was looked at, so that a report can list those that held."""
    leading: tuple[str, ...] | None = None
    """Fields of the leading record, unquoted; None when none is declared."""
    trailing: tuple[str, ...] | None = None
    """Fields of the trailing record, unquoted; None when none is declared."""
    data: tuple[int, int] = (0, 0)
    """First byte of the first data record, and the byte after the last (its line end included)."""
    longest: int = 0
    """Bytes of the longest data record, so that the query can be given buffers that hold it."""
    line_end: bytes = b"\n"
    """Of every record that has one, so that the query need not guess it from the first: that may hold another one in quotes."""
    locate: Callable[[Sequence[int]], list[tuple[int, int]]] = field(default=lambda _: [])
    """Map ascending data records (from 1) to (physical line, byte offset) of their first byte, by a second pass over the file.
    A format without lines gives (0, -1)."""


class StrictGate(Protocol):
    """Reads the bytes once, front to back, in bounded memory, and believes nothing.

    `landbridge.contract.strict.strict_gate(file: outputs.File, columns: Sequence[ColumnRule]) -> StrictGate` makes one
    for CSV, fixed width and JSONL. (Parquet has no lexical form; its schema is the query's business.)
    """

    def scan(self, path: Path, progress: Progress | None = None) -> StrictReport:
        """Read the whole file at `path`, already decompressed, in its declared encoding.

        A defect never ends the pass early; after one that hides the structure (an unclosed quote) later
        records may be wrong, the counts up to it are not.

        Raises:
            DiskFailed: the file cannot be read.
        """
        ...
