"""Are names spelt as the partition of a region has them, and is refused only what does not exist there?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from landbridge.account import Irsa
from landbridge.deploy.cloudformation import stacks
from landbridge.deploy.kubernetes.render import manifests
from landbridge.deploy.needs import alarm_topic, needs
from landbridge.deploy.partition import partition_of
from landbridge.project import place
from tests.deploy.cfn.reading import make, read
from tests.deploy.cfn.variants import ACCOUNT_IDS, CLUSTER
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.project import Declaration

ISSUER = "arn:aws-cn:iam::123456789012:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC"


def _known() -> list[dict[str, Any]]:
    data = Path(botocore.session.__file__).parent / "data" / "partitions.json"
    known: list[dict[str, Any]] = json.loads(data.read_text(encoding="utf-8"))["partitions"]
    return known


REGIONS = [
    (region, partition["id"], partition["outputs"]["dnsSuffix"])
    for partition in _known()
    for region in partition["regions"]
    if not region.endswith("-global")
]


@pytest.mark.parametrize(("region", "name", "suffix"), REGIONS)
def test_every_region_that_the_sdk_knows_is_in_its_partition(region: str, name: str, suffix: str) -> None:
    there = partition_of(region)
    assert (there.name, there.suffix) == (name, suffix)
    with_transfer = botocore.session.get_session().get_available_regions("transfer", name)
    assert there.has_transfer == bool(with_transfer)


def _declared(region: str, tmp_path: Path, **aws: object) -> Declaration:
    for name in ("landbridge.yaml", "feeds/orders.yaml", "contracts/orders.odcs.yaml", "keys/receipts.pub"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("-----BEGIN PUBLIC KEY-----\n" if name.endswith("pub") else "x: y\n")
    calls = {"rows": {"kind": "rest", "url": "https://api.example.internal"}}
    upstream = {"kind": "files", "path": "s3://upstream/in/*.csv", "format": "csv"}
    project = {"region": region, "aws": ACCOUNT_IDS | aws, "kubernetes": CLUSTER}
    both = feed(sources={**calls, "more": upstream}, transform="SELECT * FROM rows")
    return declaration(both, folder=tmp_path, project=project)


@pytest.mark.parametrize(
    ("region", "name"),
    [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")],
)
def test_nothing_is_named_as_in_another_partition(region: str, name: str, tmp_path: Path) -> None:
    made = _declared(region, tmp_path)
    need = needs(made, "DEV")
    roles = (need.pod, need.operator, need.watch, need.reaper)
    policies = (*(role.policy for role in roles), need.sftp.policy, need.rotator)
    arns = [
        resource
        for policy in policies
        for statement in policy.statements
        for resource in statement.resources
        if resource.startswith("arn:")
    ]
    assert arns
    assert {arn.split(":")[1] for arn in arns} == {name}
    assert alarm_topic(place(made.project, "DEV")).startswith(f"arn:{name}:sns:{region}:")
    parameters = [value for stack in stacks(made, "DEV") for value in stack.parameters.values()]
    assert not [value for value in parameters if "arn:aws:" in value]
    assert f"arn:{name}:s3:::upstream/in/*" in parameters


def test_services_are_named_by_the_suffix_of_the_partition(tmp_path: Path) -> None:
    made = _declared("cn-north-1", tmp_path)
    need = needs(made, "DEV")
    through = {
        each
        for statement in need.pod.policy.statements
        for keys in statement.conditions.values()
        for each in keys.get("kms:ViaService", ())
    }
    assert "s3.cn-north-1.amazonaws.com.cn" in through
    assert "s3.cn-north-1.amazonaws.com.cn" in {flow.destination for flow in need.flows}
    storage = stacks(made, "DEV")[0]
    key = make(read(storage.template), storage.parameters, region="cn-north-1").statements("Key")
    assert {"Service": "logs.cn-north-1.amazonaws.com.cn"} in [one["Principal"] for one in key]


def test_a_service_account_has_a_role_of_its_partition(tmp_path: Path) -> None:
    made = _declared("cn-north-1", tmp_path, identity={"kind": "irsa", "oidc_provider": ISSUER})
    aws = place(made.project, "DEV").aws
    assert aws
    assert isinstance(aws.identity, Irsa)
    accounts = [one for one in manifests(made, "DEV").objects if one["kind"] == "ServiceAccount"]
    roles = [one["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] for one in accounts]  # type: ignore[index]
    assert len(roles) == 4
    assert all(role.startswith("arn:aws-cn:iam::123456789012:role/") for role in roles)
