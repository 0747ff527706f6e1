"""Which mistakes can happen, what does the operator do next, and which exit code says so?

A few classes, grouped by the operator's next step, with the exit codes of sysexits.h so that a
Kubernetes podFailurePolicy and Control-M can branch on them. A bug is none of these: it keeps its traceback.

Source of the codes: sysexits(3), BSD.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from landbridge.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence


class Exit(IntEnum):
    """Exit codes of every command; the documentation renders this table."""

    DONE = 0
    USAGE = 64
    DATA = 65
    UNAVAILABLE = 69
    BUG = 70
    CANNOT_CREATE = 73
    IO = 74
    TRY_AGAIN = 75
    INTEGRITY = 76
    PERMISSION = 77
    DECLARATION = 78
    INTERRUPTED = 130


class LandbridgeError(Exception):
    """Something the operator can act on: what happened, what was expected, what was seen, what to do next."""

    exit: ClassVar[Exit] = Exit.BUG
    retry: ClassVar[bool] = False
    """Whether the same command may succeed later with nothing changed by a person."""

    def __init__(
        self, what: str, *, expected: str = "", seen: str = "", hint: str = "", whole: bool = False
    ) -> None:
        """Say `what` happened; `hint` is the next command or action. None of them may hold a secret.

        `whole` says that a share or disk failed as a whole, so that nothing else need be tried on it now.
        """
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.seen = seen
        self.hint = hint
        self.whole = whole

    def __str__(self) -> str:
        """Give one line for logs; the command line prints the parts apart."""
        parts = [self.what]
        parts += [f"expected {self.expected}"] if self.expected else []
        parts += [f"seen {self.seen}"] if self.seen else []
        parts += [self.hint] if self.hint else []
        return "; ".join(parts)


class UsageError(LandbridgeError):
    """The command line asked for something that does not exist or does not fit together."""

    exit = Exit.USAGE


class ContractBroken(LandbridgeError):
    """The data broke its contract: it is in quarantine, or was never staged, and nothing was released."""

    exit = Exit.DATA


class Unavailable(LandbridgeError):
    """A service did not answer properly after the retries; nothing is wrong with the declaration."""

    exit = Exit.UNAVAILABLE
    retry = True


class ShareRefused(LandbridgeError):
    """The share (or local disk) refused to create a file: read-only, full, away, or the wrong volume."""

    exit = Exit.CANNOT_CREATE
    retry = True


class DiskFailed(LandbridgeError):
    """Reading or writing the share or a local disk failed half-way; nothing half-done is visible."""

    exit = Exit.IO
    retry = True


class TryAgain(LandbridgeError):
    """Not yet: a source is not ready, or somebody else holds the claim. The next run will do."""

    exit = Exit.TRY_AGAIN
    retry = True


class NotYet(TryAgain):
    """What somebody else brings is not there, or not whole, or not at rest. Nothing is wrong so far."""


class IntegrityBroken(LandbridgeError):
    """Bytes differ from the evidence. A person must look; nothing was overwritten."""

    exit = Exit.INTEGRITY


class NotPermitted(LandbridgeError):
    """Credentials were refused, or lack a permission that this step needs."""

    exit = Exit.PERMISSION


class StackFailed(LandbridgeError):
    """The account did not take a resource as it is declared; the stack went back to what it was."""

    exit = Exit.DECLARATION


class DefinitionsRefused(LandbridgeError):
    """The scheduler did not take a job or profile as it is declared; what was deployed before is still there."""

    exit = Exit.DECLARATION


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in the declaration, with its place in the text (lines and columns count from 1)."""

    file: str
    line: int
    column: int
    path: str
    """Where in the document, dotted: `schedule.cron`."""
    what: str
    expected: str = ""
    seen: str = ""
    hint: str = ""
    """For instance the nearest known word."""


class DeclarationWrong(LandbridgeError):
    """The declaration has mistakes; all of them are listed at once."""

    exit = Exit.DECLARATION

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Carry every problem found, in the order of file and line."""
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        first = self.problems[0]
        super().__init__(
            f"the declaration has {counted(count, 'mistake')}",
            seen=f"{first.file}:{first.line}: {first.what}",
        )


class StoreConflict(LandbridgeError):
    """A key of a store already holds other bytes: somebody else won. Callers roll the winner forward."""

    exit = Exit.INTEGRITY


class NotFound(LandbridgeError):
    """A named object is not there. Callers that expect absence ask `head` instead."""

    exit = Exit.UNAVAILABLE


_REFUSALS = {
    errno.ENOSPC: "free space there; what was half-way stays private and is taken up again",
    errno.EDQUOT: "free space there or raise the quota; what was half-way stays private and is taken up again",
    errno.EFBIG: "the file system or a limit of this process allows no file of that size",
    errno.EROFS: "mount it writable",
    errno.EXDEV: "a file lands by one rename: its folder must be on the share's own volume, not mounted into it",
    errno.EACCES: "give this user the right to write there",
    errno.EPERM: "give this user the right to write there",
    errno.ENOENT: "look whether it is mounted",
    errno.ENOTDIR: "look whether it is mounted",
    errno.ESTALE: "mount it again",
    errno.EHOSTDOWN: "look whether its server is up",
    errno.ENODEV: "look whether it is mounted",
    errno.ENXIO: "look whether it is mounted",
}


_OF_THE_WHOLE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENOTCONN,
    errno.ETIMEDOUT,
    errno.ENODEV,
    errno.ENXIO,
}
"""What one file met, the next one will meet too; not so a right that is lacking, or a file in a folder's place."""


def disk_refused(error: OSError, what: str, *, whole: bool = False) -> ShareRefused | DiskFailed:
    """Say what a share or local disk did to `what` ("writing /mnt/edbh/x"): it refused, or it failed half-way (EIO and the like).

    `whole`: every file needs what was refused here, such as the journal.
    """
    seen = error.strerror or str(error)
    whole = whole or error.errno in _OF_THE_WHOLE
    if error.errno in _REFUSALS:
        return ShareRefused(f"{what} was refused", seen=seen, hint=_REFUSALS[error.errno], whole=whole)
    hint = "look at the disk, the mount and the system's log"
    return DiskFailed(f"{what} failed", seen=seen, hint=hint, whole=whole)
