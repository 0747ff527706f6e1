"""How do the bytes of local files go out and come in, hashed on their way?"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed, IntegrityBroken, UsageError
from landbridge.facts import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from obstore import Bytes

_BINARY = getattr(os, "O_BINARY", 0)
"""Windows alone has it, and without it would change line ends."""


def whole(path: Path, content: Content) -> bytes:
    """Give the bytes of a small file, if they are `content`.

    Raises:
        IntegrityBroken: the file has other bytes.
        DiskFailed: the file cannot be read.
    """
    try:
        body = _first(path, content.size + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(body) != content.size or hashlib.sha256(body).hexdigest() != content.sha256:
        raise _other_bytes(str(path), content, len(body), hashlib.sha256(body).hexdigest())
    return body


def _first(path: Path, most: int) -> bytes:
    """Read at most `most` bytes, by the three calls it takes.

    A file object asks the system twice more, and each question hands the interpreter to another thread and back.
    """
    descriptor = os.open(path, os.O_RDONLY | _BINARY)
    try:
        body = os.read(descriptor, most)
        while len(body) < most and (more := os.read(descriptor, most - len(body))):
            body += more
    finally:
        os.close(descriptor)
    return body


@contextmanager
def exactly(path: Path, content: Content, part: int) -> Iterator[Iterator[bytes]]:
    """Lend the bytes of `path` in parts; at the end of the iterator they were `content`, or it has raised.

    Whoever consumes it must not make anything visible before its end.

    Raises:
        IntegrityBroken: (from the iterator) the file has other bytes.
        DiskFailed: the file cannot be read.
    """
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        yield verified(iter(lambda: _read(file, path, part), b""), content, str(path))


def verified(blocks: Iterable[bytes], content: Content, name: str) -> Iterator[bytes]:
    """Pass on what comes for `name`; at the end it was `content`, or this has raised.

    Whoever consumes it must not make anything visible before its end.

    Raises:
        IntegrityBroken: other bytes came.
    """
    digest, size = hashlib.sha256(), 0
    for block in blocks:
        digest.update(block)
        size += len(block)
        yield block
    if (size, digest.hexdigest()) != (content.size, content.sha256):
        raise _other_bytes(name, content, size, digest.hexdigest())


def _other_bytes(name: str, content: Content, size: int, sha256: str) -> IntegrityBroken:
    return IntegrityBroken(
        f"{name} does not have the bytes that were recorded",
        expected=f"{content.size} bytes, sha256 {content.sha256}",
        seen=f"{size} bytes, sha256 {sha256}",
        hint="nothing was overwritten; look at who can write there",
    )


def _read(file: BinaryIO, path: Path, part: int) -> bytes:
    try:
        return file.read(part)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DiskFailed:
    return DiskFailed(f"{path} cannot be read: {error.strerror or error}")


def arriving(path: Path, pieces: Iterable[bytes | Bytes]) -> Content:
    """Write what arrives into the new file `path`; on any error it is removed again. `rows` is 0.

    Raises:
        DiskFailed: the file is there already, or the disk refuses.
    """
    digest, size = hashlib.sha256(), 0
    try:
        file = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666
        )  # plain calls: as in `_first`
    except OSError as error:
        raise DiskFailed(f"{path} cannot be created: {error.strerror}") from error
    done = False
    try:
        try:
            for piece in pieces:
                digest.update(piece)
                size += _write_all(file, memoryview(piece), path)
        finally:
            _close(file, path)
        done = True
    finally:
        if not done:
            path.unlink(missing_ok=True)
    return Content(size, digest.hexdigest(), 0)


def _close(file: int, path: Path) -> None:
    try:
        os.close(file)  # where some network file systems say that a write failed
    except OSError as error:
        raise DiskFailed(f"{path} cannot be written: {error.strerror}") from error


def _write_all(file: int, view: memoryview, path: Path) -> int:
    written = 0
    try:
        while written < len(view):  # a write may be short, as on a disk that is nearly full
            written += os.write(file, view[written:])
    except OSError as error:
        raise DiskFailed(f"{path} cannot be written: {error.strerror}") from error
    return written


def too_large(url: str, size: int, most: int) -> UsageError:
    """Say that an object is not one of the small ones."""
    return UsageError(
        f"{url} is too large to be read at once", expected=f"at most {most} bytes", seen=f"{size} bytes"
    )
