"""A folder that plays the SFTP side; passes the contract suite of the Remote port."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, NotFound, Unavailable, disk_refused
from landbridge.facts import Content, Fetched, Server
from landbridge.ports import RemoteFile
from reliability.answered import each_answered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.errors import LandbridgeError


_SERVER = Server("localhost", 22, "SHA256:" + "s" * 43, "collector")


class FolderRemote:
    """Obeys ports.Remote; `/` is `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closed = False

    def files(self, folder: str) -> list[RemoteFile]:
        there = [entry for entry in self._entries(folder) if entry.is_file() and not entry.is_symlink()]
        return [RemoteFile(f"{folder.rstrip('/')}/{one.name}", one.name, one.stat().st_size) for one in there]

    def folders(self, folder: str) -> list[str]:
        return [entry.name for entry in self._entries(folder) if entry.is_dir()]

    def read(self, path: str) -> bytes:
        body = self._body(path)
        if len(body) > 1 << 20:
            raise IntegrityBroken(f"{path} is larger than a manifest or receipt can be")
        return body

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        return [self.read(one.path) for one in files]

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        body = self._body(path)
        if len(body) != size:
            raise IntegrityBroken(f"{path} is not as long as its manifest says")
        try:
            with into.open("ab") as file:
                there = file.tell() if file.tell() <= size else 0
                file.truncate(there)
                file.write(body[there:])
                file.flush()
                os.fsync(file.fileno())
            kept = into.read_bytes()
        except OSError as error:
            raise disk_refused(error, f"writing {into}") from error
        if watch is not None:
            watch(size)
        return Fetched(Content(size, hashlib.sha256(kept).hexdigest(), 0), _SERVER, 1)

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        return each_answered(self.download, wanted, watch)

    def write(self, path: str, body: bytes) -> None:
        self._open()
        file = self._folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        return each_answered(self.write, files)

    def close(self) -> None:
        self._closed = True

    def _entries(self, folder: str) -> list[Path]:
        self._open()
        place = self._folder / folder.lstrip("/")
        return sorted(place.iterdir()) if place.is_dir() else []

    def _body(self, path: str) -> bytes:
        self._open()
        try:
            return (self._folder / path.lstrip("/")).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"reading {path}: it is not there") from error

    def _open(self) -> None:
        if self._closed:
            raise Unavailable("the remote was closed")
