"""Which bytes do the two halves read? Decompressed for both, and for the query in UTF-8 without the records around the data."""

from __future__ import annotations

import codecs
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from landbridge.contract.columns import StrictReport
    from landbridge.feed.outputs import File

_PIECE = 4 << 20
_ANYWAY = 1 << 30
"""Bytes that a file may always decompress to."""
_MOST_TIMES = 500
"""Beyond that, how many times its own size: no report of any bank repeats itself so, and a bomb would fill the disk."""


@contextmanager
def decompressed(file: File, path: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """Give the plain file and an empty text, or what is wrong with the compression; a copy in `folder` is removed afterwards.

    Raises:
        DiskFailed: reading or writing failed.
    """
    if file.compression == "none":
        yield path, ""
        return
    plain = folder / "plain"
    try:
        with plain.open("xb") as into:
            wrong = _gunzip(path, into) if file.compression == "gzip" else _unzstd(path, into)
        yield plain, wrong
    except OSError as error:
        raise DiskFailed(f"cannot decompress {path}", seen=error.strerror or str(error)) from error
    finally:
        plain.unlink(missing_ok=True)


def _gunzip(path: Path, into: BinaryIO) -> str:
    import gzip
    import zlib

    from isal import igzip, isal_zlib

    try:
        with igzip.IGzipFile(str(path), "rb") as source:  # type: ignore[no-untyped-call]
            return _carried(source, into, path)  # type: ignore[arg-type] # isal ships no types for it
    except (gzip.BadGzipFile, EOFError, zlib.error, isal_zlib.IsalError) as error:  # type: ignore[misc]
        return f"not a whole gzip file: {error}"


def _unzstd(path: Path, into: BinaryIO) -> str:
    import pyarrow as pa

    try:
        with pa.OSFile(str(path)) as raw, pa.CompressedInputStream(raw, "zstd") as source:
            return _carried(source, into, path)
    except OSError as error:
        if error.errno is None:  # the codec's complaint, not the disk's
            return f"not a whole zstd file: {error}"
        raise


def _carried(source: BinaryIO, into: BinaryIO, path: Path) -> str:
    size = path.stat().st_size
    if not size:
        return "it is empty, and not even a file of no bytes is when it is compressed"
    most = max(_ANYWAY, _MOST_TIMES * size)
    while piece := source.read(_PIECE):
        if (most := most - len(piece)) < 0:
            return f"it decompresses to more than {_MOST_TIMES} times its size"
        into.write(piece)
    return ""


def without_wildcards(path: Path, folder: Path) -> Path:
    """Give a path that DuckDB takes for one file: a link in `folder` when the name holds `*`, `?` or `[`."""
    if not set("*?[") & set(str(path)):
        return path
    link = folder / "linked"
    link.symlink_to(path.resolve())
    return link


def data_part(encoding: str, path: Path, seen: StrictReport, folder: Path) -> Path:
    """Write the data records of `path` alone, as UTF-8, into `folder`; bounded memory.

    The bytes are known to be sound in `encoding`.
    """
    part = folder / "data"
    begin, end = seen.data
    with path.open("rb") as source, part.open("xb") as into:
        if encoding in ("utf-8", "utf-8-sig", "ascii"):
            _copy(source.fileno(), into.fileno(), begin, end)
            return part
        decoder = codecs.getincrementaldecoder(encoding)()
        source.seek(begin)
        left = end - begin
        while left > 0 and (piece := source.read(min(_PIECE, left))):
            left -= len(piece)
            into.write(decoder.decode(piece, final=left <= 0).encode())
    return part


def _copy(source: int, into: int, begin: int, end: int) -> None:
    """Copy a range of bytes; by the kernel where it can, which shares the blocks on file systems that know how."""
    while begin < end:
        if hasattr(os, "copy_file_range"):
            done = os.copy_file_range(source, into, min(end - begin, 1 << 30), begin)
        else:
            os.lseek(source, begin, os.SEEK_SET)
            done = os.write(into, os.read(source, min(_PIECE, end - begin)))
        if not done:
            break
        begin += done
