"""What does `landbridge collect` say and with which code does it end? The real program, against a real SFTP server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import Exit
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import DAY, Bridgehead, some_bytes
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


class Host:
    """The collector's host: a project, and the share beside it."""

    def __init__(self, at: Bridgehead, project: Path, port: int, user_key: str, host_key: str) -> None:
        self.at = at
        self.project = write_project(project)
        keys = project / "keys"
        keys.mkdir(exist_ok=True)
        (keys / "collector").write_text(user_key)
        (keys / "receipts.pem").write_text(at.receipt_key.private_pem)
        (keys / "receipts.pub").write_text(at.receipt_key.public_pem)
        text = (project / "landbridge.yaml").read_text()
        before, rest = text.split("sftp:", 1)
        environments = rest[rest.index("environments:") :]
        (project / "landbridge.yaml").write_text(
            f"""{before}sftp:
  host: 127.0.0.1
  port: {port}
  user: collector
  private_key: "file:keys/collector"
  host_keys: ["{host_key}"]
share:
  path: "{at.root}"
  bandwidth: 4000000
  receipt_key: "file:keys/receipts.pem"
  receipt_public_keys: ["file:keys/receipts.pub"]
{environments}"""
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "landbridge", "collect", "--since", f"{DAY}", *words],
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    at = Bridgehead(tmp_path / "at")
    with asyncssh_server(at.server) as server:
        project = tmp_path / "project"
        project.mkdir()
        yield Host(at, project, server.port, server.user_key.private_openssh, server.host_key.public_openssh)


def test_a_collection_ends_with_a_table_and_0(host: Host) -> None:
    host.at.release(b"one")
    code, out, _ = host.run()
    assert code == Exit.DONE
    assert "flights/2026-11-20" in out
    assert "delivered" in out
    assert host.at.seen() == {"flights_2026-11-20_1.csv": b"one"}
    code, out, err = host.run()
    assert (code, out) == (Exit.DONE, "")
    assert "nothing to collect" in err


def test_what_cannot_be_trusted_ends_with_76_and_the_rest_is_delivered(host: Host) -> None:
    host.at.release(b"one")
    wrong = host.at.release(b"two", feed="wrong")
    (host.at.server / wrong.remote_path.lstrip("/")).write_bytes(b"owt")
    code, out, _ = host.run("--json")
    assert code == Exit.INTEGRITY
    document = json.loads(out)
    assert {one["slot"]: one["state"] for one in document["outcomes"]} == {
        "flights/2026-11-20": "delivered",
        "wrong/2026-11-20": "refused",
    }
    assert set(host.at.seen()) == {"flights_2026-11-20_1.csv"}


def test_a_share_that_was_never_adopted_is_adopted_by_a_person(host: Host) -> None:
    host.at.release(b"one")
    (host.at.root / ".landbridge").rename(host.at.root.with_name("gone"))
    code, _, err = host.run()
    assert code == Exit.CANNOT_CREATE
    assert "--adopt-share" in err
    assert host.at.seen() == {}
    assert host.run("--adopt-share")[0] == Exit.DONE
    assert host.run()[0] == Exit.DONE
    assert set(host.at.seen()) == {"flights_2026-11-20_1.csv"}


def test_a_person_answers_for_what_a_lost_journal_leaves_in_doubt(host: Host) -> None:
    host.at.release(b"one")
    host.at.release(b"two", feed="other")
    (host.at.root / ".landbridge/dev/journal/identity.json").unlink()
    assert host.run()[0] == Exit.CANNOT_CREATE
    assert host.run("--adopt-share")[0] == Exit.DONE
    code, _, err = host.run()
    assert code == Exit.INTEGRITY
    assert "--deliver" in err
    assert host.run("--deliver", "never/2026-11-20")[0] == Exit.USAGE
    assert host.run("--deliver", "flights/2026-11-20", "--delivered", "other/2026-11-20")[0] == Exit.DONE
    assert set(host.at.seen()) == {"flights_2026-11-20_1.csv"}
    assert sorted(receipt.feed for receipt in host.at.proven()) == ["flights", "other"]


def test_an_interrupted_collection_ends_with_130_and_goes_on_later(host: Host) -> None:
    bodies = {f"{feed}_2026-11-20_1.csv": some_bytes(8_000_000, ord(feed)) for feed in "abc"}
    for name, body in bodies.items():
        host.at.release(body, feed=name[0])
    private = host.at.root / ".landbridge/dev"
    with host.start("--watch") as process:
        until = time.monotonic() + 60
        while not any(_size(part) for part in (private / "parts").glob("*")):
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == Exit.INTERRUPTED, out + err
    assert "Traceback" not in err
    assert host.at.seen() == {}
    assert list((private / "claims").iterdir()) == []
    assert sum(part.stat().st_size for part in (private / "parts").iterdir()) > 0
    assert host.run()[0] == Exit.DONE
    assert host.at.seen() == bodies
    assert list((private / "parts").iterdir()) == []


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:  # of a trial how this file system places
        return 0


def test_a_wrong_word_is_a_usage_error(host: Host) -> None:
    assert host.run("--every", "soon")[0] == Exit.USAGE
    assert host.run("--feed", "never")[0] == Exit.USAGE
    assert host.run("--since", "yesterday")[0] == Exit.USAGE
