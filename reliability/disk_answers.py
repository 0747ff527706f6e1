"""Does the simulated disk answer as the disk of this machine does, to the same calls in the same order?"""

from __future__ import annotations

import os
import random
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.disk import read_whole
from landbridge.disk.local import LOCAL
from reliability.disk import UMASK, SimulatedDisk
from reliability.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landbridge.disk import Disk

CALLS = 25_000
"""Compared in CI."""
_A_SEQUENCE = 120
_CLOSED = 1_000_000
"""A number that no open file has."""
_SHARE = Path("/share")

FLAGS = (
    os.O_RDONLY,
    os.O_RDWR | os.O_CREAT,
    os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    os.O_RDWR | os.O_APPEND,
    os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    os.O_RDONLY | os.O_DIRECTORY,
)
OF_FILES = ("read", "write", "lseek", "ftruncate", "fstat", "fsync", "close")
OF_ONE_PATH = ("stat", "lstat", "listdir", "mkdir", "utime", "unlink", "rmdir", "sync_folder", "lock")
OF_TWO_PATHS = ("rename", "rename_new", "link")
Call = tuple[str, tuple[Any, ...]]
"""An operation of the port with its arguments: a path below the root, or the how manieth file was opened."""


class Trial:
    """One disk, and the files that a sequence of calls has open on it."""

    def __init__(self, disk: Disk, root: Path) -> None:
        self._disk = disk
        self._root = root
        self._open: list[int] = []

    def answer(self, operation: str, arguments: tuple[Any, ...]) -> object:
        """Make one call, and give its answer or its error in words that all disks have in common."""
        given: list[Any] = [self._root / one if isinstance(one, str) else one for one in arguments]
        if operation in OF_FILES:
            which = arguments[0]
            given[0] = self._open[which] if which < len(self._open) else _CLOSED
            if operation == "lseek" and self._is_folder(given[0]):
                return None  # each file system says something else
        try:
            found = getattr(self._disk, operation)(*given)
        except OSError as error:
            return type(error).__name__, error.errno
        match operation:
            case "close":
                self._open[arguments[0]] = _CLOSED  # a system gives its number to the next file
                return found
            case "open" | "lock":
                self._open.append(found)
                return "opened"
            case "stat" | "lstat" | "fstat":
                return _common(found)
            case "listdir":
                return sorted(found)
            case _:
                return found

    def tree(self) -> dict[str, object]:
        """Give everything that is there."""
        found: dict[str, object] = {}
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            for path in (folder / name for name in self._disk.listdir(folder)):
                seen = self._disk.lstat(path)
                is_folder = stat.S_ISDIR(seen.st_mode)
                waiting += [path] if is_folder else []
                body = None if is_folder else read_whole(self._disk, path)
                found[str(path.relative_to(self._root))] = (_common(seen), body)
        return found

    def close(self) -> None:
        """End what is open."""
        for file in self._open:
            with suppress(OSError):
                self._disk.close(file)

    def _is_folder(self, number: int) -> bool:
        try:
            return stat.S_ISDIR(self._disk.fstat(number).st_mode)
        except OSError:
            return False


@contextmanager
def two_disks() -> Iterator[tuple[Trial, Trial]]:
    """Lend this machine's disk and a simulated one, both with an empty folder."""
    umask = os.umask(UMASK)
    mount = SimulatedDisk(lambda: 1_000).mount()
    mount.mkdir(_SHARE)
    try:
        with tempfile.TemporaryDirectory(prefix="landbridge-disk-") as name:
            local = Trial(LOCAL, Path(name))
            yield local, Trial(mount, _SHARE)
            local.close()
    finally:
        os.umask(umask)


def compare(calls: Iterable[Call]) -> int:
    """Make the same calls on both, and give how many there were.

    Raises:
        AssertionError: one answered otherwise, or something else is there in the end.
    """
    count = 0
    with two_disks() as (local, simulated):
        for count, (operation, arguments) in enumerate(calls, start=1):  # noqa: B007 - the last is what is asked for
            answers = [one.answer(operation, arguments) for one in (local, simulated)]
            if answers[0] != answers[1]:
                raise AssertionError(f"{operation}{arguments}: {answers[0]} here, {answers[1]} simulated")
        if local.tree() != simulated.tree():
            raise AssertionError(f"{local.tree()} here, {simulated.tree()} simulated")
    return count


def drawn(chance: random.Random, count: int) -> Iterator[Call]:
    """Give calls of all kinds, most of which are about something that may be there."""

    def path() -> str:
        return "/".join(chance.choice("ab") for _ in range(chance.choice((1, 1, 2, 2, 3))))

    kinds = (*OF_FILES, *OF_ONE_PATH, *OF_TWO_PATHS, "open", "open", "write", "mkdir", "rename_new", "chmod")
    for _ in range(count):
        operation, file = chance.choice(kinds), chance.randrange(6)
        match operation:
            case "open":
                yield operation, (path(), chance.choice(FLAGS))
            case "chmod":
                yield operation, (path(), chance.choice((0o600, 0o640)))
            case "read" | "ftruncate":
                yield operation, (file, chance.randrange(20))
            case "write":
                yield operation, (file, chance.randbytes(chance.randrange(12)))
            case "lseek":
                yield operation, (file, chance.randrange(-3, 20), chance.randrange(3))
            case "fstat" | "fsync" | "close":
                yield operation, (file,)
            case _:
                yield operation, tuple(path() for _ in range(2 if operation in OF_TWO_PATHS else 1))


def figure(calls: int = CALLS, seed: int = 0) -> Figure:
    """Compare so many calls, in sequences that chance draws.

    Raises:
        AssertionError: a sequence, named by its seed, was answered otherwise.
    """
    begun, count, number = time.monotonic(), 0, seed
    while count < calls:
        try:
            count += compare(drawn(random.Random(number), _A_SEQUENCE))
        except AssertionError as error:
            error.add_note(f"seed {number}")
            raise
        number += 1
    took = time.monotonic() - begun
    return Figure(
        "the simulated disk answers as Linux does", calls, count, took, seed, "calls, errors included"
    )


def _common(seen: Any) -> object:  # noqa: ANN401 - a landbridge.disk.Stat
    """Give what file systems agree on; a folder's size and links they do not."""
    return seen.st_mode if stat.S_ISDIR(seen.st_mode) else (seen.st_mode, seen.st_size, seen.st_nlink)
