"""Is what a run kept for itself gone afterwards, also when it was killed, and never while somebody needs it?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from landbridge.disk import scratch as scratches
from landbridge.disk.scratch import scratch, sweep
from landbridge.errors import DiskFailed
from tests.fakes.open_files import open_before, open_files

if TYPE_CHECKING:
    from pathlib import Path

LATER = 2 * 3600.0
LOCK = ".landbridge-scratch"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_behind(place: Path, name: str = "landbridge-killed", *, lock: str = LOCK, host: str = "") -> Path:
    """Do what a killed run does."""
    folder = place / name
    (folder / "gate-1").mkdir(parents=True)
    (folder / "gate-1" / "spilled").write_bytes(b"x")
    (folder / lock).write_text(host or socket.gethostname())
    hours_ago = time.time() - LATER
    os.utime(folder / lock, (hours_ago, hours_ago))
    return folder


def test_a_folder_is_private_and_gone_afterwards(place: Path) -> None:
    before = open_before()
    with scratch() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "draft").write_bytes(b"x")
    assert list(place.iterdir()) == []
    assert open_files() == before


def test_who_comes_later_removes_what_a_killed_run_left(place: Path) -> None:
    left_behind(place)
    with scratch() as folder:
        assert list(place.iterdir()) == [folder]


def test_a_run_that_is_killed_gives_its_folder_up_and_not_before(place: Path) -> None:
    code = "import sys, time\nfrom landbridge.disk.scratch import scratch\nwith scratch() as one:\n print(one, flush=True); time.sleep(60)"
    environment = {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stdout is not None
        folder = place / run.stdout.readline().strip().rpartition("/")[2]
        sweep(place, time.time() + LATER)
        assert folder.is_dir(), "its owner lives"
        run.kill()
        run.wait()
        sweep(place, time.time())
        assert folder.is_dir(), "it is young"
        sweep(place, time.time() + LATER)
        assert list(place.iterdir()) == []


def test_a_folder_of_the_same_process_is_somebodys_too(place: Path) -> None:
    with scratch() as first, scratch() as second:
        sweep(place, time.time() + LATER)
        assert first.is_dir()
        assert second.is_dir()


def test_what_is_not_ours_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = left_behind(place / "elsewhere")
    (place / "landbridge-link").symlink_to(elsewhere)
    (place / "landbridge-file").write_bytes(b"x")
    left_behind(place, "landbridge-bench-1", lock="a file")
    left_behind(place, "somebody-elses")
    left_behind(place, "landbridge-far", host="another-host-of-this-disk")
    before = sorted(place.rglob("*"))
    sweep(place, time.time())
    assert sorted(place.rglob("*")) == before
    theirs = left_behind(place)
    monkeypatch.setattr(os, "getuid", lambda: theirs.stat().st_uid + 1)
    sweep(place, time.time())
    assert theirs.is_dir()


def test_where_there_are_no_locks_nothing_is_removed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoLocks:
        def lock(self, _path: Path) -> None: ...

    left = left_behind(place)
    monkeypatch.setattr(scratches, "LOCAL", NoLocks())
    with scratch() as folder:
        assert folder.is_dir()
        assert left.is_dir()


def test_without_a_disk_to_write_on_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(DiskFailed, match="no scratch folder"), scratch():
        pass
