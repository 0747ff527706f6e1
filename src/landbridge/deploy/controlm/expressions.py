"""What does a text with `%%` variables become on an order date? Exactly the expressions that we write, and no others.

The evaluator is how we read BMC's documentation, so that a name can be proven before Control-M sees it:

- `%%$ODATE` is the order date, yyyymmdd. [D] BMC, "System Variables".
- `%%$CALCDATE date -1` adds or takes days, with no space between sign and number. [D] "Variable Functions"; [V] published definitions.
- `%%SUBSTR text 5 2` counts from 1. [D] "Variable Functions".
- A period after a variable ends its name and is dropped; of two periods one stays. [D] "String expressions".
- A job's own variables are filled in their order. [V] published definitions use one in the next.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER_DATE = "%%$ODATE"
_REFERENCE = re.compile(r"%%(\$?[A-Z][A-Z0-9_]*)\.?")
_CALCDATE = re.compile(r"%%\$CALCDATE (%%\$?[A-Z][A-Z0-9_]*) ([+-][0-9]{1,3})")
_SUBSTR = re.compile(r"%%SUBSTR (%%\$?[A-Z][A-Z0-9_]*) ([0-9]{1,2}) ([0-9]{1,2})")


def shifted(days: int) -> str:
    """Write the order date, moved by days."""
    return f"%%$CALCDATE {ORDER_DATE} {days:+d}" if days else ORDER_DATE


def part(variable: str, start: int, length: int) -> str:
    """Write a piece of another variable; `start` counts from 1."""
    return f"%%SUBSTR %%{variable} {start} {length}"


def filled(text: str, variables: Mapping[str, str], order_date: date, job: str = "") -> str:
    """Fill a text of a job on an order date; `variables` are the job's own, in their order.

    Raises:
        ValueError: it is none of the expressions that we write.
    """
    known = {"$ODATE": f"{order_date:%Y%m%d}", "JOBNAME": job}
    for name, expression in variables.items():
        known[name] = _value(expression, known)
    return _referred(text, known)


def _value(expression: str, known: Mapping[str, str]) -> str:
    if moved := _CALCDATE.fullmatch(expression):
        day = date.fromisoformat(_referred(moved[1], known))
        return f"{day + timedelta(days=int(moved[2])):%Y%m%d}"
    if cut := _SUBSTR.fullmatch(expression):
        start, length = int(cut[2]) - 1, int(cut[3])
        return _referred(cut[1], known)[start : start + length]
    return _referred(expression, known)


def _referred(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            message = f"no variable `%%{found[1]}`"
            raise ValueError(message)
        return known[found[1]]

    made = _REFERENCE.sub(value, text)
    if "%%" in made:
        message = f"`{text}` is no expression that we write"
        raise ValueError(message)
    return made
