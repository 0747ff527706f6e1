"""What may a person decide about a slot: release or reject what is in quarantine, have it made anew, waive it?

A decision is the next entry of the slot in the ledger, written once under the next number (`If-None-Match: *`), with who and
why; nothing is edited. So of two operators at once, or an operator and a run, one decides and the other is told. Each may
be killed anywhere: the same command again goes on with what is decided, and decides nothing twice.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.errors import IntegrityBroken, NotFound, UsageError
from landbridge.events import log
from landbridge.facts import (
    NO_FILE,
    NO_REPORT,
    NOWHERE,
    Commitment,
    Released,
    Staged,
    Verdict,
)
from landbridge.naming import manifest_key
from landbridge.plan import plan, same_bytes
from landbridge.run import carry_on, commit, make, none_comes
from landbridge.steps.seal import encrypted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.facts import Location, Slot
    from landbridge.feed import Feed
    from landbridge.plan import Plan
    from landbridge.ports import Store
    from landbridge.world import Cloud


LONGEST_REASON = 500
"""Characters."""
_LAST_REVISION = 9999


@dataclass(frozen=True, slots=True)
class Decided:
    """How a slot stands after a decision."""

    outcome: Commitment | Released
    ours: bool
    """False when it had been decided so before, or somebody else was faster: `commitment` tells who, when and why."""

    @property
    def commitment(self) -> Commitment:
        """The decision that stands."""
        return self.outcome.commitment if isinstance(self.outcome, Released) else self.outcome


def release(feed: Feed, slot: Slot, cloud: Cloud) -> Decided:
    """Release the quarantined bytes all the same, as a new revision that keeps the report of the breach.

    Raises:
        UsageError: the slot is not in quarantine, or somebody else has decided otherwise.
        NotFound, IntegrityBroken: the kept bytes are gone, or are not those that were judged; nothing was decided.
    """
    history = _history(slot, cloud)
    newest = history[-1]
    if newest.verdict is Verdict.RELEASE and not newest.report.passed:
        return Decided(carry_on(feed, newest, cloud), ours=False)
    _in_quarantine(newest)
    ours = _next(newest, cloud)
    applied = _plan(feed, newest.slot, ours, history)
    kept = Staged(newest.slot, newest.plain, newest.staged, newest.sources)
    travels, recipients = _still_there(feed, kept, ours)
    wanted = replace(
        newest,
        verdict=Verdict.RELEASE,
        delivered=travels.content,
        staged=travels.at,
        recipients=recipients,
        target=applied.target,
        plan=applied.digest,
    )
    stands = _commit(wanted, ours)
    if stands.commitment.verdict is not Verdict.RELEASE:
        raise _overtaken(stands.commitment)
    return replace(stands, outcome=carry_on(feed, stands.commitment, ours))


def reject(slot: Slot, cloud: Cloud) -> Decided:
    """Put on record that the quarantined bytes are never released. The slot stays quarantined until it is made anew or waived.

    Raises:
        UsageError: the slot is not in quarantine, or somebody else has decided otherwise.
    """
    newest = _history(slot, cloud)[-1]
    if newest.verdict is Verdict.REJECT:
        return Decided(none_comes(newest, cloud), ours=False)
    _in_quarantine(newest)
    ours = _next(newest, cloud)
    stands = _wanted(_commit(replace(newest, verdict=Verdict.REJECT), ours), Verdict.REJECT)
    return replace(stands, outcome=none_comes(stands.commitment, ours))


def waive(feed: Feed, slot: Slot, cloud: Cloud) -> Decided:
    """Put on record that the slot's file will not come and is not needed, and tell the other side. Only a redrive opens the slot again.

    Of two who waive it, for whatever reasons, the first one's waiver stands, and the second is given that: it asked for what is so.

    Raises:
        UsageError: a file of the slot has landed or may land yet, it is skipped, or somebody else has decided otherwise.
    """
    history = cloud.ledger.history(slot)
    newest = history[-1] if history else None
    if newest and newest.verdict is Verdict.WAIVE:
        return Decided(carry_on(feed, newest, cloud), ours=False)
    if newest and newest.verdict is Verdict.SKIP:
        raise UsageError(
            f"{slot} is skipped: its sources gave no rows, and no file is owed",
            hint=f"if its file is owed all the same: landbridge redrive {slot} --reason ...",
        )
    if on_its_way := next((one for one in history if _may_land(one, cloud)), None):
        raise UsageError(
            f"{slot} cannot be waived: revision {on_its_way.revision} has landed or may land at any moment",
            expected="a slot of which no file was released",
            seen=_who(on_its_way),
            hint=f"see `landbridge trace {slot}`; to correct the file: landbridge redrive {slot} --reason ...",
        )
    ours = _next(newest, cloud)
    applied = plan(
        feed, slot, environment=cloud.environment, variables=cloud.variables, revision=ours.revision
    )
    waiver = Commitment(
        slot=newest.slot if newest else slot,
        revision=ours.revision,
        verdict=Verdict.WAIVE,
        environment=cloud.environment,
        plain=NO_FILE,
        delivered=NO_FILE,
        staged=NOWHERE,
        target=applied.target,
        report=NO_REPORT,
        sources=(),
        run_id=ours.run_id,
        actor=ours.actor,
        committed_at=ours.clock.now(),
        plan=applied.digest,
    )
    stands = _wanted(_commit(waiver, ours), Verdict.WAIVE)
    return replace(stands, outcome=carry_on(feed, stands.commitment, ours))


def redrive(feed: Feed, slot: Slot, cloud: Cloud) -> Decided:
    """Make the slot's file anew from its sources, as a new revision that supersedes the ones before.

    A redrive whose newest revision was released for the very same reason is that redrive again: it is only carried on.

    Raises:
        UsageError: nothing was decided of the slot yet, its name would be an older revision's, or somebody else has
            decided meanwhile that no file is to come.
    """
    history = _history(slot, cloud)
    newest = history[-1]
    if _is_again(newest, cloud):
        with suppress(NotFound):  # staging has forgotten it: then this, too, is made anew
            return Decided(carry_on(feed, newest, cloud), ours=False)
    ours = _next(newest, cloud)
    _plan(feed, newest.slot, ours, history)
    stands = commit(feed, make(feed, newest.slot, ours), ours)
    if stands.verdict in {Verdict.REJECT, Verdict.WAIVE}:
        raise _overtaken(stands)
    return Decided(carry_on(feed, stands, ours), ours=_is_of(stands, ours))


def reasoned(text: str) -> str:
    """Give a reason back as it goes on record, on one line.

    Raises:
        UsageError: it says nothing, or too much.
    """
    reason = " ".join(text.split())
    if not reason.isprintable() or not any(
        map(str.isalnum, reason)
    ):  # nor the dots of a hint that was pasted
        raise UsageError(
            "a decision needs a reason",
            expected="a sentence that says why, for whoever reads the record: --reason 'ticket 123: ...'",
        )
    if len(reason) > LONGEST_REASON:
        raise UsageError(
            f"the reason has {counted(len(reason), 'character')}",
            expected=f"at most {LONGEST_REASON}",
            hint="name the ticket, and say the rest there",
        )
    return reason


def _history(slot: Slot, cloud: Cloud) -> Sequence[Commitment]:
    """Read once what was decided: whatever is concluded from it is about one moment, and the commit finds what came since."""
    history = cloud.ledger.history(slot)
    if not history:
        raise UsageError(
            f"nothing was decided of {slot} yet",
            expected="a slot with a verdict: see `landbridge status --recorded`",
            hint=f"landbridge run {slot.feed} --date {slot.occurrence}",
        )
    return history


def _in_quarantine(newest: Commitment) -> None:
    if newest.verdict is not Verdict.QUARANTINE:
        raise UsageError(
            f"{newest.slot} is not in quarantine",
            expected="a slot of `landbridge quarantine list`",
            seen=_who(newest),
            hint=f"see `landbridge trace {newest.slot}`",
        )


def _next(newest: Commitment | None, cloud: Cloud) -> Cloud:
    """Give the same cloud for the revision after `newest`, with a reason that says something."""
    revision = newest.revision + 1 if newest else 1
    if revision > _LAST_REVISION:
        raise UsageError(f"revision {revision} is more than a name has room for")
    return replace(cloud, revision=revision, reason=reasoned(cloud.reason))


def _plan(feed: Feed, slot: Slot, cloud: Cloud, history: Sequence[Commitment]) -> Plan:
    """Plan the revision; its name must be its own, or it could never be promoted once it is decided."""
    applied = plan(
        feed, slot, environment=cloud.environment, variables=cloud.variables, revision=cloud.revision
    )
    for one in history:
        if one.verdict is Verdict.RELEASE and one.target.key.casefold() == applied.target.key.casefold():
            raise UsageError(
                f"revision {cloud.revision} of {slot} would have the name of revision {one.revision}",
                expected="`{revision:03d}` in `file.name`: a released file is never overwritten",
                seen=applied.target.key,
                hint="correct the feed, then: landbridge check",
            )
    return applied


def _still_there(feed: Feed, kept: Staged, cloud: Cloud) -> tuple[Staged, tuple[str, ...]]:
    """Read the kept bytes back before anything is decided about them; give what travels, and to whom it is encrypted."""
    with cloud.scratch() as scratch:
        if feed.file.encryption:
            return encrypted(kept, cloud.staging, feed.file, cloud.recipients(feed), scratch)
        came = cloud.staging.fetch(kept.at, scratch / "kept")
        if not same_bytes(came, kept.content):
            raise IntegrityBroken(
                f"the bytes in quarantine are not those that were judged: {kept.at}",
                expected=f"{counted(kept.content.size, 'byte')}, sha256 {kept.content.sha256}",
                seen=f"{counted(came.size, 'byte')}, sha256 {came.sha256}",
                hint="nothing was released; look at who can write there",
            )
    return kept, ()


def _commit(decision: Commitment, cloud: Cloud) -> Decided:
    """Put a decision on record as that of this cloud's revision: by whom, when and why."""
    wanted = replace(
        decision,
        revision=cloud.revision,
        run_id=cloud.run_id,
        actor=cloud.actor,
        committed_at=cloud.clock.now(),
        reason=cloud.reason,
    )
    stands = cloud.ledger.commit(wanted)
    ours = _is_of(stands, cloud) and stands.committed_at == wanted.committed_at
    if ours:
        log.info("decided", verdict=stands.verdict.value, revision=stands.revision, reason=stands.reason)
    return Decided(stands, ours=ours)


def _is_of(one: Commitment, cloud: Cloud) -> bool:
    return (one.run_id, one.actor, one.reason) == (cloud.run_id, cloud.actor, cloud.reason)


def _wanted(decided: Decided, verdict: Verdict) -> Decided:
    if decided.commitment.verdict is not verdict:
        raise _overtaken(decided.commitment)
    return decided


def _overtaken(stands: Commitment) -> UsageError:
    return UsageError(
        f"{stands.slot} was decided by somebody else meanwhile",
        seen=_who(stands),
        hint=f"see `landbridge trace {stands.slot}`, and decide again if it is still needed",
    )


def _who(one: Commitment) -> str:
    why = f": {one.reason}" if one.reason else ""
    return f"revision {one.revision}, {one.verdict} by {one.actor} at {one.committed_at:%Y-%m-%d %H:%M:%S} UTC{why}"


def _is_again(newest: Commitment, cloud: Cloud) -> bool:
    """Tell whether the newest revision is what this very redrive made before it was interrupted, or typed twice."""
    made_anew = newest.verdict is Verdict.RELEASE and newest.report.passed
    return made_anew and newest.reason == reasoned(cloud.reason)


def _may_land(one: Commitment, cloud: Cloud) -> bool:
    """Tell whether a revision is released, or a run could still release it: what it committed is still somewhere."""
    if one.verdict is not Verdict.RELEASE:
        return False
    if cloud.reports.head(manifest_key(one.slot, one.revision)) or cloud.reports.head(one.target.key):
        return True
    return one.staged.store != cloud.staging.name or _is_there(cloud.staging, one.staged)


def _is_there(store: Store, at: Location) -> bool:
    """Ask for the very version: one that the lifecycle has hidden can be copied for some days yet."""
    try:
        next(iter(store.chunks(at, 1)), b"")
    except NotFound:
        return False
    return True
