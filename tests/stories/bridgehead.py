"""What stands on both sides of a collection: a real SFTP server with released files, a share, and a greedy consumer."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from landbridge.facts import Manifest, Slot, Verdict
from landbridge.ledger import absence_bytes, entries, read_receipt
from landbridge.share.folder import FolderShare
from landbridge.share.holding import HoldingFolder, usual_place
from landbridge.share.platform import Way
from landbridge.twin.keys import Ed25519Key
from landbridge.wiring.clock import SystemClock
from landbridge.world import Ground
from tests.fakes.facts import commitment

if TYPE_CHECKING:
    from landbridge.facts import Receipt
    from landbridge.ports import Progress, Remote

DAY = date(2026, 11, 20)
ENVIRONMENT = "DEV"


class Quiet:
    """Progress that nobody watches."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        pass

    def advance(self, step: str, amount: int) -> None:
        pass

    def finish(self, step: str) -> None:
        pass


@dataclass
class Bridgehead:
    """The server's folder, the share's root, and the keys between them."""

    folder: Path
    receipt_key: Ed25519Key = field(default_factory=Ed25519Key.generate)

    def __post_init__(self) -> None:
        for made in (self.outbound / "_manifests" / f"{DAY}", self.receipts, self.root):
            made.mkdir(parents=True, exist_ok=True)
        self.share("adopter").adopt()

    @property
    def server(self) -> Path:
        return self.folder / "server"

    @property
    def outbound(self) -> Path:
        return self.server / "outbound"

    @property
    def receipts(self) -> Path:
        return self.server / "receipts"

    @property
    def root(self) -> Path:
        return self.folder / "share"

    def share(
        self, collector: str = "edge1", way: Way = Way.RENAME, lease: timedelta = timedelta(minutes=2)
    ) -> FolderShare:
        return FolderShare(self.root, ENVIRONMENT, collector, SystemClock(), way=way, lease=lease)

    def ground(self, remote: Remote, share: FolderShare, progress: Progress | None = None) -> Ground:
        return Ground(
            environment=ENVIRONMENT,
            remote=remote,
            share=share,
            receipt_key=self.receipt_key.private_pem,
            receipt_keys=(self.receipt_key.public_pem,),
            clock=SystemClock(),
            progress=progress or Quiet(),
        )

    def release(
        self,
        body: bytes,
        *,
        feed: str = "flights",
        occurrence: str = f"{DAY}",
        revision: int = 1,
        name: str = "",
        done: str = "",
    ) -> Manifest:
        """Do what the cloud side does: the file, then its manifest."""
        path = f"{feed}_{occurrence}_{revision}.csv"
        (self.outbound / path).write_bytes(body)
        manifest = Manifest(
            feed=feed,
            occurrence=occurrence,
            business_date=DAY,
            revision=revision,
            environment=ENVIRONMENT,
            remote_path=f"/outbound/{path}",
            landed_name=name or path,
            done_name=done,
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            rows=1,
            committed_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
            deadline=None,
            commitment="c" * 64,
        )
        self.announce(manifest)
        return manifest

    @property
    def holding(self) -> HoldingFolder:
        """As another mover's files come."""
        return HoldingFolder(usual_place(self.root, ENVIRONMENT), self.root, SystemClock())

    def held(self, feed: str = "flights") -> Path:
        """Give the mover's folder of a feed."""
        self.holding.prepare([feed])
        return usual_place(self.root, ENVIRONMENT) / feed

    def moved(self, manifest: Manifest) -> None:
        """Do what the mover does: the file, then its manifest."""
        own = f"{manifest.feed}.{manifest.occurrence}.{manifest.revision:04d}.json"
        found = self.outbound / "_manifests" / f"{DAY}" / own
        for path in (self.server / manifest.remote_path.lstrip("/"), found):
            growing = self.held(manifest.feed) / f".part_{path.name}"
            growing.write_bytes(path.read_bytes())
            growing.rename(growing.with_name(path.name))

    def announce(self, manifest: Manifest, name: str = "") -> None:
        """Write the manifest."""
        own = f"{manifest.feed}.{manifest.occurrence}.{manifest.revision:04d}.json"
        body = entries.written("manifest", manifest)
        (self.outbound / "_manifests" / f"{DAY}" / (name or own)).write_bytes(body)

    def excuse(
        self,
        verdict: Verdict = Verdict.WAIVE,
        *,
        feed: str = "flights",
        occurrence: str = f"{DAY}",
        revision: int = 1,
        environment: str = ENVIRONMENT,
        name: str = "",
    ) -> Path:
        """Do what the cloud side does of a slot that owes no file."""
        at = datetime(2026, 11, 20, 8, tzinfo=UTC)
        decided = replace(
            commitment(Slot(feed, occurrence, DAY, at), revision, verdict=verdict), environment=environment
        )
        own = f"{feed}.{occurrence}.{revision:04d}.json"
        path = self.outbound / "_absences" / f"{DAY}" / (name or own)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(absence_bytes(decided, "c" * 64))
        return path

    def proven(self) -> list[Receipt]:
        """Give the receipts that reached the server, each with a valid signature."""
        found = sorted(self.receipts.rglob("*.json"))
        return [read_receipt(path.read_bytes(), [self.receipt_key.public_pem]) for path in found]

    def seen(self) -> dict[str, bytes]:
        """What is on the share now, without our private folder."""
        found = list[Path]()
        for folder, folders, names in os.walk(self.root):
            # in ours, folders come and go while a collector is at work
            folders[:] = [name for name in folders if name != ".landbridge"]
            found += [Path(folder) / name for name in names]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found if path.is_file()}


class Consumer:
    """Takes every file the moment it appears on the share, as the worst consumer would."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self.took: list[tuple[str, str]] = []
        """Name and sha256, in the order taken."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._take()

    def _live(self) -> None:
        while not self._ended.wait(0.0005):
            self._take()

    def _take(self) -> None:
        for path in self._root.iterdir():
            if path.is_file():
                self.took.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
                path.unlink()


def some_bytes(size: int, seed: int = 7) -> bytes:
    """Give bytes that differ by seed and place."""
    return random.Random(seed).randbytes(size)
