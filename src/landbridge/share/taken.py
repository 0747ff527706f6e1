"""How is what waits for its name taken away from an earlier claimant, so that nobody but the one who took it can give the name?

Its claimant gives a name to what waits under his own, and to nothing else. So whoever takes over renames it to a name of
its own first: a rename to the final name finds nothing then, and a link fails with the claim it leads through. From that
moment on the same holds of the one who took it. The journal says where it goes before it goes there: who finds it at no
place that was known when its own claim was young reads again, and judges nothing if others have moved it since.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from landbridge.errors import ShareRefused
from landbridge.share.platform import Way
from landbridge.share.records import Dropped, Moving, SlotKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.share.records import Account, Intent
    from landbridge.share.session import Session


@dataclass(frozen=True, slots=True)
class Opened:
    """An open intent as it was known when the claim of whoever settles it still held, so that all of this is of earlier claimants."""

    intent: Intent
    places: tuple[str, ...]
    """Where its part can be, and its done-file."""
    linking: Mapping[str, int]
    """At which of these its done-file may have been linked, with its change time before that."""
    mine: str
    """Where whoever settles it takes them: a name that the journal has not seen yet, so that nothing else can be there."""
    unsaid: tuple[str, ...]
    """Names that earlier settlers took it to, of which the journal does not say yet that no intent can speak for them."""

    @property
    def slot(self) -> SlotKey:
        """Give the one it is of."""
        return SlotKey(self.intent.manifest.feed, self.intent.manifest.occurrence)


def opened(account: Account, revision: int, mine: str) -> list[Opened]:
    """Give the open intents of a revision; each of them has a name of its own that begins with `mine`."""
    known = {place for places in account.parts.values() for place in places}
    names = (f"{mine}~{number}" if number else mine for number in count())
    new = (name for name in names if name not in known)
    found = []
    for part, intent in account.intents[revision].items():
        places = tuple(account.parts[part])
        linking = {place: account.linking[place] for place in places if place in account.linking}
        if intent.way is Way.LINK:
            linking[part] = intent.done_changed
        # A settler that woke up too late takes what it has moved for its own part, and may write an intent for it.
        unsaid = tuple(place for place in places if place != part and place not in account.dropped)
        found.append(Opened(intent, places, linking, next(new), unsaid))
    return found


def say_where(session: Session, one: Opened) -> None:
    """Put on the journal where it is about to be taken."""
    theirs = [Dropped(one.slot, place) for place in one.unsaid]
    manifest = one.intent.manifest
    moving = Moving(one.slot, manifest.revision, one.mine, one.intent.part)
    session.journal.append(manifest.business_date, moving, *theirs)


def take_away(session: Session, one: Opened, suffix: str = "") -> bool:
    """Take the part, or by its `suffix` what waits beside it; tell whether it still was at any place. `say_where` came before.

    What is at none of them has its final name.

    Raises:
        ShareRefused: another collector settles it as well.
        OSError: the share refused.
    """
    # It is where it was to go when the answer to a rename was lost, and the client of a file server asked again (NFS).
    for place in (*one.places, one.mine):
        with suppress(FileNotFoundError):
            session.disk.rename(session.parts / (place + suffix), session.parts / (one.mine + suffix))
            return True
    manifest = one.intent.manifest
    seen = session.journal.account(manifest.business_date, one.slot)
    is_open = one.intent.part in seen.intents.get(manifest.revision, {})
    if not is_open or not {*seen.parts[one.intent.part]} <= {*one.places, one.mine}:
        raise ShareRefused(
            f"{manifest.landed_name} is being settled by another collector",
            hint="nothing to do: it delivers it, or a later run does",
        )
    return False
