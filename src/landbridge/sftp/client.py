"""How does the collector reach the SFTP side? Plain calls, from any thread."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from landbridge.disk.local import LOCAL
from landbridge.errors import LandbridgeError
from landbridge.facts import Fetched
from landbridge.ports import ONE_ANSWER, RemoteFile
from landbridge.sftp import exchange
from landbridge.sftp.endpoint import Tuning
from landbridge.sftp.errors import translated
from landbridge.sftp.handles import Handles
from landbridge.sftp.lines import Lines
from landbridge.sftp.pace import Pace, Window
from landbridge.sftp.part import Part
from landbridge.sftp.reader import Download

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Self

    from landbridge.disk import Disk
    from landbridge.sftp.channel import Channel, Steps
    from landbridge.sftp.endpoint import Endpoint
    from landbridge.sftp.packets import Entry

_T = TypeVar("_T")
_DOCUMENT = 1 << 20
_TOGETHER = 128
"""Small files that are asked for, or sent, at once: so many handles of the server are open, whoever calls."""
_DISK = 8
"""Files that one call writes and makes durable at once: enough for a journal of a file system to take them together."""


@dataclass(frozen=True, slots=True)
class _Came(Generic[_T]):
    """What came of an exchange, and over which channel."""

    what: _T
    over: Channel


class SftpRemote:
    """An SFTP server; obeys ports.Remote. Nothing is connected before the first call."""

    def __init__(
        self,
        endpoint: Endpoint,
        tuning: Tuning | None = None,
        latest: Callable[[], Endpoint] | None = None,
        disk: Disk = LOCAL,
    ) -> None:
        """Read the keys; `latest` is asked for them again before a further connection, since keys are rotated.

        Downloads go to `disk`.

        Raises:
            NotPermitted: the private key or its passphrase cannot be used.
            UsageError: a pinned host key is not one.
        """
        tuning = tuning or Tuning()
        self._endpoint = endpoint
        self._disk = disk
        self._lines = Lines(endpoint, tuning, latest)
        self._window = Window(tuning.window)
        self._pace = Pace(tuning.bandwidth)
        self._handles = Handles(_TOGETHER)

    def __enter__(self) -> Self:
        """Lend itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def files(self, folder: str) -> list[RemoteFile]:
        """See ports.Remote."""
        return [
            RemoteFile(path=f"{folder.rstrip('/')}/{entry.name}", name=entry.name, size=entry.size)
            for entry in self._entries(folder)
            if entry.is_file
        ]

    def folders(self, folder: str) -> list[str]:
        """See ports.Remote."""
        return [
            entry.name for entry in self._entries(folder) if entry.name not in {".", ".."} and entry.is_folder
        ]

    def read(self, path: str) -> bytes:
        """See ports.Remote."""
        return self._result(f"reading {path}", self._begin(exchange.at_most(path, _DOCUMENT)))

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        """See ports.Remote."""
        bodies = []
        for came in self._each(
            [(f"reading {one.path}", 0, exchange.at_most(one.path, _DOCUMENT, one.size)) for one in files]
        ):
            if isinstance(came, LandbridgeError):
                raise came
            bodies.append(came.what)
        return bodies

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """See ports.Remote."""
        doing = f"reading {path}"
        with Part(self._disk, into, size, watch) as part:
            if part.there == 0 and size <= ONE_ANSWER:
                self._pace.ask(size)
                channels = [self._lines.first()]
                part.write(self._result(doing, channels[0].run(exchange.whole(path, size))))
            else:
                channels = self._lines.for_bytes(size - part.there)
                with translated(self._endpoint, doing):
                    Download(path, part, size, self._window, self._pace).over(channels)
            return Fetched(part.finish(), channels[0].line.server(), attempts=1)

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        """See ports.Remote. What comes is written by a few threads while the rest is still on the line."""
        came = self._each([(f"reading {path}", size, exchange.whole(path, size)) for path, _, size in wanted])
        with ThreadPoolExecutor(_DISK, thread_name_prefix="part") as pool:
            kept = [pool.submit(self._kept, into, size, next(came)) for _, into, size in wanted]
            answers = []
            for one in kept:
                answers.append(answer := one.result())
                if watch is not None and isinstance(answer, Fetched):
                    watch(answer.content.size)
        return answers

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""
        self._result(f"writing {path}", self._begin(exchange.put(path, body)))

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """See ports.Remote."""
        put = self._each([(f"writing {path}", 0, exchange.put(path, body)) for path, body in files])
        return [one if isinstance(one, LandbridgeError) else None for one in put]

    def told_time(self, folder: str, name: str) -> int | None:
        """Give the time of a file by the server, in seconds since 1970; None where it tells none. To examine its clock, and no more.

        No port has this: modification times are not preserved on the way, so nothing may be decided by one.
        """
        return next((entry.modified for entry in self._entries(folder) if entry.name == name), None)

    def close(self) -> None:
        """See ports.Remote."""
        self._lines.close()
        self._window.end()
        self._pace.end()

    def _entries(self, folder: str) -> list[Entry]:
        entries = self._result(f"listing {folder}", self._begin(exchange.entries(folder)))
        return sorted(entries, key=lambda entry: entry.name)

    def _begin(self, steps: Steps[_T]) -> Future[_T]:
        return self._lines.first().run(steps)

    def _result(self, doing: str, begun: Future[_T]) -> _T:
        with translated(self._endpoint, doing):
            return begun.result()

    def _each(self, asked: Sequence[tuple[str, int, Steps[_T]]]) -> Iterator[_Came[_T] | LandbridgeError]:
        """Give what comes of each exchange (what it is doing, bytes of a download, its steps) in order, or what went wrong with it.

        So many are under way that the line is never idle, and no more.
        """
        under_way: deque[tuple[str, Channel, Future[_T]]] = deque()
        held = 0
        try:
            for number, (doing, size, steps) in enumerate(asked):
                if len(under_way) == _TOGETHER:
                    yield self._came(*under_way.popleft())
                if size:
                    self._pace.ask(size)
                try:
                    channel = self._lines.first()
                except LandbridgeError as error:  # no connection, and so none for those that follow
                    yield from (self._came(*one) for one in under_way)
                    yield from (error for _ in asked[number:])
                    return
                if not held:
                    held = self._handles.take(len(asked) - number)
                held -= 1
                under_way.append((doing, channel, begun := channel.run(steps)))
                begun.add_done_callback(lambda _: self._handles.give())
        finally:
            if held:
                self._handles.give(held)
        yield from (self._came(*one) for one in under_way)

    def _came(self, doing: str, channel: Channel, begun: Future[_T]) -> _Came[_T] | LandbridgeError:
        try:
            return _Came(self._result(doing, begun), channel)
        except LandbridgeError as error:
            return error

    def _kept(self, into: Path, size: int, came: _Came[bytes] | LandbridgeError) -> Fetched | LandbridgeError:
        """Put what came on the disk, behind what an earlier try left."""
        if isinstance(came, LandbridgeError):
            return came
        try:
            with Part(self._disk, into, size, None) as part:
                part.write(came.what[part.there :])
                return Fetched(part.finish(), came.over.line.server(), attempts=1)
        except LandbridgeError as error:
            return error
