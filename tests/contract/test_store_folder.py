"""What does the folder store do on a disk that refuses, and when its process dies?"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import DiskFailed, NotFound, NotPermitted, StoreConflict, UsageError
from landbridge.facts import Location
from landbridge.stores import files, no_replace
from landbridge.stores.folder import PRIVATE, FolderStore
from tests.contract.stands import content_of
from tests.fakes.open_files import open_before, open_files

if TYPE_CHECKING:
    from pathlib import Path


def _visible(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_nothing_is_left_beside_what_was_written(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "root")
    store.put_new("a/b", b"x")
    with pytest.raises(StoreConflict):
        store.put_new("a/b", b"y")
    store.copy_new(Location(store.name, "a/b"), "c", content_of(b"x"))
    assert _visible(tmp_path / "root") == ["a/b", "c"]


def test_the_private_folder_holds_no_objects(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(UsageError):
        store.put_new(f"{PRIVATE}/a", b"x")
    (tmp_path / PRIVATE).mkdir()
    (tmp_path / PRIVATE / "left.part").write_bytes(b"half")
    assert list(store.list("")) == []


def test_a_process_that_dies_while_it_writes_leaves_nothing_visible(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from landbridge.facts import Content
        from landbridge.stores.folder import FolderStore
        def blocks():
            yield b"half"
            os._exit(9)
        FolderStore(Path(sys.argv[1])).put_stream("final", blocks(), Content(8, "0" * 64, 0))
    """)
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], check=False, timeout=60)
    assert ended.returncode == 9
    store = FolderStore(tmp_path)
    assert store.head("final") is None
    assert list(store.list("")) == []
    assert store.put_new("final", b"whole").size == 5


def test_files_and_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put_new("a", b"x")
    with pytest.raises(StoreConflict):
        store.put_new("a/b", b"x")
    store.put_new("c/d", b"x")
    with pytest.raises(StoreConflict):
        store.put_new("c", b"x")


def test_a_disk_that_is_full_is_told(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from landbridge.errors import DiskFailed
        from landbridge.stores.folder import FolderStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            FolderStore(Path(sys.argv[1])).put_new("a", bytes(5000))
        except DiskFailed:
            sys.exit(3)
    """)
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], check=False, timeout=60)
    assert ended.returncode == 3
    assert _visible(tmp_path) == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(NotPermitted):
        FolderStore(tmp_path).put_new("a", b"")


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreConflict):
        FolderStore(tmp_path / "file").put_new("a", b"")


def test_a_name_with_spaces_and_accents_is_found_again_by_its_url(tmp_path: Path) -> None:
    one, two = FolderStore(tmp_path / "ein é#%"), FolderStore(tmp_path / "two")
    source = one.put_new("a", b"x").at
    assert two.copy_new(source, "b", content_of(b"x")).size == 1


_WRITES = {
    "put_new": lambda store, path: store.put_new("a/b/c", path.read_bytes()),
    "put_file": lambda store, path: store.put_file("a/b/c", path, content_of(path.read_bytes())),
    "put_stream": lambda store, path: store.put_stream("a/b/c", [b"x"], content_of(b"x")),
}


@pytest.mark.parametrize("how", _WRITES)
def test_a_file_and_every_name_above_it_outlast_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A kill cannot show it: the kernel keeps what a killed process has written. So each fsync is watched, and done."""
    root, draft = tmp_path / "root", tmp_path / "draft"
    draft.write_bytes(b"x")
    store = FolderStore(root)
    store.put_new("other", b"")  # the store's own folder is there
    kept: list[tuple[int, set[str]]] = []
    fsync = os.fsync

    def watched(file: int) -> None:
        fsync(file)
        there = os.fstat(file).st_ino
        kept.append((there, set(os.listdir(file)) if stat.S_ISDIR(os.fstat(file).st_mode) else set()))

    monkeypatch.setattr(os, "fsync", watched)
    _WRITES[how](store, draft)
    names = {number: found for number, found in kept if found}
    for folder, name in ((root, "a"), (root / "a", "b"), (root / "a" / "b", "c")):
        assert name in names[folder.stat().st_ino], f"the name of {name} is kept"
    file = (root / "a" / "b" / "c").stat().st_ino
    order = [number for number, found in kept if number == file or "c" in found]
    assert order == [file, (root / "a" / "b").stat().st_ino], "the bytes are kept before their name"


def test_a_removal_outlasts_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a file that was reaped would be there again, beside the record that it is gone."""
    store = FolderStore(tmp_path)
    blob = store.put_new("a/b", b"x")
    kept: list[tuple[int, list[str]]] = []
    fsync = os.fsync

    def watched(file: int) -> None:
        fsync(file)
        kept.append((os.fstat(file).st_ino, os.listdir(file)))

    monkeypatch.setattr(os, "fsync", watched)
    store.remove(blob.at)
    assert kept == [((tmp_path / "a").stat().st_ino, [])]


def test_what_a_folder_cannot_copy_by_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="carry the bytes"):
        FolderStore(tmp_path).copy_new(Location("s3://staging", "a"), "b", content_of(b""))


def test_a_disk_that_is_full_leaves_nothing_of_what_was_coming_down(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
        with pytest.raises(DiskFailed, match="cannot be written"):
            files.arriving(tmp_path / "came", [bytes(600), bytes(600)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "came").exists()


@pytest.mark.parametrize("there", [True, False])
def test_without_hard_links_nothing_is_replaced_either(tmp_path: Path, *, there: bool) -> None:
    """The way of SMB and exFAT, taken here on the disk at hand."""
    (tmp_path / "part").write_bytes(b"new")
    if not there:
        no_replace._rename(tmp_path / "part", tmp_path / "final")
        assert (tmp_path / "final").read_bytes() == b"new"
        return
    (tmp_path / "final").write_bytes(b"old")
    with pytest.raises(FileExistsError) as told:
        no_replace._rename(tmp_path / "part", tmp_path / "final")
    assert told.value.errno == errno.EEXIST
    assert (tmp_path / "final").read_bytes() == b"old"
    assert ctypes.get_errno() in {0, errno.EEXIST}


@pytest.mark.parametrize("number", sorted(no_replace._NO_LINKS))
def test_where_a_disk_has_no_links_a_store_goes_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refused)
    store = FolderStore(tmp_path)
    store.put_new("a", b"x")
    with pytest.raises(StoreConflict):
        store.put_new("a", b"y")
    assert store.read("a") == b"x"
    assert _visible(tmp_path) == ["a"]


def test_a_disk_that_refuses_a_link_for_another_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full or broken now must not get the file by another way, whose name may not last."""

    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(DiskFailed):
        FolderStore(tmp_path).put_new("a", b"x")
    assert _visible(tmp_path) == []


def test_what_is_removed_without_a_pin_is_whatever_is_there(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    at = store.put_new("a", b"x").at
    store.remove(replace(at, etag=""))
    assert store.head("a") is None


@pytest.mark.skipif(sys.platform != "linux", reason="counted where Linux shows them")
def test_no_descriptor_is_kept(tmp_path: Path) -> None:
    """A collector and a watch run for months."""
    store, draft = FolderStore(tmp_path / "root"), tmp_path / "draft"
    draft.write_bytes(b"x")

    def all_ways() -> None:
        at = store.put_new("a/b", b"x").at
        store.put_file("a/c", draft, content_of(b"x"))
        store.copy_new(at, "a/d", content_of(b"x"))
        store.fetch(at, tmp_path / "came")
        files.whole(draft, content_of(b"x"))
        (tmp_path / "came").unlink()
        with pytest.raises(NotFound):
            store.fetch(replace(at, key="absent"), tmp_path / "came")

    all_ways()
    before = open_before()
    all_ways()
    assert open_files() == before
