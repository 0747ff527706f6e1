"""What does a row of the table of calls say? A call of an AWS API, who makes it, and the permissions that it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Proof = Literal["observed", "derived"]


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that a call needs, and the statements of which roles give it for that."""

    permission: str
    proof: Proof
    of: tuple[str, ...]
    """`role.Statement`, without the numbers of statements that there are several of: `pod.Source`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS API."""

    code: str
    """Who makes it: module below `landbridge` and function."""
    api: str
    """Service and operation, as in AWS's API references."""
    does: str
    """What for, for a reviewer."""
    needs: tuple[Need, ...]
    by: Literal[
        "Landbridge",
        "whoever deploys",
        "whoever signs evidence",
        "Transfer Family",
        "boto3",
        "Control-M",
        "the doctor",
    ] = "Landbridge"
    """Who sends it: Transfer Family turns the collector's SFTP into S3; boto3's credential chain takes roles; whoever
    deploys, or signs evidence, does so with rights of their own, which no role of an environment has; `the doctor`
    only asks whether it may, so that a refusal is an answer and nothing is needed."""


SOURCES = {
    "s3": "Service Authorization Reference, Amazon S3; Amazon S3 API Reference",
    "kms": "Amazon S3 User Guide, 'Using server-side encryption with AWS KMS keys'; AWS KMS Developer Guide",
    "sns": "Service Authorization Reference, Amazon SNS; Amazon SNS Developer Guide, 'Key management'",
    "sts": "AWS STS API Reference, AssumeRoleWithWebIdentity",
    "secretsmanager": "Service Authorization Reference, AWS Secrets Manager",
    "cloudwatch": "Service Authorization Reference, Amazon CloudWatch",
    "logs": "Service Authorization Reference, Amazon CloudWatch Logs",
    "transfer": "Service Authorization Reference, AWS Transfer Family",
    "cloudformation": "Service Authorization Reference, AWS CloudFormation",
}
"""Of what is derived, by the service of the permission."""


def step(sid: str) -> str:
    """Give a statement's name without its number."""
    return re.sub(r"\d+", "", sid)


def observed(permission: str, *of: str) -> Need:
    """Give a need that was seen: without the permission exactly the steps that name it break."""
    return Need(permission, "observed", of)


def derived(permission: str, *of: str) -> Need:
    """Give a need that AWS's documentation tells of, where no server enforces it here."""
    return Need(permission, "derived", of)
