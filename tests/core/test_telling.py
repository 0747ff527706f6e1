"""Is each thing told once, again as a reminder, and cleared once, however often somebody looks?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from landbridge.facts import Slot, SlotState, Verdict
from landbridge.host import Host
from landbridge.notices import Cleared, Concern, Kind, Notice, Told
from landbridge.retention import Retention
from landbridge.standing import Known, Standing, standing
from landbridge.telling import concerns, decide, document, missed, past_deadline, subject, text
from tests.core.test_standing import commitment, receipt

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
SLOT = Slot("flights", "2026-11-20", date(2026, 11, 20), SIX, SIX + timedelta(hours=1))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


UNKNOWN = Known()


def at(now: datetime, known: Known = UNKNOWN, slot: Slot = SLOT) -> Standing:
    return standing(slot, known, now=now, missing_after=DAY)


RELEASE = replace(commitment(Verdict.RELEASE), slot=SLOT)
CORRECTION = Known(
    replace(RELEASE, revision=2, committed_at=SIX + HOUR * 3), True, earlier=(receipt(SIX + HOUR / 2),)
)
"""Of a file that had come in time."""


@pytest.mark.parametrize(
    ("known", "after", "kind"),
    [
        (Known(), timedelta(minutes=59), None),
        (Known(), timedelta(minutes=61), Kind.LATE),
        (Known(), timedelta(hours=26), Kind.MISSING),
        (Known(RELEASE), timedelta(minutes=59), None),
        (Known(RELEASE), HOUR, Kind.STUCK),
        (Known(RELEASE, released=True), HOUR * 2, Kind.LATE),
        (Known(RELEASE, released=True, receipt=receipt(SIX + HOUR * 9)), HOUR * 10, None),
        (Known(commitment(Verdict.SKIP)), DAY * 5, None),
        (Known(commitment(Verdict.QUARANTINE)), timedelta(0), Kind.QUARANTINED),
        (Known(commitment(Verdict.REJECT)), DAY * 5, None),
        (Known(commitment(Verdict.WAIVE)), DAY * 5, None),
        (CORRECTION, HOUR * 20, None),
        (CORRECTION, DAY * 2, Kind.LATE),
        (replace(CORRECTION, commitment=commitment(Verdict.QUARANTINE)), HOUR * 3, Kind.QUARANTINED),
        (Known(RELEASE, released=True, doubt="forged"), timedelta(0), Kind.DOUBT),
        (Known(), -HOUR, None),
    ],
)
def test_what_somebody_has_to_look_at(known: Known, after: timedelta, kind: Kind | None) -> None:
    found = concerns([at(SIX + after, known)], SIX + after, HOUR)
    assert [one.kind for one in found] == ([kind] if kind else [])


def test_what_is_past_its_deadline_is_counted_until_it_is_delivered() -> None:
    late = SIX + HOUR * 2
    delivered = Known(RELEASE, released=True, receipt=receipt(late))
    assert past_deadline([at(late), at(late, Known(RELEASE)), at(late, delivered), at(SIX)]) == 2


LATE = Concern(SLOT, Kind.LATE, "late")


def _told(found: list[Concern], told: dict[str, Told], now: datetime) -> tuple[int, int, int]:
    decided = decide(found, [at(now)], told, now, DAY)
    told.clear()
    told.update(decided.told)
    return len(decided.news), len(decided.reminders), len(decided.cleared)


def test_a_slot_is_told_once_for_each_state_reminded_and_cleared_once() -> None:
    told: dict[str, Told] = {}
    now = SIX + HOUR * 2
    assert _told([LATE], told, now) == (1, 0, 0)
    assert _told([LATE], told, now + timedelta(minutes=15)) == (0, 0, 0)
    assert _told([LATE], told, now + DAY) == (0, 1, 0)
    assert _told([LATE], told, now + DAY + HOUR) == (0, 0, 0)
    assert _told([replace(LATE, kind=Kind.MISSING)], told, now + DAY + HOUR) == (1, 0, 0)
    assert _told([], told, now + DAY * 2) == (0, 0, 1)
    assert _told([], told, now + DAY * 2) == (0, 0, 0)


def test_an_all_clear_says_how_it_ended() -> None:
    now = SIX + HOUR * 10
    landed = Known(RELEASE, released=True, receipt=receipt(SIX + HOUR * 9))
    known = {str(SLOT): Told(Kind.LATE, SIX, SIX)}
    (cleared,) = decide([], [at(now, landed)], known, now, DAY).cleared
    assert cleared.says == "delivered 2026-11-20 15:00 UTC, late"
    (left,) = decide([], [], known, now, DAY).cleared
    assert "left to people" in left.says


@given(some.lists(some.sampled_from([None, Kind.LATE, Kind.MISSING, Kind.STUCK]), min_size=1, max_size=60))
def test_nothing_is_told_twice_without_a_change_or_a_day(kinds: list[Kind | None]) -> None:
    """One look every quarter of an hour: told when the kind changes to one, cleared when it changes to none, else only after a day."""
    told: dict[str, Told] = {}
    before: Kind | None = None
    last = SIX
    for number, kind in enumerate(kinds):
        now = SIX + number * timedelta(minutes=15)
        found = [replace(LATE, kind=kind)] if kind else []
        news, reminders, cleared = _told(found, told, now)
        assert news == (kind is not None and kind is not before)
        assert reminders == 0 or now - last >= DAY
        assert cleared == (kind is None and before is not None)
        last = now if news or reminders else last
        before = kind


def _slot(hour: int) -> Slot:
    due = SIX + hour * HOUR
    return replace(SLOT, occurrence=f"{due:%Y%m%dT%H%MZ}", scheduled_at=due, deadline=due + HOUR)


@pytest.mark.parametrize(
    ("hours_ago", "is_missed"), [(-1, False), (0, False), (0.5, False), (1, True), (6, True), (6.1, False)]
)
def test_only_what_was_due_long_enough_ago_and_not_too_long_ago_is_caught_up(
    hours_ago: float, is_missed: bool
) -> None:
    now = SIX + hours_ago * HOUR
    assert missed([at(now)], now, after=HOUR, within=HOUR * 6) == ([SLOT] if is_missed else [])


@pytest.mark.parametrize(
    "known",
    [
        Known(commitment(Verdict.SKIP)),
        Known(commitment(Verdict.QUARANTINE)),
        Known(RELEASE, released=True),
        Known(RELEASE, released=True, receipt=receipt(SIX)),
        Known(doubt="the ledger was changed"),
    ],
)
def test_what_has_its_verdict_or_cannot_be_believed_is_not_run(known: Known) -> None:
    now = SIX + HOUR * 2
    assert missed([at(now, known)], now, after=HOUR, within=DAY) == []


def test_a_stuck_release_is_carried_on_and_the_oldest_comes_first() -> None:
    now = SIX + HOUR * 10
    seen = [at(now, slot=_slot(3)), at(now, Known(RELEASE), _slot(1)), at(now, slot=_slot(2))]
    assert missed(seen, now, after=HOUR, within=DAY) == [_slot(1), _slot(2), _slot(3)]


def test_a_slot_that_the_schedule_does_not_know_is_not_run() -> None:
    now = SIX + HOUR * 2
    assert missed([replace(at(now), scheduled=False)], now, after=HOUR, within=DAY) == []


def test_a_notice_reads_well_in_every_form() -> None:
    many = tuple(replace(LATE, slot=_slot(n)) for n in range(60))
    notice = Notice("eidv", "PRD", SIX, (*many, replace(LATE, kind=Kind.MISSING)), (LATE,))
    assert subject(notice) == "eidv PRD: 1 missing, 60 late; 1 still open"
    body = text(notice)
    assert "... and 11 more: landbridge status" in body
    assert "next: landbridge trace flights/20261120T0600Z --environment PRD" in body
    plain = document(notice)
    assert plain["subject"] == subject(notice)
    news = plain["news"]
    assert isinstance(news, list)
    assert len(news) == 61


def test_a_subject_is_short_ascii_whatever_it_is_about() -> None:
    line = subject(Notice("ä" * 200, "PRD", SIX, (LATE,)))
    assert len(line) == 100
    assert line.isascii()
    assert "\n" not in line


def test_delivered_late_before_anybody_looked_is_no_alarm() -> None:
    landed = Known(RELEASE, released=True, receipt=receipt(SIX + HOUR * 2))
    one = at(SIX + HOUR * 3, landed)
    assert one.state is SlotState.DELIVERED
    assert one.late
    assert concerns([one], SIX + HOUR * 3, HOUR) == []


def test_what_is_cleared_is_told_and_nothing_is_told_of_what_there_is_not() -> None:
    notice = Notice(
        "eidv", "PRD", SIX, cleared=(Cleared("flights/1", "delivered"), Cleared("flights/2", "x"))
    )
    assert subject(notice) == "eidv PRD: 2 all clear"
    assert "New" not in text(notice)
    assert "Still open" not in text(notice)
    assert "All clear (2)" in text(notice)


@pytest.mark.parametrize("part", ["news", "reminders", "cleared"])
def test_a_notice_with_anything_in_it_is_told(part: str) -> None:
    one: object = Cleared("flights/1", "delivered") if part == "cleared" else LATE
    assert Notice("eidv", "PRD", SIX).is_empty
    assert not Notice("eidv", "PRD", SIX, **{part: (one,)}).is_empty  # type: ignore[arg-type] # fields by name


def test_a_missing_slot_counts_also_where_it_has_no_deadline() -> None:
    none = replace(SLOT, deadline=None)
    assert past_deadline([at(SIX + DAY * 2, slot=none)]) == 1
    assert past_deadline([at(SIX + HOUR, slot=none)]) == 0


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"outbound_days": 0}, "greater than or equal to 1"),
        ({"outbound_days": 3651}, "less than or equal to 3650"),
        ({"quarantine_days": 0}, "greater than or equal to 1"),
        ({"quarantine_days": 3651}, "less than or equal to 3650"),
        ({"schedule": "0 25 * * *"}, "hour"),
    ],
)
def test_what_was_delivered_is_kept_for_a_day_at_least(keys: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Retention.model_validate(keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"command": "landbridge"},
        {"command": "/opt/x; rm -rf /"},
        {"folder": "/etc/$HOME"},
        {"folder": "/etc/a\nb"},
        {"folder": "C:\\landbridge"},
        {"os": "windows", "folder": "/etc/landbridge"},
        {"account": "two words"},
        {"account": "a;b"},
        {"account": "-x"},
        {"group": "a b"},
        {"group": "$(x)"},
        {"mail": ["a@b c"]},
        {"mail": ["`x`@example.org"]},
        {"mail": ["nobody"]},
    ],
)
def test_what_a_shell_would_read_is_no_path_account_or_reader(keys: dict[str, object]) -> None:
    """They stand in units, crontabs and scripts."""
    with pytest.raises(ValidationError):
        Host.model_validate_json(json.dumps(keys))


def test_accounts_and_paths_of_either_system_are_taken() -> None:
    Host.model_validate_json('{"account": "svc_land", "command": "/opt/lb/bin/landbridge"}')
    Host.model_validate_json(json.dumps({"os": "windows", "account": "CORP\\svc land", "folder": "C:\\lb"}))
