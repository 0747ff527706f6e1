"""Would anybody notice if a safeguard against who wakes up too late were taken away? Bugs that some order of two collectors must show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.share import claims, done, landing, platform, records, settle, taken
from landbridge.share.platform import Way
from reliability.interleavings import orders, played, stops
from reliability.orders import FOUND, Situation, Stretch, Ways, all_by
from reliability.planted import Bug, Caught, all_caught, caught
from reliability.touches import NAMING

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
    before: frozenset[str] = frozenset({*NAMING, "unlink"})
    """Before which calls somebody sleeps in the orders that are played first: most show where a name is to be given, or to go."""

    @property
    def name(self) -> str:
        """Give the bug's."""
        return self.bug.name


_SKIP = "pass"
_LINKED, _RENAMED = all_by(Way.LINK), all_by(Way.RENAME)
_NOBODY_ELSE_SETTLES = (
    (
        taken.take_away,
        "if not is_open or not {*seen.parts[one.intent.part]} <= {*one.places, one.mine}:",
        "if False:",
    ),
)
LATE_BUGS = (
    Planted(
        Bug(
            "a link is made although the claim is gone",
            ((claims.Claims.through, "if self._way is not Way.LINK:", "if True:"),),
        ),
        Situation(_LINKED),
    ),
    Planted(
        Bug(
            "a done-file that was linked and taken is linked again",
            ((done.deliver_done, "waiting = _linked(session, one)", "waiting = None"),),
        ),
        Situation(_LINKED),
    ),
    Planted(
        Bug(
            "a done-file is linked by who took it, and the journal does not say so",
            (
                (
                    done._name,
                    "session.journal.append(one.intent.manifest.business_date, Linking(one.slot, one.mine, changed))",
                    _SKIP,
                ),
            ),
        ),
        Situation(_LINKED, "before report.done"),
    ),
    Planted(
        Bug(
            "a done-file is named where it waits, by whoever settles",
            (
                (
                    done.deliver_done,
                    "waiting = private_done(session, one.mine)",
                    "waiting = private_done(session, one.places[0])",
                ),
                (
                    done.deliver_done,
                    "take_away(session, one, DONE)",
                    "waiting.name in session.disk.listdir(session.parts)",
                ),
            ),
        ),
        Situation(Ways(Way.RENAME, Way.RENAME, Way.LINK)),
    ),
    Planted(
        Bug(
            "what was found is named without an intent",
            ((landing.found, "session.journal.append(manifest.business_date, intent)", _SKIP),),
        ),
        Situation(_RENAMED, FOUND),
    ),
    Planted(
        Bug(
            "what was found is named although its part was taken away",
            ((landing._leave, "session.disk.unlink(part)", "remove(session.disk, part)"),),
        ),
        Situation(_RENAMED, FOUND),
    ),
    Planted(
        Bug(
            "what was found is told before its parts are there for good",
            (
                (
                    landing.found,
                    "session.folders.sync(session.parts)\n    intent =",
                    "intent =",
                ),
            ),
        ),
        Situation(_RENAMED, FOUND),
    ),
    Planted(
        Bug(
            "what was found is told although the claim is gone",
            ((landing.found, "session.claims.mark_landing(claim)", _SKIP),),
        ),
        Situation(_RENAMED, FOUND),
    ),
    Planted(
        Bug(
            "where a done-file was taken is not there for good before it is linked from there",
            ((done._name, "session.folders.sync(session.parts)", _SKIP),),
        ),
        Situation(Ways(Way.RENAME, Way.LINK, Way.LINK), "before report.done"),
    ),
    Planted(
        Bug(
            "a done-file that is missing was delivered, whoever else settles",
            _NOBODY_ELSE_SETTLES,
        ),
        Situation(_RENAMED, "before report.done"),
    ),
    Planted(
        Bug(
            "parts are dropped although the claim is gone",
            ((settle.drop, "session.claims.still_ours(token)", _SKIP),),
        ),
        Situation(_RENAMED),
        frozenset({"unlink"}),
    ),
    Planted(
        Bug(
            "what was dropped is not remembered", ((records.Account._drop, "self.dropped.add(part)", _SKIP),)
        ),
        Situation(_RENAMED),
        frozenset({"listdir", "create"}),
    ),
    Planted(
        Bug(
            "parts are dropped and the journal does not say so",
            ((settle.drop, "session.journal.append_all(", "list("),),
        ),
        Situation(_RENAMED),
        frozenset({"write"}),
    ),
    Planted(
        Bug(
            "a part that is missing was delivered, whoever else settles",
            _NOBODY_ELSE_SETTLES,
        ),
        Situation(_RENAMED, "before report.csv"),
        frozenset({"rename"}),
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
        Situation(_LINKED, "before report.csv"),
        frozenset({"open"}),
    ),
    Planted(
        Bug(
            "a part is moved and the journal does not say so",
            (
                (
                    taken.say_where,
                    "session.journal.append(manifest.business_date, moving, *theirs)",
                    _SKIP,
                ),
            ),
        ),
        Situation(_RENAMED, "before report.csv"),
    ),
)


def shown(planted: Planted) -> Caught:
    """Play orders with the bug in place until one of them is broken."""
    stream = _problems(planted)
    return caught(planted.bug, MOST, lambda _number: next(stream, []))


def _problems(planted: Planted) -> Iterator[list[str]]:
    of = stops(planted.at)
    (calls,) = played(planted.at, Stretch(0))[1].made
    first = [mine for mine in of if calls[mine : mine + 1] and calls[mine][0] in planted.before]
    for mine in dict.fromkeys((*reversed(first), *of[::3], *of)):
        for _, done_with in orders(planted.at, mine):
            yield done_with.problems


def planted() -> Figure:
    """Plant every bug, and see each of them caught.

    Raises:
        AssertionError: one is not; names it.
    """
    return all_caught(
        "planted bugs of who wakes up too late, each caught", len(LATE_BUGS), map(shown, LATE_BUGS), "orders"
    )
