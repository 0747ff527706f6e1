"""How does each library of Python download over SFTP? One process each: `python -m bench.sftp_peers PEER TASK`, settings on standard input."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landbridge.errors import LandbridgeError
    from landbridge.facts import Fetched
    from landbridge.ports import Remote, RemoteFile
    from landbridge.sftp.endpoint import Endpoint

BUSINESS_DATE = date(2026, 11, 20)
MANY = 48
"""Small files at once, as `landbridge.collect` has them; it is not imported, because its imports are no part of a download."""


def main() -> None:
    """Do what the words say."""
    peer, task = sys.argv[1:]
    settings = json.loads(sys.stdin.read())
    match peer:
        case "collect":
            _collect(settings)
        case "paramiko":
            _paramiko(settings, task)
        case _:
            _landbridge(settings, task, "asyncssh" if peer == "asyncssh" else "auto")


def _landbridge(settings: dict[str, str], task: str, client: str) -> None:
    from landbridge.sftp.client import SftpRemote
    from landbridge.sftp.endpoint import Client, Tuning

    into, tuning = Path(settings["into"]), Tuning(client=Client(client))
    with SftpRemote(_endpoint(settings), tuning) as remote, ThreadPoolExecutor(MANY) as pool:
        files = remote.files(f"{settings['home']}/{task}")
        list(pool.map(lambda one: remote.download(one.path, into / one.name, one.size), files))


def _collect(settings: dict[str, str]) -> None:
    """Do everything that a collection does: manifests, claims, journal, fsyncs, receipts."""
    from landbridge.collect import collect
    from landbridge.sftp.client import SftpRemote
    from landbridge.share.folder import FolderShare
    from landbridge.wiring.clock import SystemClock
    from landbridge.world import Ground

    clock = SystemClock()
    with (
        SftpRemote(_endpoint(settings)) as remote,
        FolderShare(Path(settings["into"]), "BENCH", "bench", clock) as share,
    ):
        share.adopt()
        ground = Ground(
            "BENCH", Below(remote, settings["home"]), share, settings["receipt_key"], (), clock, Unwatched()
        )
        wrong = [one for one in collect(ground, BUSINESS_DATE) if one.state.value != "delivered"]
    if wrong:
        raise SystemExit(str(wrong[0]))


def _paramiko(settings: dict[str, str], task: str) -> None:
    import io

    import paramiko

    key = paramiko.Ed25519Key.from_private_key(io.StringIO(settings["user_key"]))
    transport = paramiko.Transport(("127.0.0.1", int(settings["port"])))
    transport.connect(username=settings["user"], pkey=key)
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None  # noqa: S101 - only when the channel was refused
    for name in client.listdir(f"{settings['home']}/{task}"):
        client.get(f"{settings['home']}/{task}/{name}", str(Path(settings["into"]) / name))
    transport.close()


def _endpoint(settings: dict[str, str]) -> Endpoint:
    from landbridge.sftp.endpoint import Endpoint

    return Endpoint(
        "127.0.0.1", int(settings["port"]), settings["user"], settings["user_key"], (settings["host_key"],)
    )


class Unwatched:
    """Progress that nobody watches."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, step: str, amount: int) -> None:
        """Say nothing."""

    def finish(self, step: str) -> None:
        """Say nothing."""


class Below:
    """A remote whose `/` is a folder of the server: OpenSSH shows the whole machine to this user."""

    def __init__(self, remote: Remote, home: str) -> None:
        self._remote = remote
        self._home = home

    def files(self, folder: str) -> list[RemoteFile]:
        """See ports.Remote."""
        return self._remote.files(self._home + folder)

    def folders(self, folder: str) -> list[str]:
        """See ports.Remote."""
        return self._remote.folders(self._home + folder)

    def read(self, path: str) -> bytes:
        """See ports.Remote."""
        return self._remote.read(path)

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        """See ports.Remote; they are from `files`."""
        return self._remote.read_many(files)

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """See ports.Remote."""
        return self._remote.download(self._home + path, into, size, watch)

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        """See ports.Remote."""
        return self._remote.download_many(
            [(self._home + path, into, size) for path, into, size in wanted], watch
        )

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""
        self._remote.write(self._home + path, body)

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """See ports.Remote."""
        return self._remote.write_many([(self._home + path, body) for path, body in files])

    def close(self) -> None:
        """See ports.Remote."""
        self._remote.close()


if __name__ == "__main__":
    main()
