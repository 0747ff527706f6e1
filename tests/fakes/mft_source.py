"""An SFTP server that a test plays for transfers: files appear at their time, connections break as it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.errors import Unavailable
from landbridge.twin.controlm.sftp import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_THEN = datetime(2026, 11, 20, tzinfo=UTC)
_BLOCK = 4


@dataclass
class PlayedSource:
    """Obeys sftp.Remote."""

    now: Callable[[], datetime]
    files: dict[str, tuple[datetime, bytes]] = field(default_factory=dict)
    """By path: when it appears, and what it holds."""
    breaks: list[int] = field(default_factory=list)
    """Each read in turn breaks after so many bytes."""
    reads: list[tuple[str, int]] = field(default_factory=list)
    looks: int = 0

    def listing(self, folder: str) -> list[Seen]:
        self.looks += 1
        return [
            Seen(path, len(body), _THEN)
            for path, (at, body) in sorted(self.files.items())
            if path.rpartition("/")[0] == folder and at <= self.now()
        ]

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        self.reads.append((path, offset))
        left = self.breaks.pop(0) if self.breaks else None
        body = self.files[path][1][offset:]
        while body:
            if left is not None and left < _BLOCK:
                raise Unavailable("the line broke")
            yield body[:_BLOCK]
            body = body[_BLOCK:]
            left = None if left is None else left - _BLOCK
