"""When is a name on the share taken, by whatever stands there and however it is spelled?"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.errors import DiskFailed, IntegrityBroken, ShareRefused
from landbridge.share.folder import FolderShare
from landbridge.share.landing import Names, holds
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from tests.contract.test_share import BODY, DAY, Stand, content, deliver, manifest, part_of
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    (tmp_path / "share").mkdir()
    with ExitStack() as stack:
        made = Stand(LOCAL, tmp_path / "share", Way.RENAME, stack)
        made.open().adopt()
        yield made


NFC, NFD = "\u00e9t\u00e9.csv", "e\u0301te\u0301.csv"


@pytest.mark.parametrize(
    ("there", "wanted"),
    [(NFD, NFC), (NFD.upper(), NFC), (NFD, NFC.upper()), ("STRASSE.csv", "stra\u00dfe.csv")],
)
def test_a_name_of_somebody_who_writes_accents_or_case_in_another_way_is_the_same(
    stand: Stand, there: str, wanted: str
) -> None:
    """A Mac writes an accent as a letter of its own: to it, and to a server of its kind, both are one file."""
    (stand.root / there).write_bytes(b"somebody's")
    share = stand.open()
    with pytest.raises(IntegrityBroken, match="differs only in case or accents") as refused:
        deliver(share, manifest(name=wanted))
    assert there in refused.value.seen
    assert stand.files() == {there: b"somebody's"}
    (stand.root / there).unlink()
    stand.clock.sleep(2)
    deliver(share, manifest(name=wanted))
    assert stand.files() == {wanted: BODY}


def test_a_spelling_that_came_after_the_folder_was_listed_is_seen_a_second_later(stand: Stand) -> None:
    share = stand.open()
    deliver(share, manifest(name="in/one.csv", occurrence="2026-11-19"))
    (stand.root / "in" / "TWO.csv").write_bytes(b"somebody's")
    stand.clock.sleep(1.5)
    with pytest.raises(IntegrityBroken, match="differs only in case"):
        deliver(share, manifest(name="in/two.csv"))


def test_the_same_letters_in_another_folder_are_another_name(stand: Stand) -> None:
    share = stand.open()
    with (
        share.claim(manifest(name="in/A.csv")),
        share.claim(manifest(name="out/a.csv", occurrence="2026-11-19")),
    ):
        pass


def test_a_name_is_kept_as_long_as_one_claim_wants_it(tmp_path: Path) -> None:
    """Two revisions may want one name; the other spelling is free when both have let go, and if it is not there."""
    clock = SetClock()
    names = Names(LOCAL, clock)
    for _ in range(2):
        names.reserve(tmp_path / "a.csv")
    for _ in range(2):
        with pytest.raises(IntegrityBroken, match="differs only in case"):
            names.reserve(tmp_path / "A.csv")
        names.release(tmp_path / "A.csv")
        names.release(tmp_path / "a.csv")
    names.reserve(tmp_path / "A.csv")
    names.release(tmp_path / "A.csv")
    (tmp_path / "A.csv").write_bytes(b"")
    with pytest.raises(IntegrityBroken, match="differs only in case"):
        names.reserve(tmp_path / "a.csv")
    names.release(tmp_path / "a.csv")
    names.reserve(tmp_path / "A.csv")
    names.release(tmp_path / "A.csv")


def test_a_spelling_that_is_reserved_is_known_after_the_folder_was_listed_anew(tmp_path: Path) -> None:
    clock = SetClock()
    names = Names(LOCAL, clock)
    names.reserve(tmp_path / "a.csv")
    clock.sleep(5)
    with pytest.raises(IntegrityBroken, match="differs only in case"):
        names.reserve(tmp_path / "A.csv")


def _link_of_its_length(final: Path) -> None:
    """Lead to the same bytes by as many letters as there are bytes."""
    lead = "elsewhere.csv"
    (final.parent / lead).write_bytes(BODY)
    final.symlink_to("./" * ((len(BODY) - len(lead)) // 2) + lead)
    assert final.lstat().st_size == len(BODY)


def _pipe(final: Path) -> None:
    os.mkfifo(final)


def _socket(final: Path) -> None:
    here = os.open(final.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{here}/{final.name}")
    finally:
        os.close(here)


class Unread(LocalDisk):
    """Opens nothing under the name that is looked at: a pipe would never answer."""

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        raise AssertionError(path)


@pytest.mark.parametrize(("put", "body"), [(_link_of_its_length, BODY), (_pipe, b""), (_socket, b"")])
def test_what_is_no_plain_file_is_not_the_file_and_is_not_opened(
    tmp_path: Path, put: Callable[[Path], None], body: bytes
) -> None:
    final = tmp_path / "x_1.csv"
    put(final)
    with pytest.raises(IntegrityBroken, match="is there already"):
        holds(Unread(), final, manifest(body, name="x_1.csv"))


def test_what_holds_other_bytes_or_more_of_them_is_not_the_file(tmp_path: Path) -> None:
    final = tmp_path / "x_1.csv"
    assert not holds(LOCAL, final, manifest(name="x_1.csv"))
    for other in (BODY[::-1], BODY + b"x", BODY[:-1], b""):
        final.write_bytes(other)
        with pytest.raises(IntegrityBroken, match="is there already"):
            holds(LOCAL, final, manifest(name="x_1.csv"))
    final.write_bytes(BODY)
    assert holds(LOCAL, final, manifest(name="x_1.csv"))


def test_a_file_of_another_size_is_not_read(tmp_path: Path) -> None:
    """It may be somebody's, and have any number of gigabytes."""
    final = tmp_path / "x_1.csv"
    final.write_bytes(BODY + b"x")
    with pytest.raises(IntegrityBroken, match="is there already"):
        holds(Unread(), final, manifest(name="x_1.csv"))


def test_a_file_in_the_place_of_the_folder_is_named(stand: Stand) -> None:
    (stand.root / "in").write_bytes(b"somebody's")
    with pytest.raises((ShareRefused, DiskFailed)) as refused:
        deliver(stand.open(), manifest())
    assert str(stand.root.path / "in") in f"{refused.value.what} {refused.value.seen}"
    with pytest.raises(NotADirectoryError) as raised:
        holds(LOCAL, stand.root.path / "in" / "REPORT.csv", manifest())
    assert raised.value.filename == str(stand.root.path / "in")


class Fleeting(LocalDisk):
    """Something was under the name that a file was to get, once, and is not there any more."""

    once = False

    def rename_new(self, path: Path, target: Path) -> None:
        if self.once:
            self.once = False
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        super().rename_new(path, target)


def test_what_came_and_went_at_the_last_moment_is_no_delivery(stand: Stand) -> None:
    """Somebody put a file there just before the rename, and the consumer took it before it could be looked at."""
    disk = Fleeting()
    with FolderShare(
        stand.root.path, "DEV", "edge1", stand.clock, way=Way.RENAME, machine=Machine(disk)
    ) as share:
        with share.claim(manifest()) as claim:
            part_of(claim).write_bytes(BODY)
            disk.once = True
            with pytest.raises(ShareRefused, match="came and went"):
                claim.land(content(BODY))
        assert share.unreceipted(DAY) == []
        assert stand.files() == {}
        deliver(share, manifest())
        assert stand.files() == {"in/REPORT.csv": BODY}
