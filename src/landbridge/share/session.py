"""What does one run of a collector hold on the share: marker, lock, journal, claims, folders?"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from landbridge.disk import make_folder
from landbridge.errors import TryAgain, UsageError, disk_refused
from landbridge.share.claims import Claims, Who
from landbridge.share.journal import Journal
from landbridge.share.platform import way_of
from landbridge.share.together import Folders
from landbridge.share.volume import recognise

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.ports import Clock
    from landbridge.share.machine import Machine
    from landbridge.share.platform import Way
    from landbridge.share.volume import Recognised

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PATIENCE = timedelta(seconds=5)
"""How long the end of another run of the same collector is awaited: two jobs of one minute may overlap."""


@dataclass(frozen=True)
class Settings:
    """Which share, for which environment, and who we are on it."""

    root: Path
    environment: str
    collector: str
    """Letters, digits, `.`, `-` and `_`; one name a host."""
    clock: Clock
    journal: Path
    """Folder of the journal. Several collectors of one share must leave it on the share, where all of them see it."""
    lease: timedelta
    """A collector that gives no sign of life for so long may lose its claims."""
    machine: Machine

    @cached_property
    def private(self) -> Path:
        """Our own folder on the share's volume."""
        return self.root / ".landbridge" / self.environment.lower()

    @cached_property
    def parts(self) -> Path:
        """Where parts wait, on the share's own volume."""
        return self.private / "parts"


@dataclass(frozen=True, slots=True)
class Session:
    """A run of the collector that holds its lock and shows that it lives."""

    settings: Settings
    volume: Recognised
    way: Way
    who: Who
    journal: Journal
    claims: Claims
    folders: Folders
    held: int | None
    kept: set[Path] = field(default_factory=set)
    """Folders of the consumer whose names this session has made durable."""

    @property
    def disk(self) -> Disk:
        """The one all of it is on."""
        return self.settings.machine.disk

    @property
    def parts(self) -> Path:
        """See Settings.parts."""
        return self.settings.parts

    def close(self) -> None:
        """Give everything back."""
        self.claims.close()
        self.journal.close()
        if self.held is not None:
            with suppress(OSError):  # whatever it says, the lock is gone (close(2), Linux)
                self.disk.close(self.held)


def begin(settings: Settings, way: Way | None) -> Session:
    """Recognise the share and begin a session on it.

    Raises:
        ShareRefused, DiskFailed, IntegrityBroken: see `volume.recognise`.
        TryAgain: a collector of this name is at work.
        UsageError: the collector's name is not plain.
    """
    if not _PLAIN.fullmatch(settings.collector):
        raise UsageError(
            f"{settings.collector!r} cannot be a collector's name",
            expected="letters, digits, `.`, `-` and `_`, at most 100",
        )
    machine, disk = settings.machine, settings.machine.disk
    volume = recognise(disk, settings.private, settings.journal)
    parts, claims, alive = (settings.private / name for name in ("parts", "claims", "alive"))
    try:
        for folder in (parts, claims, alive):
            make_folder(disk, folder)
        # Whoever made them: a part that is gone means delivered, so the folder itself must not go with a power cut.
        disk.sync_folder(settings.private)
        held = _lock_of(settings)
    except BlockingIOError as error:
        raise TryAgain(
            f"a collector named {settings.collector} is at work on {settings.root}",
            hint="let it finish; two hosts need two names (the environment variable LANDBRIDGE_COLLECTOR)",
        ) from error
    except OSError as error:
        raise disk_refused(error, f"opening {settings.private}", whole=True) from error
    try:
        who = Who(settings.collector, machine.token(), alone=held is not None)
        way = way or way_of(machine, parts)
        return Session(
            settings,
            volume,
            way,
            who,
            Journal(disk, settings.journal, settings.collector),
            Claims(machine, claims, alive, who, settings.lease, way),
            Folders(disk),
            held,
        )
    except OSError as error:
        if held is not None:
            disk.close(held)
        raise disk_refused(error, f"opening {settings.private}", whole=True) from error


def _lock_of(settings: Settings) -> int | None:
    until = settings.clock.now() + _PATIENCE
    while True:
        try:
            return settings.machine.disk.lock(settings.journal / f"{settings.collector}.lock")
        except BlockingIOError:
            if settings.clock.now() >= until:
                raise
            settings.clock.sleep(0.1)
