"""What is released on the server and not yet delivered? Manifests only; nothing the other side wrote is believed."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.errors import IntegrityBroken, LandbridgeError, NotPermitted, NotYet, TryAgain
from landbridge.facts import Receipt
from landbridge.ledger import confirm, manifest_from, read_receipt
from landbridge.naming import MANIFESTS, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from landbridge.facts import Absence, Brought, Manifest
    from landbridge.ports import RemoteFile
    from landbridge.world import Ground

_NAME = re.compile(r"([a-z][a-z0-9_-]{0,62})\.(\d{4}-\d{2}-\d{2}|\d{8}T\d{4}Z)\.(\d{4})\.json")
_LARGEST = 64 << 10
_BEARS = re.compile(r"\s*([a-z][a-z0-9_-]{0,62})(?:(\.\d)|(?![a-z0-9_-]))", re.IGNORECASE)
"""The name of a feed at the beginning of a strange name, and the beginning of an occurrence behind it."""
_TOLD = 3
"""So many strange names are told one by one."""


class State(StrEnum):
    """How the collection of one file ended."""

    DELIVERED = "delivered"
    ALREADY_THERE = "already there"
    """A crashed run had delivered it, or its receipt was on the server: only the record was missing."""
    SUPERSEDED = "superseded"
    """A later revision landed meanwhile."""
    UNRECEIPTED = "unreceipted"
    """It landed, and its receipt could not be sent; the next run sends it."""
    BUSY = "busy"
    """Another collector is at it."""
    STRANGE = "strange"
    """Names among the manifests that are none and belong to no feed that was asked for: a warning, and no mistake."""
    REFUSED = "refused"
    """Its bytes, its name or its manifest are not to be trusted; a person must look."""
    FAILED = "failed"
    """The line or the share failed; the next run goes on."""
    NOT_TRIED = "not tried"
    """The share as a whole had failed before its turn came."""
    WAITING = "waiting"
    """It is released, and the mover has not (wholly) brought it."""
    NOT_RELEASED = "not released"
    """The server has no manifest of the slot."""
    SKIPPED = "skipped"
    """There is nothing to deliver, by what is on record or by the schedule."""
    WAIVED = "waived"
    """A person said that it will not come and is not needed."""
    QUARANTINED = "quarantined"
    """It broke its contract, by the ledger: nothing will come of this revision."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a collection did for one revision of one slot."""

    what: str
    """The slot, or the name of a manifest that cannot be trusted."""
    revision: int
    state: State
    path: str = ""
    """On the share."""
    size: int = 0
    error: LandbridgeError | None = None
    """What went wrong with it: it has the exit code."""
    warning: str = ""
    """What somebody should look at, and nothing went wrong."""


def outcome_of(
    manifest: Manifest,
    came: Brought | Receipt | LandbridgeError | None,
    landed: Receipt | LandbridgeError | None,
    unsent: Mapping[Receipt, LandbridgeError],
) -> Outcome:
    """Say how it ended: what came of the download, what of the landing, and which receipts could not be sent."""
    ended = partial(Outcome, f"{manifest.feed}/{manifest.occurrence}", manifest.revision)
    match landed:
        case None:
            return ended(State.NOT_TRIED, manifest.landed_name)
        case NotYet():
            return ended(State.WAITING, error=landed)
        case TryAgain():
            return ended(State.BUSY, error=landed)
        case IntegrityBroken():
            return ended(State.REFUSED, error=landed)
        case LandbridgeError():
            return ended(State.FAILED, error=landed)
        case _ if landed.revision > manifest.revision:
            return ended(State.SUPERSEDED)
        case _:
            known = isinstance(came, Receipt)
            return proven(landed, State.ALREADY_THERE if known else State.DELIVERED, unsent)


def proven(receipt: Receipt, state: State, unsent: Mapping[Receipt, LandbridgeError]) -> Outcome:
    """Say that the share has or had the file, and whether its receipt could be sent."""
    error = unsent.get(receipt)
    return Outcome(
        f"{receipt.feed}/{receipt.occurrence}",
        receipt.revision,
        State.UNRECEIPTED if error else state,
        receipt.landed_path,
        receipt.size,
        error,
    )


@dataclass(frozen=True, slots=True)
class Strange:
    """A file that lies among the manifests of a day and is none; it was not read."""

    day: date
    name: str
    """As the other side wrote it."""
    error: IntegrityBroken

    @property
    def told(self) -> str:
        """The name in one short line."""
        return self.name if _NAME.fullmatch(self.name) else f"{self.name!r:.120}"

    def bears(self, feeds: Collection[str]) -> bool:
        """Tell whether it begins with the name of one of `feeds`; without any, whether it begins as a manifest does."""
        match = _BEARS.match(self.name)
        return match is not None and (match[1].lower() in feeds if feeds else bool(match[2]))


def judged(strange: Iterable[Strange], feeds: Collection[str]) -> list[Outcome]:
    """Refuse what bears the name of one of `feeds` (of any, without `feeds`), and tell the rest as one warning."""
    refused, rest = [], []
    for one in strange:
        if one.bears(feeds):
            refused.append(Outcome(one.told, 0, State.REFUSED, error=one.error))
        else:
            rest.append(one)
    return [*refused, *warned(rest)]


def warned(strange: Sequence[Strange]) -> list[Outcome]:
    """Tell strange names as one warning; none without any."""
    if not strange:
        return []
    more = f" and {len(strange) - _TOLD} more" if len(strange) > _TOLD else ""
    names = ", ".join(one.told for one in strange[:_TOLD]) + more
    days = " and ".join(dict.fromkeys(f"{one.day}" for one in (strange[0], strange[-1])))
    warning = f"{names}: among the manifests of {days}, and none; not read, and in no feed's way: look at who wrote it"
    return [Outcome(names, 0, State.STRANGE, warning=warning)]


@dataclass(slots=True)
class Offered:
    """What the server offers: manifests to deliver, small files first, and what cannot be trusted."""

    manifests: list[Manifest] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)
    strange: list[Strange] = field(default_factory=list)
    """Whether one of them matters depends on who asks: see `judged`."""


def offered(
    ground: Ground,
    since: date,
    feeds: Collection[str] = (),
    until: date = date.max,
    also: Collection[date] = (),
) -> Offered:
    """Find what was released for business dates in [since, until], or `also`, and is on neither account: journal and receipts.

    Of a slot only the newest revision counts: a correction is never followed by what it corrects.
    """
    offer = Offered()
    for day in _days(ground, since, until, also):
        _look_at(ground, day, feeds, offer)
    offer.manifests.sort(key=lambda manifest: manifest.size)
    return offer


def announced(ground: Ground, since: date, feeds: Collection[str]) -> list[Manifest]:
    """Give every manifest of `feeds` for business dates from `since`, of all revisions, delivered or not; none that cannot be trusted."""
    found = []
    for day in _days(ground, since, date.max):
        listed = [
            file
            for file in ground.remote.files(f"/{MANIFESTS}/{day}")
            if (match := _NAME.fullmatch(file.name)) and match[1] in feeds and file.size <= _LARGEST
        ]
        bodies = ground.remote.read_many(listed)
        for file, body in zip(listed, bodies, strict=True):
            with suppress(IntegrityBroken):  # whoever collects or lands it hears of it
                found.append(_believed(ground, body, file.name, day))
    return found


def _days(ground: Ground, since: date, until: date, also: Collection[date] = ()) -> list[date]:
    days = set(map(_as_date, ground.remote.folders(f"/{MANIFESTS}")))
    return sorted(day for day in days if day is not None and (since <= day <= until or day in also))


def _look_at(ground: Ground, day: date, feeds: Collection[str], offer: Offered) -> None:
    listed, strange = newest_named(ground.remote.files(f"/{MANIFESTS}/{day}"), feeds)
    offer.strange += [Strange(day, file.name, _not_a_manifest(file)) for file in strange]
    landed = ground.share.landed_all([(feed, occurrence, day) for _, feed, occurrence, _ in listed])
    unknown = [
        file
        for (file, _, _, revision), known in zip(listed, landed, strict=True)
        if known is None or known.revision < revision
    ]
    if not unknown:
        return
    receipts = _receipts(ground, day, {file.name for file in unknown})
    for file, body in zip(unknown, ground.remote.read_many(unknown), strict=True):
        try:
            manifest = _believed(ground, body, file.name, day)
            if file.name in receipts:
                offer.settled.append(_restored(ground, manifest, receipts[file.name]))
            else:
                offer.manifests.append(manifest)
        except IntegrityBroken as error:
            offer.settled.append(Outcome(file.name, 0, State.REFUSED, error=error))


def newest_named(
    files: Iterable[RemoteFile], feeds: Collection[str]
) -> tuple[list[tuple[RemoteFile, str, str, int]], list[RemoteFile]]:
    """Give of each slot of `feeds` the file that is named for the newest revision, with feed, occurrence and revision; and what has no such name."""
    newest: dict[tuple[str, str], tuple[RemoteFile, str, str, int]] = {}
    strange = []
    for file in files:
        match = _NAME.fullmatch(file.name)
        if match is None or file.size > _LARGEST:
            strange.append(file)
        elif not feeds or match[1] in feeds:
            found = (file, match[1], match[2], int(match[3]))
            newest[match[1], match[2]] = max(
                found, newest.get((match[1], match[2]), found), key=lambda one: one[3]
            )
    return list(newest.values()), strange


def _not_a_manifest(file: RemoteFile) -> IntegrityBroken:
    return IntegrityBroken(
        f"{file.name!r:.120} lies among the manifests and is none",
        expected=f"FEED.OCCURRENCE.REVISION.json of at most {_LARGEST} bytes",
        seen=counted(file.size, "byte"),
        hint="look at who wrote it; it was not read",
    )


def _believed(ground: Ground, body: bytes, name: str, day: date) -> Manifest:
    manifest = manifest_from(body, name)
    belongs(ground, manifest, f"the manifest {name}", day)
    return manifest


def belongs(ground: Ground, one: Manifest | Absence, where: str, day: date) -> None:
    """See that what was read is of the day that it lies under, and of this environment.

    Raises:
        IntegrityBroken: it is not.
    """
    if (one.business_date, one.environment) != (day, ground.environment):
        raise IntegrityBroken(
            f"{where} is not where it belongs",
            expected=f"business date {day}, environment {ground.environment}",
            seen=f"business date {one.business_date}, environment {one.environment}",
            hint="look at who wrote it; nothing was downloaded",
        )


def _receipts(ground: Ground, day: date, wanted: set[str]) -> dict[str, bytes]:
    """Read the receipts that are there for `wanted`; a server that shows none leaves the journal alone to tell."""
    try:
        listed = ground.remote.files(f"/{RECEIPTS}/{day}")
        there = [file for file in listed if file.name in wanted and file.size <= _LARGEST]
        bodies = ground.remote.read_many(there)
    except NotPermitted:
        return {}
    return {file.name: body for file, body in zip(there, bodies, strict=True)}


def _restored(ground: Ground, manifest: Manifest, body: bytes) -> Outcome:
    receipt = read_receipt(body, ground.receipt_keys)
    confirm(receipt, manifest)
    ground.share.restore(receipt)
    slot = f"{manifest.feed}/{manifest.occurrence}"
    return Outcome(slot, manifest.revision, State.ALREADY_THERE, receipt.landed_path, receipt.size)


def _as_date(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if f"{day}" == name else None  # `20261120` and `2026-W47-5` are days to Python, too
