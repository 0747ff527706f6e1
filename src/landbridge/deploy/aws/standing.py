"""How does a stack stand in the account now?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from landbridge.deploy.aws.failures import Refused, told, unforeseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.deploy.aws.account import Account

Condition = Literal["absent", "settled", "busy", "never created", "stuck"]

_ABSENT = {"", "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
"""REVIEW_IN_PROGRESS: there is a change set, and nothing else."""
_SETTLED = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
HIDDEN = "****"
"""What CloudFormation shows of a parameter that is declared `NoEcho`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One stack as CloudFormation describes it; all empty where there is none."""

    name: str
    status: str = ""
    """CloudFormation's own word."""
    reason: str = ""
    stack_id: str = ""
    changed: str = ""
    """When it was created or last updated, as CloudFormation says it."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    """Whether CloudFormation refuses to delete it."""

    @property
    def condition(self) -> Condition:
        """What can be done with it.

        Source: AWS CloudFormation User Guide, "Stack status codes".
        """
        if self.status in _ABSENT:
            return "absent"
        if self.status in _SETTLED:
            return "settled"
        if self.status.endswith("_IN_PROGRESS"):
            return "busy"
        return "never created" if self.status == "ROLLBACK_COMPLETE" else "stuck"


def look(account: Account, name: str) -> Standing:
    """Look at one stack, by name or by id (a deleted stack is only found by its id).

    Raises:
        NotPermitted, Unavailable, UsageError: as `failures.told` says.
    """
    try:
        with told(f"looking at {name}", "ValidationError"):
            found = account.cloudformation.describe_stacks(StackName=name)["Stacks"]
    except Refused as refused:
        if "does not exist" in refused.message:
            return Standing(name)
        raise unforeseen(f"looking at {name}", refused.code, refused.message) from refused
    if not found:
        return Standing(name)
    stack = found[0]
    return Standing(
        name=stack["StackName"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        stack_id=stack.get("StackId", ""),
        changed=str(stack.get("LastUpdatedTime") or stack["CreationTime"]),
        parameters={
            each.get("ParameterKey", ""): each.get("ParameterValue", "")
            for each in stack.get("Parameters", ())
        },
        outputs={each.get("OutputKey", ""): each.get("OutputValue", "") for each in stack.get("Outputs", ())},
        tags={each["Key"]: each["Value"] for each in stack.get("Tags", ())},
        protected=stack.get("EnableTerminationProtection", False),
    )
