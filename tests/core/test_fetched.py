"""What does a collector do with a claim: download, go on, begin anew, or pass on why not?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.errors import NotPermitted, Unavailable
from landbridge.facts import Content, Download, Fetched, Manifest, Server, Taken
from landbridge.steps.fetch import fetch_claimed
from landbridge.steps.take import take_claimed
from tests.fakes.set_clock import SetClock
from tests.stories.bridgehead import Bridgehead

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.errors import LandbridgeError

BODY = b"0123456789"
SERVER = Server("h", 22, "SHA256:x", "u")


@dataclass
class Part:
    """A claim with so many bytes of an earlier try."""

    resumed: int = 0
    brought: Any = None
    landed: Any = None
    part: Path = Path("part")
    anew: int = 0

    def there(self) -> int:
        return self.resumed

    def begin_anew(self) -> None:
        self.anew += 1


@dataclass
class Remote:
    """Gives one content after another, and keeps what it was asked for."""

    bodies: list[bytes | LandbridgeError]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        assert into == Path("part")
        self.asked.append((path, size))
        body = self.bodies.pop(0)
        if not isinstance(body, bytes):
            raise body
        return Fetched(Content(len(body), hashlib.sha256(body).hexdigest(), 0), SERVER, attempts=2)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return Bridgehead(tmp_path / "at").release(BODY)


def _fetched(remote: Remote, claim: object, manifest: Manifest) -> Any:
    return fetch_claimed(remote, SetClock(), "edge", lambda _: None, claim, manifest)  # type: ignore[arg-type] # as far as it is asked


@pytest.mark.parametrize(("resumed", "told"), [(0, 0), (4, 4), (10, 10), (11, 0)])
def test_a_download_tells_from_where_it_went_on(manifest: Manifest, resumed: int, told: int) -> None:
    remote, claim = Remote([BODY]), Part(resumed)
    found = _fetched(remote, claim, manifest)
    assert isinstance(found, Download)
    assert (found.resumed_from, found.attempts, found.server, claim.anew) == (told, 2, SERVER, 0)
    assert (found.sha256, found.size, found.collector) == (manifest.sha256, 10, "edge")
    assert found.commitment == manifest.commitment
    assert remote.asked == [(manifest.remote_path, 10)]
    assert found.ended_at - found.began_at == timedelta(milliseconds=1)


def test_what_a_power_cut_left_is_begun_anew_once(manifest: Manifest) -> None:
    remote, claim = Remote([b"0000456789", BODY]), Part(4)
    found = _fetched(remote, claim, manifest)
    assert (found.sha256, found.resumed_from, found.attempts) == (manifest.sha256, 0, 4)
    assert (claim.anew, len(remote.asked)) == (1, 2)
    wrong = Remote([b"x" * 10, b"y" * 10, BODY])
    assert _fetched(wrong, Part(4), manifest).sha256 != manifest.sha256, (
        "whether it is right is for the landing"
    )
    assert len(wrong.asked) == 2
    first = Remote([b"x" * 10, BODY])
    _fetched(first, Part(0), manifest)
    assert len(first.asked) == 1, "nothing was resumed: the server has these bytes"


@pytest.mark.parametrize(("resumed", "is_theirs"), [(10, True), (9, False), (0, False)])
def test_a_part_that_was_whole_keeps_the_account_of_who_brought_it(
    manifest: Manifest, resumed: int, is_theirs: bool
) -> None:
    earlier = object()
    found = _fetched(Remote([BODY]), Part(resumed, brought=earlier), manifest)
    assert (found is earlier) is is_theirs


def test_a_claim_that_is_none_a_file_that_landed_and_an_error_are_passed_on(manifest: Manifest) -> None:
    remote, refused, landed = Remote([]), NotPermitted("held by another"), object()
    assert _fetched(remote, refused, manifest) is refused
    assert _fetched(remote, Part(landed=landed), manifest) is landed
    assert remote.asked == []
    cut = Unavailable("the line is cut")
    assert _fetched(Remote([cut]), Part(), manifest) is cut


@dataclass
class Holding:
    """A folder where another mover has put one file."""

    error: LandbridgeError | None = None
    taken: int = 0

    def take(self, manifest: Manifest, part: Path, _: object) -> Content:
        assert part == Path("part")
        self.taken += 1
        if self.error:
            raise self.error
        return Content(manifest.size, manifest.sha256, 0)

    def where(self, manifest: Manifest) -> str:
        return f"/holding/{manifest.landed_name}"


def test_what_another_mover_brought_is_taken_or_passed_on(manifest: Manifest) -> None:
    def taken(holding: Holding, claim: object) -> Any:
        return take_claimed(holding, SetClock(), "edge", lambda _: None, claim, manifest)  # type: ignore[arg-type] # as above

    holding, refused, landed = Holding(), NotPermitted("held by another"), object()
    assert taken(holding, refused) is refused
    assert taken(holding, Part(landed=landed)) is landed
    assert holding.taken == 0
    found = taken(holding, Part())
    assert isinstance(found, Taken)
    assert (found.sha256, found.size, found.commitment) == (manifest.sha256, 10, manifest.commitment)
    assert found.holding == f"/holding/{manifest.landed_name}"
    away = Unavailable("the folder is away")
    assert taken(Holding(away), Part()) is away
