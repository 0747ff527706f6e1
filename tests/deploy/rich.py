"""Which declaration needs every statement that there is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.project import Declaration

PLACE = {"kind": "s3", "name": "copy", "bucket": "acme-{environment}-copies", "prefix": "kept"}
AWS = {
    "account": "123456789012",
    "vpc": "vpc-0a1b2c3d4e5f60718",
    "subnets": ["subnet-0a1b2c3d4e5f60711"],
    "on_premises": ["10.20.30.0/28"],
    "identity": {
        "kind": "irsa",
        "oidc_provider": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-2.amazonaws.com/id/ABC",
    },
    "sftp_may_delete": True,
}
KUBERNETES = {"image": f"registry.example.internal/landbridge@sha256:{'0' * 64}"}
WATCH = {
    "catch_up": "6h",
    "webhook": "aws-sm:acme/webhook",
    "mail": ["team@example.org"],
    "smtp": "mail.example.internal:587",
    "sender": "landbridge@example.org",
}


def rich(watch: dict[str, object] | None = None) -> Declaration:
    """Give a project with a source in a bucket, a secret, a further place, and a watch that catches up."""
    share = {
        "path": "share",
        "receipt_key": "file:keys/receipts.pem",
        "receipt_public_keys": ["aws-sm:acme/receipts"],
    }
    orders = feed(
        sources={"rows": {"kind": "files", "path": "s3://acme-upstream/in/*.csv", "format": "csv"}},
        file={
            "name": "O_{business_date:%Y%m%d}_{revision}.csv",
            "folder": "orders",
            "also_to": [PLACE],
            "encryption": {"recipients": ["aws-sm:acme/recipient"]},
        },
    )
    return declaration(
        orders,
        project={
            "aws": AWS,
            "kubernetes": KUBERNETES,
            "watch": WATCH if watch is None else watch,
            "share": share,
        },
    )
