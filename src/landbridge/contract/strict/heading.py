"""Do the records around the data say what is declared: header, leading and trailing record?"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = re.compile(r"0([1-9][0-9]?)d?")


def header_faults(seen: Sequence[str], expected: Sequence[str]) -> list[tuple[int, str]]:
    """Compare the names of a header with the columns: (field from 0, message) for each difference that matters."""
    if list(seen) == list(expected):
        return []
    twice = sorted({name for name in seen if seen.count(name) > 1 and name not in _twice(expected)})
    if twice:
        at = seen.index(twice[0])
        return [(seen.index(twice[0], at + 1), f"the column `{twice[0]}` is there twice")]
    if not set(seen) & set(expected):
        return [(0, f"the header is missing: expected {_list(expected)}")]
    if sorted(seen) == sorted(expected):
        at = next(i for i, (s, e) in enumerate(zip(seen, expected, strict=True)) if s != e)
        return [(at, f"the columns are in another order: expected `{expected[at]}` here, seen `{seen[at]}`")]
    faults = [
        (at, f"expected the column `{e}`, seen `{s}`")
        for at, (s, e) in enumerate(zip(seen, expected, strict=False))
        if s != e
    ]
    if len(seen) != len(expected):
        at = min(len(seen), len(expected))
        faults.append((at, f"{len(seen)} columns in the header, expected {len(expected)}"))
    return faults[:1]


def record_faults(seen: Sequence[str], declared: Sequence[str]) -> list[tuple[int, str]]:
    """Compare a leading or trailing record with its declaration: literal fields letter by letter, counts as numbers."""
    if len(seen) != len(declared):
        return [(-1, f"{len(seen)} fields, expected {len(declared)}")]
    return [
        (at, f"expected `{d}`, seen `{s}`")
        for at, (s, d) in enumerate(zip(seen, declared, strict=True))
        if not _pattern(d).fullmatch(s)
    ]


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
