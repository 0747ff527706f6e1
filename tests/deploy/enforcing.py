"""How does a test put policies into force? SeaweedFS with as many roles as there are documents, taken by web identity."""

from __future__ import annotations

import base64
import secrets
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from landbridge.deploy.needs import Needs, Trust
from landbridge.deploy.policy import filled
from landbridge.stores.s3_account import S3Account
from landbridge.twin import iam
from landbridge.twin.issuer import Issuer
from tests.servers.seaweed import lent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

TRUST = Trust("acme", "landbridge")
QUICK = Config(retries={"total_max_attempts": 1})


@dataclass
class Enforcing:
    """A server that enforces a document a role; a role is taken once."""

    endpoint: str
    admin: S3Client
    issuer: Issuer
    region: str
    _sessions: dict[str, boto3.Session] = field(default_factory=dict)
    _accounts: dict[str, S3Account] = field(default_factory=dict)

    def session(self, role: str) -> boto3.Session:
        """Take a role, with a token of its service account."""
        if role not in self._sessions:
            self._sessions[role] = self.assumed(role, self.issuer.token(TRUST, now=time.time()))
        return self._sessions[role]

    def assumed(self, role: str, token: str) -> boto3.Session:
        """Take a role with this token; the server decides."""
        arn = f"arn:aws:iam::{iam.ACCOUNT}:role/{role}"
        given = self._sts.assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName="test", WebIdentityToken=token
        )["Credentials"]
        return boto3.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=self.region
        )

    @cached_property
    def _sts(self) -> STSClient:
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        return boto3.Session().client(
            "sts", endpoint_url=self.endpoint, region_name=self.region, config=config
        )

    def client(self, role: str) -> S3Client:
        return self.session(role).client("s3", endpoint_url=self.endpoint, config=QUICK)

    def account(self, role: str) -> S3Account:
        """Give what the product's own stores are made with, one for all buckets, as in a run."""
        if role not in self._accounts:
            self._accounts[role] = S3Account(self.session(role), self.endpoint)
        return self._accounts[role]


@contextmanager
def enforcing(needed: Needs, documents: Mapping[str, Mapping[str, object]]) -> Iterator[Enforcing]:
    """Run a server with the buckets of `needed` (all versioned) and a role for each document."""
    folder = Path(tempfile.mkdtemp(prefix="landbridge-issuer-"))
    try:
        issuer = Issuer(folder)
        frame = iam.document(
            needed, issuer=issuer.url, signing_key=base64.b64encode(secrets.token_bytes(32)).decode()
        )
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": iam.PROVIDER},
                    "Action": ["sts:AssumeRoleWithWebIdentity"],
                    "Condition": {"StringEquals": {"oidc:sub": TRUST.subject, "oidc:aud": TRUST.audience}},
                }
            ],
        }
        words = iam.words(needed.region)
        frame["policies"] = [
            {"name": role, "document": filled(document, words)} for role, document in documents.items()
        ]
        frame["roles"] = [
            {
                "roleName": role,
                "roleArn": f"arn:aws:iam::{iam.ACCOUNT}:role/{role}",
                "trustPolicy": trust,
                "attachedPolicies": [role],
            }
            for role in documents
        ]
        with issuer.serving(()), lent(frame) as server:
            for name in [bucket.name for bucket in needed.buckets] + ["acme-upstream"]:
                server.client.create_bucket(Bucket=name)
                server.client.put_bucket_versioning(
                    Bucket=name, VersioningConfiguration={"Status": "Enabled"}
                )
            yield Enforcing(server.endpoint, server.client, issuer, needed.region)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
