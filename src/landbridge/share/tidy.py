"""What is left of slots that came to their end? Parts and done-files of who was killed, or slept too long, and nobody asks for again.

They are removed as everything of an earlier claimant is: under the slot's claim, when nothing of them is to be settled
any more, and after the journal says that they are dropped.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from landbridge.disk import remove
from landbridge.share.records import SlotKey
from landbridge.share.settle import drop, settle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.share.records import Account
    from landbridge.share.session import Session

OLD = timedelta(days=1)
"""What is younger may be of somebody who is at work, or asks again."""
_AROUND = timedelta(days=45)
"""A part's name tells the occurrence; the business date is not further from it (`schedule` allows 40 days).

Of what is left by feeds that are retired, too, each pass reads those days: the younger ones it has read for their receipts, and only days that have a journal are files at all.
"""
_PART = re.compile(r"[^.]+\.[^.]+\.(?P<revision>[0-9]{4})-")
_NOBODYS = re.compile(r"trial-[0-9a-f]+|found-[0-9a-f]+\.done")
"""Names that tell no slot, and could not: of trials (`platform.way_of`), and of done-files as earlier versions called them."""


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
    for name in (name for names in aged.values() for name in names if _NOBODYS.fullmatch(name)):
        remove(session.disk, session.parts / name)
    ended = [slot for slot, names in aged.items() if _of_ended(_account(session, slot), names)]
    if not ended:
        return
    taken = {slot: token for slot, token in session.claims.take(ended).items() if isinstance(token, str)}
    try:
        for slot, token in taken.items():
            # Asked again: whoever had the claim until now may have begun something.
            account = _account(session, slot)
            if account and account.intents:  # of who woke up when it had landed
                settle(session, account, token)
                aged[slot] = _old(session, parts_by_slot(session.disk, session.parts).get(slot, ()))
            if account and (left := _of_ended(account, aged[slot])):
                landed = account.landed[max(account.landed)]
                entries = [session.parts / name for name in left]
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


def _of_ended(account: Account | None, names: Sequence[str]) -> list[str]:
    """Give those of revisions that nobody delivers any more."""
    last = max(account.landed) if account else 0
    return [name for name in names if (part := _PART.match(name)) and int(part["revision"]) <= last]


def _account(session: Session, slot: str) -> Account | None:
    """Give that of a slot that has landed, and of which no later revision is to be settled."""
    feed, _, occurrence = slot.partition(".")
    try:
        day = date.fromisoformat(occurrence[:10])
        since, until = day - _AROUND, day + _AROUND
    except (ValueError, OverflowError):  # a server may say 0001-01-01
        return None
    accounts = session.journal.accounts_about(SlotKey(feed, occurrence), since, until)
    if (
        len(accounts) != 1
    ):  # of several business dates, when its rule has changed: whose part it is cannot be told
        return None
    (account,) = accounts
    return account if account.landed and max(account.landed) >= max(account.intents, default=0) else None
