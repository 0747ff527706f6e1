"""Which texts match a pattern, a named format, or a date format? Regular expressions are RE2's, which has no backtracking."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from landbridge.contract.engine import engine
from landbridge.contract.sql import literal

if TYPE_CHECKING:
    from landbridge.contract.columns import ColumnRule

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_H16 = "[0-9A-Fa-f]{1,4}"
_LS32 = f"(?:{_H16}:{_H16}|{_IPV4})"


def _ipv6() -> str:
    """Spell the nine forms of RFC 3986, `IPv6address`."""
    forms = [
        f"(?:{_H16}:){{6}}{_LS32}",
        f"::(?:{_H16}:){{5}}{_LS32}",
        f"(?:{_H16})?::(?:{_H16}:){{4}}{_LS32}",
    ]
    tails = [f"(?:{_H16}:){{3}}{_LS32}", f"(?:{_H16}:){{2}}{_LS32}", f"{_H16}:{_LS32}", _LS32, _H16, ""]
    forms += [f"(?:(?:{_H16}:){{0,{most}}}{_H16})?::{tail}" for most, tail in enumerate(tails, start=1)]
    return "|".join(forms)


FORMATS = {
    "email": rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_HOST}",
    "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+",
    "hostname": _HOST,
    "ipv4": _IPV4,
    "ipv6": _ipv6(),
}
"""Named formats of a string. Sources: HTML (e-mail address), RFC 9562, RFC 3986, RFC 1123, RFC 4291."""

ARTICLES = dict.fromkeys(FORMATS, "a") | dict.fromkeys(("email", "ipv4", "ipv6"), "an")


def mismatch(column: str, pattern: str) -> str:
    """Say that the text does not match anywhere in it, as in JSON Schema: anchors are the pattern's own business.

    Raises:
        ValueError: RE2 cannot do this pattern (look-around, back-references); the message says why.
    """
    if reason := _refused(pattern):
        message = f"the pattern is not supported: {reason}"
        raise ValueError(message)
    return f"NOT regexp_matches({column}, {literal(pattern)})"


@lru_cache(maxsize=256)
def _refused(pattern: str) -> str:
    """Tell why RE2 cannot do this pattern; empty when it can."""
    import duckdb

    try:
        with engine() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error as error:
        return str(error).partition(": ")[2] or str(error)
    return ""


def not_in_form(column: str, form: str) -> str:
    """Say that the whole text is not of the named format."""
    return f"NOT regexp_full_match({column}, {literal(FORMATS[form])})"


_FIELDS = {
    "y": "year",
    "M": "month",
    "d": "day",
    "H": "hour",
    "m": "minute",
    "s": "second",
    "S": "fraction",
    "X": "zone",
}


def moment(text: str, column: ColumnRule) -> date | time | datetime:
    """Read `text` in the column's own format.

    Raises:
        ValueError: it is of another form, or no such moment exists.
    """
    pattern = "".join(
        re.escape(part.literal)
        if not part.letter
        else f"(?P<{_FIELDS[part.letter]}>"
        + (r"Z|[-+]\d\d:\d\d" if part.letter == "X" else rf"\d{{{part.width}}}")
        + ")"
        for part in column.form
    )
    found = re.fullmatch(pattern, text, re.ASCII)
    if found is None:
        message = f"`{text}` is not of the form `{column.format}`"
        raise ValueError(message)
    fields = found.groupdict()
    hour, minute, second = (int(fields.get(key) or 0) for key in ("hour", "minute", "second"))
    clock = time(hour, minute, second, int((fields.get("fraction") or "").ljust(6, "0")))
    if column.kind == "time":
        return clock
    day = date(int(fields["year"]), int(fields["month"]), int(fields["day"]))
    return day if column.kind == "date" else datetime.combine(day, clock, _zone(fields.get("zone")))


def iso(text: str, kind: type[date | time]) -> date | time | datetime:
    """Read ISO 8601.

    Raises:
        ValueError: it is of another form, or no such moment exists.
    """
    try:
        return kind.fromisoformat(text)
    except ValueError:
        message = f"`{text}` is no {kind.__name__} of ISO 8601"
        raise ValueError(message) from None


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:]))
    return timezone(-offset if text[0] == "-" else offset)
