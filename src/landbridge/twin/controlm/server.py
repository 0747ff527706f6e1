"""What does Control-M/Server know that no definition says: its clock, its working day, its names of zones, its pools?

A working day begins at New Day time on the clock of the job's own zone. A time of day before New Day is of the calendar
day after the working day's date. Source: BMC, "Pre-Ordering Jobs", "Time Zone".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_TIME = "%H%M"


@dataclass(frozen=True, slots=True)
class Server:
    """One Control-M/Server."""

    name: str
    zone: ZoneInfo
    """Of its own clock."""
    new_day: time
    """When a working day begins, on the clock of each zone."""
    zones: Mapping[str, ZoneInfo]
    """TimeZone.dat: what a label means."""
    pools: Mapping[str, int]
    """Units of each resource pool."""
    look_every: timedelta = field(default=timedelta(minutes=1))
    """How often a file watcher looks; a setting of managed file transfer, in no definition."""
    retry_after: timedelta = field(default=timedelta(seconds=30))
    """Pause before a transfer is tried again; as `look_every`."""
    longest_command: timedelta = field(default=timedelta(hours=1))
    """A command that takes longer is stopped, so that nothing is left behind by the twin."""

    def day_begins(self, order_date: date, label: str | None = None) -> datetime:
        """Give the instant (UTC) at which the working day begins for jobs of a zone.

        Raises:
            UsageError: no such zone.
        """
        return datetime.combine(order_date, self.new_day, self.zone_of(label)).astimezone(UTC)

    def order_date(self, at: datetime, label: str | None = None) -> date:
        """Give the working day that an instant falls into, for jobs of a zone.

        Raises:
            UsageError: no such zone.
        """
        local = at.astimezone(self.zone_of(label))
        return local.date() if local.time() >= self.new_day else local.date() - _DAY

    def zone_of(self, label: str | None) -> ZoneInfo:
        """Give the zone of a job; the server's own without a label.

        Raises:
            UsageError: the label is not in TimeZone.dat.
        """
        if label is None:
            return self.zone
        if label not in self.zones:
            raise UsageError(
                f"Control-M/Server {self.name} knows no time zone `{label}`",
                expected=", ".join(sorted(self.zones)) or "none is declared",
            )
        return self.zones[label]

    def instant(self, order_date: date, clock_time: str, label: str | None, days: int = 0) -> datetime:
        """Give the instant of `HHMM` of the working day `days` after another, on the clock of the job's zone.

        A time before the new day is of the next calendar day, since the working day lasts until then. A time that the
        clocks skip counts as an hour later.

        Raises:
            UsageError: no time, or no such zone.
        """
        zone = self.zone_of(label)
        try:
            at = datetime.strptime(clock_time, _TIME).time()  # noqa: DTZ007 - of the job's zone
        except ValueError as error:
            raise UsageError(f"`{clock_time}` is no time of day", expected="HHMM") from error
        day = order_date + days * _DAY + (_DAY if at < self.new_day else timedelta())
        return datetime.combine(day, at, zone).astimezone(UTC)
