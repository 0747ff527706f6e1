"""How is a rule written, and how is a mistake in a folder or profile told?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from landbridge.deploy.controlm.lint.reading import Spot
    from landbridge.deploy.controlm.lint.sheet import Sheet

Severity = Literal["error", "warning", "note"]
"""`error`: it fails, or loses, tears or doubles a file. `warning`: it will, one day. `note`: worth a look."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rule found, and where."""

    spot: Spot
    path: str
    object: str
    """`FOLDER/JOB`, or a profile's name."""
    what: str
    """What happens in production, in one line; never a secret."""
    expected: str = ""


Check = Callable[["Sheet"], Iterator[Seen]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a folder or profile goes wrong."""

    id: str
    """Also the name of its page: `docs/control-m-rules/ID.md`."""
    severity: Severity
    prevents: str
    """The failure in production."""
    source: Literal["V", "D", "R"]
    """`V` run or read in the vendor's public client or samples, `D` BMC's or AWS's documentation, `R` what administrators know."""
    check: Check
    declared: bool = False
    """Whether it compares with a declaration, and is skipped without one."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake, with its place."""

    file: str
    line: int
    column: int
    rule: str
    severity: Severity
    object: str
    path: str
    what: str
    expected: str = ""

    def __str__(self) -> str:
        """Give one line, as compilers do."""
        expected = f"; expected {self.expected}" if self.expected else ""
        name = f"{self.object}: " if self.object else ""
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {name}{self.what}{expected} [{self.rule}]"
