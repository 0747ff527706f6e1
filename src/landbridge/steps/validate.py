"""Do the *staged* bytes meet the contract?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from landbridge.counted import counted
from landbridge.errors import IntegrityBroken
from landbridge.events import log
from landbridge.facts import Breached, Empty, RuleResult, Validated

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.facts import GateReport, Judged, Staged
    from landbridge.ports import Gate, Progress, Store


EmptyPolicy = Literal["deliver", "skip", "fail"]


def validate(
    staged: Staged, staging: Store, gate: Gate, *, empty: EmptyPolicy, scratch: Path, progress: Progress
) -> Judged:
    """Read the staged object back and judge what came, not what was meant.

    Raises:
        IntegrityBroken: staging gave other bytes than were staged, or the gate counts other rows than were written.
        NotFound: staging no longer has them.
    """
    path = scratch / "staged"
    came = staging.fetch(staged.at, path)
    try:
        if (came.size, came.sha256) != (staged.content.size, staged.content.sha256):
            raise IntegrityBroken(
                f"staging gave other bytes than were staged at {staged.at}",
                expected=f"{staged.content.size} bytes, sha256 {staged.content.sha256}",
                seen=f"{came.size} bytes, sha256 {came.sha256}",
                hint="nothing was decided; look at who can write there, then run it again",
            )
        report = gate.judge(path, progress)
    finally:
        path.unlink(missing_ok=True)
    judged = _verdict(staged, report, empty)
    broken = sum(1 for rule in judged.report.rules if not rule.passed)
    log.info(
        "validated",
        verdict=type(judged).__name__.lower(),
        rows=report.rows,
        rules=len(report.rules),
        broken=broken,
    )
    return judged


def _verdict(staged: Staged, report: GateReport, empty: EmptyPolicy) -> Judged:
    if staged.content.rows == 0 and report.rows == 0:
        match empty:
            case "skip":
                return Empty(staged, report)
            case "fail":
                return Breached(staged, replace(report, rules=(*report.rules, _no_rows())))
            case "deliver":
                pass
    if not report.passed:
        return Breached(staged, report)
    if report.rows != staged.content.rows:
        raise IntegrityBroken(
            f"the gate counts other rows than were written into {staged.at}",
            expected=counted(staged.content.rows, "row"),
            seen=counted(report.rows, "row"),
            hint="this is a bug of the writer or of the gate: please report it with the file",
        )
    return Validated(staged, report)


def _no_rows() -> RuleResult:
    return RuleResult(
        rule="empty",
        column="",
        passed=False,
        checked=0,
        broken=1,
        threshold="at least one row (the feed says `empty: fail`)",
        message="the sources gave no rows",
    )
