"""How does a canary go over the same line, one level below where real files go?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.naming import CANARY, OUTBOUND, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.errors import LandbridgeError
    from landbridge.facts import Fetched
    from landbridge.ports import Remote, RemoteFile

SENT = f"/{OUTBOUND}/{CANARY}"
"""Where the SFTP user sees canaries."""
PROVEN = f"/{RECEIPTS}/{CANARY}"
"""Where their receipts go."""


def reports_prefix(canary: str) -> str:
    """Give the prefix of the reports bucket that is the whole bucket to a canary."""
    return f"{OUTBOUND}/{CANARY}/{canary}"


def ledger_prefix(canary: str, prefix: str) -> str:
    """Give the prefix of the ledger's bucket that is the whole ledger to a canary; no day begins like this."""
    return "/".join(part for part in (prefix.strip("/"), CANARY, canary) if part)


class Below:
    """The SFTP side as one canary sees it; obeys ports.Remote. What is asked for outside is looked for below its own folder."""

    def __init__(self, remote: Remote, canary: str) -> None:
        self._remote = remote
        self._canary = canary

    def files(self, folder: str) -> list[RemoteFile]:
        """See ports.Remote."""
        found = self._remote.files(self._at(folder))
        return [replace(one, path=f"{folder.rstrip('/')}/{one.name}") for one in found]

    def folders(self, folder: str) -> list[str]:
        """See ports.Remote."""
        return self._remote.folders(self._at(folder))

    def read(self, path: str) -> bytes:
        """See ports.Remote."""
        return self._remote.read(self._at(path))

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        """See ports.Remote."""
        return self._remote.read_many([replace(one, path=self._at(one.path)) for one in files])

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        """See ports.Remote."""
        return self._remote.download(self._at(path), into, size, watch)

    def download_many(
        self, wanted: Sequence[tuple[str, Path, int]], watch: Callable[[int], None] | None = None
    ) -> list[Fetched | LandbridgeError]:
        """See ports.Remote."""
        return self._remote.download_many(
            [(self._at(path), into, size) for path, into, size in wanted], watch
        )

    def write(self, path: str, body: bytes) -> None:
        """See ports.Remote."""
        self._remote.write(self._at(path), body)

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        """See ports.Remote."""
        return self._remote.write_many([(self._at(path), body) for path, body in files])

    def close(self) -> None:
        """See ports.Remote."""
        self._remote.close()

    def _at(self, path: str) -> str:
        if path.startswith(f"/{RECEIPTS}"):  # only there may the user add
            return f"{PROVEN}/{self._canary}{path.removeprefix(f'/{RECEIPTS}')}"
        return f"{SENT}/{self._canary}{path}"
