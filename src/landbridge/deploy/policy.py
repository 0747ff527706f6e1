"""How is an IAM policy written as data, before anybody renders it?

Source of the element names: AWS IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - whoever writes needs as JSON reads the annotations
from dataclasses import dataclass, field

PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class Statement:
    """Something a role may do. There are no Deny statements: what nobody allows is refused."""

    sid: str
    """The step that needs it."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Operator -> key -> any of these values."""

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


def bucket_arn(bucket: str) -> str:
    """Name a bucket itself, as `s3:ListBucket` wants it."""
    return f"arn:{PARTITION}:s3:::{bucket}"


def objects_arn(bucket: str, prefix: str) -> str:
    """Name every object whose key begins with `prefix`."""
    return f"{bucket_arn(bucket)}/{prefix}*"


def listing(sid: str, bucket: str, prefixes: tuple[str, ...], *actions: str) -> Statement:
    """Allow to list what begins with one of `prefixes`, and nothing else.

    IAM compares the request's `prefix` with these; a request without one is refused, and so is the hidden
    question that S3 asks itself before it answers a HEAD with 404 instead of 403.
    """
    patterns = tuple(f"{prefix}*" for prefix in prefixes)
    return Statement(
        sid, actions or ("s3:ListBucket",), (bucket_arn(bucket),), {"StringLike": {"s3:prefix": patterns}}
    )
