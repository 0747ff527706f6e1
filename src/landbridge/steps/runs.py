"""Who runs, and when: what every entry of the ledger says of its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from landbridge.ports import Clock


class Runs(Protocol):
    """The run that writes an entry."""

    @property
    def clock(self) -> Clock:
        """For the time of the entry."""
        ...

    @property
    def run_id(self) -> str:
        """Name of this run in logs and evidence."""
        ...

    @property
    def actor(self) -> str:
        """Who (or what) runs."""
        ...
