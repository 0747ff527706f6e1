"""Where does a test get a real S3 and SFTP server from? SeaweedFS on loopback, for as long as the test needs it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.twin.keys import Ed25519Key
from landbridge.twin.seaweed import Config, Seaweed, SftpServer, SftpUser, make_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client

_COUNT = itertools.count(1)

SFTP_BUCKET = "sftp-home"
"""The bucket that is the home of the lent server's SFTP user."""


@dataclass(frozen=True)
class Lent:
    """A running server with an SFTP user `collector`, who reads `outbound/` and adds to (and reads) `receipts/` of SFTP_BUCKET."""

    server: Seaweed
    client: S3Client
    """With the admin key."""
    user_key: Ed25519Key
    host_key: Ed25519Key

    @property
    def endpoint(self) -> str:
        return self.server.endpoint

    @property
    def sftp_port(self) -> int:
        return self.server.ports.sftp

    def bucket(self, word: str = "bucket") -> str:
        """Make an empty bucket with a name of its own."""
        name = f"{word}-{os.getpid()}-{next(_COUNT)}"
        make_bucket(self.client, name, self.server.config.region)
        return name


@contextmanager
def lent(iam: Mapping[str, object] | None = None) -> Iterator[Lent]:
    """Start a fresh server and stop it at the end, with its data."""
    folder = Path(tempfile.mkdtemp(prefix="landbridge-seaweed-"))
    host_key, user_key = Ed25519Key.generate(), Ed25519Key.generate()
    home = f"/buckets/{SFTP_BUCKET}"
    user = SftpUser(
        "collector",
        (user_key.public_openssh,),
        home,
        {
            home: ("list", "traverse"),
            f"{home}/outbound": ("read", "list", "traverse"),
            f"{home}/receipts": ("read", "list", "traverse", "write", "create", "mkdir"),
        },
    )
    try:
        with Seaweed.start(Config(folder, SftpServer(host_key.private_openssh, (user,)), iam)) as server:
            client = server.client()
            make_bucket(client, SFTP_BUCKET, server.config.region)
            for name in ("outbound", "receipts"):
                client.put_object(Bucket=SFTP_BUCKET, Key=f"{name}/")
            yield Lent(server, client, user_key, host_key)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
