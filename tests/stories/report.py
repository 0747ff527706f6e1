"""What came of a simulated span, for a person: how each day's slots ended, and what Control-M told whom?"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from landbridge.facts import SlotState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from landbridge.standing import Standing
    from landbridge.twin.chronicle import Happening
    from landbridge.twin.controlm.outbox import Told

_SERVICES = ("service complete", "service late")


def lines(seen: Iterable[Standing], told: Sequence[Told], happened: Iterable[Happening]) -> Iterator[str]:
    """Write both halves: the cloud and the share by the ledger, and the operators' view of Control-M."""
    yield "How the slots ended, by the day on which they were due (UTC):"
    yield from _days(seen)
    yield ""
    yield "What Control-M told (UTC, job, order date):"
    services = [(one.at, one.who, one.order_date, one.what) for one in happened if one.what in _SERVICES]
    news = [
        (
            one.at,
            one.job,
            f"{one.order_date:%Y%m%d}",
            f"{'mail to ' + one.to if one.to else 'alert'}: {_first(one)}",
        )
        for one in told
    ]
    for at, job, order_date, what in sorted([*services, *news]):
        yield f"  {at:%Y-%m-%d %H:%M}  {job:<24} {order_date}  {what}"


def _days(seen: Iterable[Standing]) -> Iterator[str]:
    due = sorted(seen, key=lambda one: (one.slot.scheduled_at.date(), one.slot.feed))
    for day, of_day in groupby(due, key=lambda one: one.slot.scheduled_at.date()):
        cells = []
        for feed, of_feed in groupby(of_day, key=lambda one: one.slot.feed):
            states = Counter(_state(one) for one in of_feed)
            cells.append(
                f"{feed} " + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
            )
        yield f"  {day:%a %Y-%m-%d}  {';  '.join(cells)}"


def _state(one: Standing) -> str:
    late = one.late and one.state in {SlotState.DELIVERED, SlotState.SKIPPED}
    return f"{one.state.value}{' late' if late else ''}"


def _first(told: Told) -> str:
    return told.text.partition("\n")[0]
