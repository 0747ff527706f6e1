"""Which rules does the strict half know, and what broke them so far?

Rule names: `structure.*`, `encoding.*`, `header`, `leading_record`, `trailing_record`, and `type.COLUMN` for each column
that has a lexical form.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from landbridge.contract.columns import MOST_DEFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landbridge.contract.columns import ColumnRule
    from landbridge.facts import Defect

EMPTY_FILE = "structure.empty_file"
QUOTES = "structure.quotes"
COLUMNS = "structure.columns"
BLANK_LINE = "structure.blank_line"
LINE_ENDS = "structure.line_ends"
CUT = "structure.cut"
BYTES = "encoding.bytes"
NUL = "encoding.nul"
HEADER = "header"
LEADING = "leading_record"
TRAILING = "trailing_record"
WIDTH = "structure.width"
JSON = "structure.json"
KEYS = "structure.keys"

_TYPE = "type."
_LONGEST_VALUE = 80


def type_rule(column: str) -> str:
    """Name the rule that every value of `column` has the column's lexical form."""
    return _TYPE + column


def column_of(rule: str) -> str:
    """Give the column that a rule is about, empty for a rule about whole records or the file."""
    return rule.removeprefix(_TYPE) if rule.startswith(_TYPE) else ""


def shown(value: bytes) -> str:
    """Give `value`, which is nobody's, as a report may show it: without control characters, at most 80 characters."""
    text = value[: 4 * _LONGEST_VALUE].decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


class Findings:
    """Counts of broken rules, and the first defects of each."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._kept: list[Defect] = []

    def count(self, rule: str) -> bool:
        """Count one more breach of `rule`; tell whether its details are still wanted."""
        self.counts[rule] += 1
        return self.counts[rule] <= MOST_DEFECTS

    def keep(self, defect: Defect) -> None:
        """Keep the details of a breach that was counted and wanted."""
        self._kept.append(defect)

    def first(self) -> tuple[Defect, ...]:
        """Give the kept defects in the order of the file."""
        return tuple(sorted(self._kept, key=lambda d: (d.record, d.offset, d.rule)))


def rules_of(names: Iterable[str], columns: Sequence[ColumnRule]) -> tuple[str, ...]:
    """List the structural rules `names`, then the type rule of each column that is not plain text."""
    return (*names, *(type_rule(c.name) for c in columns if c.kind != "string"))
