"""Does a file that grows on a disk hold what it says, last when it is told of, and touch nothing but itself?"""

from __future__ import annotations

import errno
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.errors import DiskFailed, LandbridgeError, ShareRefused
from landbridge.sftp.part import Part

if TYPE_CHECKING:
    from pathlib import Path


class Watched(LocalDisk):
    """Keeps what was asked of an open file, in order; the call named `fails` is refused."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[str] = []
        self._fails = fails

    def _told(self, call: str) -> None:
        self.calls.append(call)
        if call == self._fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def read(self, file: int, size: int) -> bytes:
        self._told("read")
        return super().read(file, size)

    def write(self, file: int, piece: bytes | memoryview) -> int:
        self._told("write")
        return super().write(file, piece)

    def fsync(self, file: int) -> None:
        self._told("fsync")
        super().fsync(file)

    def close(self, file: int) -> None:
        super().close(file)
        self._told("close")


def test_what_is_told_of_is_durable(tmp_path: Path) -> None:
    disk = Watched()
    with Part(disk, tmp_path / "part", 6, None) as part:
        part.write(b"abc")
        part.write(b"def")
        content = part.finish()
    assert (content.size, content.sha256) == (6, hashlib.sha256(b"abcdef").hexdigest())
    assert disk.calls == ["write", "write", "fsync", "close"], "of a new file nothing is read"


@pytest.mark.parametrize("fails", ["read", "write", "fsync", "close"])
def test_a_disk_that_fails_is_told_of_and_no_file_stays_open(tmp_path: Path, fails: str) -> None:
    """A close that fails may be the first that a network file system says of a write."""
    disk = Watched(fails)
    (tmp_path / "part").write_bytes(b"a")
    with pytest.raises(DiskFailed):
        _brought(Part(disk, tmp_path / "part", 3, None))
    assert disk.calls[-1] == "close"
    assert disk.calls.count("close") == 1


def _brought(unopened: Part) -> None:
    with unopened as part:
        part.write(b"abc"[part.there :])
        part.finish()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "somebodys").write_bytes(b"something else")
    (tmp_path / "part").symlink_to(tmp_path / "somebodys")
    with pytest.raises(LandbridgeError):
        Part(LOCAL, tmp_path / "part", 3, None)
    assert (tmp_path / "somebodys").read_bytes() == b"something else"


def test_what_is_there_is_told_and_hashed_unless_it_is_too_long(tmp_path: Path) -> None:
    for there, kept in ((b"ab", b"ab"), (b"abc", b"abc"), (b"abcd", b"")):
        (tmp_path / "part").write_bytes(there)
        watched: list[int] = []
        with Part(LOCAL, tmp_path / "part", 3, watched.append) as part:
            assert (part.there, sum(watched)) == (len(kept), len(kept))
            part.write(b"abc"[part.there :])
            assert part.finish().sha256 == hashlib.sha256(b"abc").hexdigest()
        assert sum(watched) == 3
        assert (tmp_path / "part").read_bytes() == b"abc"


def test_a_folder_that_refuses_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ShareRefused):
        Part(LOCAL, tmp_path / "not there" / "part", 3, None)


def test_what_goes_wrong_with_whoever_watches_is_no_failure_of_the_disk(tmp_path: Path) -> None:
    def watch(_: int) -> None:
        raise BrokenPipeError

    with Part(LOCAL, tmp_path / "part", 3, watch) as part, pytest.raises(BrokenPipeError):
        part.write(b"abc")
