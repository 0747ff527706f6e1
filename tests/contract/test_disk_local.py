"""Does this machine's disk say no where it must, and what does the share ask of a disk that does only half?"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from landbridge import disk
from landbridge.disk import local
from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.share.machine import Machine
from landbridge.share.platform import Way, way_of
from tests.fakes.open_files import open_before, open_files

if TYPE_CHECKING:
    import ctypes
    from pathlib import Path

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="errors of Linux")


def refusing(number: int) -> OSError:
    return OSError(number, os.strerror(number))


# The system's own calls


def test_a_disk_is_set_to_work_for_the_bytes_so_far_where_the_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []

    class Libc:
        def sync_file_range(self, file: int, offset: ctypes.c_int64, size: ctypes.c_int64, flags: int) -> int:
            asked.append((file, offset.value, size.value, flags))
            return -1  # a file system that does not know it: a hint, and no error

    with (tmp_path / "part").open("wb") as file:
        file.write(b"x")
        LOCAL.write_behind(file.fileno(), 5 << 30)
        monkeypatch.setattr(local, "_libc", Libc)
        LOCAL.write_behind(file.fileno(), 5 << 30)
        assert asked == [(file.fileno(), 0, 5 << 30, 2)]
        monkeypatch.setattr(local, "_libc", object)  # an old C library
        LOCAL.write_behind(file.fileno(), 1)


def test_a_name_that_is_taken_is_never_replaced(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"one")
    two.write_bytes(b"two")
    for give in (LOCAL.rename_new, LOCAL.link):
        with pytest.raises(FileExistsError):
            give(one, two)
    assert (one.read_bytes(), two.read_bytes()) == (b"one", b"two")


def test_a_further_name_of_a_link_is_the_link_and_never_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"of somebody")
    (tmp_path / "part").symlink_to("secret")
    LOCAL.link(tmp_path / "part", tmp_path / "final")
    assert (tmp_path / "final").is_symlink()
    assert (tmp_path / "secret").stat().st_nlink == 1


def test_a_link_is_looked_at_itself(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert stat.S_ISLNK(LOCAL.lstat(tmp_path / "link").st_mode)


def test_a_file_system_or_system_that_cannot_rename_so_is_given_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert way_of(Machine(), tmp_path) is Way.RENAME
    monkeypatch.setattr(local, "_libc", object)  # an old C library
    assert way_of(Machine(), tmp_path) is Way.LINK

    class Refusing(LocalDisk):
        def __init__(self, number: int) -> None:
            self.number = number

        def rename_new(self, path: Path, target: Path) -> None:
            raise refusing(self.number)

    for number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):  # NFS says the first one
        assert way_of(Machine(Refusing(number)), tmp_path) is Way.LINK
    for number in (errno.EIO, errno.EROFS, errno.EACCES):
        with pytest.raises(OSError, match=os.strerror(number)):
            way_of(Machine(Refusing(number)), tmp_path)
    assert list(tmp_path.iterdir()) == [], "the files of the trial are gone"


def test_the_trial_of_a_disk_takes_no_file_of_anybody(tmp_path: Path) -> None:
    (tmp_path / "trial-again").write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        way_of(Machine(token=lambda: "again"), tmp_path)
    assert (tmp_path / "trial-again").read_bytes() == b"somebody's"


def test_what_cannot_be_kept_is_told_and_what_a_mount_does_not_know_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(number: int) -> None:
        def fsync(_file: int) -> None:
            raise refusing(number)

        monkeypatch.setattr(os, "fsync", fsync)

    (tmp_path / "file").write_bytes(b"x")
    before = open_before()
    for number in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
        fails(number)
        with pytest.raises(OSError, match=os.strerror(number)):
            LOCAL.sync_folder(tmp_path)
        with disk.opened(LOCAL, tmp_path / "file", os.O_RDONLY) as file, pytest.raises(OSError):  # noqa: PT011
            LOCAL.fsync(file)
    for number in (errno.EINVAL, errno.ENOTSUP):
        fails(number)
        LOCAL.sync_folder(
            tmp_path
        )  # of a folder, as some SMB mounts answer; of a file it is an error like any other
        with disk.opened(LOCAL, tmp_path / "file", os.O_RDONLY) as file, pytest.raises(OSError):  # noqa: PT011
            LOCAL.fsync(file)
    assert open_files() == before


def test_a_folder_that_is_gone_has_no_names_to_keep_and_a_file_is_none(tmp_path: Path) -> None:
    LOCAL.sync_folder(tmp_path / "gone")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        LOCAL.sync_folder(tmp_path / "file")


def test_a_lock_is_held_once_and_ours_alone_to_open(tmp_path: Path) -> None:
    first = LOCAL.lock(tmp_path / "lock")
    assert first is not None
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
    before = open_before()
    for _ in range(3):
        with pytest.raises(BlockingIOError, match="lock"):
            LOCAL.lock(tmp_path / "lock")
    assert open_files() == before
    LOCAL.close(first)
    again = LOCAL.lock(tmp_path / "lock")
    assert again is not None
    LOCAL.close(again)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(_file: int, _how: int) -> None:
        raise refusing(number)

    monkeypatch.setattr(fcntl, "flock", flock)
    before = open_before()
    assert LOCAL.lock(tmp_path / "lock") is None
    assert open_files() == before


# What is made of them


class Half(LocalDisk):
    """Takes a byte at a time, and gives no more than it is asked for."""

    def write(self, file: int, piece: bytes | memoryview) -> int:
        return super().write(file, bytes(piece[:1]))


class Odd(LocalDisk):
    """Answers every look and removal with one error."""

    def __init__(self, number: int) -> None:
        self.number = number

    def lstat(self, path: Path) -> os.stat_result:
        raise refusing(self.number)

    stat = lstat

    def unlink(self, path: Path) -> None:
        raise refusing(self.number)

    def utime(self, path: Path) -> None:
        raise refusing(self.number)


def test_a_disk_that_takes_a_byte_at_a_time_has_all_of_them(tmp_path: Path) -> None:
    body = bytes(range(256)) * 9_000  # more than is read at once
    (tmp_path / "large").write_bytes(body)
    assert disk.read_whole(LOCAL, tmp_path / "large") == body
    with disk.opened(Half(), tmp_path / "small", os.O_WRONLY | os.O_CREAT) as file:
        disk.write_whole(Half(), file, body[:300])
    assert (tmp_path / "small").read_bytes() == body[:300]


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_disk_that_cannot_tell_has_not_said_no(tmp_path: Path, number: int) -> None:
    odd = Odd(number)
    for ask in (disk.is_there, disk.is_folder, disk.remove):
        with pytest.raises(OSError, match=os.strerror(number)):
            ask(odd, tmp_path / "x")


def test_what_is_behind_a_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not disk.is_there(LOCAL, tmp_path / "file" / "x")
    assert not disk.is_folder(LOCAL, tmp_path / "file" / "x")
    assert not disk.is_folder(LOCAL, tmp_path / "file")
    disk.remove(LOCAL, tmp_path / "never there")


def test_a_folder_is_made_once_and_never_in_the_place_of_a_file(tmp_path: Path) -> None:
    disk.make_folders(LOCAL, tmp_path / "a" / "b" / "c")
    disk.make_folders(LOCAL, tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    with pytest.raises(FileNotFoundError):  # what is missing above may be the mount
        disk.make_folder(LOCAL, tmp_path / "away" / "x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        disk.make_folder(LOCAL, tmp_path / "file")


def test_a_mount_that_lets_nobody_set_times_is_touched_all_the_same(tmp_path: Path) -> None:
    disk.touch(Odd(errno.EPERM), tmp_path / "x")
    assert (tmp_path / "x").exists()
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        disk.touch(Odd(errno.EIO), tmp_path / "x")
