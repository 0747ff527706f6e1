"""Does each part of a twin answer as it should? Asked with the rights of those who use it."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.errors import LandbridgeError
from landbridge.naming import OUTBOUND
from landbridge.twin.identity import session

if TYPE_CHECKING:
    from landbridge.twin.state import TwinState

_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    name: str
    passed: bool
    answer: str


def checks(twin: TwinState) -> tuple[Check, ...]:
    """Ask the issuer, the store (as the operator, who may only look) and the SFTP server (as the collector)."""
    return (_issuer(twin), _store(twin), _sftp(twin))


def _issuer(twin: TwinState) -> Check:
    try:
        with urllib.request.urlopen(f"{twin.issuer}/keys", timeout=_SECONDS) as answer:  # noqa: S310 - our own loopback URL
            return Check("token issuer", passed=answer.status == 200, answer="publishes its key")  # noqa: PLR2004 - HTTP OK
    except (urllib.error.URLError, TimeoutError) as error:
        return Check("token issuer", passed=False, answer=str(error))


def _store(twin: TwinState) -> Check:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    waits = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1})
    try:
        client = session(twin, twin.operator).client("s3", endpoint_url=twin.endpoint, config=waits)
        client.list_objects_v2(Bucket=twin.bucket, Prefix=f"{OUTBOUND}/", MaxKeys=1)
    except (LandbridgeError, BotoCoreError, ClientError) as error:
        return Check("S3 and STS", passed=False, answer=str(error))
    return Check("S3 and STS", passed=True, answer="takes a token for a role, and lists")


def _sftp(twin: TwinState) -> Check:
    import asyncio

    import asyncssh

    async def names() -> list[str]:
        ground = twin.ground
        async with (
            asyncssh.connect(
                ground.host,
                ground.port,
                username=ground.user,
                client_keys=[str(ground.private_key_file)],
                known_hosts=([asyncssh.import_public_key(ground.host_key)], [], []),
                config=None,
                login_timeout=_SECONDS,
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            return [str(name) for name in await client.listdir("/")]

    try:
        seen = asyncio.run(asyncio.wait_for(names(), 2 * _SECONDS))
    except (OSError, asyncssh.Error, TimeoutError) as error:
        return Check("SFTP", passed=False, answer=str(error))
    return Check("SFTP", passed=OUTBOUND in seen, answer="lists " + ", ".join(sorted(seen)))
