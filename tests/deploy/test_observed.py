"""Is every permission that the table calls `observed` one without which exactly the steps fail that need it?

One server, and a role for each permission that is taken away. No step may fail that does not name it, and none may go on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from landbridge.deploy.calls import CALLS, step
from landbridge.deploy.needs import Needs, needs
from landbridge.errors import LandbridgeError
from landbridge.facts import Location
from tests.deploy.enforcing import Enforcing, enforcing
from tests.deploy.probes import (
    FOREIGN_THERE,
    LARGE,
    LARGE_THERE,
    OTHERS,
    PROBES,
    SMALL,
    STAGING,
    THERE,
    Ground,
    content_of,
)
from tests.deploy.rich import rich

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.policy import Policy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROLES = ("pod", "operator", "watch", "reaper")
OWN = {
    "watch": {"Tell", "Remember", "RememberSees", "TellSecrets"},
    "reaper": {"ReapKept", "ReapReleased"},
}
"""Statements that no other role has; the others are the pod's and the operator's, and observed there."""


def _policies(needed: Needs) -> dict[str, Policy]:
    return {
        "pod": needed.pod.policy,
        "operator": needed.operator.policy,
        "watch": needed.watch.policy,
        "reaper": needed.reaper.policy,
    }


def without(policy: Policy, sid: str, action: str) -> Policy:
    """Take one permission out of one statement (and the statement, when nothing is left of it)."""
    kept = []
    for one in policy.statements:
        actions = tuple(each for each in one.actions if step(one.sid) != sid or each != action)
        kept += [replace(one, actions=actions)] if actions else []
    return replace(policy, statements=tuple(kept))


NEEDED = needs(rich(), "DEV")
# Aborting an upload, SNS and Secrets Manager: seen on the account, in test_matrix.
OBSERVED = sorted(
    {
        (role, sid, need.permission)
        for call in CALLS
        for need in call.needs
        if need.proof == "observed"
        and need.permission.startswith("s3:")
        and need.permission != "s3:AbortMultipartUpload"
        for role, _, sid in (name.partition(".") for name in need.of)
    }
)


def _name(role: str, sid: str, permission: str) -> str:
    return f"{role}-{sid}-{permission.partition(':')[2]}"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    policies = _policies(NEEDED)
    documents = {role: policy.document() for role, policy in policies.items()}
    for role, sid, permission in OBSERVED:
        documents[_name(role, sid, permission)] = without(policies[role], sid, permission).document()
    with enforcing(NEEDED, documents) as server:
        yield Ground(server, tmp_path_factory.mktemp("files"), _laid_out(server))


def _laid_out(server: Enforcing) -> Location:
    put = server.admin.put_object(
        Bucket=STAGING, Key="drafts/orders/a.csv", Body=SMALL, Metadata={"sha256": content_of(SMALL).sha256}
    )
    for bucket, key in THERE:
        server.admin.put_object(Bucket=bucket, Key=key, Body=OTHERS, Metadata={"sha256": "0" * 64})
    for bucket, key in FOREIGN_THERE:
        server.admin.put_object(Bucket=bucket, Key=key, Body=OTHERS)
    for bucket, key in LARGE_THERE:
        server.admin.put_object(Bucket=bucket, Key=key, Body=LARGE)
    return Location(f"s3://{STAGING}", "drafts/orders/a.csv", put["VersionId"], put["ETag"])


def _fails(ground: Ground, role: str, allowed: str) -> set[str]:
    failed = set()
    for probe in PROBES:
        if probe.role != role:
            continue
        try:
            probe.do(ground, allowed)
        except (LandbridgeError, ClientError):
            failed.add(probe.name)
    return failed


@pytest.mark.parametrize("role", ROLES)
def test_with_its_whole_policy_every_step_works(ground: Ground, role: str) -> None:
    assert _fails(ground, role, role) == set()


@pytest.mark.parametrize(("role", "sid", "permission"), OBSERVED, ids=lambda word: word)
def test_without_a_permission_exactly_its_steps_fail(
    ground: Ground, role: str, sid: str, permission: str
) -> None:
    expected = {probe.name for probe in PROBES if probe.role == role and (sid, permission) in probe.needs}
    assert expected, "a permission that is observed has a step that shows it"
    assert _fails(ground, role, _name(role, sid, permission)) == expected


def test_every_permission_of_the_roles_that_a_server_can_enforce_is_observed_or_says_why_not() -> None:
    """KMS, Secrets Manager, SNS and blocks of public access have no server here; SeaweedFS lets whoever may begin an upload take it back."""
    given = {
        (role, step(one.sid), action)
        for role, policy in _policies(NEEDED).items()
        for one in policy.statements
        for action in one.actions
        if role not in OWN or step(one.sid) in OWN[role]
    }
    unobserved = {action for role, sid, action in given - set(OBSERVED)}
    assert unobserved == {
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "secretsmanager:GetSecretValue",
        "s3:AbortMultipartUpload",
        "s3:GetBucketPublicAccessBlock",
        "sns:Publish",
    }
