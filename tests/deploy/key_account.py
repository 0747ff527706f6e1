"""Where do the key commands stand in a test: a server with one user and a log, on an account on loopback?"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from landbridge.deploy.keys.aws import SecretCustody, TransferServer
from landbridge.deploy.keys.aws_log import StructuredLog
from landbridge.deploy.keys.user import World
from landbridge.sftp.door import SftpDoor
from landbridge.wiring.clock import SystemClock
from tests.servers.ministack import ACCOUNT

if TYPE_CHECKING:
    from landbridge.deploy.keys.agents import Agents
    from tests.servers.ministack import Ministack

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "transfer.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class Account:
    """A server with one user, and the ports of the key commands over them."""

    def __init__(self, ministack: Ministack) -> None:
        self.ministack = ministack
        self.name = f"keys-{uuid.uuid4().hex[:8]}"
        transfer = ministack.client("transfer")
        role = ministack.client("iam").create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]
        ministack.client("s3").create_bucket(
            Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
        )
        self.server_id: str = transfer.create_server(Protocols=["SFTP"], Domain="S3")["ServerId"]
        logs, group = ministack.client("logs"), f"/aws/transfer/{self.name}"
        logs.create_log_group(logGroupName=group)
        self.log_group = group
        arn = f"arn:aws:logs:eu-west-2:{ACCOUNT}:log-group:{group}:*"
        transfer.update_server(ServerId=self.server_id, StructuredLogDestinations=[arn])
        transfer.create_user(
            ServerId=self.server_id,
            UserName=self.name,
            Role=role,
            HomeDirectoryType="LOGICAL",
            HomeDirectoryMappings=[
                {"Entry": f"/{folder}", "Target": f"/{self.name}/{folder}"}
                for folder in ("outbound", "receipts")
            ],
        )
        self.custody = self.secret("sftp/user")
        self.server = TransferServer(transfer, self.server_id, self.name)
        self.record = StructuredLog(transfer, ministack.client("logs"), self.server_id, self.name)
        self.agents: Agents | None = None
        self.said: list[str] = []
        self.pinned: tuple[str, ...] = ()
        self.door = SftpDoor("127.0.0.1", ministack.sftp_port, self.name, lambda: self.pinned)
        self.pinned = tuple(line for line in [self.door.shown("ssh-ed25519")] if line)

    def secret(self, what: str) -> SecretCustody:
        client = self.ministack.client("secretsmanager")
        return SecretCustody(client, f"landbridge/{self.name}/{what}", "alias/aws/secretsmanager", {"a": "b"})

    def world(self, custody: SecretCustody | None = None) -> World:
        clock = SystemClock()
        return World(
            custody=custody or self.custody,
            server=self.server,
            door=self.door,
            now=clock.now,
            sleep=lambda _: None,
            tell=self.said.append,
            agents=self.agents,
            record=self.record,
        )
