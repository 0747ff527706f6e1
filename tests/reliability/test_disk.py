"""Does the simulated disk answer as Linux does, and lose no more and no less than a disk may?"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.disk import make_folders, opened, read_whole, touch, write_whole
from reliability import disk_answers
from reliability.disk import SimulatedDisk
from reliability.disk_answers import FLAGS, OF_ONE_PATH, OF_TWO_PATHS, compare
from reliability.inodes import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.disk import Disk
    from reliability.disk_answers import Call

pytestmark = pytest.mark.reliability

HERE = Path("/share")

_paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join) | st.just("n" * 256)
_files = st.integers(0, 5)
_calls = st.one_of(
    st.tuples(st.just("open"), st.tuples(_paths, st.sampled_from(FLAGS))),
    st.tuples(st.just("read"), st.tuples(_files, st.integers(0, 20))),
    st.tuples(st.just("write"), st.tuples(_files, st.binary(max_size=12))),
    st.tuples(st.just("lseek"), st.tuples(_files, st.integers(-3, 20), st.sampled_from((0, 1, 2)))),
    st.tuples(st.just("ftruncate"), st.tuples(_files, st.integers(0, 20))),
    st.tuples(st.sampled_from(("fstat", "fsync", "close")), st.tuples(_files)),
    st.tuples(st.sampled_from(OF_ONE_PATH), st.tuples(_paths)),
    st.tuples(st.just("chmod"), st.tuples(_paths, st.sampled_from((0o600, 0o640)))),
    st.tuples(st.sampled_from(OF_TWO_PATHS), st.tuples(_paths, _paths)),
)


@given(st.lists(_calls, max_size=40))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_it_answers_as_linux_does(calls: list[Call]) -> None:
    compare(calls)


def test_it_answers_as_linux_does_for_long() -> None:
    assert disk_answers.figure().is_reached


def fresh() -> SimulatedDisk:
    disk = SimulatedDisk(lambda: 1_000)
    disk.mount().mkdir(HERE)
    disk.settle()
    return disk


def put(disk: Disk, path: Path, *pieces: bytes, sync: bool) -> None:
    with opened(disk, path, os.O_WRONLY | os.O_CREAT) as file:
        for piece in pieces:
            write_whole(disk, file, piece)
        if sync:
            disk.fsync(file)


def after_cuts(disk: SimulatedDisk, count: int = 200) -> Iterator[dict[str, bytes]]:
    for seed in range(count):
        yield disk.power_cut(random.Random(seed)).files()


def test_what_was_synced_survives_and_what_was_not_may_not() -> None:
    disk = fresh()
    mount = disk.mount()
    put(mount, HERE / "whole", b"x" * 10, sync=True)
    mount.sync_folder(HERE)
    put(mount, HERE / "bytes-only", b"y", sync=True)  # its name is not
    put(mount, HERE / "neither", b"z", sync=False)
    found = list(after_cuts(disk))
    assert all(one["/share/whole"] == b"x" * 10 for one in found)
    assert {one.get("/share/bytes-only") for one in found} == {None, b"y"}
    assert {one.get("/share/neither") for one in found} == {None, b"", b"z"}
    assert disk.power_cut(random.Random(1), strict=True).files() == {"/share/whole": b"x" * 10}
    assert len(disk.files()) == 3  # the disk before the cut is as it was


def test_a_synced_name_may_have_no_bytes() -> None:
    disk = fresh()
    mount = disk.mount()
    put(mount, HERE / "f", b"12345", sync=False)
    mount.sync_folder(HERE)
    found = {one["/share/f"] for one in after_cuts(disk)}
    assert {b"", b"12345"} < found
    assert disk.power_cut(random.Random(1), strict=True).files() == {"/share/f": b""}


def test_pages_survive_one_by_one_and_show_nothing_that_was_never_written() -> None:
    disk = fresh()
    mount = disk.mount()
    put(mount, HERE / "f", b"o" * PAGE, sync=True)
    mount.sync_folder(HERE)
    with opened(mount, HERE / "f", os.O_RDWR | os.O_APPEND) as file:
        for letter in (b"p", b"q", b"r"):
            mount.write(file, letter * PAGE)
    found = {one["/share/f"] for one in after_cuts(disk)}
    assert all(one.startswith(b"o" * PAGE) for one in found)
    assert b"o" * PAGE + bytes(PAGE) + b"q" * PAGE in found
    assert any(len(one) % PAGE for one in found)
    for one in found:
        pages = [one[at : at + PAGE] for at in range(PAGE, len(one), PAGE)]
        for page, its in zip(pages, b"pqr", strict=False):
            assert set(page) <= {its} or set(page) <= {0}


def test_a_rename_survives_whole_or_not_at_all_and_never_before_the_name_it_takes() -> None:
    disk = fresh()
    mount = disk.mount()
    for folder in ("in", "parts"):
        mount.mkdir(HERE / folder)
    disk.settle()
    put(mount, HERE / "parts/p", b"x", sync=True)
    mount.rename_new(HERE / "parts/p", HERE / "in/f")
    found = {tuple(sorted(one)) for one in after_cuts(disk)}
    assert found == {(), ("/share/parts/p",), ("/share/in/f",)}
    mount.sync_folder(HERE / "parts")  # where it came from
    assert ("/share/parts/p",) in {tuple(sorted(one)) for one in after_cuts(disk)}
    mount.sync_folder(HERE / "in")
    assert {tuple(one) for one in after_cuts(disk)} == {("/share/in/f",)}


def test_a_later_change_may_survive_an_earlier_one_of_another_name_but_not_of_the_same() -> None:
    disk = fresh()
    mount = disk.mount()
    put(mount, HERE / "a", b"1", sync=True)
    put(mount, HERE / "b", b"2", sync=True)
    mount.unlink(HERE / "a")
    put(mount, HERE / "a", b"3", sync=True)
    found = {tuple(sorted(one.items())) for one in after_cuts(disk)}
    only_b = (("/share/b", b"2"),)
    first, last = ("/share/a", b"1"), ("/share/a", b"3")
    assert found <= {(), only_b, (first,), (last,), (first, *only_b), (last, *only_b)}
    assert only_b in found
    assert (first,) in found
    assert (last,) in found


def test_a_file_that_was_renamed_twice_has_one_name() -> None:
    disk = fresh()
    mount = disk.mount()
    for folder in ("in", "parts"):
        mount.mkdir(HERE / folder)
    put(mount, HERE / "parts/x", b"1", sync=True)
    disk.settle()
    mount.rename(HERE / "parts/x", HERE / "parts/y")
    mount.rename_new(HERE / "parts/y", HERE / "in/z")
    found = {tuple(sorted(one)) for one in after_cuts(disk)}
    assert found == {("/share/parts/x",), ("/share/parts/y",), ("/share/in/z",)}
    mount.sync_folder(HERE / "in")
    assert {tuple(one) for one in after_cuts(disk)} == {("/share/in/z",)}


def test_a_file_in_a_folder_whose_own_name_is_lost_is_lost_with_it() -> None:
    disk = fresh()
    mount = disk.mount()
    make_folders(mount, HERE / "in/deep")
    put(mount, HERE / "in/deep/f", b"x", sync=True)
    mount.sync_folder(HERE / "in/deep")
    mount.sync_folder(HERE / "in")
    assert {len(one) for one in after_cuts(disk)} == {0, 1}
    mount.sync_folder(HERE)
    assert {len(one) for one in after_cuts(disk)} == {1}


def test_a_link_is_seen_in_count_and_change_time_and_is_lost_with_both() -> None:
    disk = fresh()
    mount = disk.mount()
    put(mount, HERE / "a", b"x", sync=True)
    mount.sync_folder(HERE)
    before = mount.lstat(HERE / "a")
    mount.link(HERE / "a", HERE / "b")
    linked = mount.lstat(HERE / "a")
    assert (linked.st_nlink, linked.st_ctime_ns > before.st_ctime_ns) == (2, True)
    seen = set()
    for seed in range(50):
        back = disk.power_cut(random.Random(seed)).mount()
        found = back.lstat(HERE / "a")
        assert (
            (found.st_nlink == 2) == ("b" in back.listdir(HERE)) == (found.st_ctime_ns == linked.st_ctime_ns)
        )
        seen.add(found.st_nlink)
    assert seen == {1, 2}


def test_a_kill_loses_files_and_locks_but_no_bytes() -> None:
    disk = fresh()
    one, two = disk.mount(), disk.mount()
    held, file = one.lock(HERE / "lock"), one.open(HERE / "f", os.O_WRONLY | os.O_CREAT)
    assert held is not None
    one.write(file, b"never synced")
    with pytest.raises(BlockingIOError):
        two.lock(HERE / "lock")
    with pytest.raises(OSError, match="Bad file descriptor"):
        two.write(file, b"another process's number")
    one.end()
    assert two.lock(HERE / "lock") is not None
    assert read_whole(two, HERE / "f") == b"never synced"
    with pytest.raises(OSError, match="Bad file descriptor"):
        one.write(file, b"dead")


def test_a_cut_takes_locks_and_open_files() -> None:
    disk = fresh()
    assert disk.mount().lock(HERE / "lock") is not None
    back = disk.power_cut(random.Random(3)).mount()
    assert back.lock(HERE / "lock") is not None


def test_each_call_is_told_before_its_effect() -> None:
    told: list[tuple[str, str, bool]] = []
    disk = fresh()

    def before(operation: str, path: Path) -> None:
        told.append((operation, str(path), "/share/f" in disk.files()))

    mount = disk.mount(before)
    put(mount, HERE / "f", b"x", sync=True)
    mount.unlink(HERE / "f")
    assert told == [
        ("open", "/share/f", False),
        ("write", "/share/f", True),
        ("fsync", "/share/f", True),
        ("close", "/share/f", True),
        ("unlink", "/share/f", True),
    ]


def test_the_disk_has_a_clock_of_its_own() -> None:
    at = [5_000_000_000]
    disk = SimulatedDisk(lambda: at[0])
    mount = disk.mount()
    touch(mount, Path("/f"))
    assert int(mount.lstat(Path("/f")).st_mtime) == 5
    at[0] = 9_000_000_000
    touch(mount, Path("/f"))
    assert int(mount.lstat(Path("/f")).st_mtime) == 9
