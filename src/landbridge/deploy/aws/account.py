"""Into which AWS account is deployed, and with what?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from landbridge.deploy.aws.failures import told
from landbridge.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient


@dataclass(frozen=True, slots=True)
class Account:
    """The declared account and the clients to work in it; they retry throttling by themselves."""

    number: str
    """As declared."""
    cloudformation: CloudFormationClient
    sts: STSClient
    s3: S3Client
    pause: Callable[[float], None]
    """Waits so many seconds before AWS is asked again."""

    def prove(self) -> None:
        """Make sure that the credentials belong to the declared account, before anything else is asked.

        Raises:
            NotPermitted: they belong to another one, or are refused.
        """
        with told("asking AWS whose credentials these are"):
            seen = self.sts.get_caller_identity()
        if seen["Account"] != self.number:
            raise NotPermitted(
                "these credentials belong to another AWS account than the declared one",
                expected=f"account {self.number} (`aws.account`)",
                seen=f"account {seen['Account']}, as {seen['Arn']}",
                hint="choose the right profile (AWS_PROFILE), or correct `aws.account`",
            )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one resource of a stack."""

    logical_id: str
    kind: str
    """`AWS::S3::Bucket`."""
    status: str
    """`CREATE_FAILED`."""
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """What the person who waits is told."""

    stack: str
    what: Literal["begins", "event", "ends", "note"]
    text: str
    event: Event | None = None
