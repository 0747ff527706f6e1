"""Where on the share does a canary land? In a share of its own, inside our private folder on the same volume."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.canary.bird import is_name, sent_at
from landbridge.disk.local import LOCAL
from landbridge.errors import disk_refused
from landbridge.share.volume import recognise

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_FOLDER = "canary"
_KEPT = timedelta(days=1)
"""How long what a killed canary left on the share is left alone: it may still be under way."""


@dataclass(frozen=True, slots=True)
class Nest:
    """The folders of one canary on a share."""

    private: Path
    """Our folder on the share, of this environment."""
    outer_journal: Path
    """The journal of real files; where that is on another disk, the canary's lies beside it."""
    canary: str

    @property
    def root(self) -> Path:
        """What is the share's root to the canary."""
        return self.private / _FOLDER / self.canary

    @property
    def journal(self) -> Path | None:
        """Where its journal is, if not in the usual place."""
        if self.outer_journal.is_relative_to(self.private):
            return None
        return self.outer_journal / _FOLDER / self.canary

    def prepare(self, now: datetime) -> None:
        """Make it, on a share that is recognised, and remove what killed canaries left more than a day ago.

        Raises:
            ShareRefused, DiskFailed, IntegrityBroken: the share is not there, or is another one: nothing was touched.
        """
        recognise(LOCAL, self.private, self.outer_journal)
        try:
            self.root.mkdir(parents=True)
            for mine in (self.root, self.journal):
                for left in mine.parent.glob("*") if mine is not None else ():
                    if is_name(left.name) and sent_at(left.name) < now - _KEPT:
                        shutil.rmtree(left, ignore_errors=True)
        except OSError as error:
            raise disk_refused(error, f"making {self.root}") from error

    def clear(self) -> tuple[str, ...]:
        """Remove what the canary left on the share, and give what could not be removed."""
        left = []
        for folder in (self.root, self.journal):
            if folder is None:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            left += [str(folder)] if folder.exists() else []
            with suppress(OSError):  # another canary is under way
                folder.parent.rmdir()
        return tuple(left)
