"""How does what was shown come true, that and nothing else?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.deploy.aws import guard
from landbridge.deploy.aws.account import Note
from landbridge.deploy.aws.events import failed, wait
from landbridge.deploy.aws.failures import Refused, told
from landbridge.deploy.aws.planning import Pending, Shown, Unchanged, look_ahead
from landbridge.deploy.aws.standing import look
from landbridge.errors import StackFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.aws.planning import Step
    from landbridge.deploy.aws.request import Known
    from landbridge.deploy.aws.standing import Standing
    from landbridge.deploy.stack import Kind, Stack

_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}


@dataclass(frozen=True, slots=True)
class Applied:
    """Every stack is as declared."""

    changed: tuple[str, ...]
    """Names of the stacks that were not so before."""
    outputs: Mapping[Kind, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Moved:
    """A stack would now change otherwise than was shown; it and those after it were left alone."""

    changed: tuple[str, ...]
    step: Step


def apply(
    account: Account,
    stacks: Sequence[Stack],
    approved: Mapping[str, str],
    named: Collection[str],
    tell: Callable[[Note], None],
) -> Applied | Moved:
    """Execute the change sets that were shown, stack after stack.

    `approved` holds the digest of each stack's step as it was shown. A step that is no longer needed is fine, any other
    difference stops everything. `named` are the guarded resources that may be replaced or removed. May be interrupted
    anywhere, and run again.

    Raises:
        UsageError: something guarded would be lost and was not named.
        StackFailed, NotPermitted: AWS refused a resource; the stack was rolled back.
        Unavailable: AWS did not answer.
    """
    known: Known = {}
    changed: list[str] = []
    for stack in stacks:
        step = look_ahead(account, stack, known, tell)
        if isinstance(step, Unchanged):
            standing = step.standing
        elif step.digest != approved.get(stack.name):
            return Moved(tuple(changed), step)
        else:
            standing = _carry_out(account, step, known, named, tell)
            changed.append(stack.name)
        _protect(account, standing)
        known[stack.kind] = standing.outputs
    return Applied(tuple(changed), known)


def _carry_out(
    account: Account,
    step: Shown | Pending,
    known: Known,
    named: Collection[str],
    tell: Callable[[Note], None],
) -> Standing:
    ready: Step = step
    if isinstance(step, Pending):
        if step.standing.condition == "never created":
            _clear(account, step.standing, tell)
        ready = look_ahead(account, step.stack, known, tell)
    match ready:
        case Shown():
            return _execute(account, ready, named, tell)
        case Unchanged():
            return ready.standing
        case Pending():
            raise StackFailed(
                f"{step.stack.name} cannot be deployed", seen=ready.why, hint="render and plan again"
            )


def _execute(account: Account, step: Shown, named: Collection[str], tell: Callable[[Note], None]) -> Standing:
    guard.hold(step.stack.name, step.change_set.changes, named)
    count = len(step.change_set.changes)
    verb = "creating" if step.change_set.creates else "updating"
    tell(Note(step.stack.name, "begins", f"{verb}, {counted(count, 'resource')}"))
    try:
        with told(f"executing the change set of {step.stack.name}", "InvalidChangeSetStatus"):
            account.cloudformation.execute_change_set(
                ChangeSetName=step.change_set.arn,
                # A failed operation leaves none of its new buckets behind: their names would block the next try.
                RetainExceptOnCreate=True,
                ClientRequestToken=step.change_set.arn.split("/")[1],
            )
    except Refused:  # a run before us, or at the same time, was faster: it is the same change set
        tell(Note(step.stack.name, "note", "the same change set is being executed already"))
    standing = wait(account, look(account, step.stack.name), tell)
    if standing.status not in _DONE:
        raise failed(account, standing)
    return standing


def _clear(account: Account, standing: Standing, tell: Callable[[Note], None]) -> None:
    """Delete the record of a creation that failed; everything that it made is gone already."""
    tell(Note(standing.name, "begins", "clearing away a creation that failed"))
    with told(f"deleting what a failed creation left of {standing.name}"):
        account.cloudformation.delete_stack(StackName=standing.stack_id)
    gone = wait(account, standing, tell)
    if gone.condition != "absent":
        raise failed(account, gone)


def _protect(account: Account, standing: Standing) -> None:
    """Make CloudFormation refuse to delete the stack, for everybody who did not ask for exactly that."""
    if not standing.protected:
        with told(f"protecting {standing.name} against deletion"):
            account.cloudformation.update_termination_protection(
                StackName=standing.name, EnableTerminationProtection=True
            )
