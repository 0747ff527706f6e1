"""Which environments are the templates tried with? The example, one with everything, and one that only adopts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.declare import load
from landbridge.deploy.cloudformation import stacks
from tests.deploy.cfn.reading import make, read
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.deploy.stack import Kind, Stack
    from landbridge.project import Declaration
    from tests.deploy.cfn.reading import Made

ROOT = Path(__file__).parents[3]
EIDV, EVERY, ADOPT = "eidv-prd", "acme-every", "acme-adopt"
VARIANTS = {EIDV: "PRD", EVERY: "EVERY", ADOPT: "ADOPT"}

OUTPUTS = {
    "KeyArn": "arn:aws:kms:eu-west-2:123456789012:key/11111111-2222-3333-4444-555555555555",
    "AlarmTopicArn": "arn:aws:sns:eu-west-2:123456789012:landbridge-alarms",
    "ServerId": "s-0123456789abcdef0",
}
"""What the storage and sftp stacks would have given."""

_IDS = {
    "account": "123456789012",
    "vpc": "vpc-0a1b2c3d4e5f60718",
    "subnets": ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60722"],
}
_EVERY = _IDS | {
    "addresses": ["10.64.12.10", "10.64.13.10"],
    "on_premises": ["10.20.30.0/28", "10.20.31.4/32"],
    "identity": {"kind": "pod_identity", "cluster": "reports"},
    "security_policy": "TransferSecurityPolicy-2024-01",
    "dns": {"hosted_zone": "Z0123456789EXAMPLE"},
    "endpoints": ["s3", "kms", "sts", "secretsmanager", "transfer", "sns", "monitoring"],
    "route_tables": ["rtb-0a1b2c3d4e5f60711", "rtb-0a1b2c3d4e5f60722"],
    "endpoint_clients": ["10.65.0.0/16", "10.66.0.0/16"],
    "alarm_mails": ["ops@example.org", "owner@example.org"],
    "log_days": 731,
    "noncurrent_days": 30,
    "object_lock": {"mode": "COMPLIANCE", "days": 2557},
    "sftp_may_delete": True,
    "key_readers": ["arn:aws:iam::210987654321:role/controlm-agent"],
    "public_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfakefakefakefakefakefakefakefakefakefake"],
    "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
    "tags": {"owner": "platform", "cost centre": "42"},
}
ACCOUNT_IDS = _IDS | {
    "on_premises": ["10.20.30.0/28"],
    "identity": {"kind": "pod_identity", "cluster": "reports"},
}
"""The least that can be declared."""
_ADOPT = _IDS | {
    "on_premises": ["10.20.40.0/24"],
    "identity": {"kind": "pod_identity", "cluster": "theirs"},
    "adopt": {
        "key": OUTPUTS["KeyArn"],
        "staging": True,
        "reports": True,
        "ledger": True,
        "access_logs": "company-access-logs",
        "pod_role": "arn:aws:iam::123456789012:role/theirs-pod",
        "operator_role": "arn:aws:iam::123456789012:role/theirs-operator",
        "watch_role": "arn:aws:iam::123456789012:role/theirs-watch",
        "reaper_role": "arn:aws:iam::123456789012:role/theirs-reaper",
        "sftp_user_role": "arn:aws:iam::123456789012:role/theirs-sftp-user",
        "server": OUTPUTS["ServerId"],
        "alarm_topic": OUTPUTS["AlarmTopicArn"],
    },
}
CLUSTER = {
    "namespace": "reports",
    "image": "registry.example.internal/landbridge@sha256:" + "0" * 64,
}


@cache
def eidv() -> Declaration:
    return load(ROOT / "examples" / "eidv", now=datetime(2026, 11, 27, tzinfo=UTC))


@cache
def acme() -> Declaration:
    """Give a project whose two environments differ in all that can differ."""
    upstream = {
        "kind": "files",
        "path": "s3://upstream-{environment}/in/{business_date:%Y}/*.csv",
        "format": "csv",
    }
    rest = {
        "kind": "rest",
        "url": "https://api.example.internal",
        "path": "/rows",
        "records": "rows",
        "auth": {"kind": "bearer", "token": "aws-sm:acme/api#token"},
    }
    name = "COPIED_{business_date:%Y%m%d}.csv"
    place = {"kind": "s3", "name": "copy", "bucket": "partner-{environment}-in", "prefix": "acme"}
    project = {
        "aws": _EVERY,
        "kubernetes": CLUSTER,
        "watch": {"catch_up": "6h"},
        "environments": {
            "EVERY": {},
            "ADOPT": {
                "aws": _ADOPT,
                "kubernetes": CLUSTER,
                "buckets": {
                    "staging": "theirs-staging",
                    "reports": "theirs-reports",
                    "ledger": "theirs-reports",
                    "ledger_prefix": "ledger/acme",
                },
            },
        },
    }
    return declaration(
        feed(),
        feed(feed="bucket", sources={"rows": upstream}),
        feed(
            feed="api",
            sources={"rows": rest},
            environments=["EVERY"],
            file={"name": name, "folder": "copied", "also_to": [place]},
        ),
        project=project,
    )


def declared(variant: str) -> Declaration:
    return eidv() if variant == EIDV else acme()


@cache
def rendered(variant: str) -> dict[Kind, Stack]:
    return {stack.kind: stack for stack in stacks(declared(variant), VARIANTS[variant])}


def parameters(stack: Stack, variant: str) -> dict[str, str]:
    """Give what the stack is applied with, the outputs of earlier stacks included."""
    buckets = rendered(variant)["storage"].parameters
    outputs = OUTPUTS | {
        "StagingBucket": buckets["StagingBucketName"],
        "ReportsBucket": buckets["ReportsBucketName"],
        "LedgerBucket": buckets["LedgerBucketName"],
    }
    return {**stack.parameters, **{name: outputs[output.name] for name, output in stack.inputs.items()}}


@cache
def made(variant: str, kind: Kind) -> Made:
    """Give what a variant's stack makes."""
    stack = rendered(variant)[kind]
    return make(read(stack.template), parameters(stack, variant))
