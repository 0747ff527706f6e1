"""What can a check find, and which exit code do all findings make together?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from landbridge.doctor.patient import Patient
    from landbridge.errors import LandbridgeError


class Side(StrEnum):
    """Which end of the bridge is examined."""

    CLOUD = "cloud"
    GROUND = "ground"


class Verdict(StrEnum):
    """How one thing was found."""

    OK = "ok"
    WARN = "warn"
    BROKEN = "broken"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """Which one of what the check looks at; empty where there is but one."""
    verdict: Verdict
    seen: str = ""
    mend: str = ""
    """Instead of the check's own; a command where there is one."""
    exit: Exit = Exit.DONE
    """Of a broken one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    name: str
    side: tuple[Side, ...]
    asks: str
    """What must hold."""
    how: str
    """How it is asked, and what that leaves behind."""
    mend: str
    """What mends it; `{environment}` is filled in."""
    look: Callable[[Patient], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Examined:
    """A finding of a check."""

    check: Check
    finding: Finding
    mend: str
    """Empty where nothing is to mend."""
    seconds: float
    """Of the whole check."""


def ok(what: str = "", seen: str = "") -> Finding:
    """It holds."""
    return Finding(what, Verdict.OK, seen)


def warn(what: str, seen: str, mend: str = "") -> Finding:
    """It works now, and somebody should look."""
    return Finding(what, Verdict.WARN, seen, mend)


def broken(what: str, seen: str, exit_: Exit, mend: str = "") -> Finding:
    """It does not hold."""
    return Finding(what, Verdict.BROKEN, seen, mend, exit_)


def skipped(what: str, why: str) -> Finding:
    """Nothing is known of it, for a reason."""
    return Finding(what, Verdict.NOT_CHECKED, why)


def refused(what: str, error: LandbridgeError, mend: str = "") -> Finding:
    """It could not be looked at, or does not hold, as an error says."""
    seen = "; ".join(part for part in (error.what, error.seen) if part)
    # Nothing was mistyped on this command line: what does not fit is what is declared.
    code = Exit.DECLARATION if error.exit == Exit.USAGE else error.exit
    return Finding(what, Verdict.BROKEN, seen, mend, code)


_WORST_FIRST = (
    Exit.INTEGRITY,
    Exit.DECLARATION,
    Exit.PERMISSION,
    Exit.CANNOT_CREATE,
    Exit.IO,
    Exit.DATA,
    Exit.USAGE,
    Exit.UNAVAILABLE,
    Exit.TRY_AGAIN,
)


def exit_of(findings: Iterable[Finding]) -> Exit:
    """Give the code of the worst: first what a person must look at, last what may mend itself. Warnings are 0."""
    codes = {one.exit for one in findings if one.verdict is Verdict.BROKEN}
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=Exit.DONE))
