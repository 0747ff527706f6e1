"""How is a folder looked into that others write to, without being led elsewhere by them?

It is opened once and names are looked up in what was opened: whoever puts a link in its place meanwhile leads nobody
away. Windows has no such calls; there the names are looked up anew each time.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from landbridge.errors import IntegrityBroken, NotYet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from landbridge.disk import Stat

JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT, Win32: a link that looks like a folder."""
_BY_DESCRIPTOR = {os.open, os.stat, os.unlink} <= os.supports_dir_fd and os.scandir in os.supports_fd


class Room(Protocol):
    """A folder that is open."""

    @property
    def path(self) -> Path:
        """Where it was found."""
        ...

    def names(self) -> list[str]:
        """Give the names of all that is in it."""
        ...

    def look(self, name: str) -> Stat:
        """Look at one name without following it.

        Raises:
            FileNotFoundError, OSError: it is not there, or cannot be looked at.
        """
        ...

    def has(self, name: str) -> bool:
        """Tell whether `name` is a plain file in it."""
        ...

    def opened(self, name: str) -> AbstractContextManager[int]:
        """Open the plain file `name` for reading and give its descriptor; neither a pipe nor a link can hold us up.

        Raises:
            NotYet: it is another file than a moment ago.
            OSError: it is not there, or cannot be read.
        """
        ...

    def state(self, file: int) -> Stat:
        """Look at a file that is open."""
        ...

    def read(self, file: int, size: int) -> bytes:
        """Give up to `size` bytes from where the file stands; none at its end."""
        ...

    def remove(self, name: str) -> None:
        """Remove one name; a link, not what it leads to.

        Raises:
            OSError: it cannot be removed.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of this system; obeys Room."""

    path: Path
    number: int | None
    """Its descriptor, where there are such."""

    def names(self) -> list[str]:
        """See Room."""
        with os.scandir(self.path if self.number is None else self.number) as entries:
            return [entry.name for entry in entries]

    def look(self, name: str) -> os.stat_result:
        """See Room."""
        return os.stat(self._at(name), dir_fd=self.number, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """See Room."""
        try:
            return stat.S_ISREG(self.look(name).st_mode)
        except OSError:
            return False

    @contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """See Room."""
        seen = self.look(name)
        flags = os.O_RDONLY
        for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
            flags |= getattr(os, flag, 0)
        number = os.open(self._at(name), flags, dir_fd=self.number)
        try:
            found = os.fstat(number)
            # Of what was opened, since a pipe may have got the very number of the file that it took the place of.
            if not stat.S_ISREG(found.st_mode) or not os.path.samestat(seen, found):
                raise NotYet(f"{self.path / name} was replaced while it was looked at", hint="run it again")
            yield number
        finally:
            os.close(number)

    def state(self, file: int) -> os.stat_result:
        """See Room."""
        return os.fstat(file)

    def read(self, file: int, size: int) -> bytes:
        """See Room."""
        return os.read(file, size)

    def remove(self, name: str) -> None:
        """See Room."""
        os.unlink(self._at(name), dir_fd=self.number)

    def _at(self, name: str) -> str:
        return name if self.number is not None else str(self.path / name)


@contextmanager
def open_room(path: Path) -> Iterator[Room]:
    """Open the folder `path`.

    Raises:
        IntegrityBroken: it is a link, or no folder.
        FileNotFoundError, OSError: it is not there, or cannot be opened.
    """
    seen = path.lstat()
    if not stat.S_ISDIR(seen.st_mode) or getattr(seen, "st_reparse_tag", 0) == JUNCTION:
        raise _not_a_folder(path)
    if not _BY_DESCRIPTOR:
        yield _Folder(path, None)
        return
    try:
        number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _not_a_folder(path) from error
        raise
    try:
        yield _Folder(path, number)
    finally:
        os.close(number)


def _not_a_folder(path: Path) -> IntegrityBroken:
    return IntegrityBroken(
        f"{path} is not a folder",
        expected="the folder of a feed that `landbridge land --prepare` makes",
        hint="nothing was read; find out who put it there",
    )
