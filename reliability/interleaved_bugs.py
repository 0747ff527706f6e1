"""Would anybody notice if a safeguard against who wakes up too late were taken away? Bugs that some order of two collectors must show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.share import claims, platform, records, settle
from landbridge.share.platform import Way
from reliability.interleavings import Situation, orders
from reliability.planted import Bug, Caught, all_caught, caught

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.figures import Figure

MOST = 4_000
"""Orders in which a bug must show."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, and the situation whose orders can show it."""

    bug: Bug
    at: Situation

    @property
    def name(self) -> str:
        """Give the bug's."""
        return self.bug.name


_SKIP = "pass"
LATE_BUGS = (
    Planted(
        Bug(
            "a link is made although the claim is gone",
            ((claims.Claims.through, "if self._way is not Way.LINK:", "if True:"),),
        ),
        Situation(Way.LINK),
    ),
    Planted(
        Bug(
            "a done-file that was linked and taken is linked again",
            (
                (
                    settle.name_done,
                    "if not (may_wait and was_linked(session.disk, waiting, intent.done_changed)):",
                    "if True:",
                ),
            ),
        ),
        Situation(Way.LINK),
    ),
    Planted(
        Bug(
            "parts are dropped although the claim is gone",
            ((settle.drop, "session.claims.still_ours(token)", _SKIP),),
        ),
        Situation(Way.RENAME),
    ),
    Planted(
        Bug(
            "what was dropped is not remembered", ((records.Account._drop, "self.dropped.add(part)", _SKIP),)
        ),
        Situation(Way.RENAME),
    ),
    Planted(
        Bug(
            "parts are dropped and the journal does not say so",
            ((settle.drop, "session.journal.append_all(", "list("),),
        ),
        Situation(Way.RENAME),
    ),
    Planted(
        Bug(
            "a part that is missing was delivered, whoever else settles",
            (
                (
                    settle._was_delivered,
                    "if not is_open or not {*seen.parts[intent.part]} <= {*places, name}:",
                    "if False:",
                ),
            ),
        ),
        Situation(Way.RENAME, "before report.csv"),
    ),
    Planted(
        Bug(
            "a part that somebody moves under the look was linked",
            (
                (
                    platform.was_linked,
                    "with opened(disk, part, os.O_RDONLY):\n        state = disk.lstat(part)",
                    "with opened(disk, part, os.O_RDONLY) as file:\n        state = disk.fstat(file)",
                ),
            ),
        ),
        Situation(Way.LINK, "before report.csv"),
    ),
    Planted(
        Bug(
            "a part is moved and the journal does not say so",
            (
                (
                    settle._was_delivered,
                    "session.journal.append(manifest.business_date, moving, *theirs)",
                    _SKIP,
                ),
            ),
        ),
        Situation(Way.RENAME, "before report.csv"),
    ),
)


def shown(planted: Planted) -> Caught:
    """Play orders with the bug in place until one of them is broken."""
    stream = _problems(planted)
    return caught(planted.bug, MOST, lambda _number: next(stream, []))


def _problems(planted: Planted) -> Iterator[list[str]]:
    stops = planted.at.stops()
    for mine in (*stops[::3], *stops[1::3], *stops[2::3]):
        for _, played in orders(planted.at, mine):
            yield played.problems


def planted() -> Figure:
    """Plant every bug, and see each of them caught.

    Raises:
        AssertionError: one is not; names it.
    """
    return all_caught(
        "planted bugs of who wakes up too late, each caught", len(LATE_BUGS), map(shown, LATE_BUGS), "orders"
    )
