"""Which files is a landing about, and how does a slot end that had none?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from landbridge.errors import ContractBroken, IntegrityBroken, LandbridgeError, NotYet
from landbridge.facts import OWES_NOTHING, Absence, Commitment, Manifest, Receipt, Slot, Verdict
from landbridge.naming import manifest_name
from landbridge.released import Offered, Outcome, State, announced, judged, offered, proven, warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landbridge.ports import Holding
    from landbridge.released import Strange
    from landbridge.world import Ground

Decided = Callable[[Slot], Commitment | Absence | None]
"""Asks what was decided of a slot that the server does not offer: the ledger, or else the server, which says whether no file is owed."""


ENDED_AS = {Verdict.SKIP: State.SKIPPED, Verdict.WAIVE: State.WAIVED}
"""Verdicts after which no file of a slot is owed, and how a collection says so."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a landing is about."""

    feeds: tuple[str, ...]
    since: date
    """First business date looked at."""
    slots: tuple[Slot, ...] = ()
    """Those that are named must land; without any, whatever is in holding may."""

    @property
    def first(self) -> date:
        """First business date of what may land."""
        return min((slot.business_date for slot in self.slots), default=self.since)

    @property
    def last(self) -> date:
        """Last business date of what may land."""
        return max((slot.business_date for slot in self.slots), default=date.max)

    def includes(self, one: Manifest | Receipt) -> bool:
        """Tell whether a revision is of one of the slots, or of one of the feeds where no slot is named."""
        if not self.slots:
            return one.feed in self.feeds
        return any((one.feed, one.occurrence) == (slot.feed, slot.occurrence) for slot in self.slots)


def wanted_of(ground: Ground, wanted: Wanted, held: Mapping[str, Sequence[str]]) -> Offered:
    """Give what the server offers of it; without named slots only what has a file in holding (`held`: names by feed)."""
    feeds = [feed for feed in wanted.feeds if wanted.slots or held[feed]]
    if not feeds:
        return Offered()
    offer = offered(ground, wanted.first, feeds, wanted.last)
    if not wanted.slots:
        return replace(offer, manifests=[one for one in offer.manifests if _name(one) in held[one.feed]])
    slots = {f"{slot.feed}.{slot.occurrence}": str(slot) for slot in wanted.slots}
    settled = [
        replace(outcome, what=slot)
        for outcome in offer.settled
        if (
            slot := slots.get(".".join(outcome.what.replace("/", ".").split(".")[:2]))
        )  # a slot, or a manifest's name
    ]
    manifests = [one for one in offer.manifests if wanted.includes(one)]
    return replace(offer, manifests=manifests, settled=settled)


def leftovers(ground: Ground, holding: Holding, wanted: Wanted) -> list[Manifest]:
    """Find whose files are still in holding although their slots are on the journal: collected meanwhile, or superseded.

    The server is asked only while something is left.
    """
    left = {feed: names for feed in wanted.feeds if (names := set(holding.names(feed)))}
    return [
        one
        for one in (announced(ground, wanted.since, left) if left else ())
        if left[one.feed] & {_name(one), manifest_name(one.feed, one.occurrence, one.revision)}
        and (landed := ground.share.landed(one.feed, one.occurrence, one.business_date)) is not None
        and landed.revision >= one.revision
    ]


def ended_without(
    ground: Ground, wanted: Wanted, outcomes: Iterable[Outcome], decided: Decided
) -> list[Outcome]:
    """Say how the named slots ended of which nothing was to be landed."""
    spoken = {outcome.what for outcome in outcomes}
    return [_ended(ground, slot, decided) for slot in wanted.slots if str(slot) not in spoken]


def with_strange(wanted: Wanted, strange: Sequence[Strange], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Say what the strange names among the manifests are to it: to a slot that is not released, what bears its feed's name.

    That one may be its manifest, so a person must look; to a slot that came to its end, and to every other feed, it is a warning.
    """
    if not wanted.slots:
        return [*outcomes, *judged(strange, wanted.feeds)]
    slots = {str(slot): slot for slot in wanted.slots}
    used: list[Strange] = []
    ended = []
    for one in outcomes:
        slot = slots.get(one.what)
        if slot and one.state is State.NOT_RELEASED:
            own = [it for it in strange if it.day == slot.business_date and it.bears((slot.feed,))]
            used += own
            ended.append(replace(one, state=State.REFUSED, error=own[0].error) if own else one)
        else:
            ended.append(one)
    return [*ended, *warned([one for one in strange if one not in used])]


def _ended(ground: Ground, slot: Slot, decided: Decided) -> Outcome:
    landed = ground.share.landed(slot.feed, slot.occurrence, slot.business_date)
    if landed is not None:
        return proven(landed, State.ALREADY_THERE, {})
    try:
        answer = decided(slot)
    except IntegrityBroken as error:  # of this slot alone: the others have ended as they have
        return Outcome(str(slot), 0, State.REFUSED, error=error)
    except LandbridgeError as error:
        if not error.retry:
            raise
        return Outcome(str(slot), 0, State.NOT_RELEASED, error=error)
    match answer:
        case Commitment() | Absence() as known if known.verdict in OWES_NOTHING:
            return Outcome(str(slot), known.revision, ENDED_AS[known.verdict])
        case Commitment(verdict=Verdict.QUARANTINE | Verdict.REJECT, revision=revision):
            broken = ContractBroken(
                f"{slot} broke its contract and is in quarantine: no file comes of this revision",
                hint=f"see `landbridge quarantine show {slot}`",
            )
            return Outcome(str(slot), revision, State.QUARANTINED, error=broken)
        case known:
            why = "it is decided and on its way" if known else "the server has no manifest of it"
            hint = f"run it again later; why it is late is known to the ledger: `landbridge trace {slot}`, where that can be read"
            missing = NotYet(f"{slot} is not released yet: {why}", hint=hint)
            return Outcome(str(slot), 0, State.NOT_RELEASED, error=missing)


def _name(manifest: Manifest) -> str:
    return manifest.remote_path.rsplit("/", 1)[-1]
