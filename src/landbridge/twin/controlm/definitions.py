"""What does the twin's Control-M know of folders, jobs and profiles, once their JSON has been read?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta

    from landbridge.twin.controlm.events import Event


@dataclass(frozen=True, slots=True)
class Days:
    """A rule for order dates."""

    weekdays: frozenset[int] = frozenset()
    """0 is Monday. With `month_days` beside it, either is enough."""
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    """Empty: all."""
    confirmed: frozenset[date] | None = None
    """Of all these, only the days that a regular calendar names."""

    def fits(self, day: date) -> bool:
        """Tell whether a day is one of them."""
        if self.months and day.month not in self.months:
            return False
        if self.confirmed is not None and day not in self.confirmed:
            return False
        return day.weekday() in self.weekdays or day.day in self.month_days


@dataclass(frozen=True, slots=True)
class Window:
    """When a job of an order date may start."""

    begins: str | None
    """HHMM; from the new day on without it."""
    ends: str | None
    """HHMM; None: as long as the job is kept active."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A cyclic job: it runs again whatever came of it, while its window is open."""

    every: timedelta
    since: Literal["Start", "End"]
    times: int
    """Runs in all; 0: as often as the window allows."""


@dataclass(frozen=True, slots=True)
class RerunLimit:
    """What `Action:Rerun` may do."""

    every: timedelta
    """After the end of the run that failed."""
    times: int


@dataclass(frozen=True, slots=True)
class Mail:
    """Write to somebody."""

    to: str
    subject: str
    message: str
    attach_output: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """Tell the Alerts window."""

    message: str
    urgency: str


@dataclass(frozen=True, slots=True)
class SetToOk:
    """Let the job count as ended well."""


@dataclass(frozen=True, slots=True)
class RunAgain:
    """Run the job again, as its RerunLimit says."""


@dataclass(frozen=True, slots=True)
class AddEvent:
    """Add an event."""

    event: Event


Action = Mail | Alert | SetToOk | RunAgain | AddEvent


@dataclass(frozen=True, slots=True)
class If:
    """What to do when a run ended in a certain way."""

    status: str
    """OK, NOTOK, ANY, or an exit code, also with `!=`, `<`, `>`, `<=` or `>=` before it."""
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Whom to alert when a job has not started, or not ended, by a time."""

    what: Literal["start", "end"]
    by: str
    """HHMM."""
    days: int
    """After the order date."""
    alert: Alert


@dataclass(frozen=True, slots=True)
class Watch:
    """How long a file watcher waits, and for how much."""

    least_size: int
    """Bytes."""
    until: str | None
    """HHMM at which it gives up ..."""
    limit: timedelta | None
    """... or how long after it began."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One entry of a file-transfer job."""

    source: str
    """Path; with `wildcard`, a pattern in its last part."""
    destination: str
    """A folder (it ends in a separator), or a file."""
    wildcard: bool
    watch: Watch | None
    move: bool
    """False: only wait for the file."""
    prefix: str
    """Of the file's name while it grows."""
    delete_on_failure: bool
    go_on: bool
    """The next entry begins although this one failed."""


@dataclass(frozen=True, slots=True)
class Mft:
    """Managed file transfer."""

    source_profile: str
    destination_profile: str
    retries: int
    """Tries of a transfer after the first, before the job fails."""
    from_point_of_failure: bool
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class Os:
    """A command on an agent."""

    command: str
    run_as: str


@dataclass(frozen=True, slots=True)
class Sla:
    """A service with a time by which it must be complete."""

    service: str
    by: str
    """HHMM."""
    days: int
    """After the order date."""


Work = Mft | Os | Sla


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a folder."""

    name: str
    work: Work
    host: str
    zone: str | None
    """Label of TimeZone.dat; the server's own clock without it."""
    days: tuple[Days, ...]
    """One of them must fit."""
    window: Window
    rerun: Rerun | None
    limit: RerunLimit | None
    variables: tuple[tuple[str, str], ...]
    waits: tuple[Event, ...]
    """For all of them."""
    adds: tuple[Event, ...]
    """When it ended well."""
    pools: Mapping[str, int]
    ifs: tuple[If, ...]
    notices: tuple[Notice, ...]
    keep_days: int
    """A job that did not end well stays so many days beyond its own."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that Control-M/Server orders by itself at each new day."""

    name: str
    application: str
    days: tuple[Days, ...]
    """On a day that none has, nothing of the folder is ordered."""
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class SftpProfile:
    """The source of transfers."""

    name: str
    host: str
    port: int
    user: str
    key: str
    """Name of the private key on the agents."""
    home: str
    verify_bytes: bool


@dataclass(frozen=True, slots=True)
class LocalProfile:
    """The destination of transfers, as the agents see it."""

    name: str
    windows: bool
    user: str
    verify_bytes: bool


@dataclass(frozen=True, slots=True)
class Deployed:
    """Everything that was deployed to one Control-M/Server."""

    folders: tuple[Folder, ...]
    profiles: Mapping[str, SftpProfile | LocalProfile] = field(default_factory=dict)
