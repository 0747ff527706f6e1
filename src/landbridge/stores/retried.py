"""What is tried again, and how often? A wrapper around any store; nothing else retries whole calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.again import Again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from landbridge.facts import Content, Location
    from landbridge.ports import Blob
    from landbridge.stores.carry import Target


class Retried:
    """A store whose calls are tried again, with growing pauses and jitter, while it is Unavailable; obeys ports.Store.

    Every call of a store may be repeated: writes are idempotent or conditional. A stream that breaks goes on where
    it broke, in the same version. What came from a caller's own stream (`put_stream`) is not tried again: it is gone.
    """

    def __init__(self, store: Target, *, attempts: int = 6, most_seconds: float = 180.0) -> None:
        self.name = store.name
        self._store = store
        self._again = Again(attempts, most_seconds, longest_pause=15.0)

    @property
    def reach(self) -> str:
        """The wrapped store's own."""
        return self._store.reach

    def put_file(self, key: str, path: Path, content: Content) -> Blob:
        """See ports.Store."""
        return self._again.call(lambda: self._store.put_file(key, path, content))

    def put_new(self, key: str, body: bytes) -> Blob:
        """See ports.Store."""
        return self._again.call(lambda: self._store.put_new(key, body))

    def put_stream(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        """See carry.Target; tried once."""
        return self._store.put_stream(key, blocks, content)

    def copy_new(self, source: Location, key: str, content: Content) -> Blob:
        """See ports.Store."""
        return self._again.call(lambda: self._store.copy_new(source, key, content))

    def head(self, key: str) -> Blob | None:
        """See ports.Store."""
        return self._again.call(lambda: self._store.head(key))

    def read(self, key: str) -> bytes:
        """See ports.Store."""
        return self._again.call(lambda: self._store.read(key))

    def fetch(self, at: Location, path: Path) -> Content:
        """See ports.Store."""
        return self._again.call(lambda: self._store.fetch(at, path))

    def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
        """See ports.Store; after a cut it begins again and leaves out what was already given."""
        given = 0
        for attempt in self._again.tries():
            with attempt:
                skip = given
                for block in self._store.chunks(at, size):
                    rest, skip = block[skip:], max(0, skip - len(block))
                    given += len(rest)
                    if rest:
                        yield rest

    def list(self, prefix: str) -> Iterator[Blob]:
        """See ports.Store; after a cut it begins again behind the last key that was given."""
        last = ""
        for attempt in self._again.tries():
            with attempt:
                for blob in self._store.list(prefix):
                    if blob.at.key.encode() > last.encode():
                        last = blob.at.key
                        yield blob

    def versions(self, key: str) -> Sequence[Blob]:
        """See ports.Store."""
        return self._again.call(lambda: self._store.versions(key))

    def remove(self, at: Location) -> None:
        """See ports.Erasable; removing again what a lost answer has removed is fine."""
        self._again.call(lambda: self._store.remove(at))
