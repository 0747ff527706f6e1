"""How does a test get a project of its own deployed, beside those of other tests in the same account?"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt

from landbridge.declare import load
from landbridge.deploy.aws.applying import Applied, apply
from landbridge.deploy.aws.planning import plan
from landbridge.deploy.cloudformation import stacks
from tests.deploy.small import Ear, account, fresh
from tests.servers.ministack import ACCOUNT, Ministack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.deploy.stack import Stack

ENVIRONMENT = "PRD"
_EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"


@dataclass(frozen=True)
class Estate:
    """A copy of examples/eidv with names of its own, for an account that has what it refers to."""

    folder: Path
    name: str
    ministack: Ministack
    issuer: str

    def stacks(self) -> tuple[Stack, ...]:
        """Render."""
        return stacks(load(self.folder), ENVIRONMENT)

    def apply(self, *named: str) -> Applied:
        """Plan, agree, apply; again where a later stack follows an earlier one."""
        where, declared = account(self.ministack), self.stacks()
        for _ in range(len(declared)):
            approved = {step.stack.name: step.digest for step in plan(where, declared, Ear())}
            result = apply(where, declared, approved, named, Ear())
            if isinstance(result, Applied):
                return result
        raise AssertionError("it never came to rest")

    def change(self, before: str, after: str) -> None:
        """Edit the declaration."""
        path = self.folder / "landbridge.yaml"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def bucket(self, purpose: str) -> str:
        """Give the name of one of its buckets."""
        return f"edbh-{self.name}-prd-{purpose}"

    def pod(self, role: str, *, subject: str = "", audience: str = "sts.amazonaws.com") -> Mapping[str, Any]:
        """Take a role as a pod does, with a token of its service account; give the credentials.

        The key of the token is anybody's: ministack looks at what a token says and not at its signature.
        """
        claims = {
            "iss": f"https://{self.issuer}",
            "sub": subject or "system:serviceaccount:eidv-reports:landbridge",
            "aud": audience,
            "exp": 4_000_000_000,
        }
        token = jwt.encode(claims, "x" * 32, algorithm="HS256")
        taken = self.ministack.client("sts").assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="pod", WebIdentityToken=token
        )
        credentials: Mapping[str, Any] = taken["Credentials"]
        return credentials


def estate(ministack: Ministack, folder: Path) -> Estate:
    """Copy the example and make what it refers to: a cluster's token issuer, and a Route 53 zone."""
    name = fresh("est")
    issuer = f"oidc.eks.eu-west-2.amazonaws.com/id/{name.upper()}"
    shutil.copytree(_EXAMPLE, folder / name)
    iam, route53 = ministack.client("iam"), ministack.client("route53")
    iam.create_open_id_connect_provider(
        Url=f"https://{issuer}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    zone = route53.create_hosted_zone(Name="example.internal", CallerReference=name)["HostedZone"]["Id"]
    made = Estate(folder / name, name, ministack, issuer)
    made.change("project: eidv\n", f"project: {name}\n")
    made.change("edbh-eidv-", f"edbh-{name}-")
    made.change("Z0123456789EXAMPLE", zone.rpartition("/")[2])
    made.change(
        "oidc.eks.eu-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
        issuer,
    )
    return made


def cluster(ministack: Ministack, name: str) -> None:
    """Make an EKS cluster for Pod Identity."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    ministack.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    ministack.client("eks").create_cluster(
        name=name,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
    )
