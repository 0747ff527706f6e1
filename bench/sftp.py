"""How long does it take to collect one large file, and many small ones, over SFTP; near, and 20 ms away?

From OpenSSH's server on this machine, at 20 ms through a proxy that delays. Ours hash every byte and fsync every file;
`landbridge collect` does also all that a collection is made of: manifests, claims, journal, renames, receipts.

Must: near, wall at most 1.3 x OpenSSH `sftp` and 0.25 x paramiko; at 20 ms, no slower than OpenSSH for the large file,
at most 0.1 x for the small ones. A peer that is not installed is left out. OpenSSH and paramiko take one small file
after the other: at 20 ms they get 200 of them, and all ratios of small files are of the time a file takes.
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
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench.installed import Missing, installed
from bench.measure import as_a_user_has_it
from bench.sftp_peers import BUSINESS_DATE
from landbridge.facts import Manifest
from landbridge.ledger import entries
from landbridge.twin.keys import Ed25519Key
from tests.servers.line import line_to
from tests.servers.sftp import SSHD, openssh_server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tests.servers.sftp import Sftp

LARGE = 1 << 30
SMALL, SMALL_FILES, FEW = 16 << 10, 2_000, 200
FILES = {"large": 1, "small": SMALL_FILES, "few": FEW}
HOST = "127.0.0.1"
RUNS = 3
SYNCED = "OpenSSH sftp -f, which fsyncs"
NEEDS = {
    "OpenSSH sftp": "sftp",
    SYNCED: "sftp",
    "paramiko": "paramiko",
    "lftp, 4 at once": "lftp",
    "rclone": "rclone",
}
"""The module or program of each peer that is not ours."""
FAR = 0.010
"""Seconds each way."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one download by one peer: on the wall, and of CPU in the client."""

    wall: float
    cpu: float
    files: int = 1


def main(_: Sequence[str] = ()) -> None:
    """Measure each task at each distance, all peers in turn."""
    print(__doc__)
    needs_server()
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        make(folder / "server")
        near = stack.enter_context(openssh_server(folder / "server"))
        far = stack.enter_context(line_to(near.port, delay=FAR))
        for task, what in (("large", "1 GiB"), ("small", f"{SMALL_FILES:,} x 16 KiB")):
            for port, distance, runs in ((near.port, "near", RUNS), (far.port, "20 ms away", 1)):
                print(f"\n### {what}, {distance}\n")
                print(_table(measured(Bench(folder, near, port, task), runs)), flush=True)


@dataclass(frozen=True, slots=True)
class Bench:
    """One task at one distance."""

    folder: Path
    server: Sftp
    port: int
    task: str

    def peers(self) -> dict[str, Callable[[Path], Took]]:
        """Everybody."""
        far = self.port != self.server.port
        slow = "few" if self.task == "small" and far else self.task
        found: dict[str, Callable[[Path], Took]] = {
            "landbridge, the downloads": lambda into: self._python("landbridge", self.task, into),
            "the same, asyncssh under it": lambda into: self._python("asyncssh", self.task, into),
            "landbridge collect": lambda into: self._python("collect", self.task, into),
            "OpenSSH sftp": lambda into: self._sftp(slow, into),
            SYNCED: lambda into: self._sftp(slow, into, "-f"),
            "paramiko": lambda into: self._python("paramiko", slow, into),
            "lftp, 4 at once": self._lftp,
            "rclone": self._rclone,
        }
        return found

    def _options(self) -> list[str]:
        key = self._file("key", self.server.user_key.private_openssh)
        return [
            f"-oIdentityFile={key}",
            f"-oUserKnownHostsFile={self._known()}",
            "-oCiphers=aes128-gcm@openssh.com",
        ]

    def _known(self) -> Path:
        return self._file("known", f"[{HOST}]:{self.port} {self.server.host_key.public_openssh}\n")

    def _sftp(self, task: str, into: Path, *more: str) -> Took:
        url = f"{self.server.user}@{HOST}:{self.server.home}/{task}"
        command = ["sftp", "-q", *more, "-P", f"{self.port}", *self._options(), "-r", url, f"{into}"]
        return self._run(command, task)

    def _lftp(self, into: Path) -> Took:
        ssh = " ".join(["ssh", "-a", "-x", "-p", f"{self.port}", *self._options()])
        script = (
            f"set sftp:connect-program '{ssh}'; open -u {self.server.user},x -p {self.port} sftp://{HOST}; "
            f"mirror --parallel=4 {self.server.home}/{self.task} {into}"
        )
        return self._run(["lftp", "-c", script], self.task)

    def _rclone(self, into: Path) -> Took:
        key, user = self._file("key", self.server.user_key.private_openssh), self.server.user
        url = (
            f":sftp,host={HOST},port={self.port},user={user},key_file={key},known_hosts_file={self._known()},"
            f"shell_type=none:{self.server.home}/{self.task}"
        )
        return self._run(["rclone", "copy", url, into, "--config", os.devnull], self.task)

    def _python(self, peer: str, task: str, into: Path) -> Took:
        settings = {
            "into": str(into),
            "home": self.server.home + ("/collect_" + task if peer == "collect" else ""),
            "port": f"{self.port}",
            "user": self.server.user,
            "user_key": self.server.user_key.private_openssh,
            "host_key": self.server.host_key.public_openssh,
            "receipt_key": Ed25519Key.generate().private_pem,
        }
        receipts = Path(settings["home"], "receipts")
        if receipts.exists():
            receipts.rename(_beside(receipts))
        return self._run([sys.executable, "-m", "bench.sftp_peers", peer, task], task, json.dumps(settings))

    def _run(self, command: Sequence[str | os.PathLike[str]], task: str, words: str = "") -> Took:
        began, before = time.perf_counter(), os.times()
        subprocess.run(
            command, input=words.encode(), check=True, stdout=subprocess.DEVNULL, env=as_a_user_has_it()
        )
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Took(time.perf_counter() - began, cpu, FILES[task])

    def _file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)
        return path


def measured(bench: Bench, runs: int, only: Collection[str] = ()) -> dict[str, Took]:
    """Let all peers, or `only` these, download in turn, `runs` times after one warm-up, and give each one's medians."""
    asked = {name: peer for name, peer in bench.peers().items() if not only or name in only}
    peers = installed(asked, NEEDS)
    seen: dict[str, list[Took]] = {name: [] for name in peers}
    for number in range(runs + 1):
        for name, download in peers.items():
            into = _beside(bench.folder / "into")
            into.mkdir()
            took = download(into)
            if number:
                seen[name].append(took)
            if bench.task == "large":  # there is no room for all of them
                shutil.rmtree(into)
    return {
        name: Took(
            statistics.median(one.wall for one in took),
            statistics.median(one.cpu for one in took),
            took[0].files,
        )
        for name, took in seen.items()
    }


def needs_server() -> None:
    """See that there is a server to measure against.

    Raises:
        Missing: OpenSSH's is not installed.
    """
    if SSHD is None:
        raise Missing("left out: OpenSSH's sshd is not installed; `make tools` unpacks one")


def _beside(path: Path) -> Path:
    """Give a name that is free: small files, and receipts, stay to the end of the bench.

    For minutes ext4 looks at every file that was removed before it makes the next one, so whoever comes next would pay
    for the removal: `sftp` took 1.5 s of CPU instead of 0.5 s.
    """
    return next(one for number in count(1) if not (one := path.with_name(f"{path.name}-{number}")).exists())


def _table(took: dict[str, Took]) -> str:
    ours = took["landbridge, the downloads"]
    lines = ["| | files | wall s | CPU s of the client | our wall / its |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {one.files:,} | {one.wall:.2f} | {one.cpu:.2f} | {_ratio(ours, one)} |"
        for name, one in took.items()
    ]
    return "\n".join(lines)


def _ratio(ours: Took, its: Took) -> str:
    ratio = (ours.wall / ours.files) / (its.wall / its.files)
    return f"{ratio:.2f}" if ratio > 0.1 else f"{ratio:.3f}"


def make(folder: Path) -> None:
    """Lay out each task twice: as plain files, and as a cloud side that has released them."""
    (folder / "large").mkdir(parents=True)
    with (folder / "large" / "large").open("wb") as file:
        for _ in range(LARGE >> 20):
            file.write(os.urandom(1 << 20))
    (folder / "small").mkdir()
    for number in range(SMALL_FILES):
        (folder / "small" / f"f{number:04}").write_bytes(os.urandom(SMALL))
    shutil.copytree(folder / "small", folder / "few", ignore=lambda _, names: sorted(names)[FEW:])
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
