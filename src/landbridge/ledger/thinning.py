"""Is one more failure of a slot worth a record? Nothing in a ledger is ever removed, and what fails each minute may do so for a month.

The first ones all are. Of those that follow, what says something new is, as long as there is room; what is like the last one on record, only
when that one is older than a tenth of the time since the first. So the first stays, the newest is never far behind, and a month of a failure each minute
leaves about a hundred records; ten years leave fifty more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landbridge.facts import Failure

FIRST = 20
"""So many are recorded, whatever they say."""
ROOM = 100
"""Beyond so many on record, also what is new waits for its time."""
_SHARE = 10
_STAMP = "%Y%m%dT%H%M%S.%fZ"


def stamp(failed_at: datetime) -> str:
    """Give the time in the name of a record, by which records are in order."""
    return f"{failed_at:{_STAMP}}"


def worth_a_record(failure: Failure, on_record: Sequence[str], last: Callable[[], Failure]) -> bool:
    """Tell whether `failure` is to be written beside the records of those names, the oldest first; `last` reads the newest of them."""
    if len(on_record) < FIRST:
        return True
    first, newest = (_time(on_record[at]) for at in (0, -1))
    if first is None or newest is None:  # somebody else's file among them: nobody knows when
        return len(on_record) < ROOM
    if failure.failed_at - newest >= (failure.failed_at - first) / _SHARE:
        return True
    return len(on_record) < ROOM and _says(failure) != _says(last())


def _time(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _says(one: Failure) -> tuple[int, str, int, str]:
    return one.revision, one.step, one.exit, one.reason
