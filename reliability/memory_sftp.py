"""What does the SFTP server in front of the reports bucket do, and a client over it, with everything in memory?

The server shows two prefixes of the bucket as folders, as AWS Transfer Family's logical mapping does: what is written
over S3 can be read at once, and a file that is written over SFTP becomes an object when it is closed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from landbridge.disk.local import LOCAL
from landbridge.errors import IntegrityBroken, NotFound, NotPermitted, Unavailable
from landbridge.facts import Fetched, Server
from landbridge.naming import OUTBOUND, RECEIPTS
from landbridge.ports import RemoteFile
from landbridge.sftp.part import Part
from reliability.answered import each_answered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.errors import LandbridgeError
    from reliability.memory_s3 import Kept, MemoryS3

_DOCUMENT = 1 << 20
SERVER = Server("sftp.example.org", 22, "SHA256:" + "s" * 43, "collector")
"""Who every client meets."""


class MemorySftp:
    """The server. Each method is one exchange: it happens whole, at one moment."""

    def __init__(self, s3: MemoryS3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def entries(self, folder: str) -> list[tuple[str, int, bool]]:
        """Give name, size and whether it is a folder; nothing for a folder that is not there."""
        prefix = self._key(folder) + "/"
        found: dict[str, tuple[str, int, bool]] = {}
        for key, kept in self._s3.list(self._bucket, prefix):
            name, below, _ = key.removeprefix(prefix).partition("/")
            found[name] = (name, 0 if below else len(kept.body), bool(below))
        return [found[name] for name in sorted(found)]

    def size(self, path: str) -> int:
        """Open a file, and tell how long it is.

        Raises:
            NotFound: it is not there.
        """
        return len(self._kept(path).body)

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Give a piece of a file; less than was asked at its end.

        Raises:
            NotFound: it is not there.
        """
        return self._kept(path).body[offset : offset + length]

    def write(self, path: str, body: bytes) -> None:
        """Write and close a file.

        Raises:
            NotPermitted: it is not a receipt.
        """
        key = self._key(path)
        if not key.startswith(f"{RECEIPTS}/"):
            raise NotPermitted(f"writing {path} is refused")
        self._s3.put(self._bucket, key, body, hashlib.sha256(body).hexdigest(), new=False)

    def _kept(self, path: str) -> Kept:
        versions = self._s3.versions(self._bucket, self._key(path))
        if not versions:
            raise NotFound(f"{path} is not there")
        return versions[-1]

    @staticmethod
    def _key(path: str) -> str:
        key = path.strip("/")
        if key.split("/", 1)[0] not in {OUTBOUND, RECEIPTS}:
            raise NotPermitted(f"{path} is outside of the user's home")
        return key


class MemoryRemote:
    """A client of such a server; obeys ports.Remote. A file comes in pieces of `packet` bytes."""

    def __init__(self, server: MemorySftp, disk: Disk = LOCAL, packet: int = 32 << 10) -> None:
        self._server = server
        self._disk = disk
        self._packet = packet
        self._closed = False

    def files(self, folder: str) -> list[RemoteFile]:
        """See ports.Remote."""
        return [
            RemoteFile(f"{folder.rstrip('/')}/{name}", name, size)
            for name, size, is_folder in self._open().entries(folder)
            if not is_folder
        ]

    def folders(self, folder: str) -> list[str]:
        """See ports.Remote."""
        return [name for name, _, is_folder in self._open().entries(folder) if is_folder]

    def read(self, path: str) -> bytes:
        """See ports.Remote."""
        body = self._open().read(path, 0, _DOCUMENT + 1)
        if len(body) > _DOCUMENT:
            raise IntegrityBroken(f"{path} is larger than a manifest or receipt can be")
        return body

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        """See ports.Remote."""
        return [self.read(one.path) for one in files]

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """See ports.Remote; the part is that of the real client."""
        server = self._open()
        with Part(self._disk, into, size, watch) as part:
            if server.size(path) != size:
                raise IntegrityBroken(f"{path} is not as long as its manifest says", expected=f"{size} bytes")
            while part.there < size:
                piece = server.read(path, part.there, min(self._packet, size - part.there))
                if not piece:
                    raise Unavailable(f"{path} ended early")
                part.write(piece)
            return Fetched(part.finish(), SERVER, attempts=1)

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        """See ports.Remote."""
        return each_answered(self.download, wanted, watch)

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""
        self._open().write(path, body)

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """See ports.Remote."""
        return each_answered(self.write, files)

    def close(self) -> None:
        """See ports.Remote."""
        self._closed = True

    def _open(self) -> MemorySftp:
        if self._closed:
            raise Unavailable("the remote was closed")
        return self._server
