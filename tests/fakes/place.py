"""A path on any disk, with the words of pathlib: what a consumer, or somebody else, does on a share."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.disk import is_there, opened, read_whole, remove, touch, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.disk import Disk


@dataclass(frozen=True, slots=True)
class Place:
    disk: Disk
    path: Path

    def __truediv__(self, name: str) -> Place:
        return Place(self.disk, self.path / name)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def parent(self) -> Place:
        return Place(self.disk, self.path.parent)

    def exists(self) -> bool:
        return is_there(self.disk, self.path)

    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.disk.lstat(self.path).st_mode)

    def mode(self) -> int:
        return stat.S_IMODE(self.disk.lstat(self.path).st_mode)

    def read_bytes(self) -> bytes:
        return read_whole(self.disk, self.path)

    def write_bytes(self, body: bytes) -> None:
        with opened(self.disk, self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            write_whole(self.disk, file, body)

    def sync(self) -> None:
        with opened(self.disk, self.path, os.O_RDONLY) as file:
            self.disk.fsync(file)

    def touch(self) -> None:
        touch(self.disk, self.path)

    def unlink(self) -> None:
        self.disk.unlink(self.path)

    def rename(self, target: Place) -> None:
        self.disk.rename(self.path, target.path)

    def mkdir(self) -> None:
        self.disk.mkdir(self.path)

    def rmdir(self) -> None:
        self.disk.rmdir(self.path)

    def rmtree(self) -> None:
        for one in self.iterdir():
            if one.is_folder():
                one.rmtree()
            else:
                remove(self.disk, one.path)
        self.rmdir()

    def iterdir(self) -> list[Place]:
        return [self / name for name in self.disk.listdir(self.path)]

    def files(self) -> Iterator[Place]:
        """Give all files in it and below."""
        for one in self.iterdir():
            if one.is_folder():
                yield from one.files()
            else:
                yield one
