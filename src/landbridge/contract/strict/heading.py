"""Do the records around the data say what is declared: header, leading and trailing record?"""

from __future__ import annotations

import re
import string
from itertools import islice
from typing import TYPE_CHECKING

from landbridge.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 80
"""Characters that a message repeats of the file."""
_WIDTH = re.compile(r"0([1-9][0-9]?)d?")


def header_faults(seen: Sequence[str], expected: Sequence[str], *, shy: bool) -> list[tuple[int, str]]:
    """Give the first difference of a header's names from the columns, as (field from 0, message).

    With `shy`, no name that the columns do not have is shown, and never one of a line without any of theirs: it is probably data.
    """
    if list(seen) == list(expected):
        return []
    if not seen:
        return [(0, f"the header is not as long as a record: expected {_list(expected)}")]
    if not set(seen) & set(expected):
        return [(0, f"the header is missing: expected {_list(expected)}")]
    told = [name for name in seen if name in expected] if shy else seen
    twice = sorted({name for name in told if seen.count(name) > 1 and name not in _twice(expected)})
    if twice:
        at = seen.index(twice[0])
        return [(seen.index(twice[0], at + 1), f"the column `{twice[0][:_LONGEST]}` is there twice")]
    if sorted(seen) == sorted(expected):
        at = next(i for i, (s, e) in enumerate(zip(seen, expected, strict=True)) if s != e)
        return [(at, f"the columns are in another order: expected `{expected[at]}` here, seen `{seen[at]}`")]
    faults = [
        (at, f"expected the column `{e}`" + ("" if shy else f", seen `{s[:_LONGEST]}`"))
        for at, (s, e) in enumerate(zip(seen, expected, strict=False))
        if s != e
    ]
    if len(seen) != len(expected):
        at = min(len(seen), len(expected))
        faults.append((at, f"{counted(len(seen), 'column')} in the header, expected {len(expected)}"))
    return faults[:1]


def record_faults(seen: Sequence[str], declared: Sequence[str], *, shy: bool) -> list[tuple[int, str]]:
    """Give the first difference of a leading or trailing record from its declaration, as (field from 0, message).

    Literal text is compared letter by letter; counts and totals must be numbers. With `shy`, nothing that was seen is
    shown: where a trailing record is missing it is data.
    """
    if len(seen) != len(declared):
        return [(-1, f"{counted(len(seen), 'field')}, expected {len(declared)}")]
    wrong = (
        (at, f"expected `{d}`" + ("" if shy else f", seen `{s[:_LONGEST]}`"))
        for at, (s, d) in enumerate(zip(seen, declared, strict=True))
        if not _pattern(d).fullmatch(s)
    )
    return list(islice(wrong, 1))


def _pattern(declared: str) -> re.Pattern[str]:
    """Make a pattern of a declared field: literal text, a number for counts and totals, anything for other words."""
    return re.compile("".join(pieces_of(declared)))


def pieces_of(declared: str) -> list[str]:
    """Give patterns for the literal texts and words of a declared field, in turn."""
    pieces = []
    for literal, word, spec, _ in string.Formatter().parse(declared):
        pieces.append(re.escape(literal))
        width = _WIDTH.fullmatch(spec or "")
        if word in ("rows", "records") and width:
            pieces.append(f"[0-9]{{{width[1]}}}")
        elif word in ("rows", "records"):
            pieces.append("[ 0-9,_]+" if spec else "[0-9]+")
        elif word == "total":
            pieces.append(r"-?[0-9]+(?:\.[0-9]+)?")
        elif word is not None:
            pieces.append("(?s:.*?)")
    return pieces


def _twice(names: Sequence[str]) -> set[str]:
    return {name for name in names if list(names).count(name) > 1}


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"  # noqa: PLR2004 # names that fit a line
