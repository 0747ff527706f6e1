"""Does the account of the tests do what CloudFormation tells it, also where we taught it the type?"""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from landbridge.twin.keys import Ed25519Key
from tests.servers.ministack import ACCOUNT, running

if TYPE_CHECKING:
    from tests.servers.ministack import Ministack

pytestmark = pytest.mark.slow


def _template(**resources: dict[str, Any]) -> str:
    outputs = {name: {"Value": {"Ref": name}} for name in resources}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def _await(ministack: Ministack, name: str) -> tuple[str, dict[str, str]]:
    cloudformation = ministack.client("cloudformation")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
            return stack["StackStatus"], outputs
        time.sleep(0.05)
    raise AssertionError("the stack never ended")


def _role() -> dict[str, Any]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "transfer.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}


def _sftp(policy: str, home: str) -> dict[str, dict[str, Any]]:
    return {
        "Server": {
            "Type": "AWS::Transfer::Server",
            "Properties": {"EndpointType": "VPC", "SecurityPolicyName": policy, "Protocols": ["SFTP"]},
        },
        "Role": _role(),
        "User": {
            "Type": "AWS::Transfer::User",
            "Properties": {
                "ServerId": {"Fn::GetAtt": ["Server", "ServerId"]},
                "UserName": "collector",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "HomeDirectoryType": "LOGICAL",
                "HomeDirectoryMappings": [{"Entry": "/outbound", "Target": f"/{home}/outbound"}],
            },
        },
    }


def _deploy(
    ministack: Ministack, name: str, template: str, *, update: bool = False
) -> tuple[str, dict[str, str]]:
    cloudformation = ministack.client("cloudformation")
    call = cloudformation.update_stack if update else cloudformation.create_stack
    call(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    return _await(ministack, name)


def test_a_transfer_server_and_its_user_live_and_die_with_their_stack(ministack: Ministack) -> None:
    transfer = ministack.client("transfer")
    state, made = _deploy(
        ministack, "ours-sftp", _template(**_sftp("TransferSecurityPolicy-2024-01", "first"))
    )
    assert state == "CREATE_COMPLETE"
    server = made["Server"].rpartition("/")[2]
    key = Ed25519Key.generate().public_openssh
    transfer.import_ssh_public_key(ServerId=server, UserName="collector", SshPublicKeyBody=key)

    state, again = _deploy(
        ministack,
        "ours-sftp",
        _template(**_sftp("TransferSecurityPolicy-2025-03", "second")),
        update=True,
    )
    assert (state, again["Server"]) == ("UPDATE_COMPLETE", made["Server"]), "changed in place"
    described = transfer.describe_server(ServerId=server)["Server"]
    assert described["SecurityPolicyName"] == "TransferSecurityPolicy-2025-03"
    user = transfer.describe_user(ServerId=server, UserName="collector")["User"]
    assert user["HomeDirectoryMappings"][0]["Target"] == "/second/outbound"
    assert len(user["SshPublicKeys"]) == 1, "a key that came through the API stays"

    ministack.client("cloudformation").delete_stack(StackName="ours-sftp")
    with pytest.raises(ClientError, match="Unknown server"):
        transfer.describe_server(ServerId=server)


def test_a_server_that_aws_would_refuse_rolls_back(ministack: Ministack) -> None:
    state, _ = _deploy(ministack, "ours-invented", _template(**_sftp("NoSuchPolicy", "home")))
    assert state == "ROLLBACK_COMPLETE"


def test_the_policy_of_a_secret_is_put_changed_and_taken_away(ministack: Ministack) -> None:
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "ours/key"}}

    def policy(principal: str) -> dict[str, Any]:
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": principal},
                    "Action": "secretsmanager:GetSecretValue",
                    "Resource": "*",
                }
            ],
        }
        properties = {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": document}
        return {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": properties}

    secrets = ministack.client("secretsmanager")
    for update, principal in ((False, "one"), (True, "two")):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{principal}"
        template = _template(Secret=secret, Policy=policy(arn))
        state, _ = _deploy(ministack, "ours-secret", template, update=update)
        assert state.endswith("E_COMPLETE")
        assert arn in secrets.get_resource_policy(SecretId="ours/key")["ResourcePolicy"]
    _deploy(ministack, "ours-secret", _template(Secret=secret), update=True)
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="ours/key")


def test_a_pod_identity_association_follows_its_role(ministack: Ministack) -> None:
    eks = ministack.client("eks")
    for role in ("eks", "one", "two"):
        trust = _role()["Properties"]["AssumeRolePolicyDocument"]
        ministack.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    eks.create_cluster(
        name="ours",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks",
        resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
    )

    def association(role: str) -> str:
        properties = {
            "ClusterName": "ours",
            "Namespace": "reports",
            "ServiceAccount": "landbridge",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
        }
        return _template(Pod={"Type": "AWS::EKS::PodIdentityAssociation", "Properties": properties})

    _deploy(ministack, "ours-pod", association("one"))
    state, made = _deploy(ministack, "ours-pod", association("two"), update=True)
    assert state == "UPDATE_COMPLETE"
    found = eks.list_pod_identity_associations(clusterName="ours")["associations"]
    assert [each["associationArn"] for each in found] == [made["Pod"]]
    described = eks.describe_pod_identity_association(
        clusterName="ours", associationId=found[0]["associationId"]
    )
    assert described["association"]["roleArn"].endswith("role/two")
    ministack.client("cloudformation").delete_stack(StackName="ours-pod")
    assert eks.list_pod_identity_associations(clusterName="ours")["associations"] == []


def test_a_bucket_that_holds_something_is_not_deleted(ministack: Ministack) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "ours-full"}}
    _deploy(ministack, "ours-bucket", _template(Bucket=bucket))
    ministack.client("s3").put_object(Bucket="ours-full", Key="report", Body=b"x")
    ministack.client("cloudformation").delete_stack(StackName="ours-bucket")
    assert _await(ministack, "ours-bucket")[0] == "DELETE_FAILED"


def test_signatures_are_checked(ministack: Ministack) -> None:
    stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "x", region_name="eu-west-2").client(
        "cloudformation", endpoint_url=ministack.endpoint, verify=str(ministack.ca_bundle)
    )
    with pytest.raises(ClientError, match="security token"):
        stranger.list_stacks()


def test_nothing_is_left_of_an_account() -> None:
    with running() as account:
        folder = account.log.parent
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(account.endpoint.rpartition(":")[2])), 2)
