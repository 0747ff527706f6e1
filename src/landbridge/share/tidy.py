"""What is left of slots that came to their end? Parts and done-files of who was killed, or slept too long, and nobody asks for again.

They are removed as everything of an earlier claimant is: under the slot's claim, when the journal says that nothing of them
is to be settled any more, and after it says that they are dropped.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from landbridge.disk import remove
from landbridge.share.records import SlotKey
from landbridge.share.settle import drop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.facts import Receipt
    from landbridge.share.session import Session

OLD = timedelta(days=1)
"""What is younger may be of somebody who is at work, or asks again."""
_AROUND = timedelta(days=10)
"""A part's name tells the occurrence; the business date is not far from it."""
_PART = re.compile(r"[^.]+\.[^.]+\.(?P<revision>[0-9]{4})-")
_NOBODYS = ("trial-", "found-")
"""How names begin that tell no slot: of trials (`platform.way_of`), and of done-files as earlier versions called them."""


def parts_by_slot(disk: Disk, parts: Path) -> dict[str, list[str]]:
    """Give the names of all parts, and of what waits beside them, by slot."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in disk.listdir(parts):
        found[".".join(name.split(".", 2)[:2])].append(name)
    return found


def tidy(session: Session) -> None:
    """Remove what is older than a day, by the share's own clock, and of a revision that landed, or was followed by one that did.

    Raises:
        ShareRefused: the claim of a slot was taken over meanwhile.
        ShareRefused, DiskFailed, IntegrityBroken: the journal cannot be read or written.
        OSError: the share refused.
    """
    aged = {
        slot: old
        for slot, names in parts_by_slot(session.disk, session.parts).items()
        if (old := _old(session, names))
    }
    for name in (name for names in aged.values() for name in names if name.startswith(_NOBODYS)):
        remove(session.disk, session.parts / name)
    ended = {slot: left for slot, names in aged.items() if (left := _of_ended(session, slot, names))}
    if not ended:
        return
    taken = {slot: token for slot, token in session.claims.take(ended).items() if isinstance(token, str)}
    try:
        for slot, token in taken.items():
            # Asked again: whoever had the claim until now may have begun something.
            if landed := _landed(session, slot):
                entries = [session.parts / name for name in ended[slot]]
                drop(session, SlotKey(landed.feed, landed.occurrence), landed.business_date, token, entries)
    finally:
        session.claims.release(taken.values())


def _old(session: Session, names: Sequence[str]) -> list[str]:
    now = session.claims.now()
    old = []
    for name in names:
        with suppress(FileNotFoundError):
            if now - session.disk.lstat(session.parts / name).st_mtime > OLD.total_seconds():
                old.append(name)
    return old


def _of_ended(session: Session, slot: str, names: Sequence[str]) -> list[str]:
    """Give those of revisions that nobody delivers any more."""
    landed = _landed(session, slot)
    last = landed.revision if landed else 0
    return [name for name in names if (known := _PART.match(name)) and int(known["revision"]) <= last]


def _landed(session: Session, slot: str) -> Receipt | None:
    """Give the newest receipt of a slot that has nothing to be settled."""
    feed, _, occurrence = slot.partition(".")
    try:
        day = date.fromisoformat(occurrence[:10])
    except ValueError:
        return None
    account = session.journal.account_about(SlotKey(feed, occurrence), day - _AROUND, day + _AROUND)
    return account.newest if account is not None and not account.intents else None
