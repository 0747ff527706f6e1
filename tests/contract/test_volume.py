"""Is a share recognised for what it is, also after a power cut, a damaged marker, or an adoption that was killed half-way?"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LocalDisk
from landbridge.errors import DiskFailed, IntegrityBroken, ShareRefused
from landbridge.share.machine import Machine
from landbridge.share.volume import adopt, recognise
from reliability.disk import SimulatedDisk
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable

CLOCK = SetClock()


class Told(LocalDisk):
    """Lets something happen before a call."""

    def __init__(self) -> None:
        self.before: Callable[[str, Path], None] = lambda _call, _path: None

    def rename(self, path: Path, target: Path) -> None:
        self.before("rename", target)
        super().rename(path, target)

    def stat(self, path: Path) -> os.stat_result:
        self.before("stat", path)
        return super().stat(path)

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        self.before("open", path)
        return super().open(path, flags, mode)


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def private(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path / "share" / ".landbridge" / "dev"


def adopted(private: Path, journal: Path | None = None, disk: LocalDisk | None = None) -> Path:
    journal = journal or private / "journal"
    adopt(Machine(disk or LocalDisk()), private, journal, CLOCK)
    return journal


@pytest.mark.parametrize(
    "journal", ["/share/.landbridge/dev/journal", "/other/journal", "/other/far/away/journal"]
)
@pytest.mark.parametrize(
    "made", [(), ("/share/.landbridge", "/share/.landbridge/dev")], ids=["new", "killed before"]
)
def test_an_adoption_lasts_from_the_moment_it_has_ended(journal: str, made: tuple[str, ...]) -> None:
    disk = SimulatedDisk(lambda: 1_000)
    mount = disk.mount()
    for folder in ("/share", "/other"):
        mount.mkdir(Path(folder))
    disk.settle()
    for folder in made:  # and never synced
        mount.mkdir(Path(folder))
    private = Path("/share/.landbridge/dev")
    adopt(Machine(mount), private, Path(journal), CLOCK)
    back = disk.power_cut(Random(1), strict=True).mount()
    assert recognise(back, private, Path(journal)).marker.lost_before is None


@pytest.mark.parametrize("at", ["identity.json", "volume.json"])
def test_an_adoption_that_was_killed_is_none_and_the_next_one_mends_it(private: Path, at: str) -> None:
    disk = Told()

    def die(call: str, path: Path) -> None:
        if call == "rename" and path.name == at:
            raise Killed

    disk.before = die
    with pytest.raises(Killed):
        adopted(private, disk=disk)
    with pytest.raises(ShareRefused, match="not a share that was adopted"):
        recognise(LocalDisk(), private, private / "journal")
    adopted(private)
    assert recognise(LocalDisk(), private, private / "journal").marker.lost_before is None, "nothing was lost"


def test_a_marker_is_written_aside_and_is_whole_or_not_there(private: Path) -> None:
    disk = Told()
    adopted(private)
    whole = (private / "volume.json").read_bytes()
    (private / "journal" / "identity.json").unlink()
    (private / "volume.new").write_bytes(b"x" * 5_000)  # of one that was killed

    def die(call: str, path: Path) -> None:
        if call == "rename" and path.name == "volume.json":
            raise Killed

    disk.before = die
    with pytest.raises(Killed):
        adopted(private, disk=disk)
    assert (private / "volume.json").read_bytes() == whole
    adopted(private)
    recognise(LocalDisk(), private, private / "journal")


def test_a_share_keeps_its_identity_when_its_journal_is_lost(private: Path) -> None:
    journal = adopted(private)
    first = recognise(LocalDisk(), private, journal).marker
    (journal / "identity.json").unlink()
    with pytest.raises(ShareRefused, match="is not the one"):
        recognise(LocalDisk(), private, journal)
    adopted(private)
    second = recognise(LocalDisk(), private, journal).marker
    assert second.volume == first.volume
    assert second.journal != first.journal
    assert second.lost_before is not None, "what was released before may or may not have landed"
    adopted(private)
    assert recognise(LocalDisk(), private, journal).marker == second, "again is harmless"


@pytest.mark.parametrize("damage", [b"", b"{", b'{"volume": 1}'])
def test_a_marker_that_is_damaged_is_named_and_a_person_may_adopt_anew(private: Path, damage: bytes) -> None:
    journal = adopted(private)
    (private / "volume.json").write_bytes(damage)
    with pytest.raises(IntegrityBroken, match="is damaged"):
        recognise(LocalDisk(), private, journal)
    adopted(private)
    assert recognise(LocalDisk(), private, journal).marker.lost_before is not None


def test_volume_and_journal_must_both_be_the_markers(private: Path, tmp_path: Path) -> None:
    journal = adopted(private)
    (tmp_path / "second").mkdir()
    other = tmp_path / "second" / ".landbridge" / "dev"
    adopted(other)
    mark = (journal / "identity.json").read_text()
    own, strange = (
        recognise(LocalDisk(), private, journal).marker,
        recognise(LocalDisk(), other, other / "journal").marker,
    )
    for wrong in (mark.replace(own.volume, strange.volume), mark.replace(own.journal, strange.journal)):
        (journal / "identity.json").write_text(wrong)
        with pytest.raises(ShareRefused, match="is not the one of the share"):
            recognise(LocalDisk(), private, journal)


def test_a_share_that_was_adopted_anew_meanwhile_is_another_one(private: Path) -> None:
    journal = adopted(private)
    known = recognise(LocalDisk(), private, journal)
    known.still_there()
    (journal / "identity.json").unlink()
    with pytest.raises(ShareRefused, match="is not the one of the share"):
        known.still_there()
    adopted(private)
    with pytest.raises(ShareRefused, match="adopted anew meanwhile") as refused:
        known.still_there()
    assert refused.value.whole


@pytest.mark.parametrize("call", ["open", "stat"])
def test_a_disk_that_fails_has_not_said_that_there_is_no_share(private: Path, call: str) -> None:
    """Else a new identity would be made for a share that has one."""
    journal = adopted(private)
    before = (private / "volume.json").read_bytes()
    disk = Told()
    known = recognise(disk, private, journal)

    def fails(asked: str, _path: Path) -> None:
        if asked == call:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.before = fails
    with pytest.raises(DiskFailed):
        adopted(private, disk=disk)
    if call == "open":
        for ask in (lambda: recognise(disk, private, journal), known.still_there):
            with pytest.raises(DiskFailed):
                ask()
    assert (private / "volume.json").read_bytes() == before


def test_a_share_that_takes_no_marker_says_so(private: Path) -> None:
    disk = Told()

    def refuses(call: str, _path: Path) -> None:
        if call == "rename":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    disk.before = refuses
    with pytest.raises(ShareRefused, match="adopting") as refused:
        adopted(private, disk=disk)
    assert refused.value.whole


def test_a_root_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ShareRefused, match="is not there"):
        adopted(tmp_path / "away" / ".landbridge" / "dev")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ShareRefused, match="is not there"):
        adopted(tmp_path / "file" / ".landbridge" / "dev")
    assert not (tmp_path / "away").exists()
    with pytest.raises(ShareRefused, match="not a share that was adopted"):
        recognise(LocalDisk(), tmp_path / "file" / ".landbridge" / "dev", tmp_path)
