"""Which of these many values surely have their column's lexical form?

The fast twin of lexical.py: eight bytes of a value make one machine word, and one word operation judges eight
characters of every row. A value that is not accepted here is only not sure: lexical.py decides. Nothing is accepted
here that lexical.py refuses (a property test holds the two together).

The trick: a word XOR the word of what is expected ("0" where a digit stands) leaves 0 to 9 where a digit stands and 0
where a literal stands. Adding 0x7F minus the greatest allowed value sets the top bit of every byte that is above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from landbridge.contract.strict.lexical import bounds
from landbridge.contract.strict.vector_moments import moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.page import Flags, Page, Positions, Words

    Accept = Callable[[Page, Positions, Positions], Flags]
    """(page, starts, ends) -> which of the values [start, end) are surely well formed. Quotes are already left out."""

_TOP = np.uint64(0x8080808080808080)
_LOW7 = np.uint64(0x7F7F7F7F7F7F7F7F)
_DOT = 0x1E1E1E1E1E1E1E1E
_MOST_WORDS = 5
"""Words of the longest number that is judged here: 40 characters."""
_FLOAT_WORDS = 3


def acceptor(rule: ColumnRule, encoding: str = "utf-8") -> Accept | None:
    """Make the check of one column; None for text, which has no form."""
    match rule.kind:
        case "string":
            return None
        case "integer":
            return _integers(rule)
        case "decimal":
            return _decimals(rule)
        case "float":
            return _floats
        case "boolean":
            return _booleans
        case "date" | "time" | "timestamp":
            return moments(rule, encoding)
        case "binary":
            return lambda _page, starts, _ends: np.zeros(len(starts), np.bool_)
        case _ as never:
            assert_never(never)


def _unsigned(page: Page, starts: Positions, ends: Positions) -> tuple[Positions, Flags]:
    """Give the lengths without a leading minus sign, and where there was one."""
    minus = page.bytes[starts] == ord("-")
    lengths = ends - starts
    if minus.any():
        lengths -= minus
    return lengths, minus


def _digits(page: Page, ends: Positions, lengths: Positions, point: int = 0) -> Flags:
    """Tell where the `lengths` characters before `ends` are digits, with a point before the last `point` of them if any.

    Of more than 40 characters the last 40: no number that a column can hold is longer, so both callers refuse it by its length.
    """
    longest = int(lengths.max(initial=0))
    wrong = _wrong_digits(page.ending(0)[ends], lengths, longest, 0, point)
    for k in range(1, min(_MOST_WORDS, (longest + 7) // 8)):
        reached = np.flatnonzero(lengths > 8 * k)
        word = page.ending(k)[ends[reached]]
        wrong[reached] |= _wrong_digits(word, lengths[reached], longest, k, point)
    return ~wrong


def _wrong_digits(word: Words, lengths: Positions, longest: int, k: int, point: int) -> Flags:
    """Tell where the k-th word from the end of a number is not what it must be; `word` is used up."""
    expected, slack = _number_word(k, point)
    word ^= expected
    over = _over(word, slack)
    shift = 8 * (k + 1) - lengths
    if longest > 8 * (k + 1):
        shift = np.maximum(shift, 0)
    over >>= (shift << 3).view(np.uint64)  # what stands before the number does not count
    wrong: Flags = over != 0
    return wrong


def _over(word: Words, slack: np.uint64) -> Words:
    """Set the top bit of each byte that is above 0x7F minus its slack (and maybe, which only costs time, of one after it)."""
    over = word + slack
    over |= word
    over &= _TOP
    return over


def _number_word(k: int, point: int) -> tuple[np.uint64, np.uint64]:
    """Give the k-th word from the end of a number (expected characters, slack), a point before its last `point` digits."""
    expected, slack = bytearray(b"0" * 8), bytearray([0x7F - 9] * 8)
    at = 7 - point + 8 * k
    if point and 0 <= at < 8:  # noqa: PLR2004 # bytes of a word
        expected[at], slack[at] = ord("."), 0x7F
    return np.uint64(int.from_bytes(expected, "little")), np.uint64(int.from_bytes(slack, "little"))


def _integers(rule: ColumnRule) -> Accept:
    greatest = str(bounds(rule)[1])
    longest, first = len(greatest), ord(greatest[0])

    def accept(page: Page, starts: Positions, ends: Positions) -> Flags:
        lengths, minus = _unsigned(page, starts, ends)
        well = _digits(page, ends, lengths)
        well &= lengths >= 1
        if lengths.max(initial=0) >= longest:
            # as many digits as the greatest value has: sure only when the first one is lower
            well &= (lengths < longest) | ((lengths == longest) & (page.bytes[starts + minus] < first))
        if not rule.signed:
            well &= ~minus
        return well

    return accept


def _decimals(rule: ColumnRule) -> Accept:
    most = rule.precision - rule.scale
    points = [rule.scale, 0, *range(rule.scale - 1, 0, -1)] if rule.scale else [0]

    def accept(page: Page, starts: Positions, ends: Positions) -> Flags:
        well: Flags = np.zeros(len(starts), np.bool_)
        lengths, minus = _unsigned(page, starts, ends)
        rest: Positions | slice = slice(None)
        for point in points:
            whole = lengths[rest] - (point + 1 if point else 0)
            found = _digits(page, ends[rest], lengths[rest], point)
            found &= whole >= 1
            if most:
                found &= whole <= most
            else:
                # no digit may stand before the point, but for the zero that is written there
                found &= (whole == 1) & (page.bytes[starts[rest] + minus[rest]] == ord("0"))
            well[rest] = found
            if found.all():
                break
            rest = np.flatnonzero(~well)
        return well

    return accept


def _floats(page: Page, starts: Positions, ends: Positions) -> Flags:
    """Accept plain fractions; an exponent is left to lexical.py."""
    lengths, minus = _unsigned(page, starts, ends)
    well: Flags = (lengths >= 1) & (lengths <= 8 * _FLOAT_WORDS)
    points = np.zeros(len(ends), np.uint8)
    expected, slack = _number_word(0, 0)
    for k in range(_FLOAT_WORDS):
        left = np.clip(lengths - 8 * k, 0, 8)
        if k and not left.any():
            break
        word = (page.ending(k)[ends] ^ expected) >> ((8 - left) << 3).view(np.uint64)
        other = word ^ np.uint64(_DOT)
        dots = ~(((other & _LOW7) + _LOW7) | other | _LOW7)
        points += np.bitwise_count(dots)
        word &= ~((dots >> np.uint64(7)) * np.uint64(0xFF))
        well &= _over(word, slack) == 0
    well &= points <= 1
    well &= page.bytes[starts + minus] != ord(".")
    well &= page.before[ends] != ord(".")
    return well


def _booleans(page: Page, starts: Positions, ends: Positions) -> Flags:
    word = page.ending(0)[ends]
    lengths = ends - starts
    true, false = (np.uint64(int.from_bytes(text, "little")) for text in (b"true", b"false"))
    well: Flags = (lengths == 4) & ((word >> np.uint64(32)) == true)  # noqa: PLR2004 # characters of `true`
    well |= (lengths == 5) & ((word >> np.uint64(24)) == false)  # noqa: PLR2004 # characters of `false`
    return well
