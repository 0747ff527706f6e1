"""How does somebody hear of a slot that no job brought to its end, even when no job ever fired? One look at all slots.

Look, tell, remember what was told, then make good what was missed. Telling comes first: a run may take hours, or fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, LandbridgeError
from landbridge.events import about, log
from landbridge.facts import Released
from landbridge.ledger import entries
from landbridge.naming import WATCH
from landbridge.notices import Memory, Notice
from landbridge.run import run
from landbridge.survey import survey
from landbridge.telling import concerns, decide, missed, past_deadline
from landbridge.unreaped import expected, unreaped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.notices import Concern
    from landbridge.ports import Store
    from landbridge.project import Project
    from landbridge.standing import Standing
    from landbridge.world import Watching


_FRESH = timedelta(hours=6)
"""A memory that is older is written again, because staging forgets it after some days."""
_LARGEST = 8 << 20


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that did not work; the rest of the look went on."""

    what: str
    """`sns`, `mail`, `webhook`, `cloudwatch`, or a slot."""
    error: LandbridgeError


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """A slot that was run because nobody else had."""

    slot: Slot
    came_to: str
    """`released`, `quarantine`, `skip`, or why not."""
    error: LandbridgeError | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw and did."""

    at: datetime
    slots: int
    late: int
    """Past their deadline, or missing, and not delivered."""
    open: tuple[Concern, ...]
    """What somebody has to look at, told before or not."""
    notices: tuple[tuple[str, Notice], ...]
    """Reader and what it was told now; on a dry run what it would be told."""
    missed: tuple[Slot, ...]
    """What is to be caught up; on a dry run nothing of it was."""
    caught_up: tuple[CaughtUp, ...] = ()
    failures: tuple[Failure, ...] = ()


def look(project: Project, feeds: Sequence[Feed], watching: Watching, *, dry: bool = False) -> Look:
    """Look at all slots once: tell what is new, run what was missed within the declared limits.

    Safe beside CronJobs and beside itself: a slot gets one verdict whoever runs it, and two looks at once may at worst
    tell a thing twice.

    Raises:
        LandbridgeError: the slots themselves could not be looked at.
    """
    declared, now = watching.declared, watching.clock.now()
    first, last = (now - declared.look_back).date(), (now + timedelta(days=1)).date()
    seen = survey(project, feeds, first, last, watching.evidence, now)
    late, memory = past_deadline(seen), _recalled(watching)
    reaper = expected(watching.retention, memory.reaper, now)
    found = concerns(seen, now, declared.stuck_after)
    found += unreaped(project, feeds, reaper, watching.evidence, now)
    notices, after, failures = _told(project, watching, found, seen, memory, now, dry=dry)
    if not dry:
        failures += _measured(watching, late)
        _remember(watching, memory, replace(after, reaper=reaper))
    waiting = _missed(watching, seen, now)
    caught_up = () if dry else _caught_up(feeds, waiting, watching)
    return Look(
        now, len(seen), late, tuple(found), tuple(notices), tuple(waiting), caught_up, tuple(failures)
    )


def _told(
    project: Project,
    watching: Watching,
    found: Sequence[Concern],
    seen: Sequence[Standing],
    memory: Memory,
    now: datetime,
    *,
    dry: bool,
) -> tuple[list[tuple[str, Notice]], Memory, list[Failure]]:
    notices: list[tuple[str, Notice]] = []
    told, failures = dict(memory.told), list[Failure]()
    for teller in watching.tellers:
        decided = decide(found, seen, memory.told.get(teller.name, {}), now, watching.declared.remind)
        notice = Notice(
            project.project,
            watching.evidence.environment,
            now,
            decided.news,
            decided.reminders,
            decided.cleared,
        )
        if not notice.is_empty:
            notices.append((teller.name, notice))
            try:
                if not dry:
                    teller.tell(notice)
            except LandbridgeError as error:  # what this one missed it is told at the next look
                log.warning("not told", reader=teller.name, error=str(error))
                failures.append(Failure(teller.name, error))
                continue
        told[teller.name] = decided.told
    return notices, replace(memory, told=told), failures


def _measured(watching: Watching, late: int) -> list[Failure]:
    if watching.meter is None:
        return []
    try:
        watching.meter.measure(late)
    except LandbridgeError as error:
        log.warning("not measured", error=str(error))
        return [Failure("cloudwatch", error)]
    return []


# What was told, kept in staging below a prefix of its own: the newest object counts, the bucket forgets the older ones.


def _prefix(watching: Watching) -> str:
    return f"{WATCH}/{watching.evidence.environment.lower()}/"


def _recalled(watching: Watching) -> Memory:
    store: Store = watching.memory
    keys = [blob.at.key for blob in store.list(_prefix(watching))]
    if not keys:
        return Memory(watching.clock.now() - 2 * _FRESH)
    try:
        body = store.read(keys[-1])
        return entries.read("watch", Memory, body, f"{store.name}/{keys[-1]}", most=_LARGEST)
    except IntegrityBroken as error:  # an older release's, or damaged: better told twice than not at all
        log.warning("what was told cannot be read", error=str(error))
        return Memory(watching.clock.now() - 2 * _FRESH)


def _remember(watching: Watching, before: Memory, after: Memory) -> None:
    now = watching.clock.now()
    changed = {name: told for name, told in before.told.items() if told} != {
        name: told for name, told in after.told.items() if told
    }
    changed = changed or before.reaper != after.reaper
    kept = after.reaper or any(after.told.values())
    if changed or (kept and now - before.written_at > _FRESH):
        written = entries.written("watch", replace(after, written_at=now))
        watching.memory.put_new(f"{_prefix(watching)}{now:%Y%m%dT%H%M%S.%fZ}.json", written)


# What was missed


def _missed(watching: Watching, seen: Sequence[Standing], now: datetime) -> list[Slot]:
    declared = watching.declared
    if declared.catch_up is None:
        return []
    found = missed(seen, now, after=declared.catch_up_after, within=declared.catch_up)
    return found[: declared.catch_up_most]


def _caught_up(feeds: Sequence[Feed], slots: Sequence[Slot], watching: Watching) -> tuple[CaughtUp, ...]:
    by_name = {feed.feed: feed for feed in feeds}
    return tuple(_run(by_name[slot.feed], slot, watching) for slot in slots)


def _run(feed: Feed, slot: Slot, watching: Watching) -> CaughtUp:
    with about(feed=feed.feed, slot=str(slot)):
        try:
            outcome = run(feed, slot, watching.cloud)
        except LandbridgeError as error:  # of one slot; the others go on
            log.warning("not caught up", error=str(error))
            return CaughtUp(slot, "failed", error)
        came_to = "released" if isinstance(outcome, Released) else outcome.verdict.value
        log.info("caught up", came_to=came_to)
        return CaughtUp(slot, came_to)
