"""Does the twin's server keep what it acknowledged, come back on its ports, and leave nothing behind?"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from landbridge.errors import Unavailable
from landbridge.twin.child import Identity, identity, is_running, stop_other
from landbridge.twin.ports import LOOPBACK, all_free, free_ports, is_free
from landbridge.twin.seaweed import Config, Seaweed, make_bucket

if TYPE_CHECKING:
    from examples.servers.postgres import Postgres
    from tests.servers.seaweed import Lent


def _gone(who: Identity) -> bool:
    """Wait for a process to end, half a minute at most."""
    until = time.monotonic() + 30
    while is_running(who) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_running(who)


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill_and_a_restart(tmp_path: Path) -> None:
    config = Config(tmp_path / "server")
    bodies = {f"d/{number}": os.urandom(20_000) for number in range(300)}
    server = Seaweed.start(config)
    try:
        client = server.client()
        make_bucket(client, "kept", config.region)
        for key, body in bodies.items():
            client.put_object(Bucket="kept", Key=key, Body=body)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    finally:
        server.stop()
    with Seaweed.start(replace(config, ports=server.ports)) as again:
        assert again.ports == server.ports
        client = again.client()
        lost = [
            key
            for key, body in bodies.items()
            if client.get_object(Bucket="kept", Key=key)["Body"].read() != body
        ]
    assert lost == []


def test_nothing_is_left_of_a_stopped_server(tmp_path: Path) -> None:
    with Seaweed.start(Config(tmp_path / "server")) as server:
        who, ports = identity(server.process.pid), server.ports
        assert is_running(who)
        assert not all_free(ports)
    assert not is_running(who)
    assert all_free(ports)
    server.stop()  # again is fine


_PARENT = """
import sys, time
from pathlib import Path
from landbridge.twin.child import identity
from landbridge.twin.seaweed import Config, Seaweed
server = Seaweed.start(Config(Path(sys.argv[1])))
who = identity(server.process.pid)
print(who.pid, who.started, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_server_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, tmp_path / "server"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        pid, started = parent.stdout.readline().split()
        who = Identity(int(pid), started)
        assert is_running(who)
        parent.kill()
        assert _gone(who)
    finally:
        parent.kill()
        parent.communicate()


def test_ports_that_are_taken_are_left_alone(tmp_path: Path) -> None:
    wanted = free_ports()
    with socket.socket() as other:
        other.bind((LOOPBACK, wanted.s3 + 10_000))
        other.listen()
        with Seaweed.start(Config(tmp_path / "server", ports=wanted)) as server:
            assert server.ports != wanted


@pytest.mark.postgres
@pytest.mark.skipif(sys.platform != "linux", reason="where Linux tells which ports it hands out")
def test_no_outgoing_connection_takes_the_port_that_a_server_is_told(postgres: Postgres) -> None:
    """It was chosen a second before the server listens."""
    lowest = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]
    assert postgres.port < int(lowest)


def test_two_servers_live_side_by_side(seaweed: Lent, tmp_path: Path) -> None:
    bucket = seaweed.bucket()
    with Seaweed.start(Config(tmp_path / "server")) as other:
        assert other.endpoint != seaweed.endpoint
        with pytest.raises(ClientError, match="NoSuchBucket"):
            other.client().list_objects_v2(Bucket=bucket)


def test_bytes_are_not_in_clear_on_disk(seaweed: Lent) -> None:
    bucket, body = seaweed.bucket(), os.urandom(100_000)
    seaweed.client.put_object(Bucket=bucket, Key="x", Body=body)
    files = [path for path in (seaweed.server.config.folder / "data").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > len(body)
    assert not any(body[50_000:50_032] in path.read_bytes() for path in files)


def test_an_unsigned_request_is_refused(seaweed: Lent) -> None:
    import httpx

    assert httpx.get(f"{seaweed.endpoint}/{seaweed.bucket()}/x").status_code == httpx.codes.FORBIDDEN


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "data").mkdir()
    (folder / "data" / "filerldb2").write_text("not a folder")
    with pytest.raises(Unavailable) as caught:
        Seaweed.start(Config(folder), patience=20)
    assert "weed.log" in caught.value.hint
    assert "filerldb2" in caught.value.seen


def test_a_later_process_with_the_same_number_is_not_taken_for_ours() -> None:
    ours = identity(os.getpid())
    assert is_running(ours)
    impostor = Identity(ours.pid, "1")
    assert not is_running(impostor)
    assert not stop_other(impostor, patience=1)


def test_free_ports_have_free_twins() -> None:
    ports = free_ports()
    assert all(
        is_free(port) and is_free(port + 10_000)
        for port in (ports.master, ports.volume, ports.filer, ports.s3)
    )
