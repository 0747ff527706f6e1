"""Which texts are a date, a time or a timestamp, by the pieces of their form?

Exact: a regular expression for the form, then the calendar and the clock. vector.py holds the fast twin.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from landbridge.contract.columns import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.contract.columns import ColumnRule

_DAY = (Part("y", 4), Part("", 1, "-"), Part("M", 2), Part("", 1, "-"), Part("d", 2))
_CLOCK = (Part("H", 2), Part("", 1, ":"), Part("m", 2), Part("", 1, ":"), Part("s", 2))
_LONGEST_FRACTION = 6
_WIDEST_OFFSET = 15
"""Hours; what DuckDB and PostgreSQL still take (the widest in use is +14:00)."""


def variants(rule: ColumnRule) -> tuple[tuple[Part, ...], ...]:
    """List the forms of fixed width that a value of `rule` may have: one where a form is declared, else ISO 8601's."""
    if rule.form:
        return (rule.form,)
    if rule.kind == "date":
        return (_DAY,)
    base = _CLOCK if rule.kind == "time" else (*_DAY, Part("", 1, "T"), *_CLOCK)
    zone = (Part("X", 0),) if rule.kind == "timestamp" and rule.zoned else ()
    fractions = [(Part("", 1, "."), Part("S", width)) for width in range(1, _LONGEST_FRACTION + 1)]
    return tuple((*base, *fraction, *zone) for fraction in [(), *fractions])


def moment_fault(rule: ColumnRule, encoding: str) -> Callable[[bytes], str]:
    """Make the exact check of `rule`: it gives what is wrong with a text, empty when nothing is."""
    expected = expectation(rule)
    patterns = [re.compile(_pattern(form, encoding)) for form in variants(rule)]

    def fault(text: bytes) -> str:
        for pattern in patterns:
            found = pattern.fullmatch(text)
            if found:
                return _impossible({k: v.decode() for k, v in found.groupdict(b"0").items()}, rule.kind)
        return f"not a {rule.kind}: expected {expected}"

    return fault


def expectation(rule: ColumnRule) -> str:
    """Give the form of `rule` for people: its declared letters, else an example of ISO 8601."""
    if rule.form:
        return rule.format or "the declared form"
    example = {"date": "2026-11-20", "time": "10:00:00"}.get(rule.kind, "2026-11-20T10:00:00")
    return f"{example}{'Z' if rule.zoned and rule.kind == 'timestamp' else ''}"


def _pattern(form: tuple[Part, ...], encoding: str) -> bytes:
    pieces = []
    for part in form:
        if part.letter == "X":
            pieces.append(rb"(?:Z|[+-](?P<zh>[0-9]{2}):(?P<zm>[0-9]{2}))")
        elif part.letter:
            pieces.append(b"(?P<%b>[0-9]{%d})" % (part.letter.encode(), part.width))
        else:
            pieces.append(re.escape(part.literal.encode(encoding)))
    return b"".join(pieces)


def _impossible(seen: dict[str, str], kind: str) -> str:
    """Say which part of a well-formed moment does not exist, empty when all do."""
    if "d" in seen:
        try:
            date(int(seen["y"]), int(seen["M"]), int(seen["d"]))
        except ValueError:
            return f"not a {kind}: no such day"
    for letter, beyond, name in (("H", 24, "hour"), ("m", 60, "minute"), ("s", 60, "second")):
        if int(seen.get(letter, "0")) >= beyond:
            return f"not a {kind}: no such {name}"
    if int(seen.get("zh", "0")) > _WIDEST_OFFSET or int(seen.get("zm", "0")) >= 60:  # noqa: PLR2004 # minutes
        return f"not a {kind}: no such zone"
    return ""
