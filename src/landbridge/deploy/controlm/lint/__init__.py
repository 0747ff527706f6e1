"""Would Control-M, once it has taken these folders and profiles, bring each file once, whole and in time? By rule.

Held against what is rendered, and against what was written by hand. It is not the vendor's validation: only
`ctm build` against an Enterprise Manager is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.declared import Declared
from landbridge.deploy.controlm.lint.finding import SEVERITIES, Finding, Rule, Severity
from landbridge.deploy.controlm.lint.reading import Document, parse, read
from landbridge.deploy.controlm.lint.rules import RULES
from landbridge.deploy.controlm.lint.sheet import sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

__all__ = [
    "RULES",
    "SEVERITIES",
    "Declared",
    "Document",
    "Finding",
    "Result",
    "Rule",
    "Severity",
    "lint",
    "parse",
    "read",
]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found, and what could not be looked for."""

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]
    """Rules that compare with a declaration, when none was given."""


def lint(documents: Sequence[Document], today: date, declared: Declared | None = None) -> Result:
    """Hold every rule against all of the documents together, in the order of files and lines; calendars end seen from `today`."""
    sheet = sheet_of(documents, today, declared)
    held = [rule for rule in RULES if declared is not None or not rule.declared]
    found = {
        Finding(
            one.spot.file,
            one.spot.line,
            one.spot.column,
            rule.id,
            rule.severity,
            one.object,
            one.path,
            one.what,
            one.expected,
        )
        for rule in held
        for one in rule.check(sheet)
    }
    order = {document.file: number for number, document in enumerate(documents)}
    ordered = sorted(found, key=lambda one: (order.get(one.file, 0), one))
    return Result(tuple(ordered), tuple(rule.id for rule in RULES if rule not in held))
