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

import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from landbridge.disk import is_there, make_folder, remove
from landbridge.errors import IntegrityBroken, ShareRefused
from landbridge.facts import Receipt
from landbridge.share.platform import Way, give_name, make_durable, was_linked
from landbridge.share.records import Dropped, LandedRecord, Moving, SlotKey, Withdrawn
from landbridge.share.room import JUNCTION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.facts import Manifest
    from landbridge.share.records import Account, How, Intent
    from landbridge.share.session import Session

DONE = ".done"
"""Suffix of the private done-file that waits beside a part."""


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

    The part of such a one is whole, and now the part of `claim`.

    Raises:
        ShareRefused: the claim was taken over meanwhile.
        OSError: the share refused.
    """
    withdrawn = {}
    for revision, by_part in sorted(account.intents.items()):
        opened = [(intent, tuple(account.parts[part])) for part, intent in by_part.items()]
        # Whoever has moved a part by then, as far as is known, has lost its claim: unless that was us.
        session.claims.still_ours(claim)
        for number, (intent, places) in enumerate(opened):
            mine = part_name(intent.manifest, claim) + (f"~{number}" if number else "")
            if _was_delivered(session, intent, places, mine):
                deliver_done(session, intent, claim)
                journal_landed(session, receipt_for(intent.manifest, intent), "recovered")
                break
        else:
            withdrawn[revision] = opened[0][0]
            withdraw(session, *(intent for intent, _ in opened))
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


def private_done(session: Session, part: str) -> Path:
    """Where the done-file waits until the file itself has landed."""
    return session.parts / (part + DONE)


def deliver_done(session: Session, intent: Intent, claim: str) -> None:
    """Give the waiting done-file its name, unless that has happened before; durably in any case.

    Raises:
        OSError: the share refused.
    """
    if named := name_done(session, intent, claim):
        keep_done(session, [named])


def name_done(session: Session, intent: Intent, claim: str) -> tuple[Path, Path] | None:
    """Do the first half for one file: give where it waited and its name, for `keep_done`; None where none is wanted.

    Raises:
        ShareRefused: the claim was taken over, and whoever has it names the done-file.
        OSError: the share refused.
    """
    if not intent.manifest.done_name:
        return None
    waiting = private_done(session, intent.part)
    final = session.settings.root / intent.manifest.done_name
    make_folders(session, final.parent)
    try:
        may_wait = Way.LINK in {intent.way, session.way}  # although it has its name
        if not (may_wait and was_linked(session.disk, waiting, intent.done_changed)):
            give_name(session.disk, session.claims.through(claim, waiting), final, session.way)
    except FileNotFoundError:
        # Named before, perhaps not durably; unless it still waits, or the whole share is what is not there.
        if is_there(session.disk, waiting):
            session.claims.still_ours(claim)
            raise
        session.volume.still_there()
    except FileExistsError:
        pass  # a done-file is empty, so the one that is there says the same
    return waiting, final


def keep_done(session: Session, named: Sequence[tuple[Path, Path]]) -> None:
    """Do the second half, for any number of files together.

    Raises:
        OSError: the share refused.
    """
    make_durable(session.disk, named, session.way, session.folders.sync)
    for waiting, _ in named:
        remove(session.disk, waiting)


def make_folders(session: Session, folder: Path) -> None:
    """Make a folder below the share's root, durable with all above it.

    One that is there may be another thread's, or a killed run's, that never came to its fsync: so each is made durable
    once a session, whoever made it.

    Raises:
        IntegrityBroken: one of them is a link: whoever can write to the share would choose where files land.
        OSError: the share refused.
    """
    unsure = []
    while folder != session.settings.root:
        if folder not in session.kept or not _is_folder(session.disk, folder):
            unsure.append(folder)
        folder = folder.parent
    for one in reversed(unsure):
        if not _is_folder(session.disk, one):
            make_folder(session.disk, one)
        session.folders.sync(one.parent)
        session.kept.add(one)


def _is_folder(disk: Disk, path: Path) -> bool:
    try:
        seen = disk.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(seen.st_mode) or getattr(seen, "st_reparse_tag", 0) == JUNCTION:
        raise IntegrityBroken(
            f"{path} is a link, and may lead out of the share",
            expected="a folder",
            hint="nothing was landed there; put a folder in its place, or declare the folder that it leads to",
        )
    return stat.S_ISDIR(seen.st_mode)


def _was_delivered(session: Session, intent: Intent, places: tuple[str, ...], name: str) -> bool:
    """Find out; make the name durable if it was, and take the part away from its claimant, under `name`, if it was not."""
    manifest, last = intent.manifest, session.parts / intent.part
    final = session.settings.root / manifest.landed_name
    mine = session.parts / name
    try:
        if intent.way is Way.LINK and was_linked(session.disk, last, intent.changed):
            make_durable(session.disk, [(last, final)], intent.way, session.folders.sync)
            return True
    except FileNotFoundError:
        pass  # an earlier settlement has moved it, or it is gone
    slot = SlotKey(manifest.feed, manifest.occurrence)
    # A settler that woke up too late takes what it has moved for its own part, and may write an intent for it.
    theirs = [Dropped(slot, place) for place in places if place != intent.part]
    moving = Moving(slot, manifest.revision, name, intent.part)
    session.journal.append(manifest.business_date, moving, *theirs)
    for place in places:
        try:
            session.disk.rename(session.parts / place, mine)
        except FileNotFoundError:
            continue
        if intent.way is Way.LINK and session.disk.lstat(mine).st_nlink > 1:  # linked between the two looks
            make_durable(session.disk, [(mine, final)], intent.way, session.folders.sync)
            return True
        return False
    # Whoever settles says so before it moves a part: another one may have, while this one slept.
    seen = session.journal.account(manifest.business_date, slot)
    is_open = intent.part in seen.intents.get(manifest.revision, {})
    if not is_open or not {*seen.parts[intent.part]} <= {*places, name}:
        raise ShareRefused(
            f"{manifest.landed_name} is being settled by another collector",
            hint="nothing to do: it delivers it, or a later run does",
        )
    make_durable(session.disk, [(last, final)], intent.way, session.folders.sync)
    return True
