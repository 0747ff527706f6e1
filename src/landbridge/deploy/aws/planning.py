"""What would have to happen to each stack so that the account is as declared? Nothing is executed here.

The answer lies in the account as change sets, which `applying` executes; a second look at an unchanged account finds the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.aws.account import Note
from landbridge.deploy.aws.changes import ChangeSet, changed_parameters, read_changes
from landbridge.deploy.aws.events import failed, wait
from landbridge.deploy.aws.failures import Refused, told, unforeseen
from landbridge.deploy.aws.request import declared_digest, missing_inputs, request
from landbridge.deploy.aws.standing import HIDDEN, look
from landbridge.errors import StackFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mypy_boto3_cloudformation.literals import CapabilityType
    from mypy_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.aws.request import Known, Request
    from landbridge.deploy.aws.standing import Standing
    from landbridge.deploy.stack import Stack

_NOTHING = "0" * 16
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_CAPABILITY: CapabilityType = "CAPABILITY_NAMED_IAM"


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The stack is as declared."""

    stack: Stack
    standing: Standing
    digest: str = _NOTHING


@dataclass(frozen=True, slots=True)
class Shown:
    """A change set lies ready."""

    stack: Stack
    standing: Standing
    change_set: ChangeSet

    @property
    def digest(self) -> str:
        """Of the change set; of the declaration where the stack is new, since everything is added then."""
        return declared_digest(self.stack) if self.change_set.creates else self.change_set.digest


@dataclass(frozen=True, slots=True)
class Pending:
    """There can be no change set yet."""

    stack: Stack
    standing: Standing
    why: str

    @property
    def digest(self) -> str:
        """Of the declaration."""
        return declared_digest(self.stack)


Step = Unchanged | Shown | Pending


def plan(account: Account, stacks: Iterable[Stack], tell: Callable[[Note], None]) -> tuple[Step, ...]:
    """Find out what would change, stack by stack; waits for what runs already.

    Raises:
        StackFailed: a stack is in a state that only a person can lead out of.
        NotPermitted, Unavailable, UsageError: as `failures.told` says.
    """
    known: Known = {}
    steps = []
    for stack in stacks:
        step = look_ahead(account, stack, known, tell)
        if step.standing.condition == "settled":
            known[stack.kind] = step.standing.outputs
        steps.append(step)
    return tuple(steps)


def digest(steps: Sequence[Step]) -> str:
    """Give the digest of a whole plan: one part a stack, so that a plan half of which is done can still be recognised."""
    return "-".join(step.digest for step in steps)


def look_ahead(account: Account, stack: Stack, known: Known, tell: Callable[[Note], None]) -> Step:
    """Find out what would change in one stack, with the outputs of earlier stacks as far as they are `known`."""
    standing = settled(account, stack, tell)
    if standing.condition == "never created":
        return Pending(
            stack, standing, "its creation failed once; what is left of that is cleared away first"
        )
    missing = missing_inputs(stack, known)
    if missing:
        return Pending(stack, standing, f"it needs {', '.join(missing)}")
    asked = request(stack, known)
    change_set = _change_set(account, asked, standing)
    return Unchanged(stack, standing) if change_set is None else Shown(stack, standing, change_set)


def settled(account: Account, stack: Stack, tell: Callable[[Note], None]) -> Standing:
    """Look at a stack, and wait for what runs on it, be it ours or somebody else's.

    Raises:
        StackFailed, NotPermitted: nothing can be done with it before a person has acted.
    """
    standing = look(account, stack.name)
    if standing.condition == "busy":
        tell(Note(stack.name, "begins", f"{standing.status} already, waiting for it"))
        standing = wait(account, standing, tell)
    if standing.condition == "stuck":
        raise failed(account, standing)
    return standing


def _change_set(account: Account, asked: Request, standing: Standing) -> ChangeSet | None:
    name = asked.change_set(standing)
    described = _described(account, asked.stack.name, name)
    if described is not None and not _usable(described):
        _discard(account, asked.stack.name, name)
        described = None
    if described is None:
        _create(account, asked, standing, name)
        described = _described(account, asked.stack.name, name)
    pause = 0.5
    while described is not None and described["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
        account.pause(pause)
        pause = min(5.0, pause * 1.3)
        described = _described(account, asked.stack.name, name)
    if described is None:
        raise StackFailed(
            f"the change set of {asked.stack.name} was deleted by somebody else", hint="plan again"
        )
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "")
        _discard(account, asked.stack.name, name)
        if any(words in reason for words in _NO_CHANGES):
            return None
        raise StackFailed(
            f"CloudFormation cannot work out the changes of {asked.stack.name}",
            seen=reason,
            hint="correct the declaration, then plan again",
        )
    return ChangeSet(
        arn=described["ChangeSetId"],
        stack=asked.stack.name,
        creates=standing.condition == "absent",
        changes=read_changes(described["Changes"]),
        parameters=changed_parameters(
            {} if standing.condition == "absent" else standing.parameters,
            {
                each.get("ParameterKey", ""): each.get("ParameterValue", "")
                for each in described.get("Parameters", ())
            },
            HIDDEN,
        ),
    )


def _usable(described: DescribeChangeSetOutputTypeDef) -> bool:
    """Tell whether a change set can still be executed, or will be."""
    waiting = described["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}
    return waiting or described.get("ExecutionStatus") == "AVAILABLE"


def _described(account: Account, stack: str, name: str) -> DescribeChangeSetOutputTypeDef | None:
    found: DescribeChangeSetOutputTypeDef | None = None
    token = ""
    try:
        while True:
            with told(f"reading the change set of {stack}", "ChangeSetNotFound", "ValidationError"):
                page = (
                    account.cloudformation.describe_change_set(
                        StackName=stack, ChangeSetName=name, IncludePropertyValues=True, NextToken=token
                    )
                    if token
                    else account.cloudformation.describe_change_set(
                        StackName=stack, ChangeSetName=name, IncludePropertyValues=True
                    )
                )
            if found is None:
                found = page
            else:
                found["Changes"] = [*found["Changes"], *page["Changes"]]
            token = page.get("NextToken", "")
            if not token:
                return found
    except Refused as refused:
        if refused.code == "ChangeSetNotFound" or "does not exist" in refused.message:
            return None
        raise unforeseen(f"reading the change set of {stack}", refused.code, refused.message) from refused


def _create(account: Account, asked: Request, standing: Standing, name: str) -> None:
    try:
        with told(f"planning {asked.stack.name}", "AlreadyExistsException"):
            account.cloudformation.create_change_set(
                StackName=asked.stack.name,
                ChangeSetName=name,
                ChangeSetType="CREATE" if standing.condition == "absent" else "UPDATE",
                Description="made by landbridge deploy aws",
                TemplateBody=asked.stack.template,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in sorted(asked.parameters.items())
                ],
                Tags=[{"Key": key, "Value": value} for key, value in sorted(asked.stack.tags.items())],
                Capabilities=[_CAPABILITY],
                ClientToken=name,
            )
    except Refused:  # somebody made the very same one a moment ago
        return


def _discard(account: Account, stack: str, name: str) -> None:
    with told(f"deleting a change set of {stack} that is of no use"):
        account.cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
