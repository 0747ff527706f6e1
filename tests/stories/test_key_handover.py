"""Is a key changed under the eyes of Control-M's agents and of a collector, and nothing missed? By real OpenSSH clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.deploy.keys.pair import KeyPair
from landbridge.errors import Exit
from tests.deploy.key_account import Account
from tests.stories.bridgehead import Bridgehead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from tests.servers.ministack import Ministack

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("sftp") is None, reason="OpenSSH's client is not installed"),
]

AWS = """#!{python}
import sys, boto3
words = dict(zip(sys.argv[3::2], sys.argv[4::2]))
client = boto3.client("secretsmanager", region_name=words["--region"])
print(client.get_secret_value(SecretId=words["--secret-id"], VersionId=words["--version-id"])["SecretString"])
"""
"""The one call of the AWS command line that the script makes."""
PATIENCE = 60.0


def _until(what: Any, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.1)


@dataclass
class Agent:
    """A Control-M agent: a home with keys, an address of its own, and a job that takes every file, over and over."""

    name: str
    address: str
    folder: Path
    account: Account
    key: str = ""
    """`PrivateKeyName` of its connection profile."""
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys.mkdir(parents=True)
        self.taken.mkdir()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def keys(self) -> Path:
        return self.folder / "ctm/cm/AFT/data/Keys"

    @property
    def taken(self) -> Path:
        return self.folder / "taken"

    def _work(self) -> None:
        while not self._over.is_set():
            if self.key:
                self.take(self.key)
            self._over.wait(0.2)

    def take(self, key: str) -> None:
        known = self.folder / "known"
        known.write_text(f"[127.0.0.1]:{self.account.ministack.sftp_port} {self.account.pinned[0]}\n")
        options = [
            f"-o{word}" for word in ("BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes")
        ]
        done = subprocess.run(
            ["sftp", "-q", "-b", "-", "-F", "/dev/null", *options, f"-oUserKnownHostsFile={known}", "-oIdentityAgent=none",
             f"-oBindAddress={self.address}", "-i", self.keys / key, "-P", str(self.account.ministack.sftp_port),
             f"{self.account.name}@127.0.0.1"],
            input=f"lcd {self.taken}\nget /outbound/*.csv\n", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode and "not found" not in done.stderr:
            self.said.append(done.stderr)

    def install(self, script: Path, environment: dict[str, str]) -> str:
        """Run the script as a person on the agent's host would; the agent has its own right to read the secret."""
        tools = self.folder / "bin"
        if not tools.exists():
            tools.mkdir()
            (tools / "aws").write_text(AWS.format(python=sys.executable))
            (tools / "aws").chmod(0o755)
        own = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.folder)}
        done = subprocess.run(
            ["sh", script, "--test"],
            env=own | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "PRIVATE KEY" not in done.stdout + done.stderr
        return done.stdout

    def generate(self, key: str) -> Path:
        """Make a pair as Control-M does on the agent."""
        command = [
            "ssh-keygen",
            "-q",
            "-t",
            "rsa",
            "-b",
            "2048",
            "-m",
            "PEM",
            "-N",
            "",
            "-f",
            str(self.keys / key),
        ]
        subprocess.run(command, check=True, timeout=60)
        return self.keys / f"{key}.pub"


@dataclass
class Site:
    """A server that gets files all the while, and two agents."""

    account: Account
    folder: Path
    bridgehead: Bridgehead
    released: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.agents = tuple(
            Agent(f"edge{n}", f"127.0.0.{n + 1}", self.folder / f"edge{n}", self.account) for n in (1, 2)
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def declare(self, key: str, born: str) -> None:
        (self.project / "keys").mkdir(parents=True, exist_ok=True)
        (self.project / "feeds").mkdir(exist_ok=True)
        (self.project / "keys" / "host.pub").write_text("\n".join(self.account.pinned))
        (self.project / "keys" / "r.pem").write_text(self.bridgehead.receipt_key.private_pem)
        (self.project / "keys" / "r.pub").write_text(self.bridgehead.receipt_key.public_pem)
        name = self.account.name
        (self.project / "landbridge.yaml").write_text(
            f"""\
version: 1
project: {name}
buckets: {{staging: a-staging, reports: a-reports, ledger: a-ledger}}
sftp:
  host: 127.0.0.1
  port: {self.account.ministack.sftp_port}
  user: {name}
  private_key: aws-sm:landbridge/{name}/dev/sftp/{name}
  host_keys: ["file:keys/host.pub"]
share:
  path: {self.bridgehead.root}
  receipt_key: "file:keys/r.pem"
  receipt_public_keys: ["file:keys/r.pub"]
controlm: {{server: ctm, agents: mft, members: [edge1, edge2], key: {key}, key_born: {born}}}
environments: {{DEV: {{}}}}
"""
        )

    def typed(self, *words: object, code: int = Exit.DONE) -> Any:
        done = subprocess.run(
            self.command(*words, "--json"), env=self.environment(), capture_output=True, text=True, timeout=100,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "PRIVATE KEY" not in done.stdout + done.stderr
        return json.loads(done.stdout) if code == Exit.DONE else done.stderr

    def keys(self, command: str, *words: object, code: int = Exit.DONE) -> Any:
        return self.typed("keys", command, "--server", self.account.server_id, *words, code=code)

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "landbridge", *map(str, words), "--project", str(self.project)]

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | self.account.ministack.environment()

    def release(self) -> None:
        number = len(self.released) + 1
        manifest = self.bridgehead.release(f"file {number}\n".encode() * 500, feed=f"feed{number}")
        store = self.account.ministack.client("s3")
        for path in sorted(self.bridgehead.outbound.rglob("*"), key=lambda path: path.suffix != ".csv"):
            if path.is_file():
                key = f"outbound/{path.relative_to(self.bridgehead.outbound)}"
                store.put_object(Bucket=self.account.name, Key=key, Body=path.read_bytes())
                if path.suffix == ".csv":
                    self.released[manifest.landed_name] = path.read_bytes()
                path.unlink()

    def _go_on(self) -> None:
        while not self._over.wait(0.5):
            self.release()

    def __enter__(self) -> Self:
        self._thread.start()
        for agent in self.agents:
            agent.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for agent in self.agents:
            agent.__exit__()

    def stop_releasing(self) -> None:
        self._over.set()
        self._thread.join()

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """Give the events of one kind in the server's log."""
        client = self.account.ministack.client("logs")
        events = client.filter_log_events(logGroupName=self.account.log_group)["events"]
        return [
            said
            for said in (json.loads(event["message"]) for event in events)
            if said["activity-type"] == kind
        ]

    def used_by_both(self, key: str) -> bool:
        return {agent.address for agent in self.agents} <= {
            said["source-ip"]
            for said in self.logged("CONNECTED")
            if said["ssh-public-key-fingerprint"] == key
        }

    def nothing_missed(self) -> None:
        """Every agent has every file, and the server has turned nobody away."""
        self.stop_releasing()
        assert len(self.released) > 5
        for agent in self.agents:
            _until(lambda a=agent: {path.name for path in a.taken.iterdir()} == self.released.keys())
            agent.__exit__()  # it fetches every file anew each time
            assert {path.name: path.read_bytes() for path in agent.taken.iterdir()} == self.released
            assert agent.said == []
        assert self.logged("AUTH_FAILURE") == []


@pytest.fixture
def site(ministack: Ministack, tmp_path: Path) -> Iterator[Site]:
    account = Account(ministack)
    yield Site(account, tmp_path, Bridgehead(tmp_path / "ground"))
    ministack.client("transfer").delete_server(ServerId=account.server_id)


def _children(process: int) -> list[int]:
    return [
        int(word)
        for task in Path(f"/proc/{process}/task").iterdir()
        for word in (task / "children").read_text().split()
    ]


def test_a_key_of_the_cloud_is_handed_over_while_everybody_works(site: Site) -> None:
    site.declare("edbh_dev", "cloud")
    first = site.keys("create", "--kind", "rsa")
    _install(site, first)
    for agent in site.agents:
        agent.key = first["name"]
    with site:
        _until(lambda: site.used_by_both(first["created"]))
        assert site.keys("promote")["current"] == first["created"]
        with _collector(site) as collector:
            _rotated(site, collector, first)
    rows = {row["name"]: row["standing"] for row in site.keys("status")["keys"] if row["announced"]}
    assert list(rows.values()) == ["current"]


def _rotated(site: Site, collector: subprocess.Popen[bytes], first: dict[str, Any]) -> None:
    """From the first key to the second, and to the end of the first."""
    _until(lambda: len(site.bridgehead.seen()) > 2)
    new = site.keys("rotate", "--kind", "ecdsa")
    assert new["name"] != first["name"]
    _install(site, new)
    site.agents[0].key = new["name"]  # its profile is deployed first
    refused = site.keys("retire", "--overlap", "0s", code=Exit.TRY_AGAIN)
    assert "keys promote" in refused
    site.agents[1].key = new["name"]
    _until(lambda: site.used_by_both(new["rotated"]))
    assert "127.0.0.2" in site.keys("promote")["proof"]

    gone = site.keys("retire", "--overlap", "0s")
    assert gone == {"retired": [first["created"]]}
    before = len(site.logged("CONNECTED"))
    for child in _children(collector.pid):
        os.kill(child, signal.SIGKILL)  # its line is cut: it had logged in with the old key
    _until(lambda: any(said["source-ip"] == "127.0.0.1" for said in site.logged("CONNECTED")[before:]))

    count = len(site.released)
    _until(lambda: len(site.released) > count + 2)
    site.nothing_missed()
    _until(lambda: site.bridgehead.seen() == site.released)
    assert collector.poll() is None


def _install(site: Site, made: dict[str, Any]) -> None:
    handed = site.keys("hand-over", "--out", site.folder / "scripts")
    assert handed["name"] == made["name"]
    script = next(Path(path) for path in handed["files"] if path.endswith(".sh"))
    for agent in site.agents:
        assert "logged in as" in agent.install(script, site.account.ministack.environment())
    site.declare(handed["name"], "cloud")


class _collector:  # noqa: N801 - a context
    """Our own collector, watching."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def __enter__(self) -> subprocess.Popen[bytes]:
        words = self._site.command("collect", "--watch", "--every", "1s", "--since", "2026-11-01")
        log = (self._site.folder / "collector.log").open("wb")
        self._process = subprocess.Popen(words, env=self._site.environment(), stdout=log, stderr=log)
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)


def test_keys_of_the_agents_are_changed_while_everybody_works(site: Site) -> None:
    site.declare("edbh_1", "agent")
    old = _adopt(site, "edbh_1")
    with site:
        for key in old:
            _until(lambda k=key: _seen(site, k))
        site.declare("edbh_2", "agent")
        new = _adopt(site, "edbh_2")
        also = [word for key in old for word in ("--also", key)]
        for key in new:
            _until(lambda k=key: _seen(site, k))
        time.sleep(1)
        assert sorted(site.keys("retire", "--overlap", "0s", *also)["retired"]) == sorted(old)
        count = len(site.released)
        _until(lambda: len(site.released) > count + 4)
        site.nothing_missed()
    rows = site.keys("status")["keys"]
    assert [(row["standing"], row["name"]) for row in rows] == [
        ("agent", "edbh_2@edge1"),
        ("agent", "edbh_2@edge2"),
    ]
    private = site.agents[0].keys / "edbh_2"
    refused = site.keys("adopt", f"edge1={private}", code=Exit.INTEGRITY)
    assert KeyPair.parse(private.read_text(), "x").fingerprint not in refused
    assert private.read_text().splitlines()[1] not in refused


def _seen(site: Site, key: str) -> bool:
    return any(said["ssh-public-key-fingerprint"] == key for said in site.logged("CONNECTED"))


def _adopt(site: Site, name: str) -> list[str]:
    pairs = [f"{agent.name}={agent.generate(name)}" for agent in site.agents]
    done = site.keys("adopt", *pairs)["adopted"]
    assert all(each["was_there"] for each in site.keys("adopt", *pairs)["adopted"])
    for agent in site.agents:
        agent.key = name
    return [each["fingerprint"] for each in done]
