"""What did a crash leave of a slot, and was it delivered? Under the slot's claim, before anything else is done.

The rule: an intent whose part is gone was delivered, even if the consumer has taken the file by now. It is put on the
journal as landed, and never delivered again. A part that is still there was not delivered, whoever wrote the intent:
renaming it to a name of ours makes sure that its claimant, should it wake up, cannot deliver it any more.

A claimant that sleeps longer than its lease may write an intent when it wakes, and learns at the fence that its claim is gone.
If its part was taken from it before, the journal says that it was `Dropped`, and the intent counts for nothing. So each open
intent is judged by a part of its own, wherever settlements have moved it, and one that was delivered is enough.

Whoever sleeps may also wake up in here, its claim long gone: what it puts on the journal must be true whoever holds the claim
by then.

A name that was given need not be durable: who gave it may have been killed before the fsync, or the fsync failed. So
whatever is found delivered is made durable once more before `landed` is written and before a link's old name goes.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from landbridge.disk import remove
from landbridge.facts import Receipt
from landbridge.share.done import DONE, deliver_done, private_done
from landbridge.share.platform import Way, make_durable, was_linked
from landbridge.share.records import Dropped, LandedRecord, SlotKey, Withdrawn
from landbridge.share.taken import opened, say_where, take_away

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from landbridge.facts import Manifest
    from landbridge.share.records import Account, How, Intent
    from landbridge.share.session import Session
    from landbridge.share.taken import Opened


def part_name(manifest: Manifest, claim: str) -> str:
    """Name a part after its file and its claim: `flights.2026-11-20.0001-9f86d081884c7d65~edge1~SESSION~TOKEN`."""
    slot, _, claimant = claim.partition("~")
    return f"{slot}.{manifest.revision:04d}-{manifest.sha256[:16]}~{claimant}"


def receipt_for(manifest: Manifest, intent: Intent) -> Receipt:
    """Give the receipt that follows from an intent: the same from whoever settles it."""
    return Receipt(
        feed=manifest.feed,
        occurrence=manifest.occurrence,
        business_date=manifest.business_date,
        revision=manifest.revision,
        environment=manifest.environment,
        size=manifest.size,
        sha256=manifest.sha256,
        landed_path=manifest.landed_name,
        landed_at=intent.at,
        collector=intent.collector,
        commitment=manifest.commitment,
        brought=intent.brought,
    )


def settle(session: Session, account: Account, claim: str) -> dict[int, Intent]:
    """Close every open intent of the slot that `claim` is for; give those that came to nothing, by revision.

    The part of such a one is whole (or empty, where a file was found), and now the part of `claim`.

    Raises:
        ShareRefused: the claim was taken over meanwhile.
        OSError: the share refused.
    """
    withdrawn = {}
    for revision in sorted(account.intents):
        intents = tuple(account.intents[revision].values())
        found = opened(account, revision, part_name(intents[0].manifest, claim))
        # Whoever has moved a part by then, as far as is known, has lost its claim: unless that was us.
        session.claims.still_ours(claim)
        if revision in account.landed:
            # Of who woke up when all was done: nothing follows from it, whatever has become of its part.
            withdraw(session, *intents)
            continue
        for one in found:
            say_where(session, one)
            if _was_delivered(session, one):
                deliver_done(session, one, claim)
                journal_landed(session, receipt_for(one.intent.manifest, one.intent), "recovered")
                break
        else:
            withdrawn[revision] = intents[0]
            withdraw(session, *intents)
    return withdrawn


def drop(session: Session, slot: SlotKey, business_date: date, token: str, entries: Sequence[Path]) -> None:
    """Remove parts without an open intent, and done-files, of earlier claimants of the slot; they were listed before.

    That `token` is still a claim proves that they are of earlier ones: each passed the fence, and then its intent was there
    to be settled, or never will.

    Raises:
        ShareRefused: the claim was taken over meanwhile, so they may be anybody's.
        OSError: the share refused.
    """
    session.claims.still_ours(token)
    dropped = [Dropped(slot, one.name) for one in entries if one.suffix != DONE]
    session.journal.append_all([(business_date, one) for one in dropped])
    for one in entries:
        with suppress(PermissionError):  # Windows, while whoever sleeps has it open: of no use, and no harm
            remove(session.disk, one)


def withdraw(session: Session, intent: Intent, *others: Intent) -> None:
    """Put on the journal that intents of a revision came to nothing. Their parts are no longer protected afterwards."""
    manifest, parts = intent.manifest, (intent.part, *(one.part for one in others))
    slot = SlotKey(manifest.feed, manifest.occurrence)
    session.journal.append(manifest.business_date, Withdrawn(slot, manifest.revision, parts))
    for one in (intent, *others):
        remove(session.disk, private_done(session, one.part))


def journal_landed(session: Session, receipt: Receipt, how: How) -> Receipt:
    """Put on the journal that the file is (or was) on the share."""
    session.journal.append(receipt.business_date, LandedRecord(receipt, how))
    return receipt


def _was_delivered(session: Session, one: Opened) -> bool:
    """Find out; make the name durable if it was, and take the part away from its claimant if it was not."""
    last, mine = session.parts / one.intent.part, session.parts / one.mine
    final = session.settings.root / one.intent.manifest.landed_name
    by_link = one.intent.way is Way.LINK
    with suppress(FileNotFoundError):  # an earlier settlement has moved it, or it is gone
        if by_link and was_linked(session.disk, last, one.intent.changed):
            make_durable(session.disk, [(last, final)], one.intent.way, session.folders.sync)
            return True
    if not take_away(session, one):
        make_durable(session.disk, [(last, final)], one.intent.way, session.folders.sync)
        return True
    if by_link and session.disk.lstat(mine).st_nlink > 1:  # linked between the two looks
        make_durable(session.disk, [(mine, final)], one.intent.way, session.folders.sync)
        return True
    return False
