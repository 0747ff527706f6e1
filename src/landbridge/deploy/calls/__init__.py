"""Which call of an AWS API does which line of code make, and which permission does it need for that?

The table that a security review reads and tests hold against the code, both ways: a call of the code without a row, a
row without code, a permission without a row and a row without its permission are errors.

`observed`: under a server that enforces the very policy document, the step fails without this one permission and
succeeds with it. `derived`: no such server is to be had (KMS above all), so AWS's own documentation is the source.
"""

from __future__ import annotations

from landbridge.deploy.calls.call import SOURCES, Call, Need, Proof, step
from landbridge.deploy.calls.people import PEOPLE
from landbridge.deploy.calls.premises import PREMISES
from landbridge.deploy.calls.steps import STEPS

__all__ = ["CALLS", "SOURCES", "Call", "Need", "Proof", "calls_for", "step"]

CALLS = (*STEPS, *PEOPLE, *PREMISES)


def calls_for(role: str, sid: str, permission: str) -> list[tuple[Call, Need]]:
    """Give the calls that a permission of a role's statement is for.

    The watch looks with the operator's statements, and runs what was missed with the pod's; the reaper looks as the operator does.
    """
    borrowed = {"watch": ("pod", "operator"), "reaper": ("operator",)}
    roles = (role, *borrowed.get(role, ()))
    names = {f"{each}.{step(sid)}" for each in roles}
    return [
        (call, need)
        for call in CALLS
        for need in call.needs
        if need.permission == permission and names & set(need.of)
    ]
