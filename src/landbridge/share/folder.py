"""What does the destination share promise? A folder on a local disk or a mount, with our private folder beside the files."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from landbridge.disk import is_there, remove
from landbridge.errors import IntegrityBroken, LandbridgeError, TryAgain, disk_refused
from landbridge.facts import Download, Receipt, Taken
from landbridge.share import volume
from landbridge.share.done import DONE
from landbridge.share.landing import Landing, Names, found, holds, land
from landbridge.share.machine import THIS
from landbridge.share.records import Again, LandedRecord, Receipted, SlotKey
from landbridge.share.session import Settings, begin
from landbridge.share.settle import drop, part_name, settle
from landbridge.share.tidy import parts_by_slot, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from landbridge.facts import Brought, Manifest
    from landbridge.ports import Clock
    from landbridge.share.machine import Machine
    from landbridge.share.platform import Way
    from landbridge.share.records import Account, Intent
    from landbridge.share.session import Session

LEASE = timedelta(minutes=2)
_T = TypeVar("_T")


class FolderShare:
    """A file share of one environment; obeys ports.Share. Nothing is touched before the first call.

    Our private folder `.landbridge/ENVIRONMENT` on the share holds the marker, claims, parts and, unless it is
    elsewhere, the journal. Files go to the root or below it.
    """

    def __init__(
        self,
        root: Path,
        environment: str,
        collector: str,
        clock: Clock,
        *,
        journal: Path | None = None,
        lease: timedelta = LEASE,
        way: Way | None = None,
        machine: Machine = THIS,
    ) -> None:
        """Remember; `way` is found out by trial unless it is given.

        `journal` elsewhere than on the share is for a share that only one collector serves.
        """
        here = root / ".landbridge" / environment.lower() / "journal"
        self._settings = Settings(root, environment, collector, clock, journal or here, lease, machine)
        self._way = way
        self._begun: Session | None = None
        self._beginning = threading.Lock()
        self._names = Names(machine.disk, clock)

    def __enter__(self) -> Self:
        """Lend itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def collector(self) -> str:
        """See ports.Share."""
        return self._settings.collector

    def adopt(self) -> None:
        """Mark the share as ours and begin its journal, on a person's word. Again is harmless; a lost journal is begun anew.

        Raises:
            ShareRefused, DiskFailed: the share is away or does not take it.
        """
        settings = self._settings
        volume.adopt(settings.machine, settings.private, settings.journal, settings.clock)

    def landed(self, feed: str, occurrence: str, business_date: date) -> Receipt | None:
        """See ports.Share."""
        return self._account(business_date, SlotKey(feed, occurrence)).newest

    def landed_all(self, slots: Sequence[tuple[str, str, date]]) -> list[Receipt | None]:
        """See ports.Share."""
        if not slots:
            return []
        asked = [(business_date, SlotKey(feed, occurrence)) for feed, occurrence, business_date in slots]
        return [account.newest for account in self._session().journal.accounts_of(asked)]

    @contextmanager
    def claim(self, manifest: Manifest) -> Iterator[_FolderClaim]:
        """See ports.Share."""
        with self.claim_all([manifest]) as claimed:
            (one,) = claimed.claims
            if isinstance(one, LandbridgeError):
                raise one
            yield one

    @contextmanager
    def claim_all(self, manifests: Sequence[Manifest]) -> Iterator[_FolderClaims]:
        """See ports.Share."""
        session = self._recognised()
        with _disk(f"claiming {', '.join(map(_slot, manifests[:3]))} on {self._settings.root}", whole=True):
            taken = session.claims.take(map(_slot, manifests))
        tokens = [token for token in taken.values() if isinstance(token, str)]
        reserved: list[Path] = []
        try:
            yield _FolderClaims(session, self._prepared(session, manifests, taken, reserved))
        finally:
            for final in reserved:
                self._names.release(final)
            session.claims.release(tokens)

    def receipted(self, *receipts: Receipt) -> None:
        """See ports.Share."""
        slots = [SlotKey(receipt.feed, receipt.occurrence) for receipt in receipts]
        days = [receipt.business_date for receipt in receipts]
        journal = self._session().journal
        accounts = journal.accounts_of(list(zip(days, slots, strict=True)))
        # Not durable: if it is lost, the same receipt is sent once more.
        journal.append_all(
            [
                (receipt.business_date, Receipted(slot, receipt.revision))
                for receipt, slot, account in zip(receipts, slots, accounts, strict=True)
                if receipt.revision not in account.receipted
            ],
            durable=False,
        )

    def unreceipted(self, since: date, days: Collection[date] = ()) -> list[Receipt]:
        """See ports.Share."""
        waiting = [
            receipt
            for account in self._session().journal.accounts(since, days)
            for revision, receipt in account.landed.items()
            if revision not in account.receipted
        ]
        return sorted(waiting, key=lambda receipt: (receipt.landed_at, receipt.feed, receipt.occurrence))

    def restore(self, receipt: Receipt) -> None:
        """See ports.Share."""
        slot = SlotKey(receipt.feed, receipt.occurrence)
        if receipt.revision not in self._account(receipt.business_date, slot).landed:
            self._session().journal.append(receipt.business_date, LandedRecord(receipt, "restored"))
        self.receipted(receipt)

    def answer(self, manifest: Manifest, *, deliver: bool) -> None:
        """See ports.Share."""
        slot = SlotKey(manifest.feed, manifest.occurrence)
        session = self._session()
        if deliver:
            session.journal.append(manifest.business_date, Again(slot, manifest.revision))
            return
        receipt = Receipt(
            feed=manifest.feed,
            occurrence=manifest.occurrence,
            business_date=manifest.business_date,
            revision=manifest.revision,
            environment=manifest.environment,
            size=manifest.size,
            sha256=manifest.sha256,
            landed_path=manifest.landed_name,
            landed_at=self._settings.clock.now(),
            collector=self._settings.collector,
            commitment=manifest.commitment,
        )
        session.journal.append(manifest.business_date, LandedRecord(receipt, "answered"))

    def tidy(self) -> None:
        """See ports.Share."""
        session = self._recognised()
        with _disk(f"tidying {session.parts}"):
            tidy(session)

    def close(self) -> None:
        """Give lock and files back. Idempotent; the next call begins anew."""
        with self._beginning:
            if self._begun is not None:
                self._begun.close()
                self._begun = None

    def _session(self) -> Session:
        with self._beginning:
            if self._begun is None:
                self._begun = begin(self._settings, self._way)
            return self._begun

    def _recognised(self) -> Session:
        """Give the session, if the share is still the one it began on: a mount can vanish or change at any moment."""
        session = self._session()
        session.volume.still_there()
        return session

    def _account(self, business_date: date, slot: SlotKey) -> Account:
        return self._session().journal.account(business_date, slot)

    def _prepared(
        self,
        session: Session,
        manifests: Sequence[Manifest],
        taken: dict[str, str | TryAgain],
        reserved: list[Path],
    ) -> list[_FolderClaim | LandbridgeError]:
        """Settle every slot whose claim was taken; one look at journal and parts serves them all."""
        accounts = session.journal.accounts_of([(one.business_date, _key(one)) for one in manifests])
        settled: list[_Settled | LandbridgeError] = []
        for manifest, account in zip(manifests, accounts, strict=True):
            # The first of a slot has it; no batch of ours has two, but a hostile server may offer them.
            token = taken.pop(_slot(manifest), None) or _twice(manifest)
            if isinstance(token, TryAgain):
                settled.append(token)
                continue
            reserved.append(final := self._settings.root / manifest.landed_name)
            settle_it = partial(self._settle, session, manifest, final, account, token)
            settled.append(self._tried(final, settle_it))
        with _disk(f"listing {session.parts}", whole=True):
            parts = parts_by_slot(session.disk, session.parts)
        return [
            one
            if isinstance(one, LandbridgeError)
            else self._tried(
                one.final, partial(self._prepare, session, manifest, one, parts.get(_slot(manifest), ()))
            )
            for manifest, one in zip(manifests, settled, strict=True)
        ]

    def _tried(self, final: Path, step: Callable[[], _T]) -> _T | LandbridgeError:
        """Take a step of one slot; what goes wrong with it is its own."""
        try:
            with _disk(f"preparing {final}"):
                return step()
        except LandbridgeError as error:
            return error

    def _settle(
        self, session: Session, manifest: Manifest, final: Path, account: Account, token: str
    ) -> _Settled:
        self._names.reserve(final)
        if manifest.environment != self._settings.environment:
            raise IntegrityBroken(
                f"the manifest of {_key(manifest)} is for {manifest.environment}",
                expected=self._settings.environment,
                hint="the SFTP user of one environment must not see another's files",
            )
        withdrawn = settle(session, account, token) if account.intents else {}
        return _Settled(token, final, account, withdrawn.get(manifest.revision))

    def _prepare(
        self, session: Session, manifest: Manifest, settled: _Settled, parts: Sequence[str]
    ) -> _FolderClaim:
        token, account, withdrawn = settled.token, settled.account, settled.withdrawn
        part = session.parts / part_name(manifest, token)
        landed = _landed(account, manifest)
        if landed is None and holds(session.disk, settled.final, manifest):
            # Whoever put it there said so before; perhaps after we looked, and fell asleep.
            account = session.journal.account(manifest.business_date, _key(manifest))
            settle(session, account, token)
            landed = _landed(account, manifest) or found(session, manifest, token)
        if landed is None:
            self._known_to_be_new(session, account, manifest)
            _take_up(session, manifest, token, parts, part)
        same = withdrawn is not None and withdrawn.manifest.sha256 == manifest.sha256
        brought = withdrawn.brought if withdrawn is not None and same else None
        return _FolderClaim(session, manifest, token, landed, part, settled.final, brought)

    def _known_to_be_new(self, session: Session, account: Account, manifest: Manifest) -> None:
        lost = session.volume.marker.lost_before
        if lost is None or manifest.committed_at >= lost or manifest.revision in account.again:
            return
        raise IntegrityBroken(
            f"nobody knows whether {manifest.feed}/{manifest.occurrence} revision {manifest.revision} landed: "
            f"the journal of {lost:%Y-%m-%d %H:%M} UTC and before is lost, and the server has no receipt",
            expected="the answer of a person, so that it is not delivered twice",
            hint="ask the consumer, then run `landbridge collect --deliver SLOT` or `landbridge collect --delivered SLOT` "
            f"with {manifest.feed}/{manifest.occurrence}",
        )


@dataclass(frozen=True, slots=True)
class _Settled:
    """A slot under a claim of ours of which nothing is open any more."""

    token: str
    final: Path
    account: Account
    withdrawn: Intent | None
    """The one of the wanted revision that came to nothing."""


@dataclass(frozen=True, slots=True)
class _FolderClaim:
    """The right to deliver to one slot; obeys ports.Claim."""

    session: Session
    manifest: Manifest
    token: str
    landed: Receipt | None
    part: Path
    final: Path
    """Where the consumer finds it."""
    brought: Brought | None

    def there(self) -> int:
        """See ports.Claim."""
        with _disk(f"looking at {self.part}"):
            try:
                return self.session.disk.lstat(self.part).st_size
            except FileNotFoundError:
                return 0

    def begin_anew(self) -> None:
        """See ports.Claim."""
        with _disk(f"removing {self.part}"):
            remove(self.session.disk, self.part)

    def land(self, came: Brought) -> Receipt:
        """See ports.Claim."""
        (landed,) = _FolderClaims(self.session, [self]).land_all([came])
        if isinstance(landed, LandbridgeError):
            raise landed
        return landed


@dataclass(frozen=True, slots=True)
class _FolderClaims:
    """Claims whose files land together; obeys ports.Claimed."""

    session: Session
    claims: list[_FolderClaim | LandbridgeError]

    def land_all(
        self, came: Sequence[Brought | Receipt | LandbridgeError]
    ) -> list[Receipt | LandbridgeError]:
        """See ports.Claimed."""
        answers: dict[int, Receipt | LandbridgeError] = {}
        landings: dict[int, Landing] = {}
        for number, (claim, one) in enumerate(zip(self.claims, came, strict=True)):
            if isinstance(claim, LandbridgeError):
                answers[number] = claim
            elif isinstance(one, Download | Taken):
                landings[number] = Landing(claim.manifest, claim.token, claim.part, claim.final, one)
            else:
                answers[number] = one
        if landings:
            answers |= zip(landings, self._landed(list(landings.values())), strict=True)
        return [answers[number] for number in range(len(self.claims))]

    def _landed(self, landings: list[Landing]) -> list[Receipt | LandbridgeError]:
        try:
            self.session.volume.still_there()
        except LandbridgeError as error:
            return [error for _ in landings]
        return land(self.session, landings)


def _landed(account: Account, manifest: Manifest) -> Receipt | None:
    """Give the receipt of this revision or a later one."""
    newest = account.newest
    return newest if newest is not None and newest.revision >= manifest.revision else None


def _key(manifest: Manifest) -> SlotKey:
    return SlotKey(manifest.feed, manifest.occurrence)


def _slot(manifest: Manifest) -> str:
    return str(_key(manifest))


def _twice(manifest: Manifest) -> TryAgain:
    return TryAgain(
        f"{_key(manifest)} was asked for twice at once", hint="nothing to do: a later run looks at it again"
    )


def _take_up(session: Session, manifest: Manifest, token: str, names: Sequence[str], part: Path) -> None:
    """Go on with the part of an earlier try of this collector; other parts of the slot are of no use to anybody."""
    wanted, _, _ = part.name.partition("~")
    others = []
    for entry in (session.parts / name for name in names):
        head, _, claimant = entry.name.partition("~")
        ours = session.who.alone and claimant.partition("~")[0] == session.who.collector
        if entry == part:
            continue
        if not ours:
            others.append(entry)
        elif head == wanted and entry.suffix != DONE and not is_there(session.disk, part):
            # Nobody writes into it any more: earlier sessions are dead, and this one's claims are given back.
            session.disk.rename(entry, part)
        else:
            remove(session.disk, entry)
    if others:
        drop(session, _key(manifest), manifest.business_date, token, others)


@contextmanager
def _disk(what: str, *, whole: bool = False) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_refused(error, what, whole=whole) from error
