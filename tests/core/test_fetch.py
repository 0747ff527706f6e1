"""How do claimed files of one group come: together where they may, each by itself where somebody has begun it?"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import NotFound, TryAgain, Unavailable
from landbridge.facts import Download, Receipt
from landbridge.steps.fetch import fetch_all
from tests.contract.test_share import BODY, content, manifest
from tests.core.test_delivered import receipt
from tests.fakes.folder_remote import FolderRemote
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.errors import LandbridgeError
    from landbridge.facts import Brought, Manifest


@dataclass
class Claimed:
    """A claim whose part is a plain file."""

    part: Path
    landed: Receipt | None = None
    brought: Brought | None = None

    def there(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def begin_anew(self) -> None:
        self.part.unlink()

    def land(self, came: Brought) -> Receipt:
        raise NotImplementedError


class Counting(FolderRemote):
    """Remembers what was asked for together."""

    together: Sequence[str] = ()

    def download_many(self, wanted, watch=None):  # type: ignore[no-untyped-def]
        self.together = [path for path, _, _ in wanted]
        return super().download_many(wanted, watch)


def _all(
    remote: FolderRemote, claims: Sequence[Claimed | LandbridgeError], manifests: Sequence[Manifest]
) -> list[Brought | Receipt | LandbridgeError]:
    with ThreadPoolExecutor(2) as line:
        return fetch_all(remote, SetClock(), "edge1", line, lambda _: None, claims, manifests)


@pytest.fixture
def remote(tmp_path: Path) -> Counting:
    (tmp_path / "server").mkdir()
    return Counting(tmp_path / "server")


def _offered(remote: Counting, tmp_path: Path, feed: str, body: bytes) -> Manifest:
    (tmp_path / "server" / feed).write_bytes(body)
    known = manifest(feed=feed)
    return replace(known, remote_path=f"/{feed}", size=len(body), sha256=hashlib.sha256(body).hexdigest())


def test_each_file_of_a_group_comes_as_it_may(remote: Counting, tmp_path: Path) -> None:
    names = ("new", "held", "landed", "begun", "large", "gone", "known", "new2")
    wanted = {name: _offered(remote, tmp_path, name, BODY) for name in names}
    wanted["large"] = _offered(remote, tmp_path, "large", bytes(300_000))
    (tmp_path / "server" / "gone").unlink()
    claims: dict[str, Claimed | LandbridgeError] = {
        name: Claimed(tmp_path / f"{name}.part") for name in names
    }
    claims["held"] = held = TryAgain("another one has it")
    claims["landed"] = Claimed(tmp_path / "landed.part", landed=(landed := receipt(wanted["landed"])))
    claims["known"] = Claimed(tmp_path / "known.part", brought=(known := content(BODY)))
    (tmp_path / "known.part").write_bytes(BODY)
    (tmp_path / "begun.part").write_bytes(b"other bytes")

    came = dict(zip(names, _all(remote, [*claims.values()], [*wanted.values()]), strict=True))

    assert remote.together == ["/new", "/gone", "/new2"]
    assert (came["held"], came["landed"], came["known"]) == (held, landed, known)
    assert isinstance(came["gone"], NotFound)
    for name in ("new", "begun", "large", "new2"):
        one = came[name]
        assert isinstance(one, Download)
        assert (one.sha256, one.size, one.remote_path) == (wanted[name].sha256, wanted[name].size, f"/{name}")
        assert one.resumed_from == 0
        assert (tmp_path / f"{name}.part").read_bytes() == (tmp_path / "server" / name).read_bytes()


def test_a_group_of_which_nothing_is_new_asks_for_nothing_together(remote: Counting, tmp_path: Path) -> None:
    wanted = [_offered(remote, tmp_path, "large", bytes(300_000))]
    (came,) = _all(remote, [Claimed(tmp_path / "part")], wanted)
    assert isinstance(came, Download)
    assert remote.together == ()


def test_a_bug_among_the_small_ones_ends_the_large_ones_before_anybody_gives_their_claims_back(
    remote: Counting, tmp_path: Path
) -> None:
    class Broken(Counting):
        """Of which the download of what comes together ends with no error of ours."""

        begun, cut = Event(), Event()
        ended = 0

        def download(self, path, into, size, watch=None):  # type: ignore[no-untyped-def]
            self.begun.set()
            self.cut.wait(5)
            self.ended += 1
            raise Unavailable("the line was closed")

        def download_many(self, wanted, watch=None):  # type: ignore[no-untyped-def]
            self.begun.wait(5)
            raise RuntimeError("a bug")

        def close(self) -> None:
            self.cut.set()

    broken = Broken(tmp_path / "server")
    wanted = [_offered(remote, tmp_path, "new", BODY)]
    wanted += [_offered(remote, tmp_path, f"large{number}", bytes(300_000)) for number in range(4)]
    claims = [Claimed(tmp_path / f"part{number}") for number in range(5)]
    with ThreadPoolExecutor(1) as line:
        with pytest.raises(RuntimeError, match="a bug"):
            fetch_all(broken, SetClock(), "edge1", line, lambda _: None, claims, wanted)
        assert (broken.cut.is_set(), broken.ended) == (True, 1)
