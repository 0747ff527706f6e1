"""How does one process see a simulated disk, and what does each of its calls do there? Obeys landbridge.disk.Disk."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from reliability.inodes import Attributes, Inode, Named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reliability.disk import SimulatedDisk

_NAME_MAX = 255


class Seen(NamedTuple):
    """What the disk tells of a file; obeys landbridge.disk.Stat."""

    st_mode: int
    st_nlink: int
    st_size: int
    st_mtime: float
    st_mtime_ns: int
    st_ctime_ns: int
    st_ino: int
    st_dev: int = 1


@dataclass(eq=False, slots=True)
class Opened:
    """An open file."""

    inode: Inode
    path: Path
    flags: int
    at: int = 0

    def writes(self) -> bool:
        """Tell whether it may be written."""
        return self.flags & os.O_ACCMODE != os.O_RDONLY

    def reads(self) -> bool:
        """Tell whether it may be read."""
        return self.flags & os.O_ACCMODE != os.O_WRONLY


class Mount:
    """The disk as one process sees it; obeys landbridge.disk.Disk, and has what its neighbours need beside."""

    def __init__(self, disk: SimulatedDisk, before: Callable[[str, Path], None], umask: int) -> None:
        self._disk = disk
        self._before = before
        self._umask = umask
        self._open: dict[int, Opened] = {}
        self._next = 3

    def end(self) -> None:
        """Let the process end, however: open files and locks are gone, what was written is not."""
        with self._disk.turn:
            for file in list(self._open):
                self._forget(file)

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """See disk.Disk."""
        self._before("open", path)
        with self._disk.turn:
            return self._opened(path, flags, mode)

    def read(self, file: int, size: int) -> bytes:
        """See disk.Disk."""
        one = self._file("read", file)
        with self._disk.turn:
            if not one.reads():
                _refuse(errno.EBADF)
            if one.inode.is_folder:
                _refuse(errno.EISDIR)
            piece = bytes(one.inode.body[one.at : one.at + size])
            one.at += len(piece)
            return piece

    def write(self, file: int, piece: bytes | memoryview) -> int:
        """See disk.Disk."""
        one = self._file("write", file)
        with self._disk.turn:
            if not one.writes():
                _refuse(errno.EBADF)
            body = bytes(piece)
            if body:
                if one.flags & os.O_APPEND:
                    one.at = len(one.inode.body)
                one.inode.write(one.at, body)
                one.at += len(body)
                self._changed(one.inode)
            return len(body)

    def lseek(self, file: int, offset: int, whence: int) -> int:
        """See disk.Disk."""
        one = self._file("lseek", file)
        with self._disk.turn:
            start = {os.SEEK_SET: 0, os.SEEK_CUR: one.at, os.SEEK_END: len(one.inode.body)}[whence]
            if start + offset < 0:
                _refuse(errno.EINVAL)
            one.at = start + offset
            return one.at

    def ftruncate(self, file: int, size: int) -> None:
        """See disk.Disk."""
        one = self._file("ftruncate", file)
        with self._disk.turn:
            if not one.writes() or size < 0:
                _refuse(errno.EINVAL)
            one.inode.cut(size)
            self._changed(one.inode)

    def fstat(self, file: int) -> Seen:
        """See disk.Disk."""
        one = self._file("fstat", file)
        with self._disk.turn:
            return _seen(one.inode)

    def fsync(self, file: int) -> None:
        """See disk.Disk."""
        one = self._file("fsync", file)
        with self._disk.turn:
            one.inode.sync()

    def write_behind(self, file: int, size: int) -> None:
        """See disk.Disk. A hint that is not taken: nothing lasts by it."""
        self._file("write_behind", file)
        del size

    def close(self, file: int) -> None:
        """See disk.Disk."""
        self._file("close", file)
        with self._disk.turn:
            self._forget(file)

    def stat(self, path: Path) -> Seen:
        """See disk.Disk."""
        return self._looked("stat", path)

    def lstat(self, path: Path) -> Seen:
        """See disk.Disk."""
        return self._looked("lstat", path)

    def listdir(self, folder: Path) -> list[str]:
        """See disk.Disk."""
        self._before("listdir", folder)
        with self._disk.turn:
            return sorted(self._folder(folder).names)

    def mkdir(self, folder: Path) -> None:
        """See disk.Disk."""
        self._before("mkdir", folder)
        with self._disk.turn:
            parent, name = self._parent(folder)
            if self._child(parent, name) is not None:
                _refuse(errno.EEXIST, folder)
            self._create(parent, name, is_folder=True, mode=0o777)

    def utime(self, path: Path) -> None:
        """See disk.Disk."""
        self._before("utime", path)
        with self._disk.turn:
            self._changed(self._inode(path))

    def chmod(self, path: Path, mode: int) -> None:
        """See disk.Disk."""
        self._before("chmod", path)
        with self._disk.turn:
            inode = self._inode(path)
            inode.seen = Attributes(mode, inode.seen.mtime, self._disk.time())

    def rename(self, path: Path, target: Path) -> None:
        """See disk.Disk."""
        self._before("rename", path)
        with self._disk.turn:
            self._move(path, target, replacing=True)

    def rename_new(self, path: Path, target: Path) -> None:
        """See disk.Disk."""
        self._before("rename_new", path)
        with self._disk.turn:
            self._move(path, target, replacing=False)

    def link(self, path: Path, target: Path) -> None:
        """See disk.Disk."""
        self._before("link", path)
        with self._disk.turn:
            inode = self._inode(path)
            parent, name = self._parent(target)
            if self._child(parent, name) is not None:
                _refuse(errno.EEXIST, path, target)
            if inode.is_folder:
                _refuse(errno.EPERM, path, target)
            self._named(parent, ((parent, name, inode),), inode)

    def unlink(self, path: Path) -> None:
        """See disk.Disk."""
        self._before("unlink", path)
        with self._disk.turn:
            parent, name = self._parent(path)
            inode = self._child(parent, name)
            if inode is None:
                _refuse(errno.ENOENT, path)
            if inode.is_folder:
                _refuse(errno.EISDIR, path)
            self._named(parent, ((parent, name, None),), inode)

    def rmdir(self, folder: Path) -> None:
        """Take an empty folder away, as a consumer may."""
        self._before("rmdir", folder)
        with self._disk.turn:
            parent, name = self._parent(folder)
            inode = self._child(parent, name)
            if inode is None:
                _refuse(errno.ENOENT, folder)
            if not inode.is_folder:
                _refuse(errno.ENOTDIR, folder)
            if inode.names:
                _refuse(errno.ENOTEMPTY, folder)
            self._named(parent, ((parent, name, None),), inode)

    def sync_folder(self, folder: Path) -> None:
        """See disk.Disk. Mode and times of what the folder names last as well; a file server keeps them at once."""
        self._before("sync_folder", folder)
        with self._disk.turn:
            try:
                inode = self._folder(folder)
            except FileNotFoundError:
                return
            self._disk.changes.sync(inode)
            inode.kept = inode.seen
            for child in inode.names.values():
                child.kept = child.seen

    def lock(self, path: Path) -> int | None:
        """See disk.Disk."""
        self._before("lock", path)
        with self._disk.turn:
            file = self._opened(path, os.O_RDWR | os.O_CREAT, 0o600)
            one = self._open[file]
            if one.inode in self._disk.locks:
                self._forget(file)
                raise BlockingIOError(errno.EAGAIN, "held by another process", str(path))
            self._disk.locks[one.inode] = one
            return file

    def _opened(self, path: Path, flags: int, mode: int) -> int:
        parent, name = self._parent(path)
        inode = self._child(parent, name)
        if inode is None:
            if not flags & os.O_CREAT:
                _refuse(errno.ENOENT, path)
            inode = self._create(parent, name, is_folder=False, mode=mode)
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            _refuse(errno.EEXIST, path)
        elif inode.is_folder and (flags & os.O_CREAT or flags & os.O_ACCMODE != os.O_RDONLY):
            _refuse(errno.EISDIR, path)
        elif flags & os.O_DIRECTORY and not inode.is_folder:
            _refuse(errno.ENOTDIR, path)
        elif flags & os.O_TRUNC:
            inode.cut(0)
            self._changed(inode)
        file, self._next = self._next, self._next + 1
        self._open[file] = Opened(inode, path, flags)
        return file

    def _forget(self, file: int) -> None:
        one = self._open.pop(file)
        if self._disk.locks.get(one.inode) is one:
            del self._disk.locks[one.inode]

    def _file(self, operation: str, file: int) -> Opened:
        one = self._open.get(file)
        if one is None:
            _refuse(errno.EBADF)
        self._before(operation, one.path)
        return one

    def _looked(self, operation: str, path: Path) -> Seen:
        self._before(operation, path)
        with self._disk.turn:
            return _seen(self._inode(path))

    def _create(self, parent: Inode, name: str, *, is_folder: bool, mode: int) -> Inode:
        at = self._disk.time()
        attributes = Attributes(mode & ~self._umask, at, at)
        inode = Inode(is_folder, attributes, attributes)
        self._named(parent, ((parent, name, inode),), inode)
        return inode

    def _move(self, path: Path, target: Path, *, replacing: bool) -> None:
        old_parent, old_name = self._parent(path)
        new_parent, new_name = self._parent(target)
        inode = self._child(old_parent, old_name)
        if inode is None:
            _refuse(errno.ENOENT, path, target)
        there = self._child(new_parent, new_name)
        if there is not None and not replacing:
            _refuse(errno.EEXIST, path, target)
        if inode in self._above(target):
            _refuse(errno.EINVAL, path, target)
        if there is not None:
            if there in self._above(path):
                _refuse(errno.ENOTEMPTY, path, target)
            if there is inode:
                return
            if there.is_folder != inode.is_folder:
                _refuse(errno.EISDIR if there.is_folder else errno.ENOTDIR, path, target)
            if there.names:
                _refuse(errno.ENOTEMPTY, path, target)
        entries = ((new_parent, new_name, inode), (old_parent, old_name, None))
        self._named(new_parent, entries, inode)

    def _named(
        self, home: Inode, entries: tuple[tuple[Inode, str, Inode | None], ...], subject: Inode
    ) -> None:
        at = self._disk.time()
        self._disk.changes.add(Named(home, entries, subject, at))
        for folder, _, _ in entries:
            folder.seen = Attributes(folder.seen.mode, at, at)

    def _changed(self, inode: Inode) -> None:
        at = self._disk.time()
        inode.seen = Attributes(inode.seen.mode, at, at)

    def _inode(self, path: Path) -> Inode:
        return self._walked(path, path.parts[1:])

    def _walked(self, path: Path, names: Sequence[str]) -> Inode:
        """Go from the root by these names of `path`."""
        found = self._disk.root
        for name in names:
            child = found.names.get(name) if found.is_folder else None
            if child is None:
                if name == ".." and found.is_folder:  # all before it is there, and there are no links
                    at = names.index("..")
                    return self._walked(path, (*names[: max(at - 1, 0)], *names[at + 1 :]))
                self._child(found, name)  # may refuse for a better reason
                _refuse(errno.ENOENT, path)
            found = child
        return found

    def _folder(self, path: Path) -> Inode:
        found = self._inode(path)
        if not found.is_folder:
            _refuse(errno.ENOTDIR, path)
        return found

    def _parent(self, path: Path) -> tuple[Inode, str]:
        _, *names, name = path.parts
        found = self._walked(path, names)
        if not found.is_folder:
            _refuse(errno.ENOTDIR, path)
        return found, name

    def _above(self, path: Path) -> list[Inode]:
        """Give the folders that lead to `path`."""
        return [self._inode(folder) for folder in path.parents]

    def _child(self, folder: Inode, name: str) -> Inode | None:
        if not folder.is_folder:
            _refuse(errno.ENOTDIR)
        if len(name) > _NAME_MAX // 4 and len(os.fsencode(name)) > _NAME_MAX:
            _refuse(errno.ENAMETOOLONG)
        return folder.names.get(name)


def _seen(inode: Inode) -> Seen:
    kind = stat.S_IFDIR if inode.is_folder else stat.S_IFREG
    return Seen(
        kind | inode.seen.mode,
        inode.links,
        len(inode.body),
        inode.seen.mtime / 1e9,
        inode.seen.mtime,
        max(inode.seen.ctime, inode.named_at),
        id(inode),
    )


def _refuse(number: int, *paths: Path) -> NoReturn:
    raise OSError(number, os.strerror(number), *(str(path) for path in paths[:1]))
