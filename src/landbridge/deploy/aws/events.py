"""What happens in a stack while an operation runs, and which of it is the root cause when it fails?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.aws.account import Event, Note
from landbridge.deploy.aws.failures import Refused, resource_failed, told
from landbridge.deploy.aws.standing import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.aws.standing import Standing
    from landbridge.errors import LandbridgeError

_BEGINS = {
    "CREATE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
}
_STACK = "AWS::CloudFormation::Stack"
_CONSEQUENCES = (
    "Resource creation cancelled",
    "Resource update cancelled",
    "Resource deletion cancelled",
    "The following resource(s) failed",
)
"""How the reasons begin of what failed only because something else had failed."""
_VALIDATION = "DescribeEvents"
"""Named in the reason of a stack that CloudFormation refused before it touched a resource."""
_FIRST, _LONGEST, _SLOWER = 1.0, 5.0, 1.3


def wait(account: Account, stack: Standing, tell: Callable[[Note], None]) -> Standing:
    """Wait until nothing runs on a stack, telling what matters as it comes; give how it stands then.

    Nothing is changed: whoever is interrupted here can look again later.

    Raises:
        NotPermitted, Unavailable, UsageError: as `failures.told` says.
    """
    seen: set[str] = set()
    back = False
    pause = _FIRST
    where = stack.stack_id or stack.name
    while True:
        standing = look(account, where)
        for event_id, event in _operation(account, where):
            if event_id in seen:
                continue
            seen.add(event_id)
            if event.kind == _STACK and event.status.endswith("ROLLBACK_IN_PROGRESS"):
                back = True
                tell(Note(stack.name, "note", "goes back to what it was"))
            # What goes away on the way back is a consequence; what fails there is not.
            elif matters(event) and (not back or event.status.endswith("_FAILED")):
                tell(Note(stack.name, "event", "", event))
        if standing.condition != "busy":
            tell(Note(stack.name, "ends", standing.status or "gone"))
            return standing
        account.pause(pause)
        pause = min(_LONGEST, pause * _SLOWER)


def matters(event: Event) -> bool:
    """Tell whether a person should see an event: what is done, kept or has failed, not what begins or follows."""
    if event.kind == _STACK:
        return False
    if event.status.endswith("_FAILED"):
        return not event.reason.startswith(_CONSEQUENCES)
    return event.status.endswith(("_COMPLETE", "_SKIPPED"))


def root_cause(account: Account, where: str) -> Event | None:
    """Give the first resource that failed by itself in the last operation of a stack; None if none did."""
    operation = [event for _, event in _operation(account, where)]
    validated = any(_VALIDATION in event.reason for event in operation)
    return first_failure(operation) or (next(_validation(account, where), None) if validated else None)


def _validation(account: Account, where: str) -> Iterator[Event]:
    """Yield what CloudFormation found wrong before it began: such findings are no events of the stack.

    Source: AWS CloudFormation User Guide, "Validate stack deployments" (DescribeEvents).
    """
    try:
        with told("reading what CloudFormation found wrong", "AccessDenied"):
            found = account.cloudformation.describe_events(StackName=where, Filters={"FailedEvents": True})
    except Refused:  # a role that may not ask: the stack's own words have to do
        return
    for each in found["OperationEvents"]:
        if each.get("EventType") == "VALIDATION_ERROR":
            yield Event(
                each.get("LogicalResourceId", ""),
                each.get("ResourceType", ""),
                "CREATE_FAILED",
                each.get("ValidationStatusReason", ""),
            )


def first_failure(events: Sequence[Event]) -> Event | None:
    """Give the root cause among the events of an operation, oldest first."""
    for event in events:
        if event.kind != _STACK and event.status.endswith("_FAILED") and matters(event):
            return event
    return None


def failed(account: Account, standing: Standing) -> LandbridgeError:
    """Make the error for an operation that has failed: the root cause, and what helps."""
    cause = root_cause(account, standing.stack_id or standing.name)
    if cause is None:  # it never came to a resource
        cause = Event(standing.name, _STACK, standing.status, standing.reason or standing.status)
    return resource_failed(standing.name, cause.logical_id, cause.kind, cause.reason, advice(standing, cause))


def advice(standing: Standing, cause: Event) -> str:
    """Say what to do about a stack whose operation has failed.

    Source: AWS CloudFormation User Guide, "Continue rolling back an update", "Troubleshooting".
    """
    if standing.status == "UPDATE_ROLLBACK_FAILED":
        return (
            f"repair {cause.logical_id} by hand, then: "
            f"aws cloudformation continue-update-rollback --stack-name {standing.name} "
            f"(as a last resort with --resources-to-skip {cause.logical_id}), then apply again"
        )
    if standing.status == "DELETE_FAILED":
        return "remove what holds it, then run destroy again"
    if standing.status in {"CREATE_FAILED", "ROLLBACK_FAILED"}:
        left = f"aws cloudformation describe-stack-resources --stack-name {standing.name}"
        return f"see what is left of it: {left}; then destroy"
    if "already exists" in cause.reason or "already owned" in cause.reason.lower():
        return "it is there already: adopt it (`aws.adopt`), or declare another name"
    return "correct the declaration or the account, then apply again; what a failed creation left is cleared away then"


def _operation(account: Account, where: str) -> Iterator[tuple[str, Event]]:
    """Yield the events of the operation that runs or ran last, oldest first, with their ids."""
    found: list[tuple[str, Event]] = []
    for described in _newest_first(account, where):
        found.append((described["EventId"], _event(described)))
        whole = described.get("PhysicalResourceId") == described["StackId"]
        if whole and described.get("ResourceStatus") in _BEGINS:
            break
    yield from reversed(found)


def _newest_first(account: Account, where: str) -> Iterator[StackEventTypeDef]:
    token = ""
    while True:
        with told(f"reading the events of {where.rpartition(':stack/')[2]}"):
            page = (
                account.cloudformation.describe_stack_events(StackName=where, NextToken=token)
                if token
                else account.cloudformation.describe_stack_events(StackName=where)
            )
        yield from page["StackEvents"]
        token = page.get("NextToken", "")
        if not token:
            return


def _event(described: StackEventTypeDef) -> Event:
    return Event(
        logical_id=described.get("LogicalResourceId", ""),
        kind=described.get("ResourceType", ""),
        status=described.get("ResourceStatus", ""),
        reason=described.get("ResourceStatusReason", ""),
    )
