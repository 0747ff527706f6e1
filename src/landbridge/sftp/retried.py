"""What is tried again over SFTP, and how often? A wrapper around any remote; nothing else retries whole calls."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from landbridge.again import Again
from landbridge.errors import LandbridgeError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.facts import Fetched
    from landbridge.ports import Remote, RemoteFile

_T = TypeVar("_T")
_U = TypeVar("_U")


class Retried:
    """A remote whose calls are tried again, with growing pauses and jitter, while it is Unavailable; obeys ports.Remote.

    A download goes on where the line was cut. After `close` nothing is tried again, so an interruption ends soon.
    """

    def __init__(self, remote: Remote, *, attempts: int = 5, longest_pause: float = 5.0) -> None:
        self._remote = remote
        self._closed = False
        self._again = Again(attempts, None, longest_pause, over=lambda: self._closed)

    def files(self, folder: str) -> list[RemoteFile]:
        """See ports.Remote."""
        return self._again.call(lambda: self._remote.files(folder))

    def folders(self, folder: str) -> list[str]:
        """See ports.Remote."""
        return self._again.call(lambda: self._remote.folders(folder))

    def read(self, path: str) -> bytes:
        """See ports.Remote."""
        return self._again.call(lambda: self._remote.read(path))

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        """See ports.Remote."""
        return self._again.call(lambda: self._remote.read_many(files))

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """See ports.Remote; `watch` is told of no byte twice, also when it is read again from the disk."""
        told = tries = 0

        def once() -> Fetched:
            nonlocal tries
            tries, seen = tries + 1, 0

            def fresh(amount: int) -> None:
                nonlocal told, seen
                seen += amount
                if watch is not None and seen > told:
                    watch(seen - told)
                told = max(told, seen)

            return self._remote.download(path, into, size, fresh)

        return replace(self._again.call(once), attempts=tries)

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        """See ports.Remote; only those are tried again that did not come."""

        def some(left: Sequence[tuple[str, Path, int]], tries: int) -> list[Fetched | LandbridgeError]:
            came = self._remote.download_many(left, watch)
            return [one if isinstance(one, LandbridgeError) else replace(one, attempts=tries) for one in came]

        return self._each(wanted, some)

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""
        self._again.call(lambda: self._remote.write(path, body))

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """See ports.Remote; only those are tried again that were not put."""
        return self._each(files, lambda left, _: self._remote.write_many(left))

    def close(self) -> None:
        """See ports.Remote."""
        self._closed = True
        self._remote.close()

    def _each(
        self, asked: Sequence[_T], some: Callable[[Sequence[_T], int], Sequence[_U | LandbridgeError]]
    ) -> list[_U | LandbridgeError]:
        """Give the answers of `some`, which is told how often it was tried; asked again is for what was Unavailable."""
        answers: dict[int, _U | LandbridgeError] = {}
        tries = 0

        def once() -> None:
            nonlocal tries
            tries += 1
            left = [n for n in range(len(asked)) if n not in answers or isinstance(answers[n], Unavailable)]
            answers.update(zip(left, some([asked[n] for n in left], tries), strict=True))
            for answer in answers.values():
                if isinstance(answer, Unavailable):
                    raise answer

        with suppress(Unavailable):
            self._again.call(once)
        return [answers[n] for n in range(len(asked))]
