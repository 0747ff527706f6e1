"""The bytes that the query reads: copied whole, from where the data begins to where it ends, whatever the machine can do."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

import pytest

from landbridge.contract import plain
from landbridge.contract.columns import StrictReport
from landbridge.contract.strict.window import Window
from landbridge.errors import DiskFailed
from landbridge.feed.outputs import File
from tests.contract.odcs_texts import declared

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "H,x\nn,t\n1,\u00e9\u20ac\n2,\U0001d11e\nT,2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("piece", [1, 3, 4 << 20])
def test_only_the_data_is_copied(
    encoding: str, kernel: bool, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_PIECE", piece)
    if not kernel:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    whole, data = TEXT.encode(encoding), TEXT[4:-4].encode(encoding.removesuffix("-sig"))
    begin = whole.index(data)
    (tmp_path / "file").write_bytes(whole)
    seen = StrictReport(2, (), {}, (), data=(begin, begin + len(data)))
    part = plain.data_part(encoding, tmp_path / "file", seen, tmp_path)
    assert part.read_text("utf-8") == TEXT[4:-4]


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.timeout(10)
def test_a_file_that_ends_early_ends_the_copy(
    kernel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    (tmp_path / "file").write_bytes(b"abc")
    for encoding in ("utf-8", "iso-8859-1"):
        seen = StrictReport(2, (), {}, (), data=(1, 99))
        part = plain.data_part(encoding, tmp_path / "file", seen, tmp_path)
        assert part.read_bytes() == b"bc"
        part.unlink()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_disk_that_fails_is_no_broken_file(compression: str, tmp_path: Path) -> None:
    file = File.model_validate({**declared().model_dump(), "compression": compression})
    with pytest.raises(DiskFailed), plain.decompressed(file, tmp_path / "nothing", tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    with Window(path) as window:
        os.truncate(path, 40)
        with pytest.raises(DiskFailed, match="shrank while it was read"):
            window.read(0, 100)


def test_a_window_gives_what_is_there_and_nothing_beyond(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ab\ncd")
    with Window(path) as window:
        assert [window.byte(at) for at in range(7)] == [*b"ab\ncd", -1, -1]
        assert (window.read(1, 99), window.read(4, 5), window.read(3, 3)) == (b"b\ncd", b"d", b"")
        assert (window.line(0), window.line(1), window.line(3)) == (b"ab\n", b"b\n", b"")
        held = window._file
        assert (window.lines(0, 5), window.lines(0, 2), window.lines(2, 3)) == (1, 0, 1)
    assert held.closed


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16-le"])
def test_a_part_in_another_encoding_is_read_piece_by_piece(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Asked(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    class Kept(type(tmp_path)):  # type: ignore[misc] # the machine's own kind of path
        def open(self, *_: object, **__: object) -> Asked:
            return Asked("xx\u00e9\u00e8\u00e7abc".encode(encoding))

    monkeypatch.setattr(plain, "_PIECE", 4)
    width = len("x".encode(encoding))
    seen = StrictReport(2, (), {}, (), data=(2 * width, 7 * width))
    part = plain.data_part(encoding, Kept(tmp_path / "file"), seen, tmp_path)
    assert part.read_text("utf-8") == "\u00e9\u00e8\u00e7ab"
    assert max(asked) == 4


def test_without_the_kernel_a_part_is_copied_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    read = os.read

    def remembered(file: int, size: int) -> bytes:
        asked.append(size)
        return read(file, size)

    monkeypatch.delattr(os, "copy_file_range", raising=False)
    monkeypatch.setattr(os, "read", remembered)
    monkeypatch.setattr(plain, "_PIECE", 4)
    (tmp_path / "file").write_bytes(b"0123456789")
    part = plain.data_part("utf-8", tmp_path / "file", StrictReport(2, (), {}, (), data=(1, 8)), tmp_path)
    assert (part.read_bytes(), asked) == (b"1234567", [4, 3])


def test_a_disk_that_fails_while_a_file_is_read_is_told(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def readinto(self, _: object) -> int:
            raise OSError(errno.EIO, "it broke")

    (tmp_path / "file").write_bytes(b"x" * 100)
    with Window(tmp_path / "file") as window:
        window._file.close()
        window._file = Failing()
        with pytest.raises(DiskFailed, match="file cannot be read") as failed:
            window.byte(0)
    assert failed.value.seen == "it broke"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_folder_that_cannot_be_written_is_no_broken_file(compression: str, tmp_path: Path) -> None:
    file = File.model_validate({**declared().model_dump(), "compression": compression})
    (tmp_path / "file").write_bytes(b"any")
    with (
        pytest.raises(DiskFailed, match="cannot decompress"),
        plain.decompressed(file, tmp_path / "file", tmp_path / "nowhere"),
    ):
        pass
