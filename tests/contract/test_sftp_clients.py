"""Do both of SFTP's clients keep what no single file shows: whom they trust, what they leave behind, how they end?"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import asyncssh
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from landbridge.errors import IntegrityBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.facts import Server
from landbridge.ports import RemoteFile
from landbridge.sftp import client as clients
from landbridge.sftp import keys, openssh
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.door import SftpDoor
from landbridge.sftp.endpoint import Client, Endpoint, Tuning
from landbridge.sftp.retried import Retried
from landbridge.sftp.said import KEPT, Said
from landbridge.twin.keys import Ed25519Key
from tests.contract.sftp_clients import needs_ssh
from tests.fakes.open_files import open_before, open_files
from tests.servers.line import line_to
from tests.servers.sftp import asyncssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.sftp import Sftp

_RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDAu7tvIvX6ZHrRXuZNfkR3XLHSsuCK9Zn3X58lxBcQzuf5xZFd89+"
    "OWqgTtjNDCpHR0ImvJtgGTeCyLb/rsOLHcfqqFzhxp0ZrAr0IhlaoFyiBuj/oEAvLXcvTm2JNh8xR0lQKZGPZyTlDmQ"
    "jBd+YlD8YdxEvFO4OH3dFgnHGE1Q=="
)


def _large(server: Sftp, size: int) -> str:
    body = random.Random(1).randbytes(size)
    (server.folder / "large").write_bytes(body)
    return hashlib.sha256(body).hexdigest()


def test_another_host_key_is_shown_beside_the_pinned_ones(server: Sftp, tuning: Tuning) -> None:
    others = (Ed25519Key.generate().public_openssh, Ed25519Key.generate().public_openssh)
    right = keys.read(server.endpoint()).pinned[0].fingerprint
    with (
        SftpRemote(replace(server.endpoint(), host_keys=others), tuning) as remote,
        pytest.raises(IntegrityBroken) as caught,
    ):
        remote.files("/")
    assert caught.value.seen == right
    assert caught.value.expected.count("SHA256:") == 2
    assert right not in caught.value.expected
    with SftpRemote(
        replace(server.endpoint(), host_keys=(*others, *server.endpoint().host_keys)), tuning
    ) as remote:
        assert remote.files("/") == []


def test_a_host_key_of_another_type_is_shown_too(server: Sftp, tuning: Tuning) -> None:
    # Both ends give up; where the server's end is seen first it is a cut like any other, and the next try tells.
    with (
        SftpRemote(replace(server.endpoint(), host_keys=(_RSA,)), tuning) as remote,
        pytest.raises(IntegrityBroken) as caught,
    ):
        Retried(remote).files("/")
    assert caught.value.seen == keys.read(server.endpoint()).pinned[0].fingerprint


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 %%%", "ssh-rsa AAAAC3NzaC1lZDI1NTE5", "x AAAA"]
)
def test_what_is_no_host_key_is_refused(server: Sftp, line: str) -> None:
    with pytest.raises(UsageError, match="host key"):
        SftpRemote(replace(server.endpoint(), host_keys=(line,)))


def test_a_refused_key_is_told_as_such(server: Sftp, tuning: Tuning) -> None:
    stranger = replace(server.endpoint(), private_key=Ed25519Key.generate().private_openssh)
    with SftpRemote(stranger, tuning) as remote, pytest.raises(NotPermitted, match="refused the key"):
        remote.files("/")


def test_keys_that_were_changed_are_read_before_the_next_connection(
    server: Sftp, tmp_path: Path, tuning: Tuning
) -> None:
    digest = _large(server, 3_000_000)
    asked: list[Endpoint] = []
    with asyncssh_server(server.folder) as other, line_to(server.port, cut_after=(1_000_000,)) as line:
        changed = other.endpoint()

        def latest() -> Endpoint:
            asked.append(changed)
            return changed

        with SftpRemote(server.endpoint(line.port), tuning, latest) as remote:
            assert remote.files("/") == remote.files("/")
            with pytest.raises(Unavailable):
                remote.download("/large", tmp_path / "part", 3_000_000)
            assert asked == [], "a connection that lives needs no key"
            came = remote.download("/large", tmp_path / "part", 3_000_000)
            assert (came.content.sha256, came.server) == (digest, _server_of(other))
        assert asked == [changed]
        assert line.connections == 1, "the old server would have refused the new key"


def _server_of(running: Sftp) -> Server:
    fingerprint = keys.read(running.endpoint()).pinned[0].fingerprint
    return Server("127.0.0.1", running.port, fingerprint, running.user)


@pytest.mark.parametrize("shown", [0, 1])
def test_a_download_tells_which_of_the_pinned_keys_the_server_showed(
    server: Sftp, tmp_path: Path, tuning: Tuning, shown: int
) -> None:
    pinned = [Ed25519Key.generate().public_openssh, Ed25519Key.generate().public_openssh]
    pinned[shown] = server.host_key.public_openssh
    (server.folder / "small").write_bytes(b"few")
    with SftpRemote(replace(server.endpoint(), host_keys=tuple(pinned)), tuning) as remote:
        assert remote.download("/small", tmp_path / "part", 3).server == _server_of(server)


def test_what_a_child_said_is_found_as_soon_as_it_is_said_and_not_awaited_for_ever() -> None:
    said = Said()
    os.write(said.theirs, b"one\n")
    assert said.find(re.compile("^(o.e)$", re.MULTILINE), 5.0) == "one"
    threading.Timer(0.05, os.write, (said.theirs, b"two\n")).start()
    assert said.find(re.compile("^(t.o)$", re.MULTILINE), 5.0) == "two"
    assert said.find(re.compile("(three)"), 0.01) == ""
    said.lent()
    said.wait(5.0)
    assert said.find(re.compile("(three)"), 5.0) == "", "nobody is there to say it"


def test_many_who_wait_for_one_connection_share_its_failure(server: Sftp, tuning: Tuning) -> None:
    stranger = replace(server.endpoint(), private_key=Ed25519Key.generate().private_openssh)
    together = threading.Barrier(12)

    def refused(remote: SftpRemote) -> bool:
        together.wait()
        with pytest.raises(NotPermitted):
            remote.files("/")
        return True

    with (
        line_to(server.port) as line,
        SftpRemote(replace(stranger, port=line.port), tuning) as remote,
        ThreadPoolExecutor(12) as pool,
    ):
        assert all(pool.map(refused, [remote] * 12))
        assert line.connections <= 3


def test_nobody_listening_is_unavailable(server: Sftp, tuning: Tuning) -> None:
    with SftpRemote(server.endpoint(9), tuning) as remote, pytest.raises(Unavailable) as caught:
        remote.files("/")
    assert "refused" in caught.value.seen


def test_a_server_that_says_nothing_is_unavailable_in_time(server: Sftp, tuning: Tuning) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = server.endpoint(silent.getsockname()[1])
        began = time.monotonic()
        with (
            SftpRemote(endpoint, replace(tuning, connect_timeout=1)) as remote,
            pytest.raises(Unavailable),
        ):
            remote.files("/")
    assert time.monotonic() - began < 15


class _Stuck(asyncssh.SFTPServer):
    """A server that keeps the line and opens nothing: its storage hangs."""

    async def open(self, *_: object) -> object:
        await asyncio.Event().wait()
        raise AssertionError


def test_a_server_that_keeps_the_line_and_answers_nothing_is_unavailable_in_time(
    tmp_path: Path, tuning: Tuning
) -> None:
    quick = replace(tuning, silence=1.5)
    with asyncssh_server(tmp_path, serving=_Stuck) as stuck, SftpRemote(stuck.endpoint(), quick) as remote:
        with pytest.raises(Unavailable) as told:
            remote.download("/x", tmp_path / "part", 1 << 20)
        assert "no answer for" in told.value.seen
        assert not remote._lines._channels[0].live


class _Mute(asyncssh.SFTPServer):
    """A server that lets everybody in and never says that it speaks SFTP."""

    def __init__(self, channel: Any, chroot: bytes | None = None) -> None:
        super().__init__(channel, chroot=chroot)
        channel.write = lambda *_: None


def test_a_server_that_lets_us_in_and_says_no_more_is_unavailable_in_time(
    tmp_path: Path, tuning: Tuning
) -> None:
    quick = replace(tuning, connect_timeout=1.5)  # a busy machine takes its time to let us in
    with asyncssh_server(tmp_path, serving=_Mute) as mute, SftpRemote(mute.endpoint(), quick) as remote:
        with pytest.raises(Unavailable) as told:
            remote.files("/")
        assert "no answer" in told.value.seen


def _formats() -> Iterator[tuple[str, str, str | None]]:
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    for made in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())):
        public = (
            made.public_key()
            .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            .decode()
        )
        locked = serialization.BestAvailableEncryption(b"secret")
        for form, lock, phrase in (
            (serialization.PrivateFormat.OpenSSH, none, None),
            (serialization.PrivateFormat.OpenSSH, locked, "secret"),
            (serialization.PrivateFormat.PKCS8, none, None),
            (serialization.PrivateFormat.TraditionalOpenSSL, none, "not needed"),
            (serialization.PrivateFormat.PKCS8, locked, "secret"),
        ):
            yield public, made.private_bytes(pem, form, lock).decode(), phrase


def test_keys_of_every_type_and_format_log_in(tmp_path: Path, tuning: Tuning) -> None:
    (tmp_path / "server").mkdir()
    for public, private, passphrase in _formats():
        user = cast("Ed25519Key", SimpleNamespace(public_openssh=public, private_openssh=private.strip()))
        with asyncssh_server(tmp_path / "server", (Ed25519Key.generate(), user)) as server:
            endpoint = replace(server.endpoint(), passphrase=passphrase)
            with SftpRemote(endpoint, tuning) as remote:
                assert remote.files("/") == []


def test_a_passphrase_that_is_missing_or_wrong_is_told_and_never_repeated(server: Sftp) -> None:
    *_, (_, locked, _) = _formats()
    for passphrase in (None, "hunter2"):
        with pytest.raises(NotPermitted, match="passphrase") as caught:
            SftpRemote(replace(server.endpoint(), private_key=locked, passphrase=passphrase))
        assert "hunter2" not in str(caught.value)
    with pytest.raises(NotPermitted, match="cannot be read"):
        SftpRemote(replace(server.endpoint(), private_key="no key"))


def test_a_cut_leaves_a_beginning_and_the_next_call_goes_on(
    server: Sftp, tmp_path: Path, tuning: Tuning
) -> None:
    digest = _large(server, 6_000_000)
    part = tmp_path / "part"
    with (
        line_to(server.port, cut_after=(2_000_000, 900)) as line,
        SftpRemote(server.endpoint(line.port), tuning) as remote,
    ):
        with pytest.raises(Unavailable):
            remote.download("/large", part, 6_000_000)
        left = part.read_bytes()
        assert 0 < len(left) < 6_000_000
        assert (server.folder / "large").read_bytes().startswith(left)
        with pytest.raises(Unavailable):
            remote.download("/large", part, 6_000_000)
        assert remote.download("/large", part, 6_000_000).content.sha256 == digest
        assert line.connections == 3


def test_a_bandwidth_limit_holds(server: Sftp, tmp_path: Path, tuning: Tuning) -> None:
    digest = _large(server, 1_500_000)
    began = time.monotonic()
    with SftpRemote(server.endpoint(), replace(tuning, bandwidth=1_000_000)) as remote:
        assert remote.download("/large", tmp_path / "part", 1_500_000).content.sha256 == digest
    # The first block is asked for at once; the others cannot come faster, however fast the machine is.
    assert time.monotonic() - began > 1.1


def test_closing_ends_what_is_under_way(server: Sftp, tmp_path: Path, tuning: Tuning) -> None:
    _large(server, 3_000_000)
    ended: list[LandbridgeError] = []

    def download(remote: SftpRemote) -> None:
        try:
            remote.download("/large", tmp_path / "part", 3_000_000)
        except LandbridgeError as error:
            ended.append(error)

    with SftpRemote(server.endpoint(), replace(tuning, bandwidth=100_000)) as remote:
        thread = threading.Thread(target=download, args=(remote,))
        thread.start()
        while not (tmp_path / "part").exists() or not (tmp_path / "part").stat().st_size:
            time.sleep(0.01)
        began = time.monotonic()
        remote.close()
        thread.join()
    assert time.monotonic() - began < 5
    assert [type(error) for error in ended] == [Unavailable]


@pytest.mark.parametrize(
    ("client", "connections"), [pytest.param(Client.OPENSSH, 4, marks=needs_ssh), (Client.ASYNCSSH, 1)]
)
def test_a_long_line_is_filled_by_as_many_connections_as_it_takes(
    server: Sftp, tmp_path: Path, client: Client, connections: int
) -> None:
    size = 65 << 20
    digest = _large(server, size)
    with (
        line_to(server.port, delay=0.01) as line,
        SftpRemote(server.endpoint(line.port), Tuning(client=client)) as remote,
    ):
        assert remote.download("/large", tmp_path / "part", size).content.sha256 == digest
        # A busy machine makes the line look longer, never shorter.
        assert connections <= line.connections <= 4
    with SftpRemote(server.endpoint(), Tuning(client=client, bandwidth=1 << 30)) as remote:
        assert remote.download("/large", tmp_path / "part", size).content.sha256 == digest


@needs_ssh
def test_a_server_that_allows_few_connections_is_asked_for_more_only_once(
    server: Sftp, tmp_path: Path
) -> None:
    size = 65 << 20
    digest = _large(server, size)
    whole = 1 << 40
    with (
        line_to(server.port, delay=0.01, cut_after=(whole, whole, 0, 0)) as line,
        SftpRemote(server.endpoint(line.port), Tuning(client=Client.OPENSSH)) as remote,
    ):
        for name in ("first", "second"):
            assert remote.download("/large", tmp_path / name, size).content.sha256 == digest
            assert line.connections == 4
            assert len(_children_of(os.getpid(), "ssh")) == 2


@needs_ssh
def test_the_private_key_is_lent_in_memory_and_taken_back(server: Sftp) -> None:
    with SftpRemote(server.endpoint(), Tuning(client=Client.OPENSSH)) as remote:
        remote.files("/")
        (child,) = _children_of(os.getpid(), "ssh")
        words = Path(f"/proc/{child}/cmdline").read_bytes()
        assert b"PRIVATE" not in words
        assert b"-oIdentityFile=/proc/" in words
        assert Path(f"/proc/{child}/environ").read_bytes() == b"LC_ALL=C\0"
        mine = [f"{link.readlink()}" for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        assert not [link for link in mine if "landbridge-key" in link]
    assert not Path(f"/proc/{child}").exists()


@needs_ssh
def test_a_lent_key_is_readable_by_nobody_else_and_sealed() -> None:
    with openssh._lent("landbridge-key", "secret") as path:
        assert Path(path).stat().st_mode & 0o777 == 0o600
        with pytest.raises(PermissionError):
            Path(path).write_text("other")
        assert Path(path).read_text() == "secret"
    assert not Path(path).exists() or "landbridge-key" not in f"{Path(path).readlink()}"


@needs_ssh
def test_the_child_of_a_killed_collector_ends_when_the_server_has_seen_the_end_of_its_input(
    server: Sftp,
) -> None:
    program = (
        "import sys, time\n"
        "from landbridge.sftp.client import SftpRemote\n"
        "from landbridge.sftp.endpoint import Client, Endpoint, Tuning\n"
        "key, host, port = sys.stdin.read().split('|')\n"
        "remote = SftpRemote(Endpoint('127.0.0.1', int(port), 'collector', key, (host,)), Tuning(client=Client.OPENSSH))\n"
        "remote.files('/')\n"
        "sys.stderr.write('up\\n')\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stderr is not None
        words = f"{server.user_key.private_openssh}|{server.host_key.public_openssh}|{server.port}"
        process.stdin.write(words.encode())
        process.stdin.close()
        assert process.stderr.readline() == b"up\n"
        (child,) = _children_of(process.pid, "ssh")
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(child)


@pytest.mark.parametrize(
    "script",
    [
        "echo 'command-line: line 0: Bad configuration option: nonsense' >&2; exit 255",
        "echo 'debug1: Connecting to x' >&2; echo 'Unable to negotiate with x: no matching cipher' >&2; exit 255",
        (
            "echo 'debug1: Connecting to x' >&2; echo \"debug1: Server host key: ssh-ed25519 $FINGERPRINT\" >&2;"
            " echo 'Host key verification failed.' >&2; exit 255"
        ),
        "echo 'debug1: Connecting to x' >&2; echo 'Load key \"/proc/1/fd/3\": Permission denied' >&2; exit 255",
    ],
)
@needs_ssh
def test_an_ssh_that_cannot_serve_here_gives_way_to_asyncssh(
    server: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ssh"
    pinned = keys.read(server.endpoint()).pinned[0].fingerprint
    program.write_text(f"#!/bin/sh\nFINGERPRINT={pinned}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with SftpRemote(server.endpoint()) as remote:
        assert remote.files("/") == []
    with SftpRemote(server.endpoint(), Tuning(client=Client.OPENSSH)) as remote, pytest.raises(Unavailable):
        remote.files("/")
    monkeypatch.setenv("PATH", str(tmp_path))
    with SftpRemote(server.endpoint()) as remote:
        assert remote.files("/") == []
    with SftpRemote(server.endpoint(), Tuning(client=Client.OPENSSH)) as remote, pytest.raises(UsageError):
        remote.files("/")


def _program(folder: Path, script: str) -> str:
    program = folder / "a-program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


_NOWHERE = Endpoint("127.0.0.1", 9, "user", "", ())


@needs_ssh
def test_an_ssh_that_cannot_be_started_leaves_neither_key_nor_file_open(tmp_path: Path) -> None:
    before = open_before()
    with pytest.raises(openssh.Unusable):
        openssh.OpenSsh(str(tmp_path / "none"), _NOWHERE, keys.Keys("secret", ()), Tuning())
    until = time.monotonic() + 5  # the thread that reads what a child says ends with its last writer
    while open_files() != before and time.monotonic() < until:
        time.sleep(0.01)
    assert open_files() == before


@needs_ssh
def test_a_child_that_does_not_end_is_killed_and_was_beyond_the_reach_of_our_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openssh, "_PATIENCE", 0.2)
    stubborn = _program(tmp_path, "trap '' TERM; echo up >&2; exec sleep 20")
    line = openssh.OpenSsh(stubborn, _NOWHERE, keys.Keys("secret", ()), Tuning())
    assert line._said.find(re.compile("(up)"), 10.0) == "up"
    child = line._process.pid
    assert os.getsid(child) == child, "Ctrl-C is for us, and we end it"
    line.close()
    assert line._process.returncode == -signal.SIGKILL
    line.close()


@needs_ssh
def test_words_of_a_server_are_not_taken_for_ours(
    server: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ssh"
    program.write_text(
        "#!/bin/sh\n"
        "echo 'debug1: Connecting to x' >&2\n"
        "echo 'debug1: Server host key: ssh-ed25519 SHA256:other' >&2\n"
        "echo 'debug1: kex_exchange_identification: banner line 0: Host key verification failed.' >&2\n"
        "printf 'debug1: banner: x Permission denied (publickey).\\nConnection closed by \\033[31m x\\n' >&2\n"
        "exit 255\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with SftpRemote(server.endpoint()) as remote, pytest.raises(Unavailable) as caught:
        remote.files("/")
    assert caught.value.seen == "Connection closed by [31m x"


@needs_ssh
def test_a_server_that_talks_without_end_neither_fills_memory_nor_hides_why_it_ended(
    server: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ssh"
    program.write_text(
        "#!/bin/sh\n"
        "echo 'debug1: Connecting to x' >&2\n"
        "line='debug1: banner: a server that talks without end'\n"
        'for _ in 1 2 3 4 5 6 7; do line="$line\n$line"; done\n'
        'n=0; while [ $n -lt 100 ]; do echo "$line" >&2; n=$((n + 1)); done\n'
        "echo 'collector@x: Permission denied (publickey).' >&2\n"
        "exit 255\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with SftpRemote(server.endpoint()) as remote, pytest.raises(NotPermitted, match="refused the key"):
        remote.files("/")


def test_of_what_was_said_the_beginning_and_the_end_are_kept() -> None:
    words = [b"%d=%d\n" % (number, number) for number in range(200_000)]
    said = Said()
    for word in words:
        os.write(said.theirs, word)
    said.lent()
    said.wait(10)
    kept = said.text().splitlines()
    assert kept[0] == "0=0"
    assert kept[-1] == "199999=199999"
    assert len(said.text()) <= 2 * KEPT
    assert set(kept) <= {word.decode().strip() for word in words}


@pytest.mark.parametrize("size", [0, 1, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT - 1, 2 * KEPT])
def test_what_was_said_is_whole_where_it_is_short(size: int) -> None:
    body = (b"a line\n" * (size // 7 + 1))[:size]
    said = Said()
    assert os.write(said.theirs, body) == size
    said.lent()
    said.wait(10)
    assert said.text() == body.decode()


def test_a_name_that_is_an_option_stays_a_name() -> None:
    endpoint = Endpoint("-oProxyCommand=touch x", 22, "user", "", ())
    words = list(openssh._arguments(endpoint, Tuning(), "/proc/1/fd/3", "/proc/1/fd/4"))
    assert words[words.index("--") + 1] == endpoint.host
    assert words[:2] == ["-F", "none"]


def test_nothing_but_the_lent_key_and_the_pinned_host_keys_is_trusted() -> None:
    """Each is said, whatever the default of this host's OpenSSH is, or of one that a distributor has patched."""
    words = openssh._arguments(Endpoint("h", 22, "u", "", ()), Tuning(), "/proc/1/fd/3", "/proc/1/fd/4")
    said = dict(word.removeprefix("-o").split("=", 1) for word in words if word.startswith("-o"))
    expected = {
        "IdentityFile": "/proc/1/fd/3",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "BatchMode": "yes",
        "UserKnownHostsFile": "/proc/1/fd/4",
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": "landbridge",
        "StrictHostKeyChecking": "yes",
        "VerifyHostKeyDNS": "no",
        "UpdateHostKeys": "no",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "ProxyCommand": "none",
        "ControlMaster": "no",
        "ControlPath": "none",
        "EscapeChar": "none",
        "RequestTTY": "no",
        "ConnectTimeout": "20",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
    }
    assert {word: said.get(word) for word in expected} == expected


def _children_of(parent: int, name: str) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = stat.read_text().split(" (", 1)
        except OSError:
            continue
        word, fields = rest.rsplit(") ", 1)
        if word == name and fields.split()[1] == str(parent) and fields[0] != "Z":
            found.append(int(number))
    return found


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def test_why_a_line_ended_is_not_the_sum_of_what_it_carried() -> None:
    said = (
        "debug1: client_input_channel_req: x\n"
        "client_loop: send disconnect: Broken pipe\n"
        "Transferred: sent 2664, received 300140 bytes, in 0.1 seconds\n"
        "Bytes per second: sent 254216.4, received 31820431.5\n"
    )
    assert openssh._last(said) == "client_loop: send disconnect: Broken pipe"


class _Counting(SftpRemote):
    """Tells how many small exchanges were under way at once."""

    begun = ended = most = 0

    def _each(self, asked: Any) -> Any:
        return super()._each([(doing, size, self._counted(steps)) for doing, size, steps in asked])

    def _counted(self, steps: Any) -> Any:
        self.begun += 1
        self.most = max(self.most, self.begun - self.ended)
        return (yield from steps)

    def _came(self, doing: str, channel: Any, begun: Any) -> Any:
        came = super()._came(doing, channel, begun)
        self.ended += 1
        return came


def test_only_so_many_small_files_are_asked_for_at_once(
    server: Sftp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes a handle of the server, of which it has a number."""
    monkeypatch.setattr(clients, "_TOGETHER", 3)
    for number in range(8):
        (server.folder / f"{number}").write_bytes(b"%d" % number)
    paths = [f"/{number}" for number in range(8)]
    with _Counting(server.endpoint(), Tuning(client=Client.ASYNCSSH)) as remote:
        files = [RemoteFile(path, path[1:], 1) for path in paths]
        assert remote.read_many(files) == [b"%d" % number for number in range(8)]
        assert remote.write_many([(f"/out/{path}", b"r") for path in paths]) == [None] * 8
        assert remote.most == 3
    assert len(list((server.folder / "out").iterdir())) == 8


def test_a_small_file_takes_its_time_on_a_limited_line_too(
    server: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server.folder / "small").write_bytes(b"few")
    asked: list[int] = []
    with SftpRemote(server.endpoint(), Tuning(client=Client.ASYNCSSH)) as remote:
        monkeypatch.setattr(remote._pace, "ask", asked.append)
        remote.download("/small", tmp_path / "part", 3)
    assert asked == [3]


def test_a_door_is_opened_by_the_right_key_on_the_pinned_server_alone(server: Sftp) -> None:
    """What `keys` retires an old key on."""
    known = server.endpoint()
    door = SftpDoor(known.host, known.port, known.user, lambda: known.host_keys)
    door.log_in(known.private_key)
    with pytest.raises(NotPermitted):
        door.log_in(Ed25519Key.generate().private_openssh)
    with pytest.raises(IntegrityBroken):
        replace(door, pinned=lambda: (Ed25519Key.generate().public_openssh,)).log_in(known.private_key)
    with pytest.raises(UsageError, match="no host key is pinned"):
        replace(door, pinned=tuple).log_in(known.private_key)
    assert door.shown("ssh-ed25519").split()[:2] == server.host_key.public_openssh.split()[:2]
    assert door.shown("ssh-rsa") == ""


def test_a_door_is_asked_again_where_the_end_was_seen_before_the_servers_offer(server: Sftp) -> None:
    """Without an algorithm in common both ends give up, and which end is seen first is chance."""
    known = server.endpoint()
    for cuts, tried in ((2, 3), (9, 3)):
        with line_to(server.port, cut_after=(0,) * cuts) as line:
            door = SftpDoor(known.host, line.port, known.user, lambda: known.host_keys)
            if cuts < tried:
                assert door.shown("ssh-ed25519").split()[:2] == server.host_key.public_openssh.split()[:2]
            else:
                with pytest.raises(Unavailable):
                    door.shown("ssh-ed25519")
            assert line.connections == tried


def test_what_an_endpoint_is_shown_as_holds_no_secret() -> None:
    shown = f"{Endpoint('h', 22, 'u', 'PRIVATE', ('ssh-ed25519 AAAA',), 'hunter2')!r}"
    assert "PRIVATE" not in shown
    assert "hunter2" not in shown
    assert "PRIVATE" not in repr(keys.Keys("PRIVATE", ()))
