"""What would a disk do that loses what was not fsynced? Files, names and locks in memory, for many processes."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from random import Random


@dataclass(eq=False, slots=True)
class _File:
    mode: int
    body: bytes = b""
    kept: bytes = b""
    """What a power cut leaves for certain."""
    mtime: float = 0.0
    ctime: int = 0
    links: int = 0


@dataclass(slots=True)
class _Open:
    file: _File
    at: int
    appends: bool
    process: Process


@dataclass(frozen=True, slots=True)
class _Change:
    """Names that change in one step: what each leads to afterwards."""

    names: tuple[tuple[str, _File | None], ...]
    folders: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Stat:
    st_mode: int
    st_nlink: int
    st_size: int
    st_mtime: float
    st_ctime_ns: int


class SimulatedDisk:
    """One volume with a journalling file system. A rename is one step; a later change never lasts without the earlier ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.names: dict[str, _File] = {"/": _File(stat.S_IFDIR | 0o755)}
        self.kept: dict[str, _File] = dict(self.names)
        self.pending: list[_Change] = []
        self.open: dict[int, _Open] = {}
        self.locks: dict[str, tuple[int, Process]] = {}
        self.now = now
        self._ticks = 0
        self._numbers = 2

    def process(self, name: str) -> Process:
        """Give a process its view of the disk; obeys landbridge.disk.Disk."""
        return Process(self, name)

    def content(self, path: Path) -> bytes:
        """Give what everybody sees of a file."""
        return self.names[str(path)].body

    def sync(self) -> None:
        """Make everything last."""
        self.kept = dict(self.names)
        self.pending.clear()
        for file in self.names.values():
            file.kept = file.body

    def power_cut(self, random: Random) -> None:
        """Lose what was not made to last: all of it, or what chance leaves of it in an order that a journal permits."""
        strict = random.random() < 0.5
        self.open.clear()
        self.locks.clear()
        for change in () if strict else self.pending[: random.randint(0, len(self.pending))]:
            self._keep(change)
        self.pending.clear()
        self.names = dict(self.kept)
        for file in set(self.names.values()):
            file.links = 0
            if not strict and file.body.startswith(file.kept):
                file.kept = file.body[: random.randint(len(file.kept), len(file.body))]
            file.body = file.kept
        for file in self.names.values():
            file.links += 1

    def tick(self) -> int:
        """Give a later change time, ns."""
        self._ticks += 1
        return int(self.now().timestamp()) * 1_000_000_000 + self._ticks

    def number(self) -> int:
        """Give a number that is no open file's."""
        self._numbers += 1
        return self._numbers

    def change(self, *names: tuple[str, _File | None]) -> None:
        """Change names for everybody to see."""
        for name, file in names:
            old = self.names.pop(name, None)
            if old is not None:
                old.links -= 1
                old.ctime = self.tick()
            if file is not None:
                self.names[name] = file
                file.links += 1
                file.ctime = self.tick()
        self.pending.append(_Change(names, frozenset(name.rpartition("/")[0] or "/" for name, _ in names)))

    def keep(self, folder: str) -> None:
        """Make the changes of names in a folder last, with all that came before them."""
        last = max((at for at, one in enumerate(self.pending) if folder in one.folders), default=-1)
        for change in self.pending[: last + 1]:
            self._keep(change)
        del self.pending[: last + 1]

    def _keep(self, change: _Change) -> None:
        for name, file in change.names:
            if file is None:
                self.kept.pop(name, None)
            else:
                self.kept[name] = file


class Process:
    """One process on the disk; obeys landbridge.disk.Disk."""

    def __init__(self, disk: SimulatedDisk, name: str) -> None:
        self._disk = disk
        self.name = name

    def kill(self) -> None:
        """End it: its files and locks go, what it wrote stays."""
        for number in [number for number, one in self._disk.open.items() if one.process is self]:
            del self._disk.open[number]
        for path in [path for path, (_, process) in self._disk.locks.items() if process is self]:
            del self._disk.locks[path]

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """See Disk."""
        name = str(path)
        file = self._disk.names.get(name)
        if file is None:
            if not flags & os.O_CREAT:
                raise _error(errno.ENOENT, name)
            self._folder(name)
            file = _File(stat.S_IFREG | (mode & ~0o022), mtime=self._disk.now().timestamp())
            self._disk.change((name, file))
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            raise _error(errno.EEXIST, name)
        elif stat.S_ISDIR(file.mode):
            raise _error(errno.EISDIR, name)
        elif flags & os.O_TRUNC:
            self._changed(file, b"")
        number = self._disk.number()
        self._disk.open[number] = _Open(file, 0, bool(flags & os.O_APPEND), self)
        return number

    def read(self, file: int, size: int) -> bytes:
        """See Disk."""
        one = self._open(file)
        piece = one.file.body[one.at : one.at + size]
        one.at += len(piece)
        return piece

    def write(self, file: int, piece: bytes | memoryview) -> int:
        """See Disk."""
        one, body = self._open(file), bytes(piece)
        at = len(one.file.body) if one.appends else one.at
        before = one.file.body[:at].ljust(at, b"\0")
        self._changed(one.file, before + body + one.file.body[at + len(body) :])
        one.at = at + len(body)
        return len(body)

    def lseek(self, file: int, offset: int, whence: int) -> int:
        """See Disk."""
        one = self._open(file)
        one.at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: one.at, os.SEEK_END: len(one.file.body)}[whence]
        return one.at

    def ftruncate(self, file: int, size: int) -> None:
        """See Disk."""
        one = self._open(file)
        self._changed(one.file, one.file.body[:size].ljust(size, b"\0"))

    def fstat(self, file: int) -> _Stat:
        """See Disk."""
        return _stat(self._open(file).file)

    def fsync(self, file: int) -> None:
        """See Disk."""
        one = self._open(file)
        one.file.kept = one.file.body

    def write_behind(self, file: int, size: int) -> None:
        """See Disk."""

    def close(self, file: int) -> None:
        """See Disk."""
        if self._disk.open.pop(file, None) is None:
            for path, (number, _) in list(self._disk.locks.items()):
                if number == file:
                    del self._disk.locks[path]
                    return
            raise _error(errno.EBADF, "")

    def stat(self, path: Path) -> _Stat:
        """See Disk."""
        return self.lstat(path)

    def lstat(self, path: Path) -> _Stat:
        """See Disk."""
        return _stat(self._named(str(path)))

    def listdir(self, folder: Path) -> list[str]:
        """See Disk."""
        name = str(folder)
        if not stat.S_ISDIR(self._named(name).mode):
            raise _error(errno.ENOTDIR, name)
        prefix = name.rstrip("/") + "/"
        start = len(prefix)
        return [
            one[start:] for one in self._disk.names if one.startswith(prefix) and one != "/" and "/" not in one[start:]
        ]

    def mkdir(self, folder: Path) -> None:
        """See Disk."""
        name = str(folder)
        if name in self._disk.names:
            raise _error(errno.EEXIST, name)
        self._folder(name)
        self._disk.change((name, _File(stat.S_IFDIR | 0o755)))

    def utime(self, path: Path) -> None:
        """See Disk."""
        file = self._named(str(path))
        file.mtime = self._disk.now().timestamp()
        file.ctime = self._disk.tick()

    def chmod(self, path: Path, mode: int) -> None:
        """See Disk."""
        file = self._named(str(path))
        file.mode = stat.S_IFMT(file.mode) | mode
        file.ctime = self._disk.tick()

    def rename(self, path: Path, target: Path) -> None:
        """See Disk."""
        file = self._named(str(path))
        self._folder(str(target))
        if str(path) != str(target):
            self._disk.change((str(path), None), (str(target), file))

    def rename_new(self, path: Path, target: Path) -> None:
        """See Disk."""
        self._named(str(path))
        if str(target) in self._disk.names:
            raise _error(errno.EEXIST, str(target))
        self.rename(path, target)

    def link(self, path: Path, target: Path) -> None:
        """See Disk."""
        file = self._named(str(path))
        if str(target) in self._disk.names:
            raise _error(errno.EEXIST, str(target))
        self._folder(str(target))
        self._disk.change((str(target), file))

    def unlink(self, path: Path) -> None:
        """See Disk."""
        if stat.S_ISDIR(self._named(str(path)).mode):
            raise _error(errno.EISDIR, str(path))
        self._disk.change((str(path), None))

    def sync_folder(self, folder: Path) -> None:
        """See Disk."""
        if str(folder) in self._disk.names:
            self._disk.keep(str(folder))

    def lock(self, path: Path) -> int | None:
        """See Disk."""
        number = self.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        del self._disk.open[number]
        held = self._disk.locks.get(str(path))
        if held is not None:
            raise BlockingIOError(errno.EAGAIN, "held by another process", str(path))
        self._disk.locks[str(path)] = (number, self)
        return number

    def _named(self, name: str) -> _File:
        file = self._disk.names.get(name)
        if file is None:
            raise _error(errno.ENOENT, name)
        return file

    def _folder(self, name: str) -> None:
        folder = self._disk.names.get(name.rpartition("/")[0] or "/")
        if folder is None:
            raise _error(errno.ENOENT, name)
        if not stat.S_ISDIR(folder.mode):
            raise _error(errno.ENOTDIR, name)

    def _open(self, file: int) -> _Open:
        one = self._disk.open.get(file)
        if one is None:
            raise _error(errno.EBADF, str(file))
        return one

    def _changed(self, file: _File, body: bytes) -> None:
        file.body = body
        file.mtime = self._disk.now().timestamp()
        file.ctime = self._disk.tick()


def _stat(file: _File) -> _Stat:
    return _Stat(file.mode, file.links, len(file.body), file.mtime, file.ctime)


def _error(number: int, name: str) -> OSError:
    return OSError(number, os.strerror(number), name)
