"""How does a test put the policies and trusts into force in ministack's account, as the identity stack would?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import jwt
from botocore import UNSIGNED
from botocore.config import Config

from landbridge.deploy.needs import Trust
from landbridge.deploy.policy import ACCOUNT as ACCOUNT_WORD
from landbridge.deploy.policy import KEY, SERVER, TOPIC, filled
from tests.servers.ministack import ACCOUNT, REGION, Ministack

if TYPE_CHECKING:
    from collections.abc import Mapping

ISSUER = "oidc.eks.eu-west-2.amazonaws.com/id/NEEDS"
TRUST = Trust("acme", "landbridge")


def document(policy: Mapping[str, object], topic: str = "") -> dict[str, object]:
    """Fill a policy's words with what there is in the account."""
    words = {
        KEY: f"arn:aws:kms:{REGION}:{ACCOUNT}:key/needs",
        ACCOUNT_WORD: ACCOUNT,
        TOPIC: topic or f"arn:aws:sns:{REGION}:{ACCOUNT}:needs",
        SERVER: "s-0123456789abcdef0",
    }
    return filled(policy, words)


@dataclass
class Account:
    """Roles in ministack's account, each with one policy."""

    ministack: Ministack

    def trust_the_cluster(self) -> None:
        self.ministack.client("iam").create_open_id_connect_provider(
            Url=f"https://{ISSUER}", ClientIDList=[TRUST.audience], ThumbprintList=["0" * 40]
        )

    def role(self, name: str, policy: Mapping[str, object]) -> None:
        """Make a role that the cluster's service account may take, as IRSA writes it."""
        trusted = {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:sub": TRUST.subject, f"{ISSUER}:aud": TRUST.audience}},
        }
        iam = self.ministack.client("iam")
        trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=name, PolicyName="needs", PolicyDocument=json.dumps(policy))

    def taken(self, name: str, trust: Trust = TRUST) -> dict[str, Any]:
        """Take a role with a token for this account and audience; ministack does not look at its signature."""
        session: Any = boto3.Session(region_name=REGION)
        sts = session.client(
            "sts",
            endpoint_url=self.ministack.endpoint,
            verify=str(self.ministack.ca_bundle),
            config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
        )
        claims = {
            "iss": f"https://{ISSUER}",
            "sub": trust.subject,
            "aud": trust.audience,
            "iat": int(time.time()),
            "exp": int(time.time()) + 3600,
        }
        token = jwt.encode(claims, "nobody looks at this key" * 2, algorithm="HS256")
        credentials: dict[str, Any] = sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="needs", WebIdentityToken=token
        )["Credentials"]
        return credentials

    def client(self, service: str, name: str) -> Any:
        session: Any = self.ministack.session(self.taken(name))
        return session.client(
            service,
            endpoint_url=self.ministack.endpoint,
            verify=str(self.ministack.ca_bundle),
            config=Config(retries={"total_max_attempts": 1}),
        )
