"""How is a SeaweedFS server (S3, STS, IAM and SFTP in one program) run on loopback?"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from landbridge.errors import Unavailable
from landbridge.twin import child
from landbridge.twin.files import private_folder
from landbridge.twin.ports import LOOPBACK, Ports, all_free, free_ports
from landbridge.twin.seaweed_setup import (
    AccessKey,
    Config,
    SftpServer,
    SftpUser,
    admin_key,
    command,
    environment,
    write_configuration,
)

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    from mypy_boto3_s3 import S3Client

__all__ = ["PROBE", "AccessKey", "Config", "Seaweed", "SftpServer", "SftpUser", "admin_client", "make_bucket"]

PROBE = "landbridge-twin-probe"
"""The bucket that readiness is probed with; it stays, so that a restart need not make it again."""

_ATTEMPTS = 5


class Seaweed:
    """A running server. Its data are encrypted on disk; whoever uses this machine can still reach its loopback ports."""

    def __init__(
        self, config: Config, ports: Ports, admin: AccessKey, process: subprocess.Popen[bytes]
    ) -> None:
        """Hold a server that `start` has made ready."""
        self.config = config
        self.ports = ports
        self.admin = admin
        self.process = process

    @classmethod
    def start(cls, config: Config, *, patience: float = 60) -> Self:
        """Start a server and return when a signed put and get have succeeded; about 3 s on an idle machine.

        It dies with the thread that calls this (see `child.start`). A clash of ports is tried again with others.

        Raises:
            Unavailable: it ended, or did not answer within `patience` seconds; nothing is left running.
        """
        private_folder(config.folder)
        admin = admin_key(config.folder)
        write_configuration(config, admin)
        until = time.monotonic() + patience
        ports = config.ports if config.ports and all_free(config.ports) else free_ports()
        for _ in range(_ATTEMPTS):
            began = _log_size(config.folder)
            server = cls(config, ports, admin, _launch(config, ports))
            with ExitStack() as on_failure:
                on_failure.callback(server.stop)
                if server._await_ready(until):
                    on_failure.pop_all()
                    return server
            said = _log_since(config.folder, began)
            if "address already in use" not in said:
                raise _not_ready(config.folder, said)
            ports = free_ports()
        raise Unavailable(
            "the SeaweedFS server found no free ports", hint="stop other servers on this machine"
        )

    @property
    def endpoint(self) -> str:
        """The URL of S3 and STS."""
        return f"http://{LOOPBACK}:{self.ports.s3}"

    def client(self) -> S3Client:
        """Give a boto3 client with the admin key: for making buckets, and for tests."""
        return admin_client(self.endpoint, self.admin, self.config.region)

    def stop(self) -> None:
        """End the server at once and reap it. Idempotent.

        It is killed: SIGTERM makes it wait 15 s for its own streams, or for ever as a single master, and every put
        it has acknowledged is with the operating system by then (a test kills it 300 puts in and finds all of them).
        """
        child.stop(self.process, patience=0)
        for kind, port in (("filer", self.ports.filer), ("s3", self.ports.s3), ("sftp", self.ports.sftp)):
            Path(f"/tmp/seaweedfs-{kind}-{port}.sock").unlink(missing_ok=True)  # noqa: S108 - where the server puts it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await_ready(self, until: float) -> bool:
        """Tell whether it answered as it should before `until`, or before it ended by itself."""
        from botocore.exceptions import BotoCoreError, ClientError

        client = admin_client(self.endpoint, self.admin, self.config.region, quick=True)
        word = secrets.token_bytes(8)
        while time.monotonic() < until and self.process.poll() is None:
            try:
                make_bucket(client, PROBE, self.config.region)
                client.put_object(Bucket=PROBE, Key="ready", Body=word)
                if client.get_object(Bucket=PROBE, Key="ready")["Body"].read() == word:
                    return True
            except (BotoCoreError, ClientError):
                pass
            time.sleep(0.05)
        return False


def admin_client(endpoint: str, key: AccessKey, region: str, *, quick: bool = False) -> S3Client:
    """Give a boto3 client for `key`; a `quick` one neither waits nor tries again."""
    from botocore.config import Config as ClientConfig

    from landbridge.stores.aws_session import session

    waits = ClientConfig(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
    return session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        region_name=region,
        config=waits if quick else None,
    )


def make_bucket(client: S3Client, bucket: str, region: str) -> None:
    """Create `bucket` unless it is there.

    Raises:
        botocore.exceptions.ClientError: any other refusal.
    """
    from botocore.exceptions import ClientError

    try:
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item] # any region
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}:
            raise


def _launch(config: Config, ports: Ports) -> subprocess.Popen[bytes]:
    return child.start(
        command(config, ports),
        cwd=config.folder,
        log=config.folder / "weed.log",
        environment=environment(config.folder),
    )


def _not_ready(folder: Path, said: str) -> Unavailable:
    return Unavailable(
        "the SeaweedFS server did not become ready",
        expected="a signed put and get that succeed",
        seen=_last_fault(said),
        hint=f"see {folder / 'weed.log'}",
    )


def _log_size(folder: Path) -> int:
    log = folder / "weed.log"
    return log.stat().st_size if log.exists() else 0


def _log_since(folder: Path, offset: int) -> str:
    with (folder / "weed.log").open("rb") as log:
        log.seek(offset)
        return log.read(1 << 20).decode(errors="replace")


def _last_fault(log: str) -> str:
    """Pick the line that says most likely why: the last fatal one, or error, or the last of all."""
    lines = [line for line in log.splitlines() if line.strip()] or ["an empty log"]
    for letter in ("F", "E"):
        if faults := [line for line in lines if line.startswith(letter)]:
            return faults[-1][:300]
    return lines[-1][:300]
