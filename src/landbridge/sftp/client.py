"""How does the collector reach the SFTP side? One connection, one event-loop thread, plain calls."""

from __future__ import annotations

import asyncio
import stat
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import asyncssh

from landbridge.errors import LandbridgeError, Unavailable
from landbridge.ports import RemoteFile
from landbridge.sftp.endpoint import Tuning
from landbridge.sftp.errors import translated
from landbridge.sftp.pace import Pace, Window
from landbridge.sftp.part import Part
from landbridge.sftp.reader import InOrder, read_at_most, read_whole
from landbridge.sftp.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Self

    from landbridge.facts import Content
    from landbridge.sftp.endpoint import Endpoint

_T = TypeVar("_T")
_SMALL = 255 << 10
"""Files up to this size come in one read."""
_DOCUMENT = 1 << 20
_TOGETHER = 128
"""Small files that are asked for at once by `read_many`."""


class SftpRemote:
    """An SFTP server; obeys ports.Remote. Nothing is connected before the first call."""

    def __init__(self, endpoint: Endpoint, tuning: Tuning | None = None) -> None:
        """Read the keys and start the thread.

        Raises:
            NotPermitted: the private key or its passphrase cannot be used.
            UsageError: a pinned host key is not one.
        """
        tuning = tuning or Tuning()
        self._endpoint = endpoint
        self._session = Session(endpoint, tuning)
        self._window = Window(tuning.window)
        self._pace = Pace(tuning.bandwidth)
        self._loop = asyncio.new_event_loop()
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Lend itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def files(self, folder: str) -> list[RemoteFile]:
        """See ports.Remote."""
        return [
            RemoteFile(path=f"{folder.rstrip('/')}/{name}", name=name, size=attributes.size or 0)
            for name, attributes in self._entries(folder)
            if _is(attributes, asyncssh.FILEXFER_TYPE_REGULAR, stat.S_IFREG)
        ]

    def folders(self, folder: str) -> list[str]:
        """See ports.Remote."""
        return [
            name
            for name, attributes in self._entries(folder)
            if name not in {".", ".."} and _is(attributes, asyncssh.FILEXFER_TYPE_DIRECTORY, stat.S_IFDIR)
        ]

    def read(self, path: str) -> bytes:
        """See ports.Remote."""
        return self._run(f"reading {path}", lambda client: read_at_most(client, path, _DOCUMENT))

    def read_many(self, paths: Sequence[str]) -> list[bytes]:
        """See ports.Remote."""

        async def all_of(client: asyncssh.SFTPClient) -> list[bytes]:
            room = asyncio.Semaphore(_TOGETHER)

            async def one(path: str) -> bytes:
                async with room:
                    with translated(self._endpoint, f"reading {path}"):
                        return await read_at_most(client, path, _DOCUMENT)

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(path)) for path in paths]
            return [task.result() for task in tasks]

        return self._run(f"reading {len(paths)} files", all_of)

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Content:
        """See ports.Remote."""
        with Part(into, size, watch) as part:
            if part.there == 0 and size <= _SMALL:
                part.write(self._run(f"reading {path}", lambda client: self._small(client, path, size)))
            else:
                self._stream(path, part, size)
            return part.finish()

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""

        async def put(client: asyncssh.SFTPClient) -> None:
            try:
                await _put(client, path, body)
            except asyncssh.SFTPNoSuchFile:
                await _make_folder(client, path.rpartition("/")[0])
                await _put(client, path, body)

        self._run(f"writing {path}", put)

    def close(self) -> None:
        """See ports.Remote."""
        with self._closing:
            if self._loop.is_closed():
                return
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _entries(self, folder: str) -> list[tuple[str, asyncssh.SFTPAttrs]]:
        async def scan(client: asyncssh.SFTPClient) -> list[tuple[str, asyncssh.SFTPAttrs]]:
            try:
                return [(str(entry.filename), entry.attrs) async for entry in client.scandir(folder)]
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                return []

        return sorted(self._run(f"listing {folder}", scan), key=lambda entry: entry[0])

    async def _small(self, client: asyncssh.SFTPClient, path: str, size: int) -> bytes:
        await self._pace.ask(size)
        return await read_whole(client, path, size)

    def _stream(self, path: str, part: Part, size: int) -> None:
        """Let this thread write and hash what the loop's thread reads."""
        blocks: SimpleQueue[bytes | None] = SimpleQueue()
        start = part.there

        async def read(client: asyncssh.SFTPClient) -> None:
            reader = InOrder(client, self._window, self._pace)
            readers.append(reader)
            await reader.read(path, start, size, blocks.put)

        readers: list[InOrder] = []
        reading = self._begin(f"reading {path}", read)
        reading.add_done_callback(lambda _: blocks.put(None))
        try:
            while piece := _all_that_came(blocks):
                part.write(piece)
                self._loop.call_soon_threadsafe(readers[0].written, len(piece))
            reading.result()
        finally:
            reading.cancel()
            self._give_back(readers)

    def _give_back(self, readers: list[InOrder]) -> None:
        def give() -> None:
            for reader in readers:
                reader.written(reader.held)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(give)

    def _run(self, doing: str, ask: Callable[[asyncssh.SFTPClient], Coroutine[None, None, _T]]) -> _T:
        return self._begin(doing, ask).result()

    def _begin(
        self, doing: str, ask: Callable[[asyncssh.SFTPClient], Coroutine[None, None, _T]]
    ) -> Future[_T]:
        async def answer() -> _T:
            try:
                client = await self._session.client()
                with translated(self._endpoint, doing):
                    return await ask(client)
            except asyncio.CancelledError:
                if not self._session.closed:
                    raise  # by whoever asked, who does not wait any more
                raise Unavailable(f"{doing}: the connection to {self._endpoint} was closed") from None
            except BaseExceptionGroup as group:
                raise _first(group) from group

        if self._loop.is_closed():
            raise Unavailable(f"{doing}: the connection to {self._endpoint} was closed")
        return asyncio.run_coroutine_threadsafe(answer(), self._loop)

    async def _end(self) -> None:
        await self._session.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _all_that_came(blocks: SimpleQueue[bytes | None]) -> bytes:
    """Wait for the next blocks and give all that are there; nothing at the end.

    Hashing and writing let go of Python's lock, and getting it back can take 5 ms while the other thread decrypts: the
    longer that takes, the more comes with the next piece, so that the pauses stay few.
    """
    came: list[bytes] = []
    while not came or not blocks.empty():
        block = blocks.get()
        if block is None:
            blocks.put(None)  # for the next call
            break
        came.append(block)
    return came[0] if len(came) == 1 else b"".join(came)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the error that an operator can act on; tasks that were cancelled because of it say less."""
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf if isinstance(leaf, LandbridgeError) else group


def _is(attributes: asyncssh.SFTPAttrs, kind: int, mode: int) -> bool:
    # SFTP 3 tells the kind in the permissions only; a server that tells neither has plain files.
    if attributes.type not in {asyncssh.FILEXFER_TYPE_UNKNOWN, None}:
        return attributes.type == kind
    if attributes.permissions is None:
        return kind == asyncssh.FILEXFER_TYPE_REGULAR
    return stat.S_IFMT(attributes.permissions) == mode


async def _put(client: asyncssh.SFTPClient, path: str, body: bytes) -> None:
    async with client.open(path, "wb", encoding=None) as file:
        await file.write(body)


async def _make_folder(client: asyncssh.SFTPClient, folder: str) -> None:
    made = ""
    for part in folder.strip("/").split("/"):
        made += f"/{part}"
        try:
            await client.mkdir(made)
        except (asyncssh.SFTPFileAlreadyExists, asyncssh.SFTPFailure, asyncssh.SFTPPermissionDenied):
            continue  # it is there, or the write that follows says what is wrong
