"""How is an IAM policy written as data, before anybody renders it?

Source of the element names: AWS IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - whoever writes needs as JSON reads the annotations
from dataclasses import dataclass, field, replace

from landbridge.deploy.partition import AWS, partition_of

KEY = "${KeyArn}"
"""Stands for the ARN of the environment's KMS key, in the spelling of CloudFormation's `Fn::Sub`."""
ACCOUNT = "${AWS::AccountId}"
"""Stands for the account's number, as `KEY`."""
TOPIC = "${AlarmTopicArn}"
"""Stands for the ARN of the topic that alarms go to, as `KEY`."""
SERVER = "${ServerId}"
"""Stands for the id of the Transfer Family server, as `KEY`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Something a role may do. There are no Deny statements: what nobody allows is refused."""

    sid: str
    """The step that needs it."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Operator -> key -> any of these values."""
    why: str = ""
    """What the step does with it, for a reviewer."""

    def document(self) -> dict[str, object]:
        """Give the statement as IAM reads it."""
        conditions = {
            operator: {key: list(values) for key, values in keys.items()}
            for operator, keys in self.conditions.items()
        }
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
            **({"Condition": conditions} if conditions else {}),
        }


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that one role may do."""

    name: str
    statements: tuple[Statement, ...]

    def document(self) -> dict[str, object]:
        """Give the policy as IAM reads it."""
        return {
            "Version": "2012-10-17",
            "Statement": [statement.document() for statement in self.statements],
        }


def filled(document: Mapping[str, object], words: Mapping[str, str]) -> dict[str, object]:
    """Give a policy document with KEY, ACCOUNT and the other words replaced by what they stand for."""

    def fill(part: object) -> object:
        match part:
            case str():
                for word, value in words.items():
                    part = part.replace(word, value)
                return part
            case list():
                return [fill(each) for each in part]
            case dict():
                return {key: fill(value) for key, value in part.items()}
            case _:
                return part

    return {key: fill(value) for key, value in document.items()}


def in_partition(policy: Policy, region: str) -> Policy:
    """Give the policy with the names of buckets, which carry no region, as the partition of `region` spells them."""
    begins, there = f"arn:{AWS.name}:s3:::", f"arn:{partition_of(region).name}:s3:::"
    statements = (
        replace(one, resources=tuple(each.replace(begins, there) for each in one.resources))
        for one in policy.statements
    )
    return replace(policy, statements=tuple(statements))


def through(region: str, *services: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Give the condition that a key is used only through one of these AWS services, on the caller's behalf.

    Source: AWS KMS Developer Guide, "kms:ViaService".
    """
    suffix = partition_of(region).suffix
    return {"StringEquals": {"kms:ViaService": tuple(f"{each}.{region}.{suffix}" for each in services)}}


def bucket_arn(bucket: str) -> str:
    """Name a bucket itself, as `s3:ListBucket` wants it; see `in_partition`."""
    return f"arn:{AWS.name}:s3:::{bucket}"


def objects_arn(bucket: str, prefix: str) -> str:
    """Name every object whose key begins with `prefix`."""
    return f"{bucket_arn(bucket)}/{prefix}*"


def listing(sid: str, bucket: str, prefixes: tuple[str, ...], *actions: str, why: str = "") -> Statement:
    """Allow to list what begins with one of `prefixes`, and nothing else.

    IAM compares the request's `prefix` with these; a request without one is refused, and so is the hidden
    question that S3 asks itself before it answers a HEAD with 404 instead of 403.
    """
    patterns = tuple(f"{prefix}*" for prefix in prefixes)
    condition = {"StringLike": {"s3:prefix": patterns}}
    return Statement(sid, actions or ("s3:ListBucket",), (bucket_arn(bucket),), condition, why)
