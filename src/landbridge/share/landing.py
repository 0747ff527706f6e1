"""How does a downloaded part become the consumer's file? Intent, fence, rename, record: in this order, each durable."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import threading
import unicodedata
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.disk import is_there, opened, pieces, remove, touch
from landbridge.errors import IntegrityBroken, LandbridgeError, ShareRefused, disk_refused
from landbridge.share.consumers import make_folders
from landbridge.share.done import keep_done, name_done, private_done
from landbridge.share.platform import Way, changed_at, give_name, let_go
from landbridge.share.records import Intent, LandedRecord
from landbridge.share.settle import journal_landed, part_name, receipt_for, withdraw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from landbridge.disk import Disk, Stat
    from landbridge.facts import Brought, Manifest, Receipt
    from landbridge.ports import Clock
    from landbridge.share.session import Session

LANDED_MODE = 0o640
"""Of landed files and done-files: ours to write, the consumer's to read by a common group."""


@dataclass(frozen=True, slots=True)
class Landing:
    """A part that was downloaded under a claim, and what came."""

    manifest: Manifest
    claim: str
    part: Path
    final: Path
    """Where the consumer finds it."""
    brought: Brought


def land(session: Session, landings: Sequence[Landing]) -> list[Receipt | LandbridgeError]:
    """Give every part its final name and the consumer his done-files; answers in the order asked.

    The files go one step at a time together: what makes a step durable is done once for all of them, and no file takes
    a step before the one before it is durable. What goes wrong with one of them is its own answer:

        IntegrityBroken: it is not the manifest's file (the part is removed), or the name is taken by other bytes.
        ShareRefused: another collector took the claim over.
        ShareRefused, DiskFailed: the share refused; all of them only where all need what was refused: the parts' folder
            or the journal. Settling tells later whether it landed.
    """
    group = _Group(session, landings)
    group.land()
    return [group.ended[one.claim] for one in landings]


class _Group:
    """Files that land together. Whichever has ended takes no further step."""

    def __init__(self, session: Session, landings: Sequence[Landing]) -> None:
        self.ended: dict[str, Receipt | LandbridgeError] = {}
        """By claim."""
        self._session = session
        self._landings = landings
        self._intents: dict[str, Intent] = {}

    def land(self) -> None:
        """Take all the steps; what fails for the group as a whole (parts' folder, journal) ends all that are still under way."""
        try:
            self.check()
            self.intend()
            self.place()
            self.record()
        except OSError as error:
            refused = disk_refused(error, f"landing from {self._session.parts}", whole=True)
            self.ended |= {one.claim: refused for one in self._going()}
        except LandbridgeError as error:
            self.ended |= {one.claim: error for one in self._going()}

    def check(self) -> None:
        """Believe nobody about the bytes, and see that there are folders to land in."""
        made: set[Path] = set()
        for one in self._going():
            with self._its_own(one):
                _check(self._session.disk, one)
                done = one.manifest.done_name
                last = self._session.settings.root / done if done else one.final
                for folder in {one.final.parent, last.parent} - made:
                    make_folders(self._session, folder)
                    made.add(folder)

    def intend(self) -> None:
        """Write the intents; from here on the parts may have their final names."""
        done = {}
        for one in self._going():
            with self._its_own(one):
                done[one.claim] = _wait_done(self._session, one.manifest, one.part.name)
        if self._going():
            self._session.folders.sync(self._session.parts)
        for one in self._going():
            with self._its_own(one):
                changed = changed_at(self._session.disk, one.part)
                self._intents[one.claim] = _intent(
                    self._session, one.manifest, one.part.name, changed, done[one.claim], one.brought
                )
        self._session.journal.append_all(
            [(one.manifest.business_date, self._intents[one.claim]) for one in self._going()]
        )
        _pass_by(self._session, [self._intents[one.claim] for one in self._going()])

    def place(self) -> None:
        """Pass the fence and rename, one by one; then make all the names durable."""
        for one in self._going():
            with self._its_own(one):
                self._session.claims.mark_landing(one.claim)
                part = self._session.claims.through(one.claim, one.part)
                try:
                    give_name(self._session.disk, part, one.final, self._session.way)
                except FileExistsError:
                    self.ended[one.claim] = _occupied(self._session, self._intents[one.claim], one)
        placed = {one.claim: (one.part, one.final) for one in self._going()}
        self._keep(placed)

    def record(self) -> None:
        """Let the done-files follow, and put on the journal what landed."""
        done = {}
        for one in self._going():
            with self._its_own(one):
                if named := name_done(self._session, self._intents[one.claim], one.claim):
                    done[one.claim] = named
        self._keep(done)
        for waiting, _ in (done[one.claim] for one in self._going() if one.claim in done):
            remove(self._session.disk, waiting)
        going = self._going()
        receipts = [receipt_for(one.manifest, self._intents[one.claim]) for one in going]
        self._session.journal.append_all(
            [(receipt.business_date, LandedRecord(receipt, "placed")) for receipt in receipts]
        )
        self.ended |= {one.claim: receipt for one, receipt in zip(going, receipts, strict=True)}

    def _keep(self, named: Mapping[str, tuple[Path, Path]]) -> None:
        """Make names durable, by claim the old and the new one; a folder that fails ends only the files that have names in it."""
        for folder in dict.fromkeys(final.parent for _, final in named.values()):
            try:
                self._session.folders.sync(folder)
            except OSError as error:
                for one in self._going():
                    if one.claim in named and named[one.claim][1].parent == folder:
                        what = f"landing {one.final}: making the names in {folder} durable"
                        self.ended[one.claim] = disk_refused(error, what)
        parts = [named[one.claim][0] for one in self._going() if one.claim in named]
        let_go(self._session.disk, parts, self._session.way, self._session.folders.sync)

    def _not_found(self, one: Landing, error: OSError) -> LandbridgeError:
        """Tell whether it is the consumer's folder that is not there, or claim or part, which another collector took."""
        try:
            self._session.claims.still_ours(one.claim)
        except ShareRefused as taken:
            return taken
        if is_there(self._session.disk, one.part):
            return self._refused(one, error)
        return _taken_over(one.manifest)

    def _refused(self, one: Landing, error: OSError) -> LandbridgeError:
        return disk_refused(error, f"landing {one.final}")

    def _going(self) -> list[Landing]:
        return [one for one in self._landings if one.claim not in self.ended]

    @contextmanager
    def _its_own(self, one: Landing) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            self.ended[one.claim] = self._not_found(one, error)
        except OSError as error:
            self.ended[one.claim] = self._refused(one, error)
        except LandbridgeError as error:
            self.ended[one.claim] = error


def _check(disk: Disk, one: Landing) -> None:
    manifest, state = one.manifest, disk.lstat(one.part)
    on_disk = state.st_size
    if (one.brought.size, on_disk, one.brought.sha256) != (manifest.size, manifest.size, manifest.sha256):
        remove(disk, one.part)
        raise IntegrityBroken(
            f"the bytes that came from {manifest.remote_path} are not the ones that were released",
            expected=f"{manifest.size} bytes, sha256 {manifest.sha256}",
            seen=f"{on_disk} bytes, sha256 {one.brought.sha256}",
            hint="nothing was landed; compare with `landbridge verify`",
        )
    _let_group_read(disk, one.part, state)


def _let_group_read(disk: Disk, ours: Path, state: Stat) -> None:
    """Give a file of ours the mode of everything that lands, whatever the umask; before its change time is put on the journal."""
    if sys.platform != "win32" and stat.S_IMODE(state.st_mode) != LANDED_MODE:
        with suppress(OSError):  # a mount that has no modes of its own (`file_mode=` of cifs) may refuse
            disk.chmod(ours, LANDED_MODE)


def holds(disk: Disk, final: Path, manifest: Manifest) -> bool:
    """Tell whether the final name already holds the manifest's very bytes; False when nothing is there.

    Under a name that the consumer dictates (`latest.csv`) even the same bytes may be those of another slot that
    nobody has taken yet, so there they prove nothing.

    Raises:
        IntegrityBroken: it holds something else, or the name is not this revision's alone.
        OSError: it cannot be read.
    """
    try:
        state = disk.lstat(final)
        same = (
            state.st_size == manifest.size
            and stat.S_ISREG(state.st_mode)
            and _sha256(disk, final) == manifest.sha256
        )
        if same and final.name == manifest.remote_path.rsplit("/", 1)[-1]:
            return True
    except FileNotFoundError:  # not there, or taken while we looked
        return False
    except NotADirectoryError:
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(final.parent)) from None
    raise IntegrityBroken(
        f"{final} is there already and is not known to be {manifest.feed}/{manifest.occurrence} "
        f"revision {manifest.revision}; it was not touched",
        expected=f"no such file, or under a name of its own {manifest.size} bytes with sha256 {manifest.sha256}",
        seen=f"{state.st_size} bytes"
        + (", the same ones, under a name that other slots have too" if same else ""),
        hint="find out whose file it is; when the consumer has taken it away, collect again",
    )


def found(session: Session, manifest: Manifest, claim: str) -> Receipt:
    """Put on the journal that the share holds the file although nobody wrote so, and see that the done-file is there.

    Where that has to be given its name, it goes as every landing does, with a part that is empty and is removed where others
    get their name: so whoever comes next settles it as it does those.

    Raises:
        ShareRefused: another collector took the claim over.
        OSError: the share refused.
    """
    final = session.settings.root / manifest.landed_name
    done = session.settings.root / manifest.done_name if manifest.done_name else final
    part = session.parts / part_name(manifest, claim)
    if is_there(session.disk, done):
        # There is nothing to name, as with each file of a share whose journal is lost.
        for folder in dict.fromkeys((final.parent, done.parent)):
            make_folders(session, folder)
            session.folders.sync(folder)
        return journal_landed(
            session, receipt_for(manifest, _intent(session, manifest, part.name, 0, 0)), "found"
        )
    make_folders(session, final.parent)
    touch(session.disk, part)
    done_changed = _wait_done(session, manifest, part.name)
    session.folders.sync(session.parts)
    intent = _intent(session, manifest, part.name, changed_at(session.disk, part), done_changed)
    session.journal.append(manifest.business_date, intent)
    _pass_by(session, [intent])
    session.claims.mark_landing(claim)
    return _leave(session, intent, claim)


def _leave(session: Session, intent: Intent, claim: str) -> Receipt:
    """End a landing whose file is there already, with the part that is of no use."""
    final, part = session.settings.root / intent.manifest.landed_name, session.parts / intent.part
    session.folders.sync(final.parent)
    try:
        # From here on the intent without a part says what is true: delivered.
        session.disk.unlink(part)
    except FileNotFoundError:
        raise _taken_over(intent.manifest) from None
    session.folders.sync(session.parts)
    if named := name_done(session, intent, claim):
        keep_done(session, [named])
    return journal_landed(session, receipt_for(intent.manifest, intent), "found")


_FRESH = timedelta(seconds=1)


class Names:
    """Names on the share that differ only in case or in how accents are written. Safe from several threads.

    A folder is listed at most once a second: what others put there meanwhile under another spelling may be missed,
    under the same spelling never (`place` does not replace).
    """

    def __init__(self, disk: Disk, clock: Clock) -> None:
        self._disk = disk
        self._clock = clock
        self._busy = threading.Lock()
        self._reserved: Counter[Path] = Counter()
        self._listed: dict[Path, tuple[datetime, dict[str, set[str]]]] = {}

    def reserve(self, final: Path) -> None:
        """Keep the name to one claim, whatever its spelling, until `release`; which must follow even if this fails.

        Raises:
            IntegrityBroken: another spelling is there, or is being delivered now.
            OSError: the folder cannot be read.
        """
        with self._busy:
            self._reserved[final] += 1
            spellings = self._spellings(final)
            others = sorted(
                name for name in spellings - {final.name} if self._is_taken(final.with_name(name))
            )
            spellings.add(final.name)
        if others:
            raise IntegrityBroken(
                f"{final} differs only in case or accents from a name that is there",
                expected="one spelling: other systems take the two for one file",
                seen=", ".join(others),
                hint="nothing was landed; correct `file.landed_name`, or take the other file away",
            )

    def release(self, final: Path) -> None:
        """Let others have the name, if it is not on the share by now."""
        with self._busy:
            self._reserved[final] -= 1
            if self._reserved[final] <= 0:
                del self._reserved[final]

    def _is_taken(self, other: Path) -> bool:
        return self._reserved[other] > 0 or is_there(self._disk, other)

    def _spellings(self, final: Path) -> set[str]:
        now = self._clock.now()
        listed = self._listed.get(final.parent)
        if listed is None or now - listed[0] > _FRESH:
            names: dict[str, set[str]] = defaultdict(set)
            with suppress(FileNotFoundError):
                for name in self._disk.listdir(final.parent):
                    names[_folded(name)].add(name)
            for reserved in self._reserved:
                if reserved.parent == final.parent:
                    names[_folded(reserved.name)].add(reserved.name)
            listed = self._listed[final.parent] = (now, names)
        return listed[1].setdefault(_folded(final.name), set())


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _intent(
    session: Session,
    manifest: Manifest,
    part: str,
    changed: int,
    done_changed: int,
    brought: Brought | None = None,
) -> Intent:
    at, collector = session.settings.clock.now(), session.settings.collector
    return Intent(manifest, part, session.way, changed, done_changed, at, collector, brought)


def _pass_by(session: Session, intents: Sequence[Intent]) -> None:
    if session.way is Way.LINK and intents:  # or the change time of a link would tell nothing
        session.claims.pass_by(max(max(one.changed, one.done_changed) for one in intents))


def _wait_done(session: Session, manifest: Manifest, part: str) -> int:
    if not manifest.done_name:
        return 0
    waiting = private_done(session, part)
    disk = session.disk
    touch(disk, waiting)
    _let_group_read(disk, waiting, disk.lstat(waiting))
    return changed_at(disk, waiting)


def _occupied(session: Session, intent: Intent, one: Landing) -> Receipt:
    try:
        same = holds(session.disk, one.final, intent.manifest)
    except IntegrityBroken:
        withdraw(session, intent)
        remove(session.disk, one.part)
        raise
    if not same:  # it was there a moment ago: the consumer took somebody else's file
        withdraw(session, intent)
        raise ShareRefused(f"{one.final} came and went while it was to be landed", hint="collect again")
    return _leave(session, intent, one.claim)


def _taken_over(manifest: Manifest) -> ShareRefused:
    return ShareRefused(
        f"{manifest.landed_name} was taken over by another collector",
        hint="nothing to do: the other one delivers it",
    )


def _sha256(disk: Disk, path: Path) -> str:
    digest = hashlib.sha256()
    with opened(disk, path, os.O_RDONLY) as file:
        for piece in pieces(disk, file):
            digest.update(piece)
    return digest.hexdigest()
