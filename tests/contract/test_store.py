"""What does a store promise? One suite for all of them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import DiskFailed, IntegrityBroken, NotFound, StoreConflict, UsageError
from landbridge.facts import Location
from tests.contract.stands import KINDS, MIB, Stand, content_of, stand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.ports import Blob

NAMES = ("a", "a-b/c", "a/b", "a/b-c", "a/b/c", "a0", "b c", "é~#%41[x]{y}+&='`^", "zz/2026-11-20/x.json")


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    with stand(request.param, tmp_path, lambda: request.getfixturevalue("seaweed")) as made:
        yield made


@pytest.fixture(scope="module")
def large() -> bytes:
    """Three parts, the last one short."""
    return random.Random(1).randbytes(13 * MIB + 17)


def _file(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(body)
    return path


def _keys(blobs: Iterator[Blob]) -> list[str]:
    return [blob.at.key for blob in blobs]


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, 5 * MIB + 1, 13 * MIB + 17])
def test_a_file_comes_back_as_it_was(here: Stand, tmp_path: Path, large: bytes, size: int) -> None:
    body = large[:size]
    blob = here.store.put_file("a/b", _file(tmp_path, body), content_of(body))
    assert (blob.size, blob.at.store, blob.at.key) == (size, here.store.name, "a/b")
    came = here.store.fetch(blob.at, tmp_path / "came")
    assert (came.size, came.sha256) == (size, content_of(body).sha256)
    assert (tmp_path / "came").read_bytes() == body
    assert b"".join(here.store.chunks(blob.at, 1 * MIB)) == body


def test_what_a_write_tells_is_what_head_tells(here: Stand, tmp_path: Path) -> None:
    for key, blob in {
        "file": here.store.put_file("file", _file(tmp_path, b"1"), content_of(b"1")),
        "new": here.store.put_new("new", b"22"),
    }.items():
        known = here.store.head(key)
        assert known is not None
        assert (known.at, known.size, known.sha256) == (blob.at, blob.size, blob.sha256)
        assert known.sha256 in {"", content_of(b"1").sha256, content_of(b"22").sha256}
        assert abs(known.modified_at - datetime.now(UTC)) < timedelta(minutes=5)
        assert known.modified_at.utcoffset() == timedelta(0)


def test_the_same_file_again_is_fine(here: Stand, tmp_path: Path) -> None:
    for _ in range(2):
        here.store.put_file("a", _file(tmp_path, b"same"), content_of(b"same"))
    assert here.store.read("a") == b"same"


@pytest.mark.parametrize("planted", ["changed", "longer", "shorter"])
@pytest.mark.parametrize("size", [100, 13 * MIB])
def test_a_file_that_is_not_what_was_recorded_is_refused(
    here: Stand, tmp_path: Path, large: bytes, planted: str, size: int
) -> None:
    body = bytearray(large[:size])
    content = content_of(bytes(body))
    match planted:
        case "changed":
            body[size // 2] ^= 1
        case "longer":
            body += b"x"
        case "shorter":
            del body[-1]
        case _:
            raise AssertionError(planted)
    with pytest.raises(IntegrityBroken):
        here.store.put_file("a", _file(tmp_path, bytes(body)), content)
    assert here.store.head("a") is None
    assert _keys(here.store.list("")) == []


def test_a_file_that_is_not_there_is_the_disks_fault(here: Stand, tmp_path: Path) -> None:
    with pytest.raises(DiskFailed):
        here.store.put_file("a", tmp_path / "none", content_of(b""))


def test_of_many_creators_exactly_one_wins(here: Stand) -> None:
    def create(number: int) -> Blob | StoreConflict:
        try:
            return here.store.put_new("slot/0001.json", b"writer %d" % number)
        except StoreConflict as conflict:
            return conflict

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(create, range(8)))
    winners = [number for number, end in enumerate(ends) if not isinstance(end, StoreConflict)]
    assert len(winners) == 1
    assert here.store.read("slot/0001.json") == b"writer %d" % winners[0]


def test_creating_the_same_bytes_again_is_fine_for_all(here: Stand) -> None:
    with ThreadPoolExecutor(8) as pool:
        blobs = list(pool.map(lambda _: here.store.put_new("a", b"same"), range(8)))
    assert len({blob.at for blob in blobs}) == 1


@pytest.mark.parametrize("size", [5, 6 * MIB])
def test_other_bytes_never_replace(here: Stand, large: bytes, size: int) -> None:
    """Nor where a client would send them in parts, which knows no condition."""
    body = large[:size]
    first = here.store.put_new("a", body)
    with pytest.raises(StoreConflict):
        here.store.put_new("a", body[::-1])
    known = here.store.head("a")
    assert known is not None
    assert known.at == first.at
    assert here.store.read("a") == body


@pytest.mark.parametrize("size", [0, 1, 6 * MIB, 6 * MIB + 1, 13 * MIB + 17])
def test_a_copy_is_whole_and_knows_its_digest(here: Stand, tmp_path: Path, large: bytes, size: int) -> None:
    body = large[:size]
    content = content_of(body)
    source = here.other.put_file(f"drafts/{content.sha256}", _file(tmp_path, body), content)
    blob = here.store.copy_new(source.at, "outbound/x.csv", content)
    known = here.store.head("outbound/x.csv")
    assert known is not None
    assert (known.at, known.size, known.sha256) == (blob.at, size, source.sha256)
    assert b"".join(here.store.chunks(known.at)) == body
    assert here.store.copy_new(source.at, "outbound/x.csv", content).at == blob.at


def test_a_copy_inside_one_store(here: Stand, tmp_path: Path) -> None:
    source = here.store.put_file("drafts/x", _file(tmp_path, b"bad"), content_of(b"bad"))
    here.store.copy_new(source.at, "quarantine/x", content_of(b"bad"))
    assert here.store.read("quarantine/x") == b"bad"


@pytest.mark.parametrize("size", [10, 7 * MIB])
def test_of_many_copies_of_different_files_exactly_one_wins(
    here: Stand, tmp_path: Path, large: bytes, size: int
) -> None:
    if size > MIB and not here.ends_parts_atomically:
        pytest.skip(
            "SeaweedFS 4.48 looks and then writes when an upload in parts ends: two at once may both end"
        )
    bodies = [bytes([number]) + large[1:size] for number in range(4)]
    sources = [
        here.other.put_file(f"drafts/{n}", _file(tmp_path, body), content_of(body))
        for n, body in enumerate(bodies)
    ]

    def copy(number: int) -> bool:
        try:
            here.store.copy_new(sources[number].at, "final", content_of(bodies[number]))
        except StoreConflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(copy, range(4)))
    assert sum(won) == 1
    assert here.store.read("final") == bodies[won.index(True)]


@pytest.mark.parametrize("size", [10, 7 * MIB])
def test_a_copy_never_replaces_other_bytes(here: Stand, tmp_path: Path, large: bytes, size: int) -> None:
    here.store.put_new("final", b"already here")
    source = here.other.put_file("x", _file(tmp_path, large[:size]), content_of(large[:size]))
    with pytest.raises(StoreConflict):
        here.store.copy_new(source.at, "final", content_of(large[:size]))
    assert here.store.read("final") == b"already here"


def test_a_copy_of_a_source_that_is_gone(here: Stand) -> None:
    with pytest.raises(NotFound):
        here.store.copy_new(Location(here.other.name, "none"), "final", content_of(b"x"))
    assert here.store.head("final") is None


@pytest.mark.parametrize("keep_pin", [True, False])
def test_a_copy_refuses_a_source_with_other_bytes(here: Stand, tmp_path: Path, *, keep_pin: bool) -> None:
    source = here.other.put_file("x", _file(tmp_path, b"right"), content_of(b"right"))
    here.other.put_file("x", _file(tmp_path, b"wrong"), content_of(b"wrong"))
    at = Location(source.at.store, source.at.key, etag=source.at.etag if keep_pin else "")
    with pytest.raises(IntegrityBroken):
        here.store.copy_new(at, "final", content_of(b"right"))
    assert here.store.head("final") is None


def test_the_same_bytes_staged_again_do_not_stop_a_copy(here: Stand, tmp_path: Path) -> None:
    source = here.other.put_file("x", _file(tmp_path, b"same"), content_of(b"same"))
    here.other.put_file("x", _file(tmp_path, b"same"), content_of(b"same"))
    here.store.copy_new(source.at, "final", content_of(b"same"))
    assert here.store.read("final") == b"same"


def test_a_pinned_version_is_the_one_that_is_read_and_copied(here: Stand, tmp_path: Path) -> None:
    if not here.keeps_versions:
        pytest.skip("this kind of store keeps one version")
    old = here.other.put_file("x", _file(tmp_path, b"old"), content_of(b"old"))
    here.other.put_file("x", _file(tmp_path, b"new"), content_of(b"new"))
    assert old.at.version
    here.store.copy_new(old.at, "final", content_of(b"old"))
    assert here.store.read("final") == b"old"
    assert b"".join(here.other.chunks(old.at)) == b"old"
    assert [b"".join(here.other.chunks(blob.at)) for blob in here.other.versions("x")] == [b"old", b"new"]


def test_one_version_where_one_was_written(here: Stand) -> None:
    blob = here.store.put_new("a", b"one")
    here.store.put_new("a2", b"not this one")
    (only,) = here.store.versions("a")
    assert (only.at.key, only.size) == ("a", 3)
    assert b"".join(here.store.chunks(only.at)) == b"one"
    assert here.store.versions("none") == []
    assert blob.at.key == "a"


def test_what_is_not_there(here: Stand, tmp_path: Path) -> None:
    here.store.put_new("a/b", b"x")
    for key in ("none", "a/none", "a"):
        assert here.store.head(key) is None
        with pytest.raises(NotFound):
            here.store.fetch(Location(here.store.name, key), tmp_path / "came")
        assert not (tmp_path / "came").exists()
    with pytest.raises(NotFound):
        here.store.read("none")
    with pytest.raises(NotFound):
        list(here.store.chunks(Location(here.store.name, "none")))
    assert _keys(here.store.list("none/")) == []


def test_a_download_replaces_nothing(here: Stand, tmp_path: Path) -> None:
    blob = here.store.put_new("a", b"x")
    (tmp_path / "mine").write_bytes(b"precious")
    with pytest.raises(DiskFailed):
        here.store.fetch(blob.at, tmp_path / "mine")
    assert (tmp_path / "mine").read_bytes() == b"precious"


def test_a_place_in_another_store_is_not_taken_for_ones_own(here: Stand, tmp_path: Path) -> None:
    here.store.put_new("a", b"mine")
    at = here.other.put_new("a", b"theirs").at
    with pytest.raises(UsageError):
        here.store.fetch(at, tmp_path / "came")
    with pytest.raises(UsageError):
        list(here.store.chunks(at))
    with pytest.raises(UsageError):
        here.store.copy_new(Location("gopher://elsewhere", "a"), "b", content_of(b"theirs"))


def test_a_listing_is_in_the_order_of_bytes(here: Stand) -> None:
    names = [name for name in NAMES if not name.startswith("a/b/") and name != "a"]
    for name in reversed(names):
        here.store.put_new(name, name.encode())
    found = list(here.store.list(""))
    assert [blob.at.key for blob in found] == sorted(names, key=str.encode)
    assert [blob.size for blob in found] == [len(blob.at.key.encode()) for blob in found]
    for blob in found:
        assert here.store.read(blob.at.key) == blob.at.key.encode()
        assert b"".join(here.store.chunks(blob.at)) == blob.at.key.encode()


def test_a_prefix_is_any_beginning_of_a_key(here: Stand) -> None:
    for name in ("2026-11-2", "2026-11-20/a/1", "2026-11-20/b/1", "2026-11-21/a/1", "2026-12-01/a/1", "x"):
        here.store.put_new(name, b"")
    assert _keys(here.store.list("2026-11-20/")) == ["2026-11-20/a/1", "2026-11-20/b/1"]
    assert len(_keys(here.store.list("2026-11-2"))) == 4
    assert _keys(here.store.list("2026-11-20/a/1")) == ["2026-11-20/a/1"]
    assert _keys(here.store.list("2026-11-20/a/1/")) == []
    assert _keys(here.store.list("026")) == []


def test_a_listing_has_as_many_pages_as_it_takes(here: Stand) -> None:
    names = [f"day/{number:04d}" for number in range(1_050)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: here.store.put_new(name, b""), names))
    assert _keys(here.store.list("day/")) == names


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a\nb", "a\0b", "x" * 1025]
)
def test_a_key_that_is_not_plain_is_refused(here: Stand, tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError):
        here.store.put_new(key, b"")
    with pytest.raises(UsageError):
        here.store.put_file(key, _file(tmp_path, b""), content_of(b""))
    with pytest.raises(UsageError):
        here.store.head(key)
    with pytest.raises(UsageError):
        here.store.read(key)


def test_only_small_objects_are_read_at_once(here: Stand, tmp_path: Path) -> None:
    body = bytes(16 * MIB)
    here.store.put_file("most", _file(tmp_path, body), content_of(body))
    assert len(here.store.read("most")) == 16 * MIB
    here.store.put_file("more", _file(tmp_path, body + b"x"), content_of(body + b"x"))
    with pytest.raises(UsageError):
        here.store.read("more")


@pytest.mark.parametrize("size", [10, 13 * MIB + 17])
def test_a_stream_becomes_an_object_once(here: Stand, large: bytes, size: int) -> None:
    body = large[:size]
    pieces = [body[start : start + 3 * MIB] for start in range(0, size, 3 * MIB)]
    blob = here.store.put_stream("a", pieces, content_of(body))
    assert here.store.put_stream("a", pieces, content_of(body)).at == blob.at
    assert here.store.read("a") == body
    with pytest.raises(StoreConflict):
        here.store.put_stream("a", [b"x" * size], content_of(b"x" * size))
    assert here.store.read("a") == body


@pytest.mark.parametrize("size", [10, 13 * MIB])
def test_a_stream_that_is_not_what_was_recorded_leaves_nothing(here: Stand, large: bytes, size: int) -> None:
    with pytest.raises(IntegrityBroken):
        here.store.put_stream("a", [large[:size], b"more"], content_of(large[:size]))
    assert _keys(here.store.list("")) == []


@pytest.mark.parametrize("size", [10, 13 * MIB])
def test_a_stream_that_breaks_leaves_nothing(here: Stand, large: bytes, size: int) -> None:
    def breaking() -> Iterator[bytes]:
        yield large[: size - 1]
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, DiskFailed)):
        here.store.put_stream("a", breaking(), content_of(large[:size]))
    assert _keys(here.store.list("")) == []


def test_a_store_is_shared_between_threads(here: Stand, tmp_path: Path) -> None:
    def there_and_back(number: int) -> str:
        body = b"%d" % number
        path = tmp_path / f"in{number}"
        path.write_bytes(body)
        blob = here.store.put_file(f"many/{number:02d}", path, content_of(body))
        return here.store.fetch(blob.at, tmp_path / f"out{number}").sha256

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(there_and_back, range(40)))
    assert came == [content_of(b"%d" % number).sha256 for number in range(40)]
    assert _keys(here.store.list("")) == [f"many/{number:02d}" for number in range(40)]


# Removing, which the reaper alone does


def test_what_is_removed_is_gone_for_good_and_may_be_removed_again(here: Stand) -> None:
    here.store.put_new("a/b", b"one")
    here.store.put_new("a/bc", b"another")
    seen = here.store.head("a/b")
    assert seen is not None
    for _ in range(2):
        here.store.remove(seen.at)
        assert here.store.head("a/b") is None
        assert here.store.versions("a/b") == []
        with pytest.raises(NotFound):
            here.store.read("a/b")
        assert _keys(here.store.list("a/")) == ["a/bc"]
    assert here.store.put_new("a/b", b"new").size == 3, "the name is free again"


def test_what_came_under_the_same_name_since_is_not_removed(here: Stand, tmp_path: Path) -> None:
    here.store.put_file("x", _file(tmp_path, b"old"), content_of(b"old"))
    old = here.store.head("x")
    assert old is not None
    here.store.put_file("x", _file(tmp_path, b"newer"), content_of(b"newer"))
    here.store.remove(old.at)
    assert here.store.read("x") == b"newer"
    if here.keeps_versions:
        assert [one.size for one in here.store.versions("x")] == [5]


def test_nothing_is_removed_from_another_store(here: Stand) -> None:
    here.store.put_new("a", b"x")
    here.other.put_new("a", b"x")
    seen = here.other.head("a")
    assert seen is not None
    with pytest.raises(UsageError):
        here.store.remove(seen.at)
    assert here.store.read("a") == here.other.read("a") == b"x"
