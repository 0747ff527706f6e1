"""Which small stacks show what a deployer does, without the whole rendered set?"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.deploy.aws.account import Account
from landbridge.deploy.stack import Output, Stack
from tests.servers.ministack import ACCOUNT

if TYPE_CHECKING:
    from landbridge.deploy.aws.account import Note
    from tests.servers.ministack import Ministack

_COUNT = itertools.count(1)

STORAGE = """\
# A key and a bucket.
Parameters:
  Name: {Type: String}
  Topic: {Type: String, Default: alarms}
Resources:
  Key:
    Type: AWS::KMS::Key
    DeletionPolicy: Retain
    Properties: {Description: !Sub "key of ${Name}"}
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BucketName: !Ref Name
      VersioningConfiguration: {Status: Enabled}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub "${Name}-${Topic}"}
Outputs:
  Bucket: {Value: !Ref Bucket}
  KeyArn: {Value: !GetAtt Key.Arn}
"""
IDENTITY = """\
Parameters:
  Bucket: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: !Sub "arn:aws:s3:::${Bucket}/*"}]
Outputs:
  RoleArn: {Value: !GetAtt Role.Arn}
"""


def fresh(word: str) -> str:
    """Give a name that no other test uses."""
    return f"{word}-{os.getpid()}-{next(_COUNT)}"


def stacks(
    name: str, *, topic: str = "alarms", bucket: str = "", storage: str = STORAGE, identity: str = IDENTITY
) -> tuple[Stack, Stack]:
    """Give two stacks, the second of which needs an output of the first."""
    return (
        Stack(
            "storage",
            f"{name}-storage",
            storage,
            {"Name": bucket or name, "Topic": topic},
            tags={"service": "reports"},
        ),
        Stack("identity", f"{name}-identity", identity, {}, inputs={"Bucket": Output("storage", "Bucket")}),
    )


def account(ministack: Ministack, number: str = ACCOUNT) -> Account:
    """Open the account of a test; it never waits long."""
    return Account(
        number=number,
        cloudformation=ministack.client("cloudformation"),
        sts=ministack.client("sts"),
        s3=ministack.client("s3"),
        pause=lambda seconds: time.sleep(min(seconds, 0.05)),
    )


@dataclass
class Ear:
    """Keeps what was told."""

    notes: list[Note] = field(default_factory=list)

    def __call__(self, note: Note) -> None:
        self.notes.append(note)

    def failures(self) -> list[str]:
        """Name the resources of which a failure was told."""
        return [
            note.event.logical_id
            for note in self.notes
            if note.event and note.event.status.endswith("_FAILED")
        ]

    def texts(self) -> list[str]:
        """Give the notes in words."""
        return [note.text for note in self.notes if note.text]
