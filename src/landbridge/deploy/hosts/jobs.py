"""Which jobs does a host on premises run for an environment, whatever starts them?

For each feed a collection at the times of its slots, and a check at its deadlines; for all feeds together a look at what
comes outside of every window, such as corrections and late files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from landbridge.deploy.hosts.installed import Installed, installed
from landbridge.deploy.hosts.moments import Moments, ends, longest_run, starts
from landbridge.errors import UsageError
from landbridge.feed.words import duration_text, is_reference
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.project import Declaration, Place

SWEEP = timedelta(hours=1)
"""How often what comes outside of every window is looked for, when nothing is declared."""
LOOK = timedelta(minutes=1)
"""Between two looks of a collection that waits."""
MARGIN = timedelta(hours=2)
"""Of a run after its window: a file that began in time may still be on its way. Killed then, the next run goes on."""
CHECK_LIMIT = timedelta(minutes=15)
_DIVISORS = tuple(
    timedelta(minutes=n)
    for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
)
"""What divides an hour or a day, so that a calendar can say it."""


@dataclass(frozen=True, slots=True)
class Collecting:
    """A collection for one feed, started when its file may first be released."""

    feed: str
    name: str
    starts: Moments
    limit: timedelta
    """A run that lasts longer hangs."""
    title: str


@dataclass(frozen=True, slots=True)
class Checking:
    """A look whether a file was late, at each deadline of one feed."""

    feed: str
    name: str
    starts: Moments
    limit: timedelta
    title: str


@dataclass(frozen=True, slots=True)
class Sweeping:
    """A collection of whatever there is for all feeds."""

    name: str
    every: timedelta
    """Divides an hour or a day."""
    limit: timedelta
    title: str


Timed = Collecting | Checking
Job = Collecting | Checking | Sweeping


@dataclass(frozen=True, slots=True)
class Ground:
    """All that is rendered for the hosts of one environment."""

    project: str
    environment: str
    name: str
    """Project and environment, for files and units."""
    group: str
    """What a central scheduler calls the hosts."""
    program: Installed
    jobs: tuple[Job, ...]
    mail: tuple[str, ...]
    sessions: int
    """Transfers at once that one collection makes."""
    writable: tuple[str, ...]
    """Absolute folders that a collection writes to; empty when only the host knows them."""
    secrets: tuple[str, ...]
    """Files of the declaration that hold secrets, below its folder."""

    def words(self, job: Job, passed: timedelta = LOOK) -> tuple[str, ...]:
        """Give the command of a job, unquoted. `passed`: a check looks at deadlines of so long ago and later."""
        match job:
            case Collecting():
                every = duration_text(LOOK)
                return self.program.words("collect", "--feed", job.feed, "--until-deadline", "--every", every)
            case Checking():
                return self.program.words(
                    "status", "--feed", job.feed, "--check", "--passed", duration_text(passed)
                )
            case Sweeping():
                return self.program.words("collect")


def ground(declaration: Declaration, environment: str, *, checks: bool = True) -> Ground:
    """Give the jobs of an environment; without `checks`, late files are left to who can read the ledger.

    Raises:
        UsageError: no feed exists in this environment.
    """
    where = place(declaration.project, environment)
    feeds = [
        feed
        for name, feed in sorted(declaration.feeds.items())
        if not feed.environments or environment in feed.environments
    ]
    if not feeds:
        raise UsageError(f"no feed exists in {environment}", expected="at least one to schedule")
    overdue_after = declaration.project.overdue_after
    jobs: list[Job] = []
    for feed in feeds:
        waits = longest_run(feed, overdue_after)
        jobs.append(
            Collecting(
                feed.feed, f"collect-{feed.feed}", starts(feed), waits + MARGIN, f"collect {feed.feed}"
            )
        )
        if checks:
            told = f"tell when {feed.feed} is late"
            jobs.append(
                Checking(feed.feed, f"late-{feed.feed}", ends(feed, overdue_after), CHECK_LIMIT, told)
            )
    every = _divisor(where.host.every or SWEEP)
    jobs.append(Sweeping("sweep", every, max(every, MARGIN), "collect corrections and late files"))
    name = f"{where.project}-{environment}".lower()
    return Ground(
        project=where.project,
        environment=environment,
        name=name,
        group=where.host.group or name,
        program=installed(where),
        jobs=tuple(jobs),
        mail=where.host.mail,
        sessions=where.share.parallel,
        writable=tuple(_writable(where)),
        secrets=_secrets(where),
    )


def short(name: str, length: int) -> str:
    """Give a name of at most `length` characters: itself, or its beginning and a digest."""
    if len(name) <= length:
        return name
    return f"{name[: length - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _divisor(every: timedelta) -> timedelta:
    """Give the longest time that divides an hour or a day, and is no longer: rather too often than too rarely."""
    return max((one for one in _DIVISORS if one <= every), default=_DIVISORS[0])


def _writable(where: Place) -> Iterator[str]:
    paths = [path for path in (where.share.path, where.share.journal, where.share.holding) if path]
    if any(is_reference(path) for path in paths):
        return
    folder = installed(where).folder
    pure = PurePosixPath if where.host.os == "linux" else PureWindowsPath
    yield from dict.fromkeys(str(pure(folder) / path) for path in paths)


def _secrets(where: Place) -> tuple[str, ...]:
    references = (where.sftp.private_key, where.sftp.passphrase, where.share.receipt_key)
    return tuple(one.removeprefix("file:") for one in references if one and one.startswith("file:"))
