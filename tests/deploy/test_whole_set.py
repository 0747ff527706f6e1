"""Does the whole rendered set come up in an account, change, stay, go back and go away, and does a file pass through it?

ministack enforces signatures, IAM and bucket policies, the conditions on a token's `sub` and `aud`, and TLS. It does not
check a token's signature, the role of an SFTP user, the rights to a KMS key, the security group, or the conditions of
S3 that it does not know (`s3:ObjectCreationOperation`); it keeps no encryption and no lifecycle of a bucket. What of the templates depends on those is asserted on the templates alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from landbridge.deploy import outputs
from landbridge.deploy.aws.applying import apply
from landbridge.deploy.aws.destroying import destroy, survey
from landbridge.deploy.aws.planning import Unchanged, plan
from landbridge.deploy.aws.reading import read
from landbridge.errors import NotPermitted, StackFailed, UsageError
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Endpoint
from landbridge.twin.keys import Ed25519Key
from tests.deploy.estate import ENVIRONMENT, cluster, estate
from tests.deploy.small import Ear, account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.deploy.estate import Estate
    from tests.servers.ministack import Ministack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def deployed(ministack: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """Deploy the example once; tests that change it make their own."""
    made = estate(ministack, tmp_path_factory.mktemp("estate"))
    result = made.apply()
    assert [name.removeprefix(f"landbridge-{made.name}-prd-") for name in result.changed] == [
        "storage",
        "identity",
        "sftp",
        "sftp-user",
    ]
    return made


def _outputs(made: Estate) -> dict[str, str]:
    readings = read(account(made.ministack), made.stacks())
    return {name: value for each in readings for name, value in each.standing.outputs.items()}


def test_what_was_created_is_what_was_promised(deployed: Estate) -> None:
    ministack, given = deployed.ministack, _outputs(deployed)
    s3 = ministack.client("s3")
    for purpose in ("staging", "reports", "ledger"):
        bucket = deployed.bucket(purpose)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(blocked.values()) == {True}
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert "TlsOnly" in {statement["Sid"] for statement in policy["Statement"]}
    server = ministack.client("transfer").describe_server(ServerId=given["ServerId"])["Server"]
    assert server["EndpointType"] == "VPC"
    assert server["SecurityPolicyName"] == "TransferSecurityPolicy-2025-03"
    groups = ministack.client("ec2").describe_security_groups(GroupIds=[given["SecurityGroupId"]])
    rules = groups["SecurityGroups"][0]["IpPermissions"]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in rules] == [(22, 22)]
    assert [block["CidrIp"] for rule in rules for block in rule["IpRanges"]] == ["10.20.30.0/28"]
    user = ministack.client("transfer").describe_user(ServerId=given["ServerId"], UserName="edbh-controlm")[
        "User"
    ]
    assert sorted(each["Entry"] for each in user["HomeDirectoryMappings"]) == ["/outbound", "/receipts"]
    rotation = ministack.client("kms").get_key_rotation_status(KeyId=given["KeyArn"])
    assert rotation["KeyRotationEnabled"]


def test_applied_again_nothing_changes(deployed: Estate) -> None:
    steps = plan(account(deployed.ministack), deployed.stacks(), Ear())
    assert all(isinstance(step, Unchanged) for step in steps)
    assert deployed.apply().changed == ()


def test_a_file_goes_in_through_the_pods_role_and_out_over_sftp(deployed: Estate) -> None:
    ministack, given = deployed.ministack, _outputs(deployed)
    reports, body = deployed.bucket("reports"), b"id,verified\n1,true\n" * 1000
    pod = ministack.client("s3", dict(deployed.pod(given["PodRoleArn"])))
    key = "outbound/2026-11-20/verifications.csv"
    pod.put_object(Bucket=reports, Key=key, Body=body, IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        pod.put_object(Bucket=reports, Key=key, Body=b"other", IfNoneMatch="*")

    mine = Ed25519Key.generate()
    ministack.client("secretsmanager").put_secret_value(
        SecretId=given["PrivateKeySecretArn"], SecretString=mine.private_openssh
    )
    ministack.client("transfer").import_ssh_public_key(
        ServerId=given["ServerId"], UserName=given["UserName"], SshPublicKeyBody=mine.public_openssh
    )
    private = ministack.client("secretsmanager").get_secret_value(SecretId=given["PrivateKeySecretArn"])
    with SftpRemote(_endpoint(ministack, private["SecretString"])) as remote:
        found = remote.files("/outbound/2026-11-20")
        assert [(each.name, each.size) for each in found] == [("verifications.csv", len(body))]
        assert remote.read("/outbound/2026-11-20/verifications.csv") == body
        remote.write("/receipts/2026-11-20/verifications.json", b"{}")
    s3 = ministack.client("s3")
    receipt = s3.get_object(Bucket=reports, Key="receipts/2026-11-20/verifications.json")
    assert receipt["Body"].read() == b"{}"
    with (
        pytest.raises(NotPermitted),
        SftpRemote(_endpoint(ministack, Ed25519Key.generate().private_openssh)) as remote,
    ):
        remote.files("/outbound")


def _endpoint(ministack: Ministack, private_key: str) -> Endpoint:
    seen = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519", "-p", str(ministack.sftp_port), "127.0.0.1"],
        capture_output=True,
        text=True,
        check=True,
    )
    host_key = next(line.partition(" ")[2] for line in seen.stdout.splitlines() if not line.startswith("#"))
    return Endpoint("127.0.0.1", ministack.sftp_port, "edbh-controlm", private_key, (host_key,))


@pytest.mark.parametrize(
    ("who", "claims"),
    [
        ("another service account", {"subject": "system:serviceaccount:eidv-reports:default"}),
        ("another namespace", {"subject": "system:serviceaccount:default:landbridge"}),
        ("a token for somebody else", {"audience": "vault"}),
    ],
)
def test_nobody_else_takes_the_pods_role(deployed: Estate, who: str, claims: Mapping[str, str]) -> None:
    role = _outputs(deployed)["PodRoleArn"]
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.pod(role, **claims)


def test_the_pod_does_what_it_needs_and_nothing_else(deployed: Estate) -> None:
    given = _outputs(deployed)
    pod: Any = deployed.ministack.client("s3", dict(deployed.pod(given["PodRoleArn"])))
    reports, staging = deployed.bucket("reports"), deployed.bucket("staging")
    pod.put_object(Bucket=staging, Key="drafts/x", Body=b"x")
    refused: dict[str, Callable[[], object]] = {
        "a receipt": lambda: pod.put_object(Bucket=reports, Key="receipts/y", Body=b"y", IfNoneMatch="*"),
        "elsewhere": lambda: pod.put_object(Bucket=reports, Key="other/y", Body=b"y", IfNoneMatch="*"),
        "unencrypted by KMS": lambda: pod.put_object(
            Bucket=staging, Key="drafts/y", Body=b"y", ServerSideEncryption="AES256"
        ),
        "delete": lambda: pod.delete_object(Bucket=staging, Key="drafts/x"),
        "list all": lambda: pod.list_objects_v2(Bucket=reports),
    }
    for act in refused.values():
        with pytest.raises(ClientError, match="AccessDenied"):
            act()


def test_the_reaper_removes_files_for_good_and_no_evidence(deployed: Estate) -> None:
    role = _outputs(deployed)["ReaperRoleArn"]
    admin: Any = deployed.ministack.client("s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.pod(role)
    account = "system:serviceaccount:eidv-reports:landbridge-reaper"
    reaper: Any = deployed.ministack.client("s3", dict(deployed.pod(role, subject=account)))
    places = {
        ("staging", "drafts/verifications/"): True,
        ("staging", "quarantine/verifications/"): True,
        ("reports", "outbound/eidv/"): True,
        ("reports", "outbound/_manifests/"): False,
        ("reports", "receipts/2026-11-20/"): False,
        ("ledger", "2026-11-20/verifications/"): False,
    }
    for (purpose, prefix), may in places.items():
        at = {"Bucket": deployed.bucket(purpose), "Key": f"{prefix}had-its-time"}
        version = admin.put_object(**at, Body=b"x", IfNoneMatch="*")["VersionId"]
        for refused in ({}, {} if may else {"VersionId": version}):
            with pytest.raises(ClientError, match="AccessDenied"):
                reaper.delete_object(**at, **refused)
        if may:
            reaper.delete_object(**at, VersionId=version)
        left = admin.list_object_versions(Bucket=at["Bucket"], Prefix=at["Key"])
        assert bool(left.get("Versions")) is not may, prefix


def test_what_ministack_does_not_enforce_is_known(deployed: Estate) -> None:
    """A red line here is good news: an assertion on the templates alone can become one on what happens."""
    given = _outputs(deployed)
    pod: Any = deployed.ministack.client("s3", dict(deployed.pod(given["PodRoleArn"])))
    reports = deployed.bucket("reports")
    pod.put_object(Bucket=reports, Key="outbound/unconditional", Body=b"y")  # s3:ObjectCreationOperation
    kept = deployed.ministack.client("s3").get_bucket_encryption(Bucket=reports)
    rule = kept["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "AES256", "and not by the key of the template"
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        deployed.ministack.client("s3").get_bucket_lifecycle_configuration(Bucket=reports)


def test_pod_identity_associates_every_role_with_its_service_account(
    ministack: Ministack, tmp_path: Path
) -> None:
    made = estate(ministack, tmp_path)
    cluster(ministack, made.name)
    made.change(
        "    kind: irsa\n    oidc_provider: arn:aws:iam::123456789012:oidc-provider/" + made.issuer,
        f"    kind: pod_identity\n    cluster: {made.name}",
    )
    made.apply()
    eks, iam, given = ministack.client("eks"), ministack.client("iam"), _outputs(made)
    found = {
        each["serviceAccount"]: eks.describe_pod_identity_association(
            clusterName=made.name, associationId=each["associationId"]
        )["association"]["roleArn"]
        for each in eks.list_pod_identity_associations(clusterName=made.name)["associations"]
    }
    assert found == {
        "landbridge": given["PodRoleArn"],
        "landbridge-operator": given["OperatorRoleArn"],
        "landbridge-watch": given["WatchRoleArn"],
        "landbridge-reaper": given["ReaperRoleArn"],
    }
    # Derived: nothing here plays the agent on the node, so the trust is read, not tried.
    trust = iam.get_role(RoleName=given["PodRoleArn"].rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    assert [each["Principal"] for each in trust["Statement"]] == [{"Service": "pods.eks.amazonaws.com"}]


def test_a_change_of_the_declaration_changes_that_and_nothing_else(
    ministack: Ministack, tmp_path: Path
) -> None:
    made = estate(ministack, tmp_path)
    before = made.apply().outputs["sftp"]
    made.change("on_premises: [10.20.30.0/28]", "on_premises: [10.20.30.0/28, 10.20.40.0/28]")
    result = made.apply()
    assert result.changed == (f"landbridge-{made.name}-prd-sftp",)
    assert result.outputs["sftp"] == before, "the same server, the same group"
    groups = ministack.client("ec2").describe_security_groups(GroupIds=[before["SecurityGroupId"]])
    blocks = [
        block["CidrIp"] for rule in groups["SecurityGroups"][0]["IpPermissions"] for block in rule["IpRanges"]
    ]
    assert sorted(blocks) == ["10.20.30.0/28", "10.20.40.0/28"]
    made.change("{environment}-reports", "{environment}-other")
    with pytest.raises(UsageError, match="hard to get back") as refused:
        made.apply()
    assert "ReportsBucket is replaced" in refused.value.seen


def test_an_update_that_breaks_goes_back(ministack: Ministack, tmp_path: Path) -> None:
    made = estate(ministack, tmp_path)
    before = made.apply().outputs
    where, declared = account(ministack), made.stacks()
    broken = tuple(
        replace(
            stack, parameters={**stack.parameters, "SecurityPolicyName": "TransferSecurityPolicy-Invented"}
        )
        if stack.kind == "sftp"
        else stack
        for stack in declared
    )
    approved = {step.stack.name: step.digest for step in plan(where, broken, Ear())}
    ear = Ear()
    with pytest.raises(StackFailed, match=r"failed at Server \(AWS::Transfer::Server\)"):
        apply(where, broken, approved, (), ear)
    assert ear.failures() == ["Server"]
    server = before["sftp"]["ServerId"]
    described = ministack.client("transfer").describe_server(ServerId=server)["Server"]
    assert described["SecurityPolicyName"] == "TransferSecurityPolicy-2025-03"
    assert made.apply().outputs == before


def test_what_exists_already_is_adopted_and_not_made(
    deployed: Estate, ministack: Ministack, tmp_path: Path
) -> None:
    given, made = _outputs(deployed), estate(ministack, tmp_path)
    made.change(f"edbh-{made.name}-", f"edbh-{deployed.name}-")
    adopted = {
        "key": given["KeyArn"],
        "alarm_topic": given["AlarmTopicArn"],
        "server": given["ServerId"],
        "pod_role": given["PodRoleArn"],
        "operator_role": given["OperatorRoleArn"],
        "watch_role": given["WatchRoleArn"],
        "reaper_role": given["ReaperRoleArn"],
        "sftp_user_role": given["UserRoleArn"],
        "staging": "true",
        "reports": "true",
        "ledger": "true",
        "access_logs": f"{deployed.bucket('reports')}-logs",
    }
    words = "".join(f"    {name}: {value}\n" for name, value in adopted.items())
    made.change("  tags: {service", f"  adopt:\n{words}  tags: {{service")
    made.change("user: edbh-controlm", "user: edbh-second")
    result = made.apply()
    assert result.outputs["storage"]["KeyArn"] == given["KeyArn"]
    assert result.outputs["sftp"]["ServerId"] == given["ServerId"]
    identity = result.outputs["identity"]
    for role in ("PodRoleArn", "OperatorRoleArn", "WatchRoleArn", "ReaperRoleArn"):
        assert identity[role] == given[role]
    user = ministack.client("transfer").describe_user(ServerId=given["ServerId"], UserName="edbh-second")
    assert user["User"]["Role"] == given["UserRoleArn"]
    kinds = {one.kind for one in survey(account(ministack), made.stacks(), Ear()).resources}
    assert not kinds & {
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::Transfer::Server",
        "AWS::SNS::Topic",
        "AWS::IAM::Role",
    }


def test_destroyed_it_leaves_what_holds_data(ministack: Ministack, tmp_path: Path) -> None:
    made = estate(ministack, tmp_path)
    given = {**made.apply().outputs["sftp"]}
    s3, where = ministack.client("s3"), account(ministack)
    s3.put_object(Bucket=made.bucket("staging"), Key="drafts/x", Body=b"x")
    demolition = survey(where, made.stacks(), Ear())
    kept = {one.logical_id for one in demolition.resources if one.fate == "kept"}
    assert kept >= {
        "StagingBucket",
        "ReportsBucket",
        "LedgerBucket",
        "Key",
        "PrivateKey",
        "Server",
        "ServerLog",
        "ServerSecurityGroup",
        *(f"{name}BucketPolicy" for name in ("Staging", "Reports", "Ledger", "AccessLog")),
    }
    destroy(where, demolition, Ear())
    assert s3.get_object(Bucket=made.bucket("staging"), Key="drafts/x")["Body"].read() == b"x"
    ministack.client("transfer").describe_server(ServerId=given["ServerId"])
    ministack.client("ec2").describe_security_groups(GroupIds=[given["SecurityGroupId"]])
    policy = json.loads(s3.get_bucket_policy(Bucket=made.bucket("ledger"))["Policy"])
    assert {"TlsOnly", "CreateOnce"} <= {statement["Sid"] for statement in policy["Statement"]}
    with pytest.raises(ClientError, match="NoSuchEntity"):
        ministack.client("iam").get_role(RoleName=f"landbridge-{made.name}-prd-pod")


def test_the_commands_from_nothing_to_nothing(ministack: Ministack, tmp_path: Path) -> None:
    made = estate(ministack, tmp_path)

    def deploy(*words: str) -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).parent / "landbridge"
        where = ["--environment", ENVIRONMENT, "--project", str(made.folder), "--json"]
        return subprocess.run(
            [program, "deploy", "aws", *words, *where],
            env={**os.environ, **ministack.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    shown = deploy("plan")
    assert shown.returncode == 0, shown.stderr
    digest = json.loads(shown.stdout)["digest"]
    assert deploy("apply").returncode == 64, "nobody agreed"
    assert deploy("apply", "--plan", digest.replace(digest[0], "x")).returncode == 76
    applied = deploy("apply", "--plan", digest)
    assert applied.returncode == 0, applied.stderr
    written = outputs.load(made.folder, ENVIRONMENT)
    assert written.account == "123456789012"
    assert json.loads(applied.stdout)["outputs"] == written.stacks
    assert deploy("status").returncode == 0
    made.change("owner: eidv-platform", "owner: somebody-else")
    differs = deploy("status")
    assert differs.returncode == 78
    assert json.loads(differs.stdout)["stacks"][0]["differences"] == ["the tags"]
    assert deploy("destroy").returncode == 64, "nobody confirmed"
    assert deploy("destroy", "--yes-destroy", "DEV").returncode == 64, "that is another environment"
    assert deploy("destroy", "--yes-destroy", ENVIRONMENT).returncode == 0
    assert deploy("status").returncode == 69
    assert not outputs.outputs_file(made.folder, ENVIRONMENT).exists()
