"""How are all checks run at once, watched, and cut when they hang?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from landbridge.doctor.finding import Examined, Finding, Verdict, refused
from landbridge.errors import Exit, LandbridgeError
from landbridge.steps.limit import Begun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.doctor.finding import Check
    from landbridge.doctor.patient import Patient
    from landbridge.ports import Progress

_LOOK = 0.02
_STEP = "examine"


def examine(patient: Patient, checks: Sequence[Check], limit: float, progress: Progress) -> list[Examined]:
    """Give what every check found, in the order of the table. None may take longer than `limit` seconds."""
    progress.start(_STEP, len(checks), "checks")
    began = time.monotonic()
    under_way = {check.name: _begin(check, patient) for check in checks}
    took: dict[str, float] = {}
    while len(took) < len(checks) and time.monotonic() - began < limit:
        for name, begun in under_way.items():
            if name not in took and begun.wait(0.0):
                took[name] = time.monotonic() - began
                progress.advance(_STEP, 1)
        time.sleep(_LOOK)
    progress.finish(_STEP)
    found = []
    for check in checks:
        findings = under_way[check.name].result() if check.name in took else [_cut(limit)]
        seconds = took.get(check.name, limit)
        found += [Examined(check, one, _mend(check, one, patient), seconds) for one in findings]
    return found


def _begin(check: Check, patient: Patient) -> Begun[list[Finding]]:
    def look() -> list[Finding]:
        try:
            return list(check.look(patient))
        except LandbridgeError as error:
            return [refused("", error, error.hint)]

    return Begun(look)


def _cut(limit: float) -> Finding:
    return Finding(
        "", Verdict.BROKEN, f"gave no answer within {limit:g} s and was given up", exit=Exit.UNAVAILABLE
    )


def _mend(check: Check, finding: Finding, patient: Patient) -> str:
    if finding.verdict in {Verdict.OK, Verdict.NOT_CHECKED}:
        return ""
    mend = finding.mend or check.mend
    if patient.twin and mend.startswith("landbridge deploy"):
        mend = "landbridge twin down --environment {environment} && landbridge twin up --environment {environment}"
    return mend.replace("{environment}", patient.environment)
