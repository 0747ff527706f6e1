"""How do bytes get into and out of a compressed file, hashed on the way, and never more than was allowed?

The same bytes give the same compressed bytes however they were cut into pieces: compressors are fed whole
blocks, and gzip's header has neither name nor time.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, assert_never

from landbridge.errors import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Piece = bytes | bytearray | memoryview
Compression = Literal["none", "gzip", "zstd"]
_BLOCK = 1 << 20
_GZIP = 31
"""zlib's number for a gzip frame with a 32 KiB window."""
_GZIP_LEVEL = 1
"""Of isal: 0.40 of the size of lineitem, where zlib's own 6 gives 0.33 for ten times the CPU."""


class Sink(Protocol):
    """Takes bytes in order."""

    def write(self, piece: Piece, /) -> int:
        """Take the whole of `piece`; give its length."""
        ...


class Digest:
    """A file being written: its size and sha256 as it lies there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, piece: Piece, /) -> int:
        """Write and hash."""
        view = memoryview(piece).cast("B")
        self._sha256.update(view)
        self._file.write(view)
        self.size += view.nbytes
        return view.nbytes

    @property
    def sha256(self) -> str:
        """Lower-case hex of what was written so far."""
        return self._sha256.hexdigest()


class Stream:
    """A sink as the file object that Arrow writes into; closing it leaves the sink open."""

    def __init__(self, into: Sink) -> None:
        self._into = into
        self._at = 0
        self.closed = False

    def write(self, piece: Piece, /) -> int:
        """Pass the bytes on."""
        self._into.write(piece)
        length = memoryview(piece).nbytes
        self._at += length
        return length

    def tell(self) -> int:
        """Give the number of bytes written."""
        return self._at

    def flush(self) -> None:
        """Do nothing: whoever opened the sink's file closes it."""

    def close(self) -> None:
        """Take no more."""
        self.closed = True


class _Blocks:
    """Passes bytes on in blocks of one size, so that a compressor does not see how they came."""

    def __init__(self, into: Sink) -> None:
        self._into = into
        self._kept = bytearray()

    def write(self, piece: Piece, /) -> int:
        view = memoryview(piece).cast("B")
        at = 0
        if self._kept:
            at = min(_BLOCK - len(self._kept), view.nbytes)
            self._kept += view[:at]
            if len(self._kept) == _BLOCK:
                self._into.write(self._kept)
                self._kept = bytearray()
        while view.nbytes - at >= _BLOCK:
            self._into.write(view[at : at + _BLOCK])
            at += _BLOCK
        self._kept += view[at:]
        return view.nbytes

    def finish(self) -> None:
        if self._kept:
            self._into.write(self._kept)


class _Gzip:
    def __init__(self, into: Sink) -> None:
        from isal import isal_zlib

        self._into = into
        self._stream = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def write(self, piece: Piece, /) -> int:
        self._into.write(self._stream.compress(piece))
        return memoryview(piece).nbytes

    def finish(self) -> None:
        self._into.write(self._stream.flush())


@contextmanager
def compressed(path: Path, compression: Compression) -> Iterator[tuple[Sink, Digest]]:
    """Open the new file `path` for bytes to be compressed; the digest is whole once the context has closed.

    On any error `path` is removed. A file that is there already is never touched.
    """
    with path.open("xb") as file, ExitStack() as unless_whole:
        unless_whole.callback(path.unlink)
        digest = Digest(file)
        match compression:
            case "none":
                yield digest, digest
            case "gzip":
                gzip = _Gzip(digest)
                blocks = _Blocks(gzip)
                yield blocks, digest
                blocks.finish()
                gzip.finish()
            case "zstd":
                import pyarrow as pa

                with pa.CompressedOutputStream(pa.PythonFile(Stream(digest), "w"), "zstd") as stream:
                    blocks = _Blocks(stream)
                    yield blocks, digest
                    blocks.finish()
            case _:
                assert_never(compression)
        unless_whole.pop_all()


class Bounded:
    """A readable stream that refuses to give more than was allowed."""

    def __init__(self, stream: BinaryIO, name: str, most: int, damage: type[Exception] = EOFError) -> None:
        self._stream = stream
        self._damage = damage
        self._name = name
        self._most = most
        self._left = most

    def read(self, size: int = _BLOCK) -> bytes:
        """Give at least one and at most `size` bytes; none at the end.

        Raises:
            ContractBroken: more bytes than allowed, or they are cut or damaged.
        """
        try:
            piece = self._stream.read(min(size, self._left + 1))
        except (OSError, EOFError, self._damage) as error:
            raise ContractBroken(f"{self._name} cannot be decompressed: {error}") from error
        self._left -= len(piece)
        if self._left < 0:
            raise ContractBroken(
                f"{self._name} decompresses to more than was allowed", expected=f"at most {self._most} bytes"
            )
        return piece


@contextmanager
def decompressed(path: Path, compression: Compression, *, most: int) -> Iterator[Bounded]:
    """Open `path` to read what was compressed into it, at most `most` bytes of it."""
    match compression:
        case "none":
            with path.open("rb") as file:
                yield Bounded(file, path.name, most)
        case "gzip":
            from isal import igzip, isal_zlib

            with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call] # isal ships none for it
                yield Bounded(stream, path.name, most, isal_zlib.error)  # type: ignore[arg-type] # its stub takes the class for an instance
        case "zstd":
            import pyarrow as pa

            with pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd") as stream:
                yield Bounded(stream, path.name, most)
        case _:
            assert_never(compression)
