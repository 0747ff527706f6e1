"""Do the connections of SFTP's clients leave nothing behind, are they shared, and does none come after the end?"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
import time
import tracemalloc
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from landbridge.errors import IntegrityBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.facts import Fetched
from landbridge.sftp import door as doors
from landbridge.sftp import exchange, keys, openssh
from landbridge.sftp.channel import Lost
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.door import SftpDoor
from landbridge.sftp.endpoint import Client, Endpoint, Tuning
from landbridge.sftp.in_process import InProcess
from landbridge.twin.keys import Ed25519Key
from tests.contract.sftp_clients import needs_ssh
from tests.servers.line import line_to
from tests.servers.sftp import asyncssh_server

if TYPE_CHECKING:
    from landbridge.sftp.channel import Channel
    from tests.servers.sftp import Sftp


def _ours() -> int:
    """How many files and threads this process has for its own end of a line."""
    files = len(list(Path("/proc/self/fd").iterdir()))
    return files + sum(thread.name.startswith("sftp") for thread in threading.enumerate())


def _settles_at(most: int) -> bool:
    until = time.monotonic() + 5  # the server's end of a line is in this process as well
    while _ours() > most and time.monotonic() < until:
        time.sleep(0.01)
    return _ours() <= most


def test_a_line_that_ended_and_one_that_never_began_leave_nothing_open(server: Sftp, tuning: Tuning) -> None:
    stranger = replace(server.endpoint(), private_key=Ed25519Key.generate().private_openssh)
    before = _ours()
    with SftpRemote(stranger, tuning) as remote:
        for _ in range(2):
            with pytest.raises(NotPermitted):
                remote.files("/")
        assert _settles_at(before), "also before the remote itself is closed"
        assert remote._lines._lines == set()
    with SftpRemote(server.endpoint(), tuning) as remote:
        remote.files("/")
        assert _ours() > before
    assert _settles_at(before)


def test_a_line_that_was_cut_is_given_up_before_another_one(server: Sftp, tuning: Tuning) -> None:
    with line_to(server.port) as line, SftpRemote(server.endpoint(line.port), tuning) as remote:
        remote.files("/")
        line.cut_in(0)
        with pytest.raises(Unavailable):
            remote.files("/")
        assert remote.files("/") == []
        assert line.connections == 2
        assert len(remote._lines._lines) == 1


def test_a_connection_that_failed_is_tried_again_by_the_next_call(server: Sftp, tuning: Tuning) -> None:
    with (
        line_to(server.port, cut_after=(0,)) as line,
        SftpRemote(server.endpoint(line.port), tuning) as remote,
    ):
        with pytest.raises(Unavailable):
            remote.files("/")
        assert remote.files("/") == []
        assert line.connections == 2


def test_a_child_that_says_nothing_has_ended() -> None:
    assert openssh._last("") == openssh._last("debug1: a word for developers\n \n") == "the connection ended"
    assert openssh._last("ssh: no such host\nBytes per second: sent 1") == "no such host"


def test_many_who_begin_at_once_share_one_line(server: Sftp, tuning: Tuning) -> None:
    together = threading.Barrier(8)

    def files(remote: SftpRemote) -> int:
        together.wait()
        return len(remote.files("/"))

    with (
        line_to(server.port) as line,
        SftpRemote(server.endpoint(line.port), tuning) as remote,
        ThreadPoolExecutor(8) as pool,
    ):
        assert list(pool.map(files, [remote] * 8)) == [0] * 8
        assert line.connections == 1


@pytest.mark.parametrize("through", [False, True], ids=["server", "line"])
def test_who_stays_when_a_server_of_ours_ends_fails_no_later_test(server: Sftp, *, through: bool) -> None:
    """The collector would complain of the connection, whatever test runs then."""
    with socket.socket() as stays:
        with asyncssh_server(server.folder) as own, line_to(own.port) as line:
            stays.connect(("127.0.0.1", line.port if through else own.port))
            assert stays.recv(4) == b"SSH-"
        gc.collect()


def test_no_line_is_opened_after_the_end(server: Sftp, tuning: Tuning) -> None:
    """Whoever was about to open one when all was closed would leave it open for ever."""
    before = _ours()
    with line_to(server.port) as line, SftpRemote(server.endpoint(line.port), tuning) as remote:
        remote.close()
        with pytest.raises(Unavailable, match="was closed"):
            remote._lines._connected()
        assert line.connections == 0
    assert _settles_at(before)


def test_a_server_that_is_away_costs_no_memory_at_each_look(server: Sftp, tuning: Tuning) -> None:
    """An error holds what was called, and the interpreter looks for such cycles seldom: a collector may wait for months."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = server.endpoint(nobody.getsockname()[1])
        errors = []
        tracemalloc.start()
        try:
            for _ in range(3):
                with SftpRemote(endpoint, tuning) as remote, pytest.raises(Unavailable) as told:
                    remote._lines._connected()
                errors.append(told.value)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert held < 4 << 20, f"{len(errors)} errors hold {held >> 20} MiB"


def test_closing_ends_who_waits_for_the_window_and_for_the_bandwidth(server: Sftp) -> None:
    remote = SftpRemote(server.endpoint(), Tuning(client=Client.ASYNCSSH, window=10, bandwidth=1))
    remote._window.take(10)
    remote._pace.ask(60)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(remote._window.await_room, 1), pool.submit(remote._pace.ask, 1)]
        with pytest.raises(TimeoutError):
            waiting[0].result(0.05)
        remote.close()
        for one in waiting:
            one.result(10)


def test_a_line_in_this_process_is_closed_twice_and_tells_who_waits(server: Sftp) -> None:
    line = InProcess(server.endpoint(), keys.read(server.endpoint()), Tuning())
    greeted = line._channel.begin()
    line.close()
    with pytest.raises(Lost, match="it was closed"):
        greeted.result(5)
    line.close()


def test_a_line_in_this_process_that_is_closed_before_it_connects_says_so(server: Sftp) -> None:
    line = InProcess(server.endpoint(), keys.read(server.endpoint()), Tuning())
    line.close()
    with pytest.raises(Unavailable, match="was closed"):
        line.connect()
    gc.collect()  # what was never begun would complain


class _Ending(InProcess):
    """Has ended what was under way, and is about to end its thread."""

    async def _end(self) -> None:
        await super()._end()
        self.ended.set()
        await asyncio.sleep(0.2)

    ended = threading.Event()


def test_nobody_who_connects_just_as_a_line_ends_waits_for_ever(server: Sftp) -> None:
    line = _Ending(server.endpoint(), keys.read(server.endpoint()), Tuning())
    told: list[str] = []

    def late() -> None:
        line.ended.wait(10)
        try:
            line.connect()
        except Unavailable as error:
            told.append(error.what)

    thread = threading.Thread(target=late, daemon=True)
    thread.start()
    line.close()
    thread.join(10)
    assert [one.endswith("was closed") for one in told] == [True]


def test_a_failed_exchange_of_keys_with_the_pinned_server_is_no_changed_host_key(server: Sftp) -> None:
    """Else a server that is short of memory would stop all collections until a person has looked at its key."""
    line = InProcess(server.endpoint(), keys.read(server.endpoint()), Tuning())
    try:
        failed = asyncssh.KeyExchangeFailed("for another reason")
        assert isinstance(asyncio.run(line._changed("", failed)), Unavailable)
        other = replace(server.endpoint(), host_keys=(Ed25519Key.generate().public_openssh,))
        line._keys = keys.read(other)
        assert isinstance(asyncio.run(line._changed("", failed)), IntegrityBroken)
    finally:
        line.close()


def test_what_came_before_no_line_was_to_be_had_is_kept_with_its_file(
    server: Sftp, tmp_path: Path, tuning: Tuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (server.folder / name).write_bytes(name.encode())
    asked: list[int] = []
    told: list[int] = []
    with SftpRemote(server.endpoint(), tuning) as remote:
        remote.files("/")
        first = remote._lines.first
        lent: list[Channel] = []

        def once() -> Channel:
            if lent:
                raise Unavailable("no line")
            lent.append(first())
            return lent[0]

        monkeypatch.setattr(remote._lines, "first", once)
        monkeypatch.setattr(remote._pace, "ask", asked.append)
        came = remote.download_many([(f"/{name}", tmp_path / name, 1) for name in "abc"], told.append)
    assert [isinstance(one, Fetched) for one in came] == [True, False, False]
    assert [isinstance(one, LandbridgeError) for one in came] == [False, True, True]
    assert (tmp_path / "a").read_bytes() == b"a"
    assert told == [1], "only of what came"
    assert asked == [1, 1], "a small file takes its time on a limited line, also one of many"


def test_a_large_file_is_never_asked_for_in_one(
    server: Sftp, tmp_path: Path, tuning: Tuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be in memory as a whole."""
    (server.folder / "large").write_bytes(bytes(300_000))
    small: list[int] = []
    whole = exchange.whole

    def seen(path: str, size: int) -> Any:
        small.append(size)
        return whole(path, size)

    monkeypatch.setattr(exchange, "whole", seen)
    with SftpRemote(server.endpoint(), tuning) as remote:
        remote.download("/large", tmp_path / "large", 300_000)
        (server.folder / "small").write_bytes(bytes(3_000))
        remote.download("/small", tmp_path / "small", 3_000)
    assert small == [3_000]


def test_the_time_of_a_file_is_that_of_the_file_that_was_named(server: Sftp, tuning: Tuning) -> None:
    for name, at in (("a", 1_000), ("b", 2_000)):
        (server.folder / name).write_bytes(b"")
        os.utime(server.folder / name, (at, at))
    with SftpRemote(server.endpoint(), tuning) as remote:
        assert [remote.told_time("/", name) for name in "bca"] == [2_000, None, 1_000]


def test_a_host_that_says_nothing_shows_no_key_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        door = SftpDoor("127.0.0.1", silent.getsockname()[1], "user", tuple)
        with pytest.raises(Unavailable):
            door.shown("ssh-ed25519")


def test_no_host_key_and_one_that_only_begins_like_one_are_refused() -> None:
    private, known = Ed25519Key.generate().private_openssh, Ed25519Key.generate().public_openssh
    dsa = b64encode(b"\0\0\0\7ssh-dss" + bytes(20)).decode()
    for pinned in ((), (known, f"{known.split()[0]} {known.split()[1]}%%"), (f"ssh-dss {dsa}",)):
        with pytest.raises(UsageError, match="host key"):
            keys.read(Endpoint("h", 22, "u", private, pinned))


@needs_ssh
def test_whoever_has_no_name_on_this_host_is_not_served_by_its_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a pod with an arbitrary user: ssh would say `You don't exist, go away!`."""
    assert openssh.found() is not None
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert openssh.found() is None
