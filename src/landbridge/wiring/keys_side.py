"""How are the ports of the key commands filled in: Secrets Manager, Transfer Family, the endpoint?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.keys.agents import Agents
from landbridge.deploy.keys.aws import SecretCustody, TransferServer
from landbridge.deploy.keys.aws_log import StructuredLog
from landbridge.deploy.keys.script import Installation
from landbridge.deploy.keys.user import World
from landbridge.deploy.needs import key_alias, sftp_host_secret, sftp_key_secret
from landbridge.deploy.outputs import load
from landbridge.errors import UsageError
from landbridge.sftp.door import SftpDoor
from landbridge.wiring.host_keys import pins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import boto3

    from landbridge.deploy.keys.ports import Version
    from landbridge.ports import Clock
    from landbridge.project import Place
    from landbridge.wiring.secrets import References


def make(
    folder: Path,
    place: Place,
    server: str,
    *,
    host: bool,
    session: boto3.Session,
    references: References,
    clock: Clock,
    tell: Callable[[str], None],
) -> World:
    """Fill in the world of the SFTP user's key, or of the host key.

    Raises:
        UsageError: which server is not known.
    """
    adopted = place.aws.adopt if place.aws else None
    server = server or (adopted.server if adopted and adopted.server else "") or _deployed(folder, place)
    secret = sftp_host_secret(place) if host else sftp_key_secret(place)
    key = (adopted.key if adopted else None) or key_alias(place)
    tags = place.aws.tags if place.aws else {}
    declared, transfer = place.sftp, session.client("transfer")
    return World(
        custody=SecretCustody(session.client("secretsmanager"), secret, key, tags),
        server=TransferServer(transfer, server, declared.user),
        door=SftpDoor(
            references.text(declared.host), declared.port, declared.user, lambda: pins(place, references)
        ),
        now=clock.now,
        sleep=clock.sleep,
        tell=tell,
        agents=Agents.of(place.controlm),
        record=StructuredLog(transfer, session.client("logs"), server, declared.user),
    )


def installation(
    place: Place, version: Version, secret: str, agents: Agents, references: References
) -> Installation:
    """Give what the script for the agents has to say of a key."""
    declared, public = place.sftp, version.pair.public
    return Installation(
        name=agents.name_for(public),
        public=public,
        secret=secret,
        version=version.id,
        region=place.region,
        host=references.text(declared.host),
        port=declared.port,
        user=declared.user,
        pinned=pins(place, references),
    )


def _deployed(folder: Path, place: Place) -> str:
    """Give the server that the stacks of an environment made."""
    try:
        outputs = load(folder, place.environment).stacks.get("sftp", {})
    except UsageError as error:
        raise UsageError(
            f"which SFTP server of {place.environment}?",
            expected="`--server s-...`, `aws.adopt.server` in the declaration, or the outputs of the stacks",
            seen=error.what,
            hint=error.hint,
        ) from error
    return outputs.get("ServerId", "")
