"""With whose credentials, and at which endpoints, is deployed into an AWS account?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from landbridge.deploy.aws.account import Account
from landbridge.deploy.aws.failures import told
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from landbridge.project import Place

_ATTEMPTS = 10
"""CloudFormation throttles readily while several stacks change; botocore waits longer after each attempt."""


def make(place: Place) -> Account:
    """Open the clients of the declared account with boto3's own credentials chain.

    Raises:
        UsageError: the environment declares no account.
        NotPermitted: the chain is broken.
    """
    from botocore.config import Config

    from landbridge.stores.aws_session import session as begun

    if place.aws is None:
        raise UsageError(
            f"{place.environment} has no AWS account to deploy into",
            expected="`aws` in landbridge.yaml, for the project or for this environment",
        )
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, connect_timeout=10, read_timeout=60
    )
    with told("finding AWS credentials"):
        session = begun(place.region)
        return Account(
            number=place.aws.account,
            cloudformation=session.client("cloudformation", config=config),
            sts=session.client("sts", config=config),
            s3=session.client("s3", config=config),
            pause=time.sleep,
        )
