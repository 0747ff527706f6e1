"""Does every step of a landing reach the disk before the next one is taken, also when many files land together?

What a power cut would leave is what was there at the last fsync. Each fsync is watched (and done), what it kept is
remembered, and the promises are held against that memory at every rename and removal; a kill cannot show this, since
the kernel keeps what a killed process has written.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.disk.local import LOCAL
from landbridge.errors import ShareRefused
from landbridge.facts import Receipt
from landbridge.share.platform import Way
from tests.contract.test_share import BODY, DAY, Stand, content, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.facts import Manifest
    from landbridge.share.folder import FolderShare

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what is synced")
_watching: list[Disk] = []


class Disk:
    """What a power cut would leave of one share, and the promises that must hold of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.private = root / ".landbridge" / "dev"
        self.names: dict[Path, set[str]] = {}
        self.lines: dict[Path, list[dict[str, Any]]] = {}
        self.fsyncs: list[Path] = []
        self.broken: list[str] = []

    def synced(self, path: Path) -> None:
        self.fsyncs.append(path)
        if path.is_dir():
            self.names[path] = {entry.name for entry in path.iterdir()}
        elif path.suffix == ".jsonl":
            text = path.read_text().splitlines()
            self.lines[path] = [json.loads(line.partition(" ")[2])["record"] for line in text]
            self._holds_of_lines()

    def about_to(self, event: str, path: Path) -> None:
        self._intents_before_names()
        if event in {"os.remove", "os.rmdir"} and path.parent == self.private / "claims":
            slot = path.name.split("~")[0]
            if slot not in {_slot(one["receipt"]) for one in self._kept("landed")}:
                self.broken.append(f"the claim on {slot} is given back before `landed` is kept")
        for intent in self._kept("intent") if event == "os.remove" else ():
            final = self.root / intent["manifest"]["landed_name"]
            if path.name == intent["part"] and not self._is_kept(final):
                self.broken.append(f"the part of {final.name} is removed before its name is kept")

    def _is_kept(self, path: Path) -> bool:
        return path.name in self.names.get(path.parent, set())

    def _kept(self, kind: str) -> list[dict[str, Any]]:
        return [one for lines in self.lines.values() for one in lines if one["kind"] == kind]

    def _intents_before_names(self) -> None:
        intended = {
            one["manifest"][name] for one in self._kept("intent") for name in ("landed_name", "done_name")
        }
        for path in self.root.rglob("*"):
            name = str(path.relative_to(self.root))
            if ".landbridge" not in path.parts and path.is_file() and name not in intended:
                self.broken.append(f"{name} is there before its intent is kept")

    def _holds_of_lines(self) -> None:
        for one in self._kept("landed"):
            if not self._is_kept(self.root / one["receipt"]["landed_path"]):
                self.broken.append(f"`landed` of {one['receipt']['landed_path']} is kept before its name")
            for folder in (self.root / one["receipt"]["landed_path"]).relative_to(self.root).parents[:-1]:
                if not self._is_kept(self.root / folder):
                    self.broken.append(f"`landed` is kept before the folder {folder}")
        parts = self.names.get(self.private / "parts", set())
        for intent in self._kept("intent"):
            landed = [
                one for one in self._kept("landed") if _slot(one["receipt"]) == _slot(intent["manifest"])
            ]
            final = self.root / intent["manifest"]["landed_name"]
            if not landed and intent["part"] not in parts and not self._is_kept(final):
                self.broken.append(f"the intent of {final.name} is kept before its part's name")
            done = intent["manifest"]["done_name"]
            if landed and done and not self._is_kept(self.root / done):
                self.broken.append(f"`landed` of {final.name} is kept before its done-file's name")
            if landed and intent["part"] in parts:
                self.broken.append(f"`landed` of {final.name} is kept before the part's name is gone")


def _slot(record: dict[str, Any]) -> str:
    return f"{record['feed']}.{record['occurrence']}"


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in {"os.rename", "os.link", "os.remove", "os.rmdir"}:
        disk = _watching.pop()  # looking is not watched itself
        disk.about_to(event, Path(os.fsdecode(arguments[0])))
        _watching.append(disk)


@pytest.fixture(scope="module", autouse=True)
def hooked() -> None:
    sys.addaudithook(
        _hook
    )  # for good: an audit hook cannot be taken away, and this one sleeps unless a disk is watched


@contextmanager
def watched(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk, fsync = Disk(root), os.fsync

    def seen(number: int) -> None:
        fsync(number)
        disk.synced(Path(f"/proc/self/fd/{number}").readlink())

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", seen)
        _watching.append(disk)
        try:
            yield disk
        finally:
            _watching.clear()


@pytest.fixture(params=list(Way))
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    (tmp_path / "share").mkdir()
    with ExitStack() as stack:
        made = Stand(LOCAL, tmp_path / "share", request.param, stack)
        made.open().adopt()
        yield made


def several(count: int, folder: str = "in", done: str = "") -> list[Manifest]:
    return [
        manifest(
            occurrence=f"20261120T{n // 60:02}{n % 60:02}Z",
            name=f"{folder}/f{n}.csv",
            done_name=f"{folder}/f{n}{done}" if done else "",
        )
        for n in range(count)
    ]


def land_together(share: FolderShare, wanted: list[Manifest]) -> list[object]:
    with share.claim_all(wanted) as claimed:
        for claim in claimed.claims:
            claim.part.write_bytes(BODY)  # type: ignore[union-attr]
        return list(claimed.land_all([content(BODY) for _ in wanted]))


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("done", ["", ".done"])
def test_no_step_is_taken_before_the_one_before_it_is_on_the_disk(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, count: int, done: str
) -> None:
    share = stand.open()
    share.unreceipted(DAY)
    with watched(stand.root.path, monkeypatch) as disk:
        landed = land_together(share, several(count, done=done))
    assert all(isinstance(one, Receipt) for one in landed)
    assert len(disk._kept("landed")) == count
    assert disk.broken == []


def test_files_that_land_together_share_their_fsyncs(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    share = stand.open()
    land_together(share, several(1))
    with watched(stand.root.path, monkeypatch) as disk:
        land_together(share, several(100)[1:])
    assert len(disk.fsyncs) == 5  # parts, intents, the consumer's folder, parts, landed


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("how", [Killed(), OSError(errno.EIO, "Input/output error")], ids=["kill", "fsync"])
@pytest.mark.parametrize("before", [1, 2], ids=["file", "done-file"])
def test_what_is_settled_is_on_the_disk_before_it_is_journalled(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, before: int, how: BaseException
) -> None:
    """The names were given, and whoever gave them ended before the consumer's folder was synced."""
    wanted = several(3, done=".done" if before == 2 else "")
    share = stand.open()
    share.unreceipted(DAY)
    with watched(stand.root.path, monkeypatch) as disk:
        with monkeypatch.context() as patched, suppress(Killed):
            patched.setattr(os, "fsync", _ends(os.fsync, stand.root.path / "in", before, how))
            land_together(share, wanted)
        assert len(stand.files()) == 3 * before
        assert disk._kept("landed") == []
        share.close()
        disk.broken.clear()  # in a kill no claim is given back, here they are
        with share.claim_all(wanted) as claimed:
            assert all(isinstance(claim.landed, Receipt) for claim in claimed.claims)  # type: ignore[union-attr]
    assert len(disk._kept("landed")) == 3
    assert disk.broken == []
    assert list((stand.private.path / "parts").iterdir()) == []


def _ends(
    fsync: Callable[[int], None], folder: Path, before: int, how: BaseException
) -> Callable[[int], None]:
    """Give an fsync that ends so instead of syncing `folder` for the time `before`."""
    times = iter(range(1, before + 1))

    def ending(number: int) -> None:
        if Path(f"/proc/self/fd/{number}").readlink() == folder and next(times) == before:
            raise how
        fsync(number)

    return ending


@pytest.mark.parametrize("late", [False, True])
def test_what_is_found_is_on_the_disk_before_it_is_journalled(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """The file is there already, perhaps from a copy that nobody synced."""
    wanted = manifest(name="in/f.csv", remote_path="/outbound/flights/f.csv")
    final = stand.root.path / "in/f.csv"
    final.parent.mkdir()
    share = stand.open()
    share.unreceipted(DAY)
    if not late:
        final.write_bytes(BODY)
    with watched(stand.root.path, monkeypatch) as disk, share.claim(wanted) as claim:
        if late:
            claim.part.write_bytes(BODY)
            final.write_bytes(BODY)
            claim.land(content(BODY))
    assert len(disk._kept("landed")) == 1
    assert [one for one in disk.broken if "`landed`" in one] == []


def test_a_folder_that_a_killed_run_made_is_made_durable(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stand.root.path / "deep" / "in").mkdir(parents=True)
    share = stand.open()
    with watched(stand.root.path, monkeypatch) as disk:
        land_together(share, several(2, "deep/in"))
    assert disk.broken == []
    shutil.rmtree(stand.root.path / "deep")  # the consumer takes the folders as well
    with watched(stand.root.path, monkeypatch) as disk:
        assert all(isinstance(one, Receipt) for one in land_together(share, several(4, "deep/in")[2:]))
        assert all(isinstance(one, Receipt) for one in land_together(share, several(6, "deep/in")[4:]))
    assert disk.fsyncs.count(stand.root.path) == 1


@pytest.mark.parametrize("done", ["", ".done"])
def test_a_folder_that_fails_ends_only_the_files_in_it(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, done: str
) -> None:
    bad, good = several(1, "bad", done), several(5, "good", done)[1:]
    share = stand.open()
    refused = PermissionError(errno.EACCES, "Permission denied")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _ends(os.fsync, stand.root.path / "bad", 1, refused))
        failed, *landed = land_together(share, [*bad, *good])
    assert all(isinstance(one, Receipt) for one in landed)
    assert isinstance(failed, ShareRefused)
    assert not failed.whole
    for named in ("bad/f0.csv", f"names in {stand.root.path / 'bad'} "):
        assert named in failed.what
    share.close()
    with stand.open().claim(bad[0]) as claim:
        assert claim.landed
    assert len(stand.files()) == (10 if done else 5)


def test_the_folder_of_the_parts_concerns_all(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    share = stand.open()
    refused = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(os, "fsync", _ends(os.fsync, stand.private.path / "parts", 2, refused))
    for failed in land_together(share, several(3)):
        assert isinstance(failed, ShareRefused)
        assert failed.whole
        assert str(stand.private.path / "parts") in failed.what
