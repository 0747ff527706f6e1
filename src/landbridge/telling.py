"""What has to be told now, given where the slots stand and what was told before? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.facts import SlotState, Verdict
from landbridge.notices import Cleared, Concern, Kind, Told
from landbridge.standing import why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from landbridge.facts import Slot
    from landbridge.notices import Notice
    from landbridge.standing import Standing

_MOST = 50
"""Slots that one message names; the rest is counted."""
_LONGEST_SUBJECT = 100
"""Characters that Amazon SNS takes. Source: Amazon SNS API Reference, Publish."""


def concerns(seen: Iterable[Standing], now: datetime, stuck_after: timedelta) -> list[Concern]:
    """Give every slot that somebody has to look at, each once."""
    found = (_concern(one, now, stuck_after) for one in seen)
    return [one for one in found if one]


def past_deadline(seen: Iterable[Standing]) -> int:
    """Count the slots that are past their deadline (or missing) and not delivered."""
    return sum(
        one.state is SlotState.MISSING or (one.late and one.state is not SlotState.DELIVERED) for one in seen
    )


def _concern(one: Standing, now: datetime, stuck_after: timedelta) -> Concern | None:
    known, deadline = one.known, one.slot.deadline
    if known.doubt:
        return Concern(one.slot, Kind.DOUBT, known.doubt)
    if one.verdict is Verdict.QUARANTINE and known.commitment:
        broken = [rule.rule for rule in known.commitment.report.rules if not rule.passed]
        return Concern(one.slot, Kind.QUARANTINED, f"broke its contract: {', '.join(broken) or 'see trace'}")
    if one.state is SlotState.MISSING:
        return Concern(
            one.slot, Kind.MISSING, f"no verdict; it was due {_at(one.slot.scheduled_at)}{_why(one)}"
        )
    if one.state is SlotState.COMMITTED and known.commitment:
        since = known.commitment.committed_at
        if now >= since + stuck_after:
            return Concern(one.slot, Kind.STUCK, f"validated {_at(since)} and not released since{_why(one)}")
    if one.late and deadline and one.state is not SlotState.DELIVERED:
        if known.earlier and known.commitment:
            says = f"revision {known.commitment.revision} was decided {_at(known.commitment.committed_at)} and has not landed"
            return Concern(one.slot, Kind.LATE, says)
        return Concern(one.slot, Kind.LATE, f"{one.state}; its deadline was {_at(deadline)}{_why(one)}")
    return None


def _why(one: Standing) -> str:
    failed = one.known.failed
    return f"; {why_not(failed)}, {_at(failed.failed_at)}" if failed else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to tell one reader, and what it knows once that is told."""

    news: tuple[Concern, ...]
    reminders: tuple[Concern, ...]
    cleared: tuple[Cleared, ...]
    told: Mapping[str, Told]


def decide(
    found: Sequence[Concern],
    seen: Iterable[Standing],
    told: Mapping[str, Told],
    now: datetime,
    remind: timedelta,
) -> Decision:
    """Tell a slot once for each kind, again after `remind`, and once when it needs nobody any more.

    A slot that fell out of the days that are looked at is told as left to people, and not again.
    """
    news, reminders, after = list[Concern](), list[Concern](), dict[str, Told]()
    for one in found:
        name, known = one.name, told.get(one.name)
        if known is None or known.kind is not one.kind:
            news.append(one)
            after[name] = Told(one.kind, now, now)
        elif now >= known.last + remind:
            reminders.append(one)
            after[name] = Told(one.kind, known.first, now)
        else:
            after[name] = known
    standings = {str(one.slot): one for one in seen}
    cleared = tuple(
        Cleared(name, _ended(standings.get(name), known)) for name, known in told.items() if name not in after
    )
    return Decision(tuple(news), tuple(reminders), cleared, after)


def _ended(one: Standing | None, known: Told) -> str:
    if known.kind is Kind.UNREAPED:
        return "nothing that is looked at lies longer than it should"
    if one is None:
        return f"still {known.kind}, and older than the days that are looked at: left to people"
    receipt = one.landed
    if receipt:
        return f"delivered {_at(receipt.landed_at)}{', late' if one.late else ''}"
    return f"no longer {known.kind}: {one.state}"


def missed(seen: Iterable[Standing], now: datetime, *, after: timedelta, within: timedelta) -> list[Slot]:
    """Give the slots that nobody brought to their end though they were due: no verdict, or a release that is stuck.

    Due at least `after` ago, so that a run that is only slow is left alone, and at most `within` ago; the oldest first.
    Never one in the future, and none that today's schedule does not know.
    """
    unfinished = {SlotState.DUE, SlotState.MISSING, SlotState.COMMITTED}
    found = [
        one.slot
        for one in seen
        if one.state in unfinished
        and one.scheduled
        and not one.known.doubt
        and now - within <= one.slot.scheduled_at <= now - after
    ]
    return sorted(found, key=lambda slot: (slot.scheduled_at, slot.feed))


# How a notice reads


def subject(notice: Notice) -> str:
    """Give one line of at most a hundred ASCII characters."""
    parts = []
    if notice.news:
        kinds = [one.kind for one in notice.news]
        parts.append(", ".join(f"{kinds.count(kind)} {kind}" for kind in Kind if kind in kinds))
    if notice.reminders:
        parts.append(f"{len(notice.reminders)} still open")
    if notice.cleared:
        parts.append(f"{len(notice.cleared)} all clear")
    line = f"{notice.project} {notice.environment}: {'; '.join(parts)}"
    return line.encode("ascii", "replace").decode()[:_LONGEST_SUBJECT]


def text(notice: Notice) -> str:
    """Give the whole message for people, with the command to run next."""
    lines = [f"{notice.project} {notice.environment}, looked at {_at(notice.at)}", ""]
    for title, found in (("New", notice.news), ("Still open", notice.reminders)):
        lines += _listed(title, [f"{one.kind:<12} {one.name}: {one.says}" for one in found])
    lines += _listed("All clear", [f"{one.name}: {one.says}" for one in notice.cleared])
    first = (*notice.news, *notice.reminders)
    if first:
        look = "reap" if first[0].kind is Kind.UNREAPED else f"trace {first[0].slot}"
        lines.append(f"next: landbridge {look} --environment {notice.environment}")
    return "\n".join(lines).rstrip() + "\n"


def _listed(title: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = [f"  ... and {len(items) - _MOST} more: landbridge status"] if len(items) > _MOST else []
    return [f"{title} ({len(items)})", *(f"  {item}" for item in items[:_MOST]), *more, ""]


def document(notice: Notice) -> dict[str, object]:
    """Give the notice for programs; `text` is what chat services show."""
    return {
        "text": f"{subject(notice)}\n\n{text(notice)}",
        "subject": subject(notice),
        "project": notice.project,
        "environment": notice.environment,
        "at": notice.at.isoformat(),
        "news": [_plain(one) for one in notice.news],
        "reminders": [_plain(one) for one in notice.reminders],
        "cleared": [{"slot": one.name, "says": one.says} for one in notice.cleared],
    }


def _plain(one: Concern) -> dict[str, str | None]:
    deadline = one.slot.deadline
    return {
        "slot": one.name,
        "feed": one.slot.feed,
        "business_date": one.slot.business_date.isoformat(),
        "kind": one.kind.value,
        "says": one.says,
        "deadline": deadline.isoformat() if deadline else None,
    }


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
