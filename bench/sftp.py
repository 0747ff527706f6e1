"""How long does it take to collect one large file, and many small ones, over SFTP; near, and 20 ms away?

From OpenSSH's server on this machine, at 20 ms through a proxy that delays. Ours hash every byte and fsync every file;
`landbridge collect` does also all that a collection is made of: manifests, claims, journal, renames, receipts.

Must: near, wall at most 1.3 x OpenSSH `sftp` and 0.25 x paramiko; at 20 ms, no slower than OpenSSH for the large file,
at most 0.1 x for the small ones. A peer that is not installed is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.sftp_peers import BUSINESS_DATE
from landbridge.facts import Manifest
from landbridge.ledger import entries
from landbridge.twin.keys import Ed25519Key
from tests.servers.line import line_to
from tests.servers.sftp import openssh_server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tests.servers.sftp import Sftp

LARGE = 1 << 30
SMALL, SMALL_FILES = 16 << 10, 2_000
RUNS = 3
SYNCED = "OpenSSH sftp -f, which fsyncs"
FAR = 0.010
"""Seconds each way."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one download by one peer: on the wall, and of CPU in the client."""

    wall: float
    cpu: float


def main(_: Sequence[str] = ()) -> None:
    """Measure each task at each distance, all peers in turn."""
    print(__doc__)
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        make(folder / "server")
        near = stack.enter_context(openssh_server(folder / "server"))
        far = stack.enter_context(line_to(near.port, delay=FAR))
        for task, what in (("large", "1 GiB"), ("small", f"{SMALL_FILES:,} x 16 KiB")):
            for port, distance, runs in ((near.port, "near", RUNS), (far.port, "20 ms away", 1)):
                print(f"\n### {what}, {distance}\n")
                print(_table(measured(Bench(folder, near, port, task), runs)))


@dataclass(frozen=True, slots=True)
class Bench:
    """One task at one distance."""

    folder: Path
    server: Sftp
    port: int
    task: str

    def peers(self) -> dict[str, Callable[[Path], Took]]:
        """Everybody who is installed."""
        source = f"{self.server.home}/{self.task}"
        key, host = self._file("key", self.server.user_key.private_openssh), "127.0.0.1"
        known = self._file("known", f"[{host}]:{self.port} {self.server.host_key.public_openssh}\n")
        options = [
            f"-oIdentityFile={key}",
            f"-oUserKnownHostsFile={known}",
            "-oCiphers=aes128-gcm@openssh.com",
        ]
        user, port = self.server.user, f"{self.port}"
        url = f"{user}@{host}:{source}"
        ssh = " ".join(["ssh", "-a", "-x", "-p", port, *options])
        lftp = (
            f"set sftp:connect-program '{ssh}'; open -u {user},x -p {port} sftp://{host}; "
            f"mirror --parallel=4 {source} {{into}}"
        )
        rclone = [
            "rclone",
            "copy",
            f":sftp,host={host},port={port},user={user},key_file={key},known_hosts_file={known},shell_type=none:{source}",
        ]
        found: dict[str, Callable[[Path], Took]] = {
            "landbridge, the downloads": lambda into: self._python("landbridge", into),
            "landbridge collect": lambda into: self._python("collect", into),
            "OpenSSH sftp": lambda into: _run(["sftp", "-q", "-P", port, *options, "-r", url, into]),
            SYNCED: lambda into: _run(["sftp", "-q", "-f", "-P", port, *options, "-r", url, into]),
            "paramiko": lambda into: self._python("paramiko", into),
        }
        if shutil.which("lftp"):
            found["lftp, 4 at once"] = lambda into: _run(["lftp", "-c", lftp.format(into=into)])
        if shutil.which("rclone"):
            found["rclone"] = lambda into: _run([*rclone, into, "--config", os.devnull])
        if self.task == "small" and self.port != self.server.port:
            del found["paramiko"]  # four minutes, for the same as OpenSSH
        return found

    def _python(self, peer: str, into: Path) -> Took:
        settings = {
            "into": str(into),
            "home": self.server.home + ("/collect_" + self.task if peer == "collect" else ""),
            "port": f"{self.port}",
            "user": self.server.user,
            "user_key": self.server.user_key.private_openssh,
            "host_key": self.server.host_key.public_openssh,
            "receipt_key": Ed25519Key.generate().private_pem,
        }
        shutil.rmtree(f"{settings['home']}/receipts", ignore_errors=True)
        return _run([sys.executable, "-m", "bench.sftp_peers", peer, self.task], json.dumps(settings))

    def _file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)
        return path


def _run(command: Sequence[str | os.PathLike[str]], words: str = "") -> Took:
    began, before = time.perf_counter(), os.times()
    subprocess.run(command, input=words.encode(), check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(time.perf_counter() - began, cpu)


def measured(bench: Bench, runs: int, only: Collection[str] = ()) -> dict[str, Took]:
    """Let all peers, or `only` these, download in turn, and give each one's medians."""
    peers = {name: peer for name, peer in bench.peers().items() if not only or name in only}
    seen: dict[str, list[Took]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, download in peers.items():
            into = bench.folder / "into"
            into.mkdir()
            seen[name].append(download(into))
            shutil.rmtree(into)
    return {
        name: Took(statistics.median(one.wall for one in took), statistics.median(one.cpu for one in took))
        for name, took in seen.items()
    }


def _table(took: dict[str, Took]) -> str:
    ours = took["landbridge, the downloads"]
    lines = ["| | wall s | CPU s of the client | our wall / its |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {one.wall:.2f} | {one.cpu:.2f} | {ours.wall / one.wall:.2f} |"
        for name, one in took.items()
    ]
    return "\n".join(lines)


def make(folder: Path) -> None:
    """Lay out each task twice: as plain files, and as a cloud side that has released them."""
    (folder / "large").mkdir(parents=True)
    with (folder / "large" / "large").open("wb") as file:
        for _ in range(LARGE >> 20):
            file.write(os.urandom(1 << 20))
    (folder / "small").mkdir()
    for number in range(SMALL_FILES):
        (folder / "small" / f"f{number:04}").write_bytes(os.urandom(SMALL))
    for task in ("large", "small"):
        manifests = folder / f"collect_{task}" / "outbound" / "_manifests" / f"{BUSINESS_DATE}"
        manifests.mkdir(parents=True)
        (folder / f"collect_{task}" / "outbound" / "x").symlink_to(folder / task)
        for path in sorted((folder / task).iterdir()):
            _announce(path, manifests)


def _announce(path: Path, manifests: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = Manifest(
        feed=path.name,
        occurrence=f"{BUSINESS_DATE}",
        business_date=BUSINESS_DATE,
        revision=1,
        environment="BENCH",
        remote_path=f"/outbound/x/{path.name}",
        landed_name=path.name,
        done_name="",
        size=path.stat().st_size,
        sha256=digest,
        rows=1,
        committed_at=datetime(2026, 11, 20, tzinfo=UTC),
        deadline=None,
        commitment="c" * 64,
    )
    name = f"{path.name}.{BUSINESS_DATE}.0001.json"
    (manifests / name).write_bytes(entries.written("manifest", manifest))


if __name__ == "__main__":
    main()
