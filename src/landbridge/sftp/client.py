"""How does the collector reach the SFTP side? Plain calls, from any thread."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from landbridge.disk.local import LOCAL
from landbridge.errors import LandbridgeError
from landbridge.facts import Fetched
from landbridge.ports import RemoteFile
from landbridge.sftp import exchange
from landbridge.sftp.endpoint import Tuning
from landbridge.sftp.errors import translated
from landbridge.sftp.lines import Lines
from landbridge.sftp.pace import Pace, Window
from landbridge.sftp.part import Part
from landbridge.sftp.reader import Download

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Self

    from landbridge.disk import Disk
    from landbridge.sftp.channel import Steps
    from landbridge.sftp.endpoint import Endpoint
    from landbridge.sftp.packets import Entry

_T = TypeVar("_T")
_SMALL = 255 << 10
"""Files up to this size come in one read."""
_DOCUMENT = 1 << 20
_TOGETHER = 128
"""Small files that are asked for at once by `read_many`."""


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

    def read_many(self, paths: Sequence[str]) -> list[bytes]:
        """See ports.Remote."""
        under_way: deque[tuple[str, Future[bytes]]] = deque()
        bodies: list[bytes] = []
        for path in paths:
            if len(under_way) == _TOGETHER:
                bodies.append(self._result(*under_way.popleft()))
            under_way.append((f"reading {path}", self._begin(exchange.at_most(path, _DOCUMENT))))
        return bodies + [self._result(*one) for one in under_way]

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """See ports.Remote."""
        doing = f"reading {path}"
        with Part(self._disk, into, size, watch) as part:
            if part.there == 0 and size <= _SMALL:
                self._pace.ask(size)
                channels = [self._lines.first()]
                part.write(self._result(doing, channels[0].run(exchange.whole(path, size))))
            else:
                channels = self._lines.for_bytes(size - part.there)
                with translated(self._endpoint, doing):
                    Download(path, part, size, self._window, self._pace).over(channels)
            return Fetched(part.finish(), channels[0].line.server(), attempts=1)

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""
        self._result(f"writing {path}", self._begin(exchange.put(path, body)))

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """See ports.Remote."""
        under_way: deque[tuple[str, Future[None]]] = deque()
        answers: list[LandbridgeError | None] = []
        for path, body in files:
            if len(under_way) == _TOGETHER:
                answers.append(self._wrong(*under_way.popleft()))
            try:
                under_way.append((f"writing {path}", self._begin(exchange.put(path, body))))
            except LandbridgeError as error:  # no connection, and so none for those that follow
                answers += [self._wrong(*one) for one in under_way]
                return answers + [error] * (len(files) - len(answers))
        return answers + [self._wrong(*one) for one in under_way]

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

    def _wrong(self, doing: str, begun: Future[None]) -> LandbridgeError | None:
        try:
            self._result(doing, begun)
        except LandbridgeError as error:
            return error
        return None
