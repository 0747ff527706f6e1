"""What does a security review ask of each permission? Which call it is for, whose code makes it, and whether that was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.calls import SOURCES, Proof, calls_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.deploy.needs import Needs
    from landbridge.deploy.policy import Policy, Statement


@dataclass(frozen=True, slots=True)
class Use:
    """What a permission is for."""

    api: str
    code: str
    """Module and function; empty for what other programs do."""
    by: str
    does: str
    proof: Proof
    source: str
    """Of what is derived."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of one role, with everything a reviewer asks."""

    role: str
    """`pod`, `operator`, `watch`, `reaper`, `sftp-user`, `rotator`."""
    statement: str
    action: str
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]
    why: str
    uses: tuple[Use, ...]


def policies(needed: Needs) -> dict[str, Policy]:
    """Give every policy of an environment by the short name of its role."""
    return {
        "pod": needed.pod.policy,
        "operator": needed.operator.policy,
        "watch": needed.watch.policy,
        "reaper": needed.reaper.policy,
        "sftp-user": needed.sftp.policy,
        "rotator": needed.rotator,
    }


def permissions(needed: Needs) -> list[Permission]:
    """Give every permission of every role, in the order of the policies."""
    return [
        Permission(role, one.sid, action, one.resources, one.conditions, one.why, _uses(role, one, action))
        for role, policy in policies(needed).items()
        for one in policy.statements
        for action in one.actions
    ]


def _uses(role: str, statement: Statement, action: str) -> tuple[Use, ...]:
    return tuple(
        Use(
            call.api,
            f"landbridge.{call.code}" if call.code else "",
            call.by,
            call.does,
            need.proof,
            SOURCES[action.partition(":")[0]] if need.proof == "derived" else "",
        )
        for call, need in calls_for(role, statement.sid, action)
    )
