"""What is tried again, and what never is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stamina

from landbridge.errors import NotFound, NotPermitted, StoreConflict, Unavailable
from landbridge.facts import Fetched
from landbridge.sftp.retried import Retried as RetriedRemote
from landbridge.stores.retried import Retried
from tests.contract.stands import content_of
from tests.fakes.folder_remote import FolderRemote
from tests.fakes.heard import heard
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from landbridge.errors import LandbridgeError
    from landbridge.facts import Location
    from landbridge.ports import Blob


class Shaky(MemoryStore):
    """Is away for the first `away` calls; its streams break after every third block."""

    away = 2
    calls = 0

    def _shake(self) -> None:
        self.calls += 1
        if self.calls <= self.away:
            raise Unavailable("away")

    def put_new(self, key: str, body: bytes) -> Blob:
        self._shake()
        return super().put_new(key, body)

    def head(self, key: str) -> Blob | None:
        self._shake()
        return super().head(key)

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        self._shake()
        for number, block in enumerate(super().chunks(at, size)):
            if self.calls < 5 and number == 3 * (self.calls - self.away):
                raise Unavailable("cut")
            yield block

    def list(self, prefix: str) -> Iterator[Blob]:
        self._shake()
        for number, blob in enumerate(super().list(prefix)):
            if self.calls < 5 and number == 3 * (self.calls - self.away):
                raise Unavailable("cut")
            yield blob


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def test_what_is_away_for_a_while_is_got_over() -> None:
    shaky = Shaky()
    assert Retried(shaky).put_new("a", b"x").size == 1
    assert shaky.calls == 3


def test_what_stays_away_is_told() -> None:
    shaky = Shaky()
    shaky.away = 100
    with pytest.raises(Unavailable):
        Retried(shaky, attempts=4).head("a")
    assert shaky.calls == 4


def test_a_listing_and_a_stream_that_stay_away_are_tried_so_often_too() -> None:
    shaky = Shaky()
    shaky.away = 100
    blob = MemoryStore.put_new(shaky, "a", b"x")
    store = Retried(shaky, attempts=4)
    for ask in (lambda: list(store.list("")), lambda: list(store.chunks(blob.at))):
        shaky.calls = 0
        with pytest.raises(Unavailable, match="away"):
            ask()
        assert shaky.calls == 4


def test_each_failed_try_but_the_last_is_an_event_of_our_log(capfd: pytest.CaptureFixture[str]) -> None:
    """And nothing of standard output, where a command answers."""
    shaky = Shaky()
    with heard() as events:
        Retried(shaky).put_new("a", b"a secret")
    assert [(one["level"], one["event"], one["failed"], one["error"]) for one in events] == [
        ("warning", "tried again", number, "away") for number in (1, 2)
    ]
    assert "secret" not in str(events)
    assert capfd.readouterr() == ("", "")


def test_a_listing_that_is_not_permitted_is_told_at_once() -> None:
    class Closed(Shaky):
        def list(self, prefix: str) -> Iterator[Blob]:
            self.calls += 1
            raise NotPermitted(f"{prefix} is closed")

    closed = Closed()
    with pytest.raises(NotPermitted):
        list(Retried(closed).list("a"))
    assert closed.calls == 1


def test_only_the_receipts_that_were_not_put_are_sent_again(tmp_path: Path) -> None:
    class Cut(FolderRemote):
        asked: list[list[str]] = []  # noqa: RUF012 - of this one remote

        def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
            self.asked.append([path for path, _ in files])
            if len(self.asked) > 2:
                return super().write_many(files)
            first: list[LandbridgeError | None] = [None, NotPermitted("refused")]
            return [Unavailable("cut") if path in {"/c", "/d"} else first.pop(0) for path, _ in files]

    remote = Cut(tmp_path)
    files = [(path, path.encode()) for path in ("/a", "/b", "/c", "/d")]
    put, refused, *rest = RetriedRemote(remote).write_many(files)
    assert (put, type(refused), rest) == (None, NotPermitted, [None, None])
    assert remote.asked == [["/a", "/b", "/c", "/d"], ["/c", "/d"], ["/c", "/d"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "d"]


def test_only_the_downloads_that_did_not_come_are_asked_for_again(tmp_path: Path) -> None:
    class Cut(FolderRemote):
        asked: list[list[str]] = []  # noqa: RUF012 - of this one remote

        def download_many(
            self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
        ) -> list[Fetched | LandbridgeError]:
            self.asked.append([path for path, _, _ in wanted])
            came = super().download_many(wanted[: 4 - len(self.asked)], watch)
            return came + [Unavailable("cut")] * (len(wanted) - len(came))

    (tmp_path / "a").write_bytes(b"one")
    remote, told = Cut(tmp_path), list[int]()
    wanted = [
        (path, tmp_path / f"part{path[1:]}{n}", 3) for n, path in enumerate(("/a", "/b", "/a", "/a", "/a"))
    ]
    came = RetriedRemote(remote).download_many(wanted, told.append)
    assert remote.asked == [["/a", "/b", "/a", "/a", "/a"], ["/a", "/a"]]
    assert [one.attempts if isinstance(one, Fetched) else type(one) for one in came] == [1, NotFound, 1, 2, 2]
    assert told == [3] * 4


class Failing(FolderRemote):
    """Fails for each path as often as `left` says, and remembers what was asked for."""

    def __init__(self, folder: Path, **left: int) -> None:
        super().__init__(folder)
        self.left = {f"/{name}": times for name, times in left.items()}
        self.asked: list[str] = []

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        answers: list[Fetched | LandbridgeError] = []
        for one in wanted:
            self.asked.append(one[0])
            self.left[one[0]] -= 1
            away = self.left[one[0]] >= 0
            answers += [Unavailable(one[0])] if away else super().download_many([one], watch)
        return answers


def test_a_download_that_always_fails_is_tried_so_often_and_spends_no_other_files_tries(
    tmp_path: Path,
) -> None:
    """Tries are counted for the group: as all begin together, that is each file's own number."""
    for name in "abc":
        (tmp_path / name).write_bytes(b"one")
    remote = Failing(tmp_path, a=99, b=3, c=0)
    with stamina.set_testing(True, attempts=4, cap=True):
        never, late, once = RetriedRemote(remote, attempts=4).download_many(
            [(f"/{name}", tmp_path / f"part-{name}", 3) for name in "abc"]
        )
    assert isinstance(never, Unavailable)
    assert isinstance(late, Fetched)
    assert isinstance(once, Fetched)
    assert (late.attempts, once.attempts) == (4, 1)
    assert {path: remote.asked.count(path) for path in ("/a", "/b", "/c")} == {"/a": 4, "/b": 4, "/c": 1}
    assert (tmp_path / "part-b").read_bytes() == b"one"


def test_another_group_has_tries_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"one")
    remote = Failing(tmp_path, a=99, b=3)
    retried = RetriedRemote(remote, attempts=4)
    with stamina.set_testing(True, attempts=4, cap=True):
        retried.download_many([("/a", tmp_path / "part-a", 3)])
        (came,) = retried.download_many([("/b", tmp_path / "part-b", 3)])
    assert isinstance(came, Fetched)


def test_a_small_file_is_put_again_while_the_server_is_away_and_no_more_after_the_end(tmp_path: Path) -> None:
    class Away(FolderRemote):
        calls = 0

        def write(self, path: str, body: bytes) -> None:
            self.calls += 1
            if self.calls < 3:
                raise Unavailable("away")
            super().write(path, body)

    remote = Away(tmp_path)
    retried = RetriedRemote(remote)
    retried.write("/a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert remote.calls == 3
    retried.close()
    with pytest.raises(Unavailable, match="was closed"):
        remote.read("/a")
    with pytest.raises(Unavailable):
        retried.write("/a", b"two")
    assert remote.calls == 4


def test_an_answer_that_is_missing_is_no_other_files(tmp_path: Path) -> None:
    class Short(FolderRemote):
        def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
            return super().write_many(files)[1:]

    with pytest.raises(ValueError, match="shorter"):
        RetriedRemote(Short(tmp_path)).write_many([("/a", b""), ("/b", b"")])


def test_no_byte_of_a_download_is_told_twice_however_often_it_begins(tmp_path: Path) -> None:
    class Cut(FolderRemote):
        tells = [[4, 3], [2], [7, 1], [10]]  # noqa: RUF012 - of this one remote

        def download(
            self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
        ) -> Fetched:
            for amount in self.tells.pop(0):
                if watch:
                    watch(amount)
            if self.tells:
                raise Unavailable("cut")
            return super().download(path, into, size)

    (tmp_path / "a").write_bytes(bytes(10))
    told: list[int] = []
    assert RetriedRemote(Cut(tmp_path)).download("/a", tmp_path / "one", 10, told.append).attempts == 4
    assert told == [4, 3, 1, 2]
    remote = Cut(tmp_path)
    remote.tells = [[10]]
    assert RetriedRemote(remote).download("/a", tmp_path / "two", 10).attempts == 1


def test_receipts_that_cannot_be_sent_are_told_each(tmp_path: Path) -> None:
    remote = FolderRemote(tmp_path)
    remote.close()
    answers = RetriedRemote(remote).write_many([("/a", b""), ("/b", b"")])
    assert [type(answer) for answer in answers] == [Unavailable] * 2


def test_a_conflict_is_told_at_once() -> None:
    shaky = Shaky()
    shaky.away = 0
    store = Retried(shaky)
    store.put_new("a", b"x")
    with pytest.raises(StoreConflict):
        store.put_new("a", b"y")
    assert shaky.calls == 2


def test_a_stream_goes_on_where_it_broke() -> None:
    shaky = Shaky()
    body = bytes(range(100))
    blob = MemoryStore.put_new(shaky, "a", body)
    assert b"".join(Retried(shaky).chunks(blob.at, 10)) == body
    assert shaky.calls == 5


class Regrouped(MemoryStore):
    """Breaks once, and then gives the same bytes in other pieces, as a server does whose blocks have moved."""

    calls = 0

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        self.calls += 1
        if self.calls == 1:
            yield from list(super().chunks(at, 10))[:3]
            raise Unavailable("cut")
        yield from super().chunks(at, 25)


def test_a_stream_goes_on_at_the_byte_where_it_broke_however_its_pieces_fall() -> None:
    store = Regrouped()
    body = bytes(range(100))
    assert b"".join(Retried(store).chunks(store.put_new("a", body).at)) == body


def test_a_listing_goes_on_where_it_broke() -> None:
    shaky = Shaky()
    names = [f"{number:02d}" for number in range(20)]
    for name in names:
        MemoryStore.put_new(shaky, name, b"")
    assert [blob.at.key for blob in Retried(shaky).list("")] == names


def test_a_download_that_broke_begins_again(tmp_path: Path) -> None:
    shaky = Shaky()
    blob = MemoryStore.put_new(shaky, "a", b"x")
    assert Retried(shaky).fetch(blob.at, tmp_path / "came").sha256 == content_of(b"x").sha256
