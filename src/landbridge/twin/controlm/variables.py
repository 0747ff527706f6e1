"""What does `%%NAME` stand for in a job of an order date?

Source: BMC, "Control-M for Distributed Systems, Variables": system variables, functions, and the dot that ends a name
and disappears. Only what is listed here is known; anything else is refused.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CALCDATE = re.compile(r"%%\$CALCDATE (\S+) ([+-])(\d{1,3})")
_SUBSTR = re.compile(r"%%SUBSTR (\S+) (\d+) (\d+)")
_LONGEST = 366
"""Days that %%CALCDATE may add or take."""


def system(job: str, order_date: date) -> dict[str, str]:
    """Give the system variables of a job of an order date."""
    return {
        "JOBNAME": job,
        "ODATE": f"{order_date:%y%m%d}",
        "$ODATE": f"{order_date:%Y%m%d}",
        "OYEAR": f"{order_date:%y}",
        "$OYEAR": f"{order_date:%Y}",
        "OMONTH": f"{order_date:%m}",
        "ODAY": f"{order_date:%d}",
    }


def own(declared: Iterable[tuple[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """Add a job's own variables, in their order; each may use those before it.

    Raises:
        UsageError: a name or function that is not known.
    """
    values = dict(given)
    for name, text in declared:
        values[name.removeprefix("%%")] = resolved(text, values)
    return values


def resolved(text: str, values: Mapping[str, str]) -> str:
    """Write a text with what its variables stand for.

    Raises:
        UsageError: a name or function that is not known.
    """
    while found := _CALCDATE.search(text):
        day = _day(_plain(found[1], values))
        if int(found[3]) > _LONGEST:
            raise UsageError(f"`{found[0]}` adds or takes more than {_LONGEST} days")
        moved = day + timedelta(days=int(found[2] + found[3]))
        text = f"{text[: found.start()]}{moved:%Y%m%d}{text[found.end() :]}"
    while found := _SUBSTR.search(text):
        first, length = int(found[2]) - 1, int(found[3])
        part = _plain(found[1], values)[first : first + length]
        text = text[: found.start()] + part + text[found.end() :]
    return _plain(text, values)


def _plain(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise UsageError(
                f"the twin's Control-M knows no variable `%%{found[1]}`", expected=", ".join(sorted(values))
            )
        return values[found[1]]

    # Two dots after a name leave one: the first of them only ends the name.
    return re.sub(r"%%(\$?[A-Za-z0-9_]+)(\.?)", value, text)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise UsageError(f"`{text}` is no date to calculate with", expected="eight digits") from error
