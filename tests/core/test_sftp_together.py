"""How many handles of a server do collections of one host hold open, however many ask for small files at once?"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from landbridge.errors import LandbridgeError, Unavailable
from landbridge.sftp.channel import Lost
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Endpoint
from landbridge.twin.keys import Ed25519Key

if TYPE_CHECKING:
    import pytest

MOST = 128


class Slow:
    """A line that answers only when nothing more is asked of it."""

    def __init__(self) -> None:
        self.open = self.most = 0
        self._asked: SimpleQueue[Future[None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def first(self) -> Slow:
        return self

    def run(self, _steps: object) -> Future[None]:
        begun: Future[None] = Future()
        self._asked.put(begun)
        return begun

    def close(self) -> None:
        self._asked.put(None)
        self._thread.join(10)

    def _answer(self) -> None:
        waiting: list[Future[None]] = []
        while True:
            try:
                # until as much was asked as may be, a busy machine has its time
                one = self._asked.get(timeout=0.05 if self.most >= MOST else 5)
            except Empty:
                for each in waiting:
                    each.set_result(None)
                waiting.clear()
                continue
            if one is None:
                return
            waiting.append(one)
            self.most = max(self.most, len(waiting))


def _remote(monkeypatch: pytest.MonkeyPatch, line: object) -> SftpRemote:
    key = Ed25519Key.generate()
    remote = SftpRemote(Endpoint("h", 22, "u", key.private_openssh, (key.public_openssh,)))
    monkeypatch.setattr(remote, "_lines", line)
    return remote


def test_three_groups_at_once_hold_no_more_handles_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session has so many, of AWS as of OpenSSH, and who asks for more is refused in the middle of a collection."""
    line = Slow()
    remote = _remote(monkeypatch, line)
    files = [(f"/receipts/{number}", b"r") for number in range(200)]
    try:
        with ThreadPoolExecutor(3) as groups:
            put = list(groups.map(remote.write_many, [files] * 3))
    finally:
        remote.close()
    assert put == [[None] * 200] * 3
    assert line.most == MOST


def test_what_fails_gives_its_handle_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut:
        def first(self) -> Cut:
            return self

        def run(self, _steps: object) -> Future[Any]:
            begun: Future[Any] = Future()
            begun.set_exception(Lost("the line is cut"))
            return begun

        def close(self) -> None: ...

    remote = _remote(monkeypatch, Cut())
    for _ in range(2):
        put = remote.write_many([(f"/receipts/{number}", b"r") for number in range(MOST)])
        assert len(put) == MOST
        assert all(isinstance(one, LandbridgeError) for one in put)


def test_who_gives_up_in_the_middle_gives_back_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is lost, and not to be had again, after one file of each call."""

    class Once:
        calls = 0

        def first(self) -> Once:
            self.calls += 1
            if self.calls % 2 == 0:
                raise Unavailable("no connection")
            return self

        def run(self, _steps: object) -> Future[Any]:
            begun: Future[Any] = Future()
            begun.set_result(None)
            return begun

        def close(self) -> None: ...

    remote = _remote(monkeypatch, Once())
    for _ in range(2 * MOST):
        put = remote.write_many([(f"/receipts/{number}", b"r") for number in range(40)])
        assert put[0] is None
        assert all(isinstance(one, Unavailable) for one in put[1:])
