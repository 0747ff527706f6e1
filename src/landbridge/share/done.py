"""Who gives the done-file its name, when its file has landed? Once, whoever was killed or sleeps meanwhile.

It waits beside its part, empty, under the part's name. Its claimant names it (`name_done`); after him whoever settles his
intent, who takes it to a name of its own first, as it does with parts (`deliver_done`). So at each moment there is one who
can, and by its place, or by the change time of a link, it says whether somebody has.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from landbridge.disk import remove
from landbridge.share.consumers import make_folders
from landbridge.share.platform import Way, changed_at, give_name, make_durable, was_linked
from landbridge.share.records import Linking, SlotKey
from landbridge.share.taken import take_away

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.share.records import Intent
    from landbridge.share.session import Session
    from landbridge.share.taken import Opened

DONE = ".done"
"""Suffix of the private done-file that waits beside a part."""


def private_done(session: Session, part: str) -> Path:
    """Where the done-file waits until the file itself has landed."""
    return session.parts / (part + DONE)


def name_done(session: Session, intent: Intent, claim: str) -> tuple[Path, Path] | None:
    """Give the done-file of an intent of our own its name; give where it waited and its name, for `keep_done`; None where none is wanted.

    Raises:
        ShareRefused: the claim was taken over, and whoever has it names the done-file.
        OSError: the share refused.
    """
    manifest = intent.manifest
    if not manifest.done_name:
        return None
    waiting, final = private_done(session, intent.part), session.settings.root / manifest.done_name
    make_folders(session, final.parent)
    try:
        _give(session, waiting, final, claim)
    except FileNotFoundError:
        # Whoever settled it has taken it, and perhaps said that all is done; or it is a folder that is not there, or the share.
        session.volume.still_there()
        slot = SlotKey(manifest.feed, manifest.occurrence)
        if manifest.revision not in session.journal.account(manifest.business_date, slot).landed:
            session.claims.still_ours(claim)
            raise
    return waiting, final


def deliver_done(session: Session, one: Opened, claim: str) -> None:
    """Give the done-file of an earlier claimant's intent its name, unless it has it; durably in any case.

    Raises:
        ShareRefused: the claim was taken over, and whoever has it names the done-file.
        OSError: the share refused.
    """
    if not one.intent.manifest.done_name:
        return
    final = session.settings.root / one.intent.manifest.done_name
    make_folders(session, final.parent)
    waiting = _linked(session, one)
    if waiting is None:
        waiting = private_done(session, one.mine)
        if take_away(session, one, DONE):
            try:
                _name(session, one, waiting, final, claim)
            except FileNotFoundError:
                session.volume.still_there()
                session.claims.still_ours(claim)
                raise
    keep_done(session, [(waiting, final)])


def keep_done(session: Session, named: Sequence[tuple[Path, Path]]) -> None:
    """Make names durable that were given, for any number of files together.

    Raises:
        OSError: the share refused.
    """
    make_durable(session.disk, named, session.way, session.folders.sync)
    for waiting, _ in named:
        remove(session.disk, waiting)


def _linked(session: Session, one: Opened) -> Path | None:
    """Give where it still waits although it has its name."""
    for place, changed in one.linking.items():
        waiting = private_done(session, place)
        with suppress(FileNotFoundError):
            if was_linked(session.disk, waiting, changed):
                return waiting
    return None


def _name(session: Session, one: Opened, waiting: Path, final: Path, claim: str) -> None:
    if one.linking and session.disk.lstat(waiting).st_nlink > 1:  # linked between the two looks
        return
    # Or after a power cut it could be where it was, with a change time that the journal does not know.
    session.folders.sync(session.parts)
    if session.way is Way.LINK:
        changed = changed_at(session.disk, waiting)
        session.journal.append(one.intent.manifest.business_date, Linking(one.slot, one.mine, changed))
        session.claims.pass_by(changed)
    _give(session, waiting, final, claim)


def _give(session: Session, waiting: Path, final: Path, claim: str) -> None:
    with suppress(FileExistsError):  # a done-file is empty, so the one that is there says the same
        give_name(session.disk, session.claims.through(claim, waiting), final, session.way)
