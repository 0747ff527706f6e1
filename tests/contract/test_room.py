"""Is whoever looks into a folder that others write to ever led elsewhere, or held up?"""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path, PosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import IntegrityBroken, NotYet
from landbridge.share import room as room_module
from landbridge.share.room import JUNCTION, open_room
from tests.fakes.open_files import open_before, open_files

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX"),
    pytest.mark.timeout(20),
]


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A folder with a file, and somebody else's folder with one of the same name beside it."""
    for name in ("room", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(name.encode())
    return tmp_path / "room"


def led_away(at: Path) -> None:
    """Put a link in the place of the folder."""
    at.rename(at.with_name("was"))
    at.symlink_to("secret")


def before_opening(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[], object]) -> list[int]:
    """Let something happen between the look at `name` and its opening; give the descriptors that came of it all the same."""
    real, came = os.open, []

    def opening(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if Path(path).name != name:
            return real(path, flags, mode, dir_fd=dir_fd)
        change()
        came.append(real(path, flags, mode, dir_fd=dir_fd))
        return came[-1]

    monkeypatch.setattr(os, "open", opening)
    return came


def test_what_was_opened_is_looked_into_whatever_takes_its_place(at: Path) -> None:
    with open_room(at) as room:
        led_away(at)
        (at / "more").write_bytes(b"of the other one")
        assert room.names() == ["x"]
        assert room.look("x").st_ino == (at.with_name("was") / "x").stat().st_ino
        with room.opened("x") as file:
            assert os.read(file, 10) == b"room"
        room.remove("x")
    assert sorted(path.name for path in at.with_name("secret").iterdir()) == ["more", "x"]
    assert list(at.with_name("was").iterdir()) == []


@pytest.mark.parametrize("what", ["link", "file"])
def test_what_takes_the_place_of_a_folder_before_it_is_opened_is_none(
    at: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def change() -> None:
        led_away(at)
        if what == "file":
            at.unlink()
            at.write_bytes(b"")

    came = before_opening(monkeypatch, "room", change)
    with pytest.raises(IntegrityBroken, match="is not a folder"), open_room(at):
        pass
    assert came == []


def test_a_junction_is_not_a_folder(at: Path) -> None:
    """As Windows shows it: a folder, with a tag."""

    class Junction(PosixPath):
        def lstat(self) -> os.stat_result:
            return SimpleNamespace(st_mode=stat.S_IFDIR | 0o755, st_reparse_tag=JUNCTION)  # type: ignore[return-value]

    with pytest.raises(IntegrityBroken, match="is not a folder"), open_room(Junction(at)):
        pass


def _file(path: Path) -> None:
    path.with_name("new").write_bytes(b"new!")
    path.with_name("new").replace(path)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("../secret/x")


@pytest.mark.parametrize("change", [_file, _pipe])
def test_what_takes_the_place_of_a_file_before_it_is_opened_is_not_read_and_holds_nobody_up(
    at: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    before_opening(monkeypatch, "x", lambda: change(at / "x"))
    with open_room(at) as room, pytest.raises(NotYet, match="was replaced"), room.opened("x"):
        pass


def test_a_link_that_takes_the_place_of_a_file_is_not_opened(
    at: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = before_opening(monkeypatch, "x", lambda: _link(at / "x"))
    with open_room(at) as room, pytest.raises(OSError, match="symbolic links"), room.opened("x"):
        pass
    assert came == []


def test_a_pipe_is_no_file_even_if_nobody_replaced_it(at: Path) -> None:
    os.mkfifo(at / "pipe")
    with open_room(at) as room, pytest.raises(NotYet), room.opened("pipe"):
        pass


def test_only_a_plain_file_is_there(at: Path) -> None:
    os.mkfifo(at / "pipe")
    (at / "folder").mkdir()
    (at / "link").symlink_to("x")
    here = os.open(at, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/socket")
    os.close(here)
    with open_room(at) as room:
        assert [name for name in sorted(room.names()) if room.has(name)] == ["x"]
        assert not room.has("gone")
        assert stat.S_ISLNK(room.look("link").st_mode)


def test_where_names_are_looked_up_anew_no_folder_is_opened(
    at: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows opens none."""
    monkeypatch.setattr(room_module, "_BY_DESCRIPTOR", False)
    came = before_opening(monkeypatch, "room", lambda: None)
    with open_room(at) as room, room.opened("x") as file:
        assert os.read(file, 10) == b"room"
        assert room.names() == ["x"]
    assert came == []


def test_nothing_stays_open(at: Path) -> None:
    before = open_before()
    with open_room(at) as room:
        with room.opened("x"):
            assert open_files() == before + 2
        assert open_files() == before + 1
    assert open_files() == before
