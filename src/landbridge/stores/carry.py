"""How do the same bytes get into another store, of the same kind or not?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from landbridge.errors import StoreConflict
from landbridge.ports import Erasable, Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landbridge.facts import Content, Location
    from landbridge.ports import Blob


class Target(Erasable, Protocol):
    """A store that bytes can be carried into."""

    @property
    def reach(self) -> str:
        """Name the system it lies in: stores of one reach can copy between themselves."""
        ...

    def put_stream(self, key: str, blocks: Iterable[bytes], content: Content) -> Blob:
        """Create `key` from `blocks`, only if nobody has; all or nothing. The same bytes already there are fine.

        Raises:
            StoreConflict: `key` exists with other bytes.
            IntegrityBroken: what came is not `content`; nothing is visible under `key`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Beside:
    """A declared place beside the reports bucket; obeys ports.Place."""

    staging: Target
    store: Target

    def deliver(self, source: Location, key: str, content: Content) -> Location:
        """Bring staged bytes there; see ports.Place."""
        return carry(self.staging, source, self.store, key, content).at


def carry(source: Target, at: Location, target: Target, key: str, content: Content) -> Blob:
    """Bring the object `at` of `source` to `key` of `target`, only if nobody has; all or nothing, in bounded memory.

    The server copies where both stores have one reach; else the bytes pass through here, hashed. The same bytes
    already there are fine and nothing is sent.

    Raises:
        StoreConflict: `key` exists with other bytes.
        IntegrityBroken: what came is not `content`; nothing is visible under `key`.
        NotFound: the source is gone.
    """
    if source.reach == target.reach:
        return target.copy_new(at, key, content)
    known = target.head(key)
    if known is None:
        return target.put_stream(key, source.chunks(at), content)
    if known.size != content.size or _digest(target, known) != content.sha256:
        raise StoreConflict(
            f"{known.at} already holds other bytes",
            expected=f"{content.size} bytes, sha256 {content.sha256}",
            seen=f"{known.size} bytes, written {known.modified_at:%Y-%m-%dT%H:%M:%SZ}",
        )
    return known


def _digest(store: Store, blob: Blob) -> str:
    if blob.sha256:
        return blob.sha256
    digest = hashlib.sha256()
    for block in store.chunks(blob.at):
        digest.update(block)
    return digest.hexdigest()
