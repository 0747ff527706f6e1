"""What would deleting the stacks delete, what is kept, and how is it done so that no data goes with it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from landbridge.deploy.aws.account import Note
from landbridge.deploy.aws.events import failed, wait
from landbridge.deploy.aws.failures import Refused, told
from landbridge.deploy.aws.standing import look
from landbridge.errors import StackFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.aws.standing import Standing
    from landbridge.deploy.stack import Stack

_KEPT = {"Retain", "RetainExceptOnCreate"}
_BUCKET = "AWS::S3::Bucket"
_SERVER = "AWS::Transfer::Server"


@dataclass(frozen=True, slots=True)
class Doomed:
    """One resource of a stack that is to be deleted, and what becomes of it."""

    stack: str
    logical_id: str
    physical_id: str
    kind: str
    fate: Literal["deleted", "kept"]
    why: str
    """What a person should know about it; often empty."""


@dataclass(frozen=True, slots=True)
class Demolition:
    """All stacks that are there, in the order in which they go."""

    stacks: tuple[Standing, ...]
    resources: tuple[Doomed, ...]


def survey(account: Account, stacks: Sequence[Stack], tell: Callable[[Note], None]) -> Demolition:
    """Find out what deleting would do; changes nothing, waits for what runs.

    Raises:
        UsageError: a bucket that holds data would be deleted with its stack.
        NotPermitted, Unavailable: as `failures.told` says.
    """
    there = []
    for stack in reversed(stacks):
        standing = look(account, stack.name)
        if standing.condition == "busy":
            tell(Note(stack.name, "begins", f"{standing.status} already, waiting for it"))
            standing = wait(account, standing, tell)
        if standing.status not in {"", "DELETE_COMPLETE"}:
            there.append(standing)
    resources = tuple(one for standing in there for one in _doomed(account, standing))
    full = [one for one in resources if one.kind == _BUCKET and one.fate == "deleted" and one.why]
    if full:
        raise UsageError(
            "a bucket that holds data would be deleted, so nothing was done",
            expected="buckets that the template retains, or empty ones",
            seen="; ".join(f"{one.physical_id}: {one.why}" for one in full),
            hint="empty it yourself if nobody needs what is in it",
        )
    return Demolition(tuple(there), resources)


def destroy(account: Account, demolition: Demolition, tell: Callable[[Note], None]) -> None:
    """Delete the stacks, the last one first. May be interrupted anywhere, and run again.

    Raises:
        StackFailed, NotPermitted: AWS refused to delete a resource; what could be deleted is gone.
        Unavailable: AWS did not answer.
    """
    for standing in demolition.stacks:
        if standing.condition == "stuck" and standing.status == "UPDATE_ROLLBACK_FAILED":
            tell(Note(standing.name, "note", "its rollback had failed; it is deleted as it is"))
        if standing.protected:
            with told(f"lifting the protection of {standing.name}"):
                account.cloudformation.update_termination_protection(
                    StackName=standing.stack_id, EnableTerminationProtection=False
                )
        tell(Note(standing.name, "begins", "deleting"))
        with told(f"deleting {standing.name}"):
            account.cloudformation.delete_stack(StackName=standing.stack_id)
        gone = wait(account, standing, tell)
        if gone.status not in {"", "DELETE_COMPLETE"}:
            raise failed(account, gone)


def _doomed(account: Account, standing: Standing) -> Iterator[Doomed]:
    policies = _policies(account, standing)
    for resource in _resources(account, standing):
        if resource["ResourceStatus"] in {"DELETE_COMPLETE", "DELETE_SKIPPED"}:
            continue
        logical_id, kind = resource["LogicalResourceId"], resource["ResourceType"]
        physical_id = resource.get("PhysicalResourceId", "")
        kept = policies.get(logical_id, "Delete") in _KEPT
        why = ""
        if kind == _BUCKET and physical_id:
            why = "holds data" if _holds_data(account, physical_id) else ("is empty" if kept else "")
        if kind == _SERVER and kept:
            why = "costs by the hour until it is deleted"
        yield Doomed(standing.name, logical_id, physical_id, kind, "kept" if kept else "deleted", why)


def _resources(account: Account, standing: Standing) -> Iterator[StackResourceSummaryTypeDef]:
    with told(f"listing the resources of {standing.name}"):
        for page in account.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=standing.stack_id
        ):
            yield from page["StackResourceSummaries"]


def _policies(account: Account, standing: Standing) -> Mapping[str, str]:
    """Give the deletion policies that the deployed template writes, by logical id.

    Raises:
        StackFailed: the deployed template cannot be read, so nobody knows what would be kept.
    """
    if standing.status == "REVIEW_IN_PROGRESS":
        return {}
    with told(f"reading the template of {standing.name}"):
        answer = account.cloudformation.get_template(StackName=standing.stack_id, TemplateStage="Original")
    body: object = answer["TemplateBody"]  # botocore parses what was written as JSON
    try:
        # Round trip: the one way of ruamel that takes CloudFormation's own tags (!Ref, !Sub) as they come.
        template: Any = YAML(typ="rt").load(body) if isinstance(body, str) else body
        resources = dict(template["Resources"])
        return {name: str(resource.get("DeletionPolicy", "Delete")) for name, resource in resources.items()}
    except (YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StackFailed(
            f"the deployed template of {standing.name} cannot be read, so nothing was deleted",
            seen=type(error).__name__,
            hint=f"look at it: aws cloudformation get-template --stack-name {standing.name}",
        ) from error


def _holds_data(account: Account, bucket: str) -> bool:
    """Tell whether a bucket holds any object, or an older version of one."""
    try:
        with told(f"looking into the bucket {bucket}", "NoSuchBucket"):
            found = account.s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    except Refused:
        return False
    return bool(found.get("Versions") or found.get("DeleteMarkers"))
