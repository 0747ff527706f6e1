"""Do two independent servers answer every cell of the matrix as the table says, from the same policy documents?

What neither of them can enforce stands at the end, each as a skipped test with its reason.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from landbridge.deploy.calls import CALLS
from landbridge.deploy.needs import needs
from landbridge.twin.issuer import Issuer
from tests.deploy.account import TRUST, Account, document
from tests.deploy.enforcing import TRUST as TWIN_TRUST
from tests.deploy.enforcing import Enforcing, enforcing
from tests.deploy.matrix import DEEDS, PLACES, WHO, Case, Who, cases, lay_out
from tests.deploy.rich import rich
from tests.deploy.test_observed import OBSERVED, without
from tests.servers.declared import declaration
from tests.servers.ministack import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from landbridge.deploy.policy import Policy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NEEDED = needs(rich(), "DEV")
STRANGER = needs(
    declaration(
        project={
            "project": "other",
            "buckets": {
                "staging": "other-staging",
                "reports": "other-reports",
                "ledger": "other-ledger",
            },
        }
    ),
    "DEV",
).pod.policy
POLICIES: dict[Who, Policy] = {
    "pod": NEEDED.pod.policy,
    "operator": NEEDED.operator.policy,
    "watch": NEEDED.watch.policy,
    "reaper": NEEDED.reaper.policy,
    "sftp-user": NEEDED.sftp.policy,
    "stranger": STRANGER,
}


@pytest.fixture(scope="module")
def twin() -> Iterator[Enforcing]:
    with enforcing(NEEDED, {who: policy.document() for who, policy in POLICIES.items()}) as server:
        lay_out(server.admin)
        yield server


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with running() as ministack:
        made = Account(ministack)
        made.trust_the_cluster()
        for who, policy in POLICIES.items():
            made.role(who, document(policy.document()))
        lay_out(ministack.client("s3"))
        yield made


@pytest.fixture(scope="module")
def on_the_twin(twin: Enforcing) -> dict[Who, S3Client]:
    return {who: twin.client(who) for who in WHO}


@pytest.fixture(scope="module")
def on_the_account(account: Account) -> dict[Who, S3Client]:
    return {who: account.client("s3", who) for who in WHO}


ALL = tuple(cases())


@pytest.mark.parametrize("case", ALL, ids=str)
def test_on_the_twin(on_the_twin: dict[Who, S3Client], case: Case) -> None:
    assert case.seen(on_the_twin[case.who]) == case.allowed, case.failure


@pytest.mark.parametrize("case", ALL, ids=str)
def test_on_the_account(on_the_account: dict[Who, S3Client], case: Case) -> None:
    assert case.seen(on_the_account[case.who]) == case.allowed, case.failure


def test_the_matrix_is_whole_and_each_case_names_its_failure() -> None:
    assert len(ALL) == len(WHO) * len(DEEDS) * len(PLACES)
    assert all(case.failure for case in ALL)
    assert sum(case.allowed for case in ALL) > 50


def test_without_the_declaration_the_sftp_user_deletes_nothing() -> None:
    plain = needs(declaration(), "DEV").sftp.policy
    assert not any("Delete" in action for one in plain.statements for action in one.actions)


# Who takes a role


_WRONG = {
    "another account's subject": replace(TRUST, service_account="other"),
    "another namespace's subject": replace(TRUST, namespace="other"),
    "another audience": replace(TRUST, audience="other"),
}


@pytest.mark.parametrize("wrong", _WRONG.values(), ids=_WRONG)
def test_a_wrong_token_takes_no_role_on_the_account(account: Account, wrong: Any) -> None:
    account.taken("pod")
    with pytest.raises(ClientError, match=r"AccessDenied|InvalidIdentityToken"):
        account.taken("pod", wrong)


@pytest.mark.parametrize("wrong", _WRONG.values(), ids=_WRONG)
def test_a_wrong_token_takes_no_role_on_the_twin(twin: Enforcing, wrong: Any) -> None:
    assert TWIN_TRUST == TRUST
    with pytest.raises(ClientError):
        twin.assumed("pod", twin.issuer.token(wrong, now=time.time()))


def test_a_forged_signature_takes_no_role_on_the_twin(twin: Enforcing, tmp_path: Path) -> None:
    forger = Issuer(tmp_path / "forger")
    forger.url, forger._key_id = twin.issuer.url, twin.issuer._key_id
    with pytest.raises(ClientError):
        twin.assumed("pod", forger.token(TRUST, now=time.time()))


# Permissions of services that the twin does not have


ON_THE_ACCOUNT = (
    ("watch", "Tell", "sns:Publish"),
    ("pod", "Secrets", "secretsmanager:GetSecretValue"),
    ("pod", "Stage", "s3:AbortMultipartUpload"),
    ("pod", "Promote", "s3:AbortMultipartUpload"),
    ("pod", "PromoteFurther", "s3:AbortMultipartUpload"),
)
"""What the account shows to be needed, and the twin does not (see test_observed for all the others)."""


def _poorer(role: str, sid: str, permission: str) -> str:
    return f"{role}-{sid}-{permission.rpartition(':')[2]}"


@pytest.fixture(scope="module")
def topic(account: Account) -> str:
    session: Any = account.ministack.session()
    made = account.ministack
    arn: str = session.client("sns", endpoint_url=made.endpoint, verify=str(made.ca_bundle)).create_topic(
        Name="needs"
    )["TopicArn"]
    made.client("secretsmanager").create_secret(Name="acme/recipient", SecretString="key")
    policies: dict[str, Policy] = {str(who): policy for who, policy in POLICIES.items()}
    for role, sid, permission in ON_THE_ACCOUNT:
        poorer = without(policies[role], sid, permission).document()
        account.role(_poorer(role, sid, permission), document(poorer, arn))
    return arn


def _deed(account: Account, role: str, sid: str, permission: str, topic: str) -> None:
    match permission:
        case "sns:Publish":
            account.client("sns", role).publish(TopicArn=topic, Message="late")
        case "secretsmanager:GetSecretValue":
            account.client("secretsmanager", role).get_secret_value(SecretId="acme/recipient")
        case _:
            places = {"Stage": "drafts", "Promote": "outbound", "PromoteFurther": "a further place"}
            bucket, prefix = PLACES[places[sid]]
            s3, key = account.client("s3", role), f"{prefix}parts.csv"
            begun = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun)


@pytest.mark.parametrize(("role", "sid", "permission"), ON_THE_ACCOUNT)
def test_with_the_permission_it_works_and_without_it_does_not(
    account: Account, topic: str, role: str, sid: str, permission: str
) -> None:
    _deed(account, role, sid, permission, topic)
    with pytest.raises(ClientError, match=r"AccessDenied|AuthorizationError|not authorized"):
        _deed(account, _poorer(role, sid, permission), sid, permission, topic)


def test_what_is_called_observed_is_observed_here_or_on_the_twin() -> None:
    called = {
        (*name.split("."), need.permission)
        for call in CALLS
        for need in call.needs
        if need.proof == "observed"
        for name in need.of
    }
    assert called == set(OBSERVED) | set(ON_THE_ACCOUNT)


def test_the_pod_reads_no_secret_but_its_own(account: Account, topic: str) -> None:
    account.ministack.client("secretsmanager").create_secret(Name="acme/other", SecretString="key")
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        account.client("secretsmanager", "pod").get_secret_value(SecretId="acme/other")


# What the bucket itself refuses, from the rendered templates


@pytest.fixture(scope="module")
def bucket_policy(account: Account) -> dict[str, Any]:
    """Deploy the storage stack as it is rendered, and give the policy that its staging bucket got."""
    rendering = pytest.importorskip(
        "landbridge.deploy.cloudformation", reason="the templates are not rendered by this release"
    )
    (storage,) = (one for one in rendering.stacks(rich(), "PRD") if one.kind == "storage")
    cloudformation = account.ministack.client("cloudformation")
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in storage.parameters.items()]
    cloudformation.create_stack(
        StackName=storage.name,
        TemplateBody=storage.template,
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    until = time.monotonic() + 60
    while (
        state := cloudformation.describe_stacks(StackName=storage.name)["Stacks"][0]["StackStatus"]
    ).endswith("IN_PROGRESS"):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert state == "CREATE_COMPLETE"
    policy = account.ministack.client("s3").get_bucket_policy(Bucket="acme-prd-staging")["Policy"]
    found: dict[str, Any] = json.loads(policy)
    return found


def test_a_wrong_encryption_header_is_refused_and_none_is_fine(
    account: Account, bucket_policy: dict[str, Any]
) -> None:
    assert bucket_policy["Statement"]
    account.role("pod-prd", document(needs(rich(), "PRD").pod.policy.document()))
    s3 = account.client("s3", "pod-prd")
    s3.put_object(Bucket="acme-prd-staging", Key="drafts/plain", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="acme-prd-staging", Key="drafts/other", Body=b"x", ServerSideEncryption="AES256")


def test_a_request_without_tls_is_refused_by_every_bucket(bucket_policy: dict[str, Any]) -> None:
    (tls,) = (
        one
        for one in bucket_policy["Statement"]
        if "aws:SecureTransport" in one.get("Condition", {}).get("Bool", {})
    )
    assert (tls["Effect"], tls["Action"], tls["Condition"]) == (
        "Deny",
        "s3:*",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


# What no server here can show


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (
            "a forged token signature on the account",
            "ministack does not check a token's signature; the twin does",
        ),
        (
            "the SFTP user's role behind SFTP",
            "neither SFTP server takes the role: its policy is tried on S3 above, its folders on the twin",
        ),
        (
            "kms:Decrypt and kms:GenerateDataKey",
            "neither server asks KMS for a role's rights: derived from AWS's documentation",
        ),
        (
            "s3:AbortMultipartUpload on the twin",
            "SeaweedFS lets whoever began an upload take it back; the account does not, see above",
        ),
        (
            "cloudwatch:PutMetricData in one namespace",
            "ministack does not fill `cloudwatch:namespace`, so the condition never holds: derived",
        ),
        (
            "aws:SecureTransport on the twin",
            "it speaks plain HTTP on loopback only, so the Deny would refuse everything",
        ),
        (
            "a plain HTTP request to the account",
            "ministack has one port, and it speaks TLS: the statement is looked at instead",
        ),
        (
            "x-amz-server-side-encryption on the twin",
            "SeaweedFS answers 500 to the header without a KMS of its own",
        ),
        (
            "EKS Pod Identity",
            "neither server has its agent; the trust policy is looked at by the templates' asserts",
        ),
    ],
)
def test_what_cannot_be_enforced_here(what: str, why: str) -> None:
    pytest.skip(f"{what}: {why}")
