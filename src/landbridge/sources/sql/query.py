"""Where in a query are the parameters, and what are they bound to?"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from landbridge.facts import Slot
    from landbridge.sources.around import Around

Value = str | dt.date | dt.datetime

# Everything in which a colon is no parameter comes first: quoted text (PostgreSQL's E'' with backslashes and
# dollar quotes too), quoted names of all dialects, comments, casts, assignments, array slices of numbers.
_PIECES = re.compile(
    r"""
      [eE]'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | `[^`]*`
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | --[^\n]*
    | /\*.*?\*/
    | ::+
    | :=
    | (?<=[\w\])]):\d
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Query:
    """One query with the value of each parameter it uses."""

    sql: str
    values: Mapping[str, Value]

    def rewritten(self, parameter: Callable[[str], str], other: Callable[[str], str] = str) -> str:
        """Give the SQL with each `:name` replaced by `parameter(name)`; every other text goes through `other`."""
        text = ""
        end = 0
        for found in _PIECES.finditer(self.sql):
            if found["name"]:
                text += other(self.sql[end : found.start()]) + parameter(found["name"])
                end = found.end()
        return text + other(self.sql[end:])

    def shown(self) -> dict[str, str]:
        """Give the parameters as text."""
        return {name: str(value) for name, value in self.values.items()}


def bound(source: str, sql: str, declared: Mapping[str, str], slot: Slot, around: Around) -> Query:
    """Bind a query to `slot`: the declared parameters as text, `business_date` and `scheduled_at` (UTC) typed.

    Raises:
        UsageError: the query uses a parameter that is not declared, or one is declared and not used.
    """
    values: dict[str, Value] = {name: around.text(template, slot) for name, template in declared.items()}
    always: dict[str, Value] = {
        "business_date": slot.business_date,
        "scheduled_at": slot.scheduled_at.astimezone(dt.UTC),
    }
    if taken := sorted(values.keys() & always.keys()):
        raise UsageError(f"source `{source}`: `:{taken[0]}` is always bound and cannot be declared")
    values |= always
    used = {found["name"] for found in _PIECES.finditer(sql) if found["name"]}
    for name in sorted(used - values.keys()):
        near = difflib.get_close_matches(name, values, 1)
        raise UsageError(
            f"source `{source}`: the query uses `:{name}`, which is no parameter",
            expected=f"one of {', '.join(f'`:{known}`' for known in values)}",
            hint=f"did you mean `:{near[0]}`?" if near else "declare it in the source's `parameters`",
        )
    for name in sorted(declared.keys() - used):
        raise UsageError(
            f"source `{source}`: the parameter `{name}` is declared, but the query does not use it"
        )
    text = sql.strip().rstrip(";").rstrip()
    return Query(text, {name: value for name, value in values.items() if name in used})
