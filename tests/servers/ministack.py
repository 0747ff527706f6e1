"""Where does a test get an AWS account from? ministack on loopback: CloudFormation, IAM, S3, Transfer Family, enforced.

In an environment of its own (`make .venv-ministack/installed`): it pins botocore.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from landbridge.twin import child
from landbridge.twin.ports import LOOPBACK, free
from tests.servers import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
REGION = "eu-west-2"
_ROOT = Path(__file__).parents[2]
_PYTHON = _ROOT / ".venv-ministack" / "bin" / "python"
_PATIENCE = 60.0

Service = Literal[
    "cloudformation", "ec2", "eks", "iam", "kms", "logs", "route53", "s3", "secretsmanager", "sts", "transfer"
]


@dataclass(frozen=True)
class Ministack:
    """A running account. Its root key is `access_key` with `secret_key`; whoever has another key or none is refused."""

    endpoint: str
    sftp_port: int
    ca_bundle: Path
    """Certificate of who signed the one that its HTTPS endpoint shows: AWS_CA_BUNDLE of a program under test."""
    log: Path
    access_key: str = "test"
    secret_key: str = "test"
    _clients: dict[str, Any] = field(default_factory=dict)

    def session(self, credentials: dict[str, Any] | None = None) -> boto3.Session:
        """Open a session as root, or with `credentials` as STS gives them."""
        if credentials is None:
            return boto3.Session(self.access_key, self.secret_key, region_name=REGION)
        return boto3.Session(
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
            region_name=REGION,
        )

    def client(self, service: Service, credentials: dict[str, Any] | None = None) -> Any:
        """Give a boto3 client as root, or make one with `credentials` as STS gives them. It does not retry."""
        if credentials is None and service not in self._clients:
            self._clients[service] = self._client(service, None)
        return self._clients[service] if credentials is None else self._client(service, credentials)

    def _client(self, service: Service, credentials: dict[str, Any] | None) -> Any:
        return self.session(credentials).client(
            service,
            endpoint_url=self.endpoint,
            verify=str(self.ca_bundle),
            config=Config(retries={"total_max_attempts": 1}),
        )

    def environment(self, credentials: dict[str, Any] | None = None) -> dict[str, str]:
        """Give what makes a program under test see this account and no other."""
        keys = credentials or {"AccessKeyId": self.access_key, "SecretAccessKey": self.secret_key}
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            **({"AWS_SESSION_TOKEN": keys["SessionToken"]} if credentials else {}),
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


@contextmanager
def running() -> Iterator[Ministack]:
    """Start a fresh account and stop it at the end; nothing of it is left.

    Signatures, IAM policies and TLS conditions are enforced. JWT signatures, the role of an SFTP user, the rights to a
    KMS key and `If-None-Match` of a copy are not.
    """
    if not _PYTHON.exists():
        pytest.skip("ministack is not installed: make .venv-ministack/installed")
    folder = Path(tempfile.mkdtemp(prefix="landbridge-ministack-"))
    port, sftp_port = free(2)
    tls = certificates.make(folder)
    account = Ministack(f"https://{LOOPBACK}:{port}", sftp_port, tls.authority, folder / "log")
    environment = {
        **child.bare_environment(),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": account.access_key,
        "AWS_SECRET_ACCESS_KEY": account.secret_key,
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": REGION,
        "MINISTACK_SSL_CERT": str(tls.chain),
        "MINISTACK_SSL_KEY": str(tls.key),
        "PYTHONDONTWRITEBYTECODE": "1",
        "S3_PERSIST": "0",
        "SFTP_ENABLED": "1",
        "SFTP_HOST": LOOPBACK,
        "SFTP_PORT": str(sftp_port),
        "USE_SSL": "1",
    }
    plugin = Path(__file__).with_name("ministack_plugin.py")
    process = child.start([_PYTHON, "-P", plugin], cwd=folder, log=account.log, environment=environment)
    try:
        _await(account, process)
        yield account
    finally:
        child.stop(process, patience=5)
        shutil.rmtree(folder, ignore_errors=True)


def _await(account: Ministack, process: Any) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            seen = account.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > until:
                log = account.log.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"ministack did not come up ({error}):\n{log[-4000:]}") from error
            time.sleep(0.1)
        else:
            assert seen == ACCOUNT
            return
