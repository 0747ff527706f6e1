"""Which of these many values surely are dates, times or timestamps of their column's form?

Each form of fixed width becomes a few words of expected characters with the greatest value allowed at each; then the
day is looked up in a table of 65,536 (month and day as four decimal digits), and hour 24 to 29 is left out. A zone's
five spellings make five forms. 29 February and the year 0000 are left to moments.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.strict.moments import variants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landbridge.contract.columns import ColumnRule, Part
    from landbridge.contract.strict.page import Flags, Page, Positions, Words

_TOP = np.uint64(0x8080808080808080)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NINE = 9
_GREATEST_TENS = {"M": 1, "d": 3, "H": 2, "m": 5, "s": 5}
_ZONES = (
    (b"Z", (0,)),
    *((sign + b"00:00", (0, 0, 9, 0, 5, 9)) for sign in (b"+", b"-")),
    *((sign + b"10:00", (0, 0, 5, 0, 5, 9)) for sign in (b"+", b"-")),
)
"""Spellings of a zone, and how far each character may go beyond the one that is written."""
_WORD = 8


@dataclass(frozen=True, slots=True)
class _Word:
    """Eight characters of a form: they begin at `base`, which is below 0 in a form of fewer than eight."""

    base: int
    expected: np.uint64
    slack: np.uint64
    cut: np.uint64
    """Bits before the form's first character."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """A form of fixed width, as words to compare with."""

    length: int
    words: tuple[_Word, ...]
    month: int
    """Place of the month's first character, -1 where the form has none; so for day, hour and year."""
    day: int
    hour: int
    year: int


def moments(rule: ColumnRule, encoding: str) -> Callable[[Page, Positions, Positions], Flags]:
    """Make the check of one column of dates, times or timestamps."""
    shapes = [shape for form in variants(rule) for shape in _shapes(form, encoding)]

    def accept(page: Page, starts: Positions, ends: Positions) -> Flags:
        lengths = ends - starts
        shortest, longest = int(lengths.min(initial=0)), int(lengths.max(initial=0))
        if starts.size and shortest == longest:
            well: Flags = np.zeros(len(starts), np.bool_)
            for shape in shapes:
                if shape.length == longest:
                    well |= _fits(shape, page, starts)
            return well
        well = np.zeros(len(starts), np.bool_)
        for shape in shapes:
            if shape.length <= longest:
                chosen = np.flatnonzero((lengths == shape.length) & ~well)
                if chosen.size:
                    well[chosen] = _fits(shape, page, starts[chosen])
        return well

    return accept


def _fits(shape: _Shape, page: Page, starts: Positions) -> Flags:
    wrong: Words = np.zeros(len(starts), np.uint64)
    seen: list[Words] = []
    for word in shape.words:
        bits = page.starting(word.base)[starts]
        bits ^= word.expected
        if word.cut:
            bits >>= word.cut
        seen.append(bits)
        wrong |= bits
        wrong |= bits + word.slack
    well: Flags = (wrong & _TOP) == 0
    if shape.day >= 0:
        well &= _calendar()[_month_and_day(shape, seen)]
        well &= _year(shape, seen)
    if shape.hour >= 0:
        well &= _two(shape, seen, shape.hour) < 0x24  # noqa: PLR2004 # hours, as two decimal digits
    return well


def _month_and_day(shape: _Shape, seen: Sequence[Words]) -> Words:
    """Give the four digits of month and day, four bits each (in the order of the calendar). Nonsense where they are no digits."""
    month, day = (_two(shape, seen, at) for at in (shape.month, shape.day))
    month <<= np.uint64(8)
    month |= day
    return month


def _year(shape: _Shape, seen: Sequence[Words]) -> Flags:
    """Tell where the year is not 0000."""
    for word, bits in zip(shape.words, seen, strict=True):
        inside = shape.year - max(word.base, 0)
        if 0 <= inside <= _WORD - 4:
            digits = bits & np.uint64(0xFFFFFFFF << (8 * inside))
            break
    else:
        digits = _two(shape, seen, shape.year) | _two(shape, seen, shape.year + 2)
    some: Flags = digits != 0
    return some


def _two(shape: _Shape, seen: Sequence[Words], at: int) -> Words:
    """Give the two digits at `at`, the tens in the upper four bits of a byte. Nonsense where they are no digits."""
    for word, bits in zip(shape.words, seen, strict=True):
        inside = at - max(word.base, 0)
        if 0 <= inside <= _WORD - 2:
            units = bits >> np.uint64(8 * inside + 8)
            tens = bits >> np.uint64(8 * inside - 4) if inside else bits << np.uint64(4)
            tens |= units
            tens &= np.uint64(0xFF)
            return tens
    tens, units = (_one(shape, seen, at + k) for k in (0, 1))
    return ((tens << np.uint64(4)) | units) & np.uint64(0xFF)


def _one(shape: _Shape, seen: Sequence[Words], at: int) -> Words:
    word, bits = next(
        (w, b) for w, b in zip(shape.words, seen, strict=True) if 0 <= at - max(w.base, 0) < _WORD
    )
    return (bits >> np.uint64(8 * (at - max(word.base, 0)))) & np.uint64(0xFF)


@cache
def _calendar() -> Flags:
    """Month and day as four decimal digits of four bits -> whether every year has that day."""
    table = np.zeros(1 << 16, np.bool_)
    for month, days in enumerate(_DAYS, start=1):
        for day in range(1, days + 1):
            table[int(f"{month:02d}{day:02d}", 16)] = True
    return table


def _shapes(form: tuple[Part, ...], encoding: str) -> list[_Shape]:
    zones = _ZONES if form and form[-1].letter == "X" else ((b"", ()),)
    return [_shape(form, zone, most, encoding) for zone, most in zones]


def _shape(form: tuple[Part, ...], zone: bytes, zone_most: Sequence[int], encoding: str) -> _Shape:
    text = b""
    most: list[int] = []
    places = {"M": -1, "d": -1, "H": -1, "y": -1}
    for part in form:
        places[part.letter] = len(text)
        if part.letter == "X":
            continue
        if part.letter:
            text += b"0" * part.width
            most += [_GREATEST_TENS.get(part.letter, _NINE), *[_NINE] * (part.width - 1)]
        else:
            literal = part.literal.encode(encoding)
            text += literal
            most += [0] * len(literal)
    text += zone
    most += zone_most
    length = len(text)
    bases = [*range(0, length - _WORD, _WORD), length - _WORD]
    words = tuple(_word(text, most, base) for base in bases)
    return _Shape(length, words, places["M"], places["d"], places["H"], places["y"])


def _word(text: bytes, most: Sequence[int], base: int) -> _Word:
    cut = max(0, -base)
    shown = text[max(base, 0) : base + _WORD]
    slack = bytes(0x7F - most[max(base, 0) + i] for i in range(len(shown))) + bytes(cut)
    return _Word(
        base,
        np.uint64(int.from_bytes(bytes(cut) + shown, "little")),
        np.uint64(int.from_bytes(slack, "little")),
        np.uint64(8 * cut),
    )
