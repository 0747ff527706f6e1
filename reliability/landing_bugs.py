"""Would anybody notice if a safeguard of landings or of decisions were taken away? Bugs that histories of landings must show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge import absent, decisions, land, run
from landbridge.ledger import Ledger
from landbridge.share import folder, holding
from reliability.landings import KINDS, landed
from reliability.planted import Bug, Caught, all_caught, caught

if TYPE_CHECKING:
    from reliability.figures import Figure
    from reliability.kinds import Kind

MOST = 1_500
"""Histories in which a bug must show."""


def _corrected(kind: Kind) -> bool:
    return kind.feeds == 1 and "bad" not in kind.rows


def _in_quarantine(kind: Kind) -> bool:
    return "bad" in kind.rows


LANDING_BUGS = (
    Bug(
        "a correction is followed by what it corrects",
        (
            (
                folder._landed,
                "newest = account.newest",
                "newest = account.landed.get(manifest.revision)",
            ),
        ),
        _corrected,
    ),
    Bug(
        "what was copied out of holding is taken for what was released",
        (
            (
                holding.HoldingFolder.take,
                "if (sha256, after.st_size) != (manifest.sha256, manifest.size):",
                "if False:",
            ),
            (
                holding.HoldingFolder.take,
                "Content(manifest.size, sha256, 0)",
                "Content(manifest.size, manifest.sha256, 0)",
            ),
        ),
    ),
    Bug(
        "holding is cleared of what has not landed",
        ((land.land, "if one.state in _ON_RECORD}", "if one.state}"),),
    ),
    Bug(
        "holding is cleared by name, whatever the bytes",
        (
            (
                holding.HoldingFolder._remove,
                "if self._taken.get((manifest.feed, name)) != _identity(seen):",
                "if False:",
            ),
        ),
    ),
    Bug(
        "a slot is waived while its file may land",
        ((decisions.waive, "(one for one in history if _may_land(one, cloud))", "iter(())"),),
    ),
    Bug(
        "a waiver does not look for what a run has left to be released",
        (
            (
                decisions._may_land,
                "return one.staged.store != cloud.staging.name or _is_there(cloud.staging, one.staged)",
                "return False",
            ),
        ),
        _corrected,
    ),
    Bug(
        "nobody on the ground hears of a waiver",
        ((run.none_comes, "tell(decided, cloud.ledger.absence(decided), cloud.reports)", "pass"),),
    ),
    Bug(
        "nobody on the ground hears that a waived slot owes a file again",
        ((Ledger.absence, "says = any(_owes_nothing", "says = False and any(_owes_nothing"),),
        _in_quarantine,
    ),
    Bug(
        "what takes an absence back is not heeded",
        ((absent.absent, "if found.verdict not in OWES_NOTHING:", "if False:"),),
        _in_quarantine,
    ),
    Bug(
        "that no file comes is believed, whatever is released",
        ((absent.absent, "return None if any(", "return found if any("),),
        _corrected,
    ),
    Bug(
        "what was rejected is released all the same",
        (
            (
                decisions._in_quarantine,
                "newest.verdict is not Verdict.QUARANTINE",
                "newest.verdict not in {Verdict.QUARANTINE, Verdict.REJECT}",
            ),
        ),
        _in_quarantine,
    ),
    Bug(
        "what was released is rejected",
        ((decisions.reject, "_in_quarantine(newest)", "pass"),),
        _in_quarantine,
    ),
)


def shown(bug: Bug) -> Caught:
    """Play histories with the bug in place until one of them is broken, those first in which it can show."""
    suitable = [number for number, kind in enumerate(KINDS) if bug.where(kind)]

    def history(number: int) -> list[str]:
        round_, which = divmod(number, len(suitable))
        return landed(round_ * len(KINDS) + suitable[which]).problems

    return caught(bug, MOST, history)


def planted() -> Figure:
    """Plant every bug, and see each of them caught.

    Raises:
        AssertionError: one is not; names it.
    """
    return all_caught(
        "planted bugs of landings and decisions, each caught",
        len(LANDING_BUGS),
        map(shown, LANDING_BUGS),
        "histories",
    )
