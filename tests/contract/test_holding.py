"""Does the holding folder keep its promise: a copy out of the mover's reach, or a clear word why not; and nobody is led astray?"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import (
    DiskFailed,
    Exit,
    IntegrityBroken,
    LandbridgeError,
    NotPermitted,
    NotYet,
    ShareRefused,
)
from landbridge.facts import Content, Manifest
from landbridge.share import copied, room
from landbridge.share.holding import HoldingFolder, Reach
from landbridge.wiring.clock import SystemClock
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAY = date(2026, 11, 20)
BODY = b"id,amount\n1,2.50\n" * 5_000
NAME = "x_1.csv"
ANNOUNCED = "flights.2026-11-20.0001.json"
MANIFEST = Manifest(
    feed="flights",
    occurrence="2026-11-20",
    business_date=DAY,
    revision=1,
    environment="DEV",
    remote_path=f"/outbound/flights/{NAME}",
    landed_name="in/REPORT.csv",
    done_name="",
    size=len(BODY),
    sha256=hashlib.sha256(BODY).hexdigest(),
    rows=1,
    committed_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
    deadline=None,
    commitment="c" * 64,
)


class Stand:
    """A holding folder, a mover who writes into it, and the part that a copy goes to."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "holding"
        self.at = self.root / "flights"
        self.part = folder / "part"
        self.holding = HoldingFolder(self.root, folder / "share", SystemClock())
        self.holding.prepare(["flights"])

    def later(self) -> HoldingFolder:
        """The same folder, when everything in it has been at rest for long."""
        clock = SetClock()
        clock.sleep(datetime.now(UTC).timestamp() - clock.now().timestamp() + 3600)
        return HoldingFolder(self.root, self.root.with_name("share"), clock)


@pytest.fixture(params=["by descriptor", "by name"])
def names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As on Linux, and as on Windows."""
    if request.param == "by name":
        monkeypatch.setattr(room, "_BY_DESCRIPTOR", False)
    return str(request.param)


@pytest.fixture
def stand(tmp_path: Path, names: str) -> Stand:
    return Stand(tmp_path)


def test_what_the_mover_brought_is_copied_measured_and_left_alone(stand: Stand) -> None:
    (stand.at / NAME).write_bytes(BODY)
    told: list[int] = []
    assert stand.holding.take(MANIFEST, stand.part, told.append) == Content(len(BODY), MANIFEST.sha256, 0)
    assert stand.part.read_bytes() == BODY
    assert sum(told) == len(BODY)
    assert stand.holding.names("flights") == [NAME]
    assert stand.holding.take(MANIFEST, stand.part).sha256 == MANIFEST.sha256  # whatever an earlier try left
    assert stand.holding.take(replace(MANIFEST), stand.part).size == len(BODY)


@pytest.mark.parametrize("able", [0, 2, 1000])
def test_a_copy_is_right_whoever_makes_it(stand: Stand, able: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that copies by itself in pieces, or one that does not and says so at once, or in the middle."""
    monkeypatch.setattr(copied, "_AT_ONCE", 10_000)
    calls = 0
    original = os.copy_file_range

    def then_not(source: int, target: int, count: int) -> int:
        nonlocal calls
        calls += 1
        if calls > able:
            raise OSError(95, "not supported")
        return original(source, target, count)

    monkeypatch.setattr(os, "copy_file_range", then_not)
    (stand.at / NAME).write_bytes(BODY)
    stand.holding.take(MANIFEST, stand.part)
    assert stand.part.read_bytes() == BODY
    assert calls > min(able, 2)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("able", [0, 1000])
def test_no_more_than_the_first_bytes_are_copied_and_a_source_that_ends_ends_it(
    tmp_path: Path, able: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much a mover appends, and whatever he cuts off meanwhile."""
    monkeypatch.setattr(copied, "_CANNOT", {95})
    original = os.copy_file_range

    def perhaps(source: int, target: int, count: int) -> int:
        if not able:
            raise OSError(95, "not supported")
        return original(source, target, count)

    monkeypatch.setattr(os, "copy_file_range", perhaps)
    (tmp_path / "source").write_bytes(BODY)
    source = os.open(tmp_path / "source", os.O_RDONLY)
    try:
        for size in (0, 1, len(BODY) - 1, len(BODY), len(BODY) + 1):
            os.lseek(source, 0, os.SEEK_SET)
            told: list[int] = []
            sha256 = copied.copy(source, tmp_path / "copy", size, told.append)
            assert (tmp_path / "copy").read_bytes() == BODY[:size]
            assert sha256 == hashlib.sha256(BODY[:size]).hexdigest()
            assert sum(told) == len(BODY[:size])
    finally:
        os.close(source)


@pytest.mark.parametrize("by_itself", [True, False], ids=["by the system", "by hand"])
def test_a_copy_is_a_file_of_our_own_on_the_disk_before_it_counts(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, by_itself: bool
) -> None:
    """What stood under the part's name is not written to: it may have a second name."""
    if not by_itself:
        monkeypatch.setattr(copied, "_by_itself", lambda _source, _target, size, _watch: size)
        monkeypatch.setattr(os, "lseek", _never)  # hashed on its way, it is not read a second time
    (stand.at / NAME).write_bytes(BODY)
    stand.part.write_bytes(b"left")
    stand.part.with_name("second").hardlink_to(stand.part)
    kept: list[tuple[int, int]] = []
    original = os.fsync

    def fsync(file: int) -> None:
        original(file)
        seen = os.fstat(file)
        kept.append((seen.st_ino, seen.st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    stand.holding.take(MANIFEST, stand.part)
    assert kept == [(stand.part.stat().st_ino, len(BODY))]
    assert stand.part.with_name("second").read_bytes() == b"left"


def test_a_file_that_comes_under_the_parts_name_meanwhile_is_not_written_to(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stand.at / NAME).write_bytes(BODY)
    original = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        original(path, missing_ok=missing_ok)
        if path == stand.part and not made:
            made.append(path)
            stand.part.symlink_to("elsewhere")

    made: list[Path] = []
    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises((ShareRefused, DiskFailed), match="copying"):
        stand.holding.take(MANIFEST, stand.part)
    assert not stand.part.with_name("elsewhere").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_copy_that_fails_in_the_middle_is_told_and_leaves_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Also where the file system was to copy by itself: what it says then is no reason to try it another way."""
    (stand.at / NAME).write_bytes(BODY)

    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "copy_file_range", fails)
    with pytest.raises((ShareRefused, DiskFailed), match="copying") as refused:
        stand.holding.take(MANIFEST, stand.part)
    assert os.strerror(number) in refused.value.seen
    assert not stand.part.exists()


def test_a_disk_that_takes_few_bytes_at_a_time_has_all_of_them(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stand.at / NAME).write_bytes(BODY)
    original = os.write
    monkeypatch.setattr(copied, "_by_itself", lambda _source, _target, size, _watch: size)
    monkeypatch.setattr(os, "write", lambda file, piece: original(file, bytes(piece[:1000])))
    stand.holding.take(MANIFEST, stand.part)
    assert stand.part.read_bytes() == BODY


def test_what_the_mover_does_to_the_file_afterwards_changes_nothing(stand: Stand) -> None:
    """It is still open for writing, and has a second name: a rename would let both of them in."""
    (stand.at / NAME).write_bytes(BODY)
    (stand.at / "second").hardlink_to(stand.at / NAME)
    with (stand.at / NAME).open("r+b") as mover:
        stand.holding.take(MANIFEST, stand.part)
        mover.write(b"changed")
        mover.flush()
    (stand.at / "second").write_bytes(b"changed too")
    assert hashlib.sha256(stand.part.read_bytes()).hexdigest() == MANIFEST.sha256
    assert stand.part.stat().st_nlink == 1
    assert stand.part.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("body", "through", "rests", "expected"),
    [
        (None, False, False, NotYet),  # not there
        (None, True, True, NotYet),  # the manifest without its file
        (BODY[:-1], False, False, NotYet),  # growing
        (BODY[:-1], False, True, NotYet),  # a transfer that broke off, and may go on
        (BODY[:-1], True, False, IntegrityBroken),  # torn
        (bytes(len(BODY)), False, False, NotYet),  # room was made first, the bytes come now
        (bytes(len(BODY)), False, True, IntegrityBroken),
        (bytes(len(BODY)), True, False, IntegrityBroken),
        (BODY + b"x", False, False, NotYet),
        (BODY + b"x", False, True, IntegrityBroken),
        (BODY + b"x", True, False, IntegrityBroken),
        (b"", False, False, NotYet),
        (BODY.replace(b"\n", b"\r\n"), True, True, IntegrityBroken),  # moved as text
    ],
)
def test_other_bytes_are_still_coming_or_wrong(
    stand: Stand, body: bytes | None, through: bool, rests: bool, expected: type[LandbridgeError]
) -> None:
    if body is not None:
        (stand.at / NAME).write_bytes(body)
    if through:
        (stand.at / ANNOUNCED).write_bytes(b"whatever it says")
    holding = stand.later() if rests else stand.holding
    told: list[int] = []
    with pytest.raises(LandbridgeError) as raised:
        holding.take(MANIFEST, stand.part, told.append)
    assert type(raised.value) is expected
    assert bool(told) == (body is not None and len(body) == len(BODY)), "of another size not a byte is copied"
    assert not stand.part.exists()
    assert (stand.at / NAME).exists() == (body is not None)


def test_a_file_that_grows_while_it_is_copied_is_not_whole(stand: Stand) -> None:
    (stand.at / NAME).write_bytes(BODY)

    def grow(_: int) -> None:
        with (stand.at / NAME).open("ab") as mover:
            mover.write(b"more")

    with pytest.raises(NotYet, match="not whole yet"):
        stand.holding.take(MANIFEST, stand.part, grow)
    assert not stand.part.exists()


def test_a_time_that_the_mover_set_does_not_make_a_file_rest(stand: Stand) -> None:
    (stand.at / NAME).write_bytes(bytes(len(BODY)))
    os.utime(stand.at / NAME, (0, 0))
    with pytest.raises(NotYet):
        stand.holding.take(MANIFEST, stand.part)


def test_a_share_whose_own_time_is_that_of_the_files_birth_is_not_believed_alone(stand: Stand) -> None:
    """As on Windows, where nothing but the mover's time tells that a file still grows."""
    (stand.at / NAME).write_bytes(bytes(len(BODY)))
    later = stand.later()
    grown = later._clock.now().timestamp()
    os.utime(stand.at / NAME, (grown, grown))
    with pytest.raises(NotYet):
        later.take(MANIFEST, stand.part)


def _symlink(at: Path) -> None:
    (at / "elsewhere").write_bytes(BODY)
    (at / NAME).symlink_to("elsewhere")


def _dangling(at: Path) -> None:
    (at / NAME).symlink_to("/nowhere/at/all")


def _fifo(at: Path) -> None:
    os.mkfifo(at / NAME)


def _socket(at: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(at, os.O_RDONLY)
        try:
            made.bind(f"/proc/self/fd/{here}/{NAME}")
        finally:
            os.close(here)


def _folder(at: Path) -> None:
    (at / NAME).mkdir()


def _device(at: Path) -> None:
    try:
        os.mknod(at / NAME, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize("put", [_symlink, _dangling, _fifo, _socket, _folder, _device])
@pytest.mark.timeout(10)
def test_what_is_no_plain_file_is_refused_and_not_touched(stand: Stand, put: Callable[[Path], None]) -> None:
    put(stand.at)
    before = os.lstat(stand.at / NAME)
    with pytest.raises(IntegrityBroken, match="not a plain file"):
        stand.holding.take(MANIFEST, stand.part)
    stand.holding.clear(MANIFEST)
    assert os.path.samestat(before, os.lstat(stand.at / NAME))
    assert not stand.part.exists()


def test_a_link_in_the_place_of_the_folder_leads_nowhere(stand: Stand, tmp_path: Path) -> None:
    """Else the consumer's own file of that name would be cleared away."""
    consumers = tmp_path / "in"
    consumers.mkdir()
    (consumers / NAME).write_bytes(BODY)
    stand.at.rmdir()
    stand.at.symlink_to(consumers)
    for call in (lambda: stand.holding.take(MANIFEST, stand.part), lambda: stand.holding.names("flights")):
        with pytest.raises(IntegrityBroken, match="not a folder"):
            call()
    stand.holding.clear(MANIFEST)
    assert (consumers / NAME).read_bytes() == BODY


def test_a_case_twin_is_another_file(stand: Stand) -> None:
    (stand.at / NAME.upper()).write_bytes(BODY)
    if (stand.at / NAME).exists():
        pytest.skip("this file system takes the two for one")
    with pytest.raises(NotYet):
        stand.holding.take(MANIFEST, stand.part)
    (stand.at / NAME).write_bytes(BODY)
    stand.holding.take(MANIFEST, stand.part)
    stand.holding.clear(MANIFEST)
    assert stand.holding.names("flights") == [NAME.upper()]


def test_what_landed_is_cleared_and_nothing_else(stand: Stand) -> None:
    for name in (NAME, ANNOUNCED, "other.csv", "flights.2026-11-20.0002.json", ".part_x_1.csv"):
        (stand.at / name).write_bytes(BODY)
    stand.holding.take(MANIFEST, stand.part)
    stand.holding.clear(MANIFEST)
    stand.holding.clear(MANIFEST)
    assert stand.holding.names("flights") == ["flights.2026-11-20.0002.json", "other.csv"]
    assert (stand.at / ".part_x_1.csv").exists()


@pytest.mark.parametrize(("body", "stays"), [(BODY, False), (bytes(len(BODY)), True), (BODY[:-1], True)])
def test_of_what_others_landed_only_the_same_bytes_are_cleared(
    stand: Stand, body: bytes, stays: bool
) -> None:
    (stand.at / NAME).write_bytes(body)
    stand.holding.clear(MANIFEST)
    assert (stand.at / NAME).exists() == stays


def _never(*_: object) -> None:
    raise AssertionError


def _other(at: Path) -> None:
    (at / NAME).write_bytes(b"other")


@pytest.mark.parametrize("put", [_symlink, _fifo, _socket, _folder, _other])
def test_what_cannot_be_ours_is_not_opened_to_be_cleared(
    stand: Stand, put: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open some devices is to move them, and what has another size may have any size."""
    put(stand.at)
    monkeypatch.setattr(room._Folder, "opened", _never)
    stand.holding.clear(MANIFEST)
    stand.holding.clear(replace(MANIFEST, size=os.lstat(stand.at / NAME).st_size if put != _other else 0))
    assert os.path.lexists(stand.at / NAME)


def test_the_manifest_of_a_mover_goes_also_when_its_file_is_gone_or_cannot(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stand.at / ANNOUNCED).write_bytes(b"{}")
    stand.holding.clear(MANIFEST)
    assert stand.holding.names("flights") == []
    for name in (NAME, ANNOUNCED):
        (stand.at / name).write_bytes(BODY)
    monkeypatch.setattr(os.path, "samestat", lambda *_: False)  # it is replaced at every look
    stand.holding.clear(MANIFEST)
    assert stand.holding.names("flights") == [NAME]


def test_what_has_the_name_of_a_movers_manifest_and_is_none_stays(stand: Stand) -> None:
    (stand.at / "elsewhere").write_bytes(b"{}")
    (stand.at / ANNOUNCED).symlink_to("elsewhere")
    stand.holding.clear(MANIFEST)
    assert (stand.at / ANNOUNCED).is_symlink()


def test_a_feed_that_lands_where_it_is_held_keeps_its_file(tmp_path: Path, names: str) -> None:
    """Somebody declared `holding` as the share itself, and a feed that lands in a folder of its own name."""
    holding = HoldingFolder(tmp_path, tmp_path, SystemClock())
    holding.prepare(["flights"])
    (tmp_path / "flights" / NAME).write_bytes(BODY)
    holding.clear(replace(MANIFEST, landed_name=f"flights/{NAME}"))
    assert (tmp_path / "flights" / NAME).exists()
    holding.clear(replace(MANIFEST, landed_name="flights/other.csv"))
    assert not (tmp_path / "flights" / NAME).exists()


def test_a_file_that_came_anew_after_it_was_copied_is_not_cleared(stand: Stand) -> None:
    (stand.at / NAME).write_bytes(BODY)
    stand.holding.take(MANIFEST, stand.part)
    (stand.at / "new").write_bytes(bytes(len(BODY)))
    (stand.at / "new").replace(stand.at / NAME)
    stand.holding.clear(MANIFEST)
    assert (stand.at / NAME).read_bytes() == bytes(len(BODY))


def _in_place(file: Path, before: os.stat_result) -> None:
    with file.open("r+b") as mover:
        mover.write(b"ID")
    os.utime(file, ns=(1, before.st_mtime_ns + 1))


def _longer(file: Path, before: os.stat_result) -> None:
    with file.open("ab") as mover:
        mover.write(b"more")
    os.utime(file, ns=(1, before.st_mtime_ns))


def _another(file: Path, before: os.stat_result) -> None:
    file.with_name("new").write_bytes(bytes(len(BODY)))
    os.utime(file.with_name("new"), ns=(1, before.st_mtime_ns))
    file.with_name("new").replace(file)


@pytest.mark.parametrize("change", [_in_place, _longer, _another])
def test_a_file_that_was_changed_after_it_was_copied_is_not_cleared(
    stand: Stand, change: Callable[[Path, os.stat_result], None]
) -> None:
    """Movers set times as they like; each of these shows in one thing alone."""
    file = stand.at / NAME
    file.write_bytes(BODY)
    stand.holding.take(MANIFEST, stand.part)
    change(file, file.stat())
    stand.holding.clear(MANIFEST)
    assert file.exists()


def test_a_file_that_is_changed_behind_the_copy_is_not_cleared(stand: Stand) -> None:
    file = stand.at / NAME
    file.write_bytes(BODY)
    os.utime(file, ns=(1, 1))
    stand.holding.take(MANIFEST, stand.part, lambda _: _in_place(file, file.stat()))
    assert hashlib.sha256(stand.part.read_bytes()).hexdigest() == MANIFEST.sha256
    stand.holding.clear(MANIFEST)
    assert file.exists()


def test_what_has_the_name_of_a_movers_manifest_and_is_none_does_not_say_that_he_is_through(
    stand: Stand,
) -> None:
    (stand.at / NAME).write_bytes(BODY[:-1])
    (stand.at / ANNOUNCED).mkdir()
    with pytest.raises(NotYet):
        stand.holding.take(MANIFEST, stand.part)


def test_a_link_that_is_put_there_at_the_last_moment_is_not_followed(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may lead to a device that does something when it is opened."""
    (stand.at / NAME).write_bytes(BODY)
    (stand.at / "elsewhere").write_bytes(BODY)
    real, followed = os.open, []

    def swapped(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).endswith(NAME):
            (stand.at / NAME).unlink()
            (stand.at / NAME).symlink_to("elsewhere")
            followed.append(real(path, flags, mode, dir_fd=dir_fd))
        return followed[-1] if str(path).endswith(NAME) else real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(LandbridgeError):
        stand.holding.take(MANIFEST, stand.part)
    assert followed == []
    assert not stand.part.exists()


def test_what_a_server_keeps_beside_the_feeds_is_none(stand: Stand) -> None:
    (stand.root / ".snapshot").mkdir()
    assert stand.holding.feeds() == ["flights"]


def test_a_disk_that_fails_is_told_as_that(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(room._Folder, "look", fails)
    with pytest.raises(DiskFailed, match="reading"):
        stand.holding.take(MANIFEST, stand.part)


def test_a_folder_that_is_not_there_says_so_and_is_not_made(stand: Stand) -> None:
    stand.at.rmdir()
    for call in (lambda: stand.holding.take(MANIFEST, stand.part), lambda: stand.holding.names("flights")):
        with pytest.raises(ShareRefused, match="is not there") as raised:
            call()
        assert "--prepare" in raised.value.hint
    assert stand.holding.feeds() == []
    stand.root.rmdir()
    with pytest.raises(ShareRefused, match="not there"):
        stand.holding.feeds()
    stand.holding.clear(MANIFEST)
    with pytest.raises(ShareRefused):
        HoldingFolder(stand.root / "never" / "mounted", stand.root, SystemClock()).prepare(["flights"])
    stand.holding.prepare(["flights", "other"])
    stand.holding.prepare(["flights"])
    assert stand.holding.feeds() == ["flights", "other"]


def test_a_copy_by_hand_holds_no_more_than_a_piece_in_memory(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stand.at / NAME).write_bytes(BODY)
    monkeypatch.setattr(copied, "_by_itself", lambda _source, _target, size, _watch: size)
    monkeypatch.setattr(copied, "_PIECE", 1000)
    told: list[int] = []
    stand.holding.take(MANIFEST, stand.part, told.append)
    assert max(told) == 1000
    assert sum(told) == len(BODY)


def test_wrong_bytes_are_told_also_where_their_copy_cannot_be_removed(stand: Stand) -> None:
    def wrong(_file: int, into: Path, _size: int, _watch: object) -> str:
        into.mkdir()
        return "f" * 64

    (stand.at / NAME).write_bytes(BODY)
    (stand.at / ANNOUNCED).write_bytes(b"{}")
    holding = HoldingFolder(stand.root, stand.root, SystemClock(), reach=Reach(copy=wrong))
    with pytest.raises(IntegrityBroken, match="is not what was released") as raised:
        holding.take(MANIFEST, stand.part)
    assert raised.value.seen == f"{len(BODY)} bytes, sha256 {'f' * 64}"
    (stand.at / NAME).write_bytes(BODY[:-1])
    with pytest.raises(IntegrityBroken) as raised:
        holding.take(MANIFEST, stand.part)
    assert raised.value.seen == f"{len(BODY) - 1} bytes", "it was not read"


def test_a_holding_folder_that_fails_concerns_all_that_is_to_land(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody asks it again for each of thousands of files."""

    def fails(*_: object, **__: object) -> Iterator[Path]:
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def refused(call: Callable[[], object]) -> bool:
        with pytest.raises((DiskFailed, ShareRefused)) as raised:
            call()
        return raised.value.whole

    stand.at.rmdir()
    assert refused(lambda: stand.holding.take(MANIFEST, stand.part))
    monkeypatch.setattr(Path, "iterdir", fails)
    assert refused(stand.holding.feeds)
    monkeypatch.setattr(Path, "mkdir", fails)
    assert refused(lambda: stand.holding.prepare(["flights"]))


def test_a_file_that_the_mover_holds_open_on_windows_is_waited_for(tmp_path: Path) -> None:
    class Shared(PermissionError):
        winerror = 32

    @contextmanager
    def held(_: Path) -> Iterator[room.Room]:
        raise Shared(errno.EACCES, "used by another process", NAME)
        yield

    holding = HoldingFolder(tmp_path, tmp_path / "share", SystemClock(), reach=Reach(rooms=held))
    with pytest.raises(NotYet, match=f"{NAME} is held open by the mover"):
        holding.take(MANIFEST, tmp_path / "part")


def test_another_volume_does_as_well(tmp_path: Path, names: str) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system here")
    stand = Stand(tmp_path)
    (stand.at / NAME).write_bytes(BODY)
    part = memory / f"landbridge-{os.getpid()}-part"
    try:
        assert stand.holding.take(MANIFEST, part).sha256 == MANIFEST.sha256
        assert part.read_bytes() == BODY
    finally:
        part.unlink(missing_ok=True)


def test_a_part_that_cannot_be_written_is_the_shares_fault(stand: Stand, tmp_path: Path) -> None:
    (stand.at / NAME).write_bytes(BODY)
    with pytest.raises(ShareRefused, match="copying"):
        stand.holding.take(MANIFEST, tmp_path / "gone" / "part")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_volume_that_is_full_in_the_middle_of_a_copy_says_so(stand: Stand) -> None:
    (stand.at / NAME).write_bytes(BODY)
    source, full = os.open(stand.at / NAME, os.O_RDONLY), os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="space"):
            copied._by_hand(source, full, copied._by_itself(source, full, len(BODY), None), None)
    finally:
        os.close(source)
        os.close(full)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Be somebody without rights for a while, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_of_another_account_that_may_not_be_read_asks_for_a_right(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    stand = Stand(tmp_path)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)  # never less: one of them may be everybody's
    (stand.at / NAME).write_bytes(BODY)
    (stand.at / NAME).chmod(0o000)
    request.getfixturevalue("nobody")
    with pytest.raises(NotPermitted, match="reading") as raised:
        stand.holding.take(MANIFEST, tmp_path / "part")
    assert raised.value.exit == Exit.PERMISSION
    assert not isinstance(raised.value, DiskFailed)
    stand.holding.clear(MANIFEST)  # what may not be removed stays, and nothing is raised
    assert stand.holding.names("flights") == [NAME]
