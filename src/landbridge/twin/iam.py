"""How does SeaweedFS read the roles and policies that are meant for AWS?

The policy documents pass through as they are. Translated are only the trust (its principal is the provider's name,
its condition keys `oidc:sub` and `oidc:aud`) and the frame around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.policy import ACCOUNT as ACCOUNT_WORD
from landbridge.deploy.policy import KEY, TOPIC, filled

if TYPE_CHECKING:
    from landbridge.deploy.needs import Needs, Role, SftpUser

PROVIDER = "eks"
ACCOUNT = "000000000000"


def role_arn(role: Role) -> str:
    """Name a role the way AWS_ROLE_ARN does."""
    return f"arn:aws:iam::{ACCOUNT}:role/{role.name}"


def document(needs: Needs, *, issuer: str, signing_key: str) -> dict[str, object]:
    """Give what `-s3.iam.config` wants; `signing_key` (base64 of 32 random bytes) signs the session tokens."""
    roles = (needs.pod, needs.operator, needs.watch, needs.reaper)
    return {
        "sts": {
            "tokenDuration": "1h",
            "maxSessionLength": "12h",
            "issuer": "landbridge-twin",
            "signingKey": signing_key,
        },
        "providers": [
            {
                "name": PROVIDER,
                "type": "oidc",
                "enabled": True,
                "config": {
                    "issuer": issuer,
                    "clientId": needs.pod.trust.audience,
                    "jwksUri": f"{issuer}/keys",
                },
            }
        ],
        "policy": {"defaultEffect": "Deny"},
        "policies": [
            {"name": role.policy.name, "document": filled(role.policy.document(), words(needs.region))}
            for role in roles
        ],
        "roles": [
            {
                "roleName": role.name,
                "roleArn": role_arn(role),
                "trustPolicy": _trust(role),
                "attachedPolicies": [role.policy.name],
            }
            for role in roles
        ],
    }


def words(region: str) -> dict[str, str]:
    """Give what the words of a policy stand for here; there is no such key or topic, and nothing of it is enforced."""
    return {
        KEY: f"arn:aws:kms:{region}:{ACCOUNT}:key/twin",
        ACCOUNT_WORD: ACCOUNT,
        TOPIC: f"arn:aws:sns:{region}:{ACCOUNT}:twin",
    }


def _trust(role: Role) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": PROVIDER},
                "Action": ["sts:AssumeRoleWithWebIdentity"],
                "Condition": {
                    "StringEquals": {"oidc:sub": role.trust.subject, "oidc:aud": role.trust.audience}
                },
            }
        ],
    }


def home(user: SftpUser) -> str:
    """Where the user's home lies in the filer."""
    return f"/buckets/{user.bucket}"


def sftp_permissions(user: SftpUser) -> dict[str, tuple[str, ...]]:
    """Give SeaweedFS' words for what the user may do; a file that is added can be added again, as on S3."""
    top = home(user)
    words: dict[str, tuple[str, ...]] = {top: ("list", "traverse")}
    for folder in user.folders:
        reading = ("read", "list", "traverse") if folder.may_read else ("traverse",)
        adding = ("write", "create", "mkdir") if folder.may_add else ()
        words[f"{top}/{folder.name}"] = (*reading, *adding)
    return words
