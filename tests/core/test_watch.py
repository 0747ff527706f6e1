"""Does one look at all slots tell everybody first, remember what was told, and run what was missed within its limits?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.alarms import Watch
from landbridge.decisions import redrive
from landbridge.errors import NotPermitted, Unavailable
from landbridge.facts import Receipt, Released, SlotState
from landbridge.hops import hops
from landbridge.ledger import make_receipt_bytes
from landbridge.naming import ledger_key, manifest_key, receipt_key
from landbridge.notices import Kind
from landbridge.project import Project
from landbridge.retention import Retention
from landbridge.run import run
from landbridge.survey import survey
from landbridge.watch import look
from landbridge.world import Watching
from tests.fakes.memory_cloud import ENVIRONMENT, MemoryWorld, slot, trades
from tests.fakes.proven import COLLECTOR, STRANGER, Pair

if TYPE_CHECKING:
    from landbridge.notices import Notice
    from landbridge.standing import Standing
    from landbridge.watch import Look

FEED, SLOT, DAY = trades(), slot(), timedelta(days=1)
PROJECT = Project.model_validate_json(
    json.dumps(
        {
            "version": 1,
            "project": "demo",
            "buckets": {"staging": "demo-s", "reports": "demo-r", "ledger": "demo-l"},
            "sftp": {"host": "h", "user": "collector", "private_key": "file:k", "host_keys": ["file:h"]},
            "share": {"path": "p", "receipt_key": "file:k", "receipt_public_keys": ["file:p"]},
            "environments": {ENVIRONMENT: {}},
        }
    )
)
LATER = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Reader:
    """Somebody who is told; and what happened in order."""

    name: str
    events: list[str]
    error: Exception | None = None
    told: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        if self.error:
            raise self.error
        self.events.append(self.name)
        self.told.append(notice)


@dataclass
class Alarm:
    """What measures how many slots are late."""

    error: Exception | None = None
    late: list[int] = field(default_factory=list)

    def measure(self, late: int) -> None:
        if self.error:
            raise self.error
        self.late.append(late)


@dataclass
class Watched:
    """Slots of some days, and who looks at them."""

    world: MemoryWorld
    events: list[str] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    alarm: Alarm | None = field(default_factory=Alarm)
    declared: dict[str, object] = field(default_factory=lambda: {"look_back": "3d"})
    keys: tuple[str, ...] = (COLLECTOR.public,)
    retention: Retention = PROJECT.retention

    def look(self, at: datetime = LATER, *, dry: bool = False) -> Look:
        self.world.clock._now = at
        declared = Watch.model_validate_json(json.dumps(self.declared))
        watching = Watching(
            declared,
            self.world.evidence(*self.keys),
            self.world.cloud("watch"),
            self.retention,
            self.world.staging,
            tuple(self.readers),
            self.alarm,
            self.world.clock,
        )
        return look(PROJECT, [FEED], watching, dry=dry)

    def seen(self, at: datetime = LATER, first: date = SLOT.business_date) -> list[Standing]:
        until = SLOT.business_date
        return survey(PROJECT, [FEED], first, until, self.world.evidence(*self.keys), at)


@pytest.fixture
def watched() -> Watched:
    watched = Watched(MemoryWorld())
    watched.readers = [Reader("mail", watched.events), Reader("sns", watched.events)]
    for number in range(4):
        run(FEED, slot(SLOT.business_date - number * DAY), watched.world.cloud())
    return watched


def _forget(watched: Watched, number: int = 0) -> None:
    """Let no job of a day ever have run."""
    then = slot(SLOT.business_date - number * DAY)
    for store in (watched.world.entries, watched.world.reports):
        for key in [
            key
            for key in store.objects
            if f"{then.business_date}" in key or f"{then.business_date:%Y%m%d}" in key
        ]:
            del store.objects[key]


def _missing(told: Reader) -> list[list[str]]:
    return [[one.slot.occurrence for one in notice.news if one.kind is Kind.MISSING] for notice in told.told]


def test_a_slot_that_no_job_ran_is_told_to_everybody_and_once(watched: Watched) -> None:
    _forget(watched, 1)
    for _ in range(2):
        watched.look()
    for reader in watched.readers:
        assert _missing(reader) == [["2026-11-19"]]


def test_a_reader_who_cannot_be_told_keeps_nobody_else_from_it_and_is_told_later(watched: Watched) -> None:
    _forget(watched, 1)
    watched.readers[0].error = Unavailable("the relay is away")
    seen = watched.look()
    assert [one.what for one in seen.failures] == ["mail"]
    assert _missing(watched.readers[1]) == [["2026-11-19"]]
    watched.readers[0].error = None
    watched.look()
    assert _missing(watched.readers[0]) == [["2026-11-19"]]
    assert len(watched.readers[1].told) == 1


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"kind":"watch","schema":1}', b"x" * ((8 << 20) + 1)])
def test_a_memory_that_cannot_be_read_makes_nobody_silent(watched: Watched, damage: bytes) -> None:
    _forget(watched, 1)
    watched.world.staging.put_new(f"watch/{ENVIRONMENT.lower()}/20261120T115900.000000Z.json", damage)
    watched.look()
    assert _missing(watched.readers[0]) == [["2026-11-19"]]


def test_a_memory_that_staging_would_forget_is_written_again(watched: Watched) -> None:
    _forget(watched, 1)
    watched.declared["remind"] = "30d"

    def written() -> int:
        return sum(key.startswith("watch/") for key in watched.world.staging.objects)

    counts = []
    for hours in (0, 1, 5, 7, 8, 14):
        watched.look(LATER + timedelta(hours=hours))
        counts.append(written())
    assert counts == [1, 1, 1, 2, 2, 3]


def test_a_dry_look_tells_nobody_measures_nothing_remembers_nothing_and_runs_nothing(
    watched: Watched,
) -> None:
    _forget(watched, 1)
    watched.declared["catch_up"] = "5d"
    before = {name: {*getattr(watched.world, name).objects} for name in ("staging", "reports", "entries")}
    seen = watched.look(dry=True)
    assert [str(one) for one in seen.missed] == ["trades/2026-11-19"]
    assert [one.news for _, one in seen.notices]
    assert (seen.caught_up, watched.events, watched.alarm and watched.alarm.late) == ((), [], [])
    assert {name: {*getattr(watched.world, name).objects} for name in before} == before


def test_what_was_missed_is_run_after_it_was_told_and_remembered(watched: Watched) -> None:
    _forget(watched, 1)
    watched.declared["catch_up"] = "5d"
    sources = watched.world._sources

    def seen_to_run(*arguments: object) -> object:
        remembered = any(key.startswith("watch/") for key in watched.world.staging.objects)
        watched.events.append(f"run, {'remembered' if remembered else 'forgotten'}")
        return sources(*arguments)  # type: ignore[arg-type] # as cloud calls it

    watched.world._sources = seen_to_run  # type: ignore[method-assign,assignment] # only to be watched
    (caught,) = watched.look().caught_up
    assert (str(caught.slot), caught.came_to) == ("trades/2026-11-19", "released")
    assert watched.events == ["mail", "sns", "run, remembered"]


def test_nothing_is_run_unless_that_is_declared(watched: Watched) -> None:
    _forget(watched, 1)
    seen = watched.look()
    assert (seen.missed, seen.caught_up) == ((), ())
    assert manifest_key(slot(date(2026, 11, 19)), 1) not in watched.world.reports.objects


def test_one_look_runs_at_most_as_many_as_declared_the_oldest_first(watched: Watched) -> None:
    for number in (1, 2, 3):
        _forget(watched, number)
    watched.declared |= {"catch_up": "5d", "catch_up_most": 2}
    assert [one.slot.occurrence for one in watched.look().caught_up] == ["2026-11-17", "2026-11-18"]
    assert [one.slot.occurrence for one in watched.look().caught_up] == ["2026-11-19"]


def test_a_slot_that_cannot_be_run_keeps_the_others_from_nothing(watched: Watched) -> None:
    for number in (1, 2):
        _forget(watched, number)
    watched.declared["catch_up"] = "5d"
    watched.world.rows.fails = {"2026-11-18": NotPermitted("the source refuses")}
    came = {one.slot.occurrence: one.came_to for one in watched.look().caught_up}
    assert came == {"2026-11-18": "failed", "2026-11-19": "released"}


def test_an_alarm_that_cannot_be_reached_is_told_and_stops_nothing(watched: Watched) -> None:
    watched.alarm = Alarm(Unavailable("cloudwatch is away"))
    _forget(watched, 1)
    assert [one.what for one in watched.look().failures] == ["cloudwatch"]
    assert watched.events == ["mail", "sns"]
    watched.alarm = Alarm()
    watched.look()
    assert watched.alarm.late == [4], "one is missing, three are released and not delivered at their deadline"


# Where slots stand, by what is on record


def _land(watched: Watched, pair: Pair = COLLECTOR, **other: object) -> None:
    """Do what a collector does; `other` is what its receipt says differently."""
    (made,) = watched.world.cloud().ledger.history(SLOT)
    receipt = Receipt(
        SLOT.feed,
        SLOT.occurrence,
        SLOT.business_date,
        1,
        ENVIRONMENT,
        made.delivered.size,
        made.delivered.sha256,
        "x",
        SLOT.scheduled_at,
        "edge1",
        watched.world.cloud().ledger.digest(made),
    )
    body = make_receipt_bytes(replace(receipt, **other), pair.private)  # type: ignore[arg-type] # fields by name
    watched.world.reports._add(receipt_key(SLOT.feed, SLOT.occurrence, 1, SLOT.business_date), body)


def test_a_slot_is_delivered_by_a_receipt_that_holds(watched: Watched) -> None:
    assert [one.state for one in watched.seen()] == [SlotState.RELEASED]
    _land(watched)
    assert [(one.state, one.known.doubt) for one in watched.seen()] == [(SlotState.DELIVERED, "")]


@pytest.mark.parametrize(
    ("pair", "other"),
    [(STRANGER, {}), (COLLECTOR, {"sha256": "0" * 64}), (COLLECTOR, {"commitment": "0" * 64})],
    ids=["stranger", "bytes", "chain"],
)
def test_a_receipt_that_does_not_hold_delivers_nothing_and_is_doubted(
    watched: Watched, pair: Pair, other: dict[str, object]
) -> None:
    _land(watched, pair, **other)
    (one,) = watched.seen()
    assert one.state is not SlotState.DELIVERED
    assert one.known.doubt
    assert [concern.kind for concern in watched.look().open if concern.slot == SLOT] == [Kind.DOUBT]
    (made,) = watched.world.cloud().ledger.history(SLOT)
    told = hops(made, watched.world.evidence(COLLECTOR.public))
    assert [one.name for one in told][-1] == "receipt refused"


def test_nothing_is_delivered_that_was_not_released(watched: Watched) -> None:
    _land(watched)
    del watched.world.reports.objects[manifest_key(SLOT, 1)]
    assert [one.state for one in watched.seen()] == [SlotState.COMMITTED]


def test_an_entry_that_cannot_be_read_is_doubted_and_hides_no_other_slot(watched: Watched) -> None:
    entries = watched.world.entries
    another = entries.read(ledger_key(slot(SLOT.business_date - DAY), 1))
    del entries.objects[ledger_key(SLOT, 1)]
    entries.put_new(ledger_key(SLOT, 1), another)
    seen = watched.seen(first=SLOT.business_date - DAY)
    assert [bool(one.known.doubt) for one in seen] == [False, True]


def test_a_slot_that_the_schedule_no_longer_has_is_still_seen(watched: Watched) -> None:
    for hour, apart in ((7, 1), (5, -1)):
        at = SLOT.scheduled_at + timedelta(hours=apart)
        run(FEED, replace(SLOT, occurrence=f"20261120T0{hour}00Z", scheduled_at=at), watched.world.cloud())
    names = ["20261120T0500Z", "2026-11-20", "20261120T0700Z"]
    assert [one.slot.occurrence for one in watched.seen()] == names, "in order of their time"


def test_slots_of_other_days_and_feeds_are_left_out(watched: Watched) -> None:
    run(FEED, replace(SLOT, feed="other"), watched.world.cloud())
    assert [str(one.slot) for one in watched.seen()] == [str(SLOT)]


def test_the_way_of_a_file_names_every_hop(watched: Watched) -> None:
    (made,) = watched.world.cloud().ledger.history(SLOT)
    evidence = watched.world.evidence(COLLECTOR.public)
    assert [one.name for one in hops(made, evidence)] == [
        "source memory",
        "validated",
        "verdict release",
        "copied",
        "released",
    ]
    _land(watched)
    landed = hops(made, evidence)[-1]
    assert (landed.name, landed.who, landed.sha256) == ("landed", "edge1", made.delivered.sha256)


def test_a_released_file_may_be_run_again_at_any_time(watched: Watched) -> None:
    assert isinstance(run(FEED, SLOT, watched.world.cloud()), Released)


def test_a_reaper_that_was_declared_today_has_its_night_before_it_is_told(watched: Watched) -> None:
    run(FEED, SLOT, watched.world.cloud())
    _land(watched)
    nightly = Retention(outbound_days=1, schedule="0 3 * * *")
    morning = LATER + 6 * DAY
    told = []
    for day in range(3):
        watched.retention = nightly if day else Retention(outbound_days=1)
        told.append(Kind.UNREAPED in {one.kind for one in watched.look(morning + day * DAY).open})
    assert told == [False, False, True], (
        "the day before, the day itself, and the day after a night without a reaper"
    )
    assert Kind.UNREAPED in {one.kind for one in watched.look(morning + 2 * DAY, dry=True).open}


def test_since_when_a_reaper_is_expected_outlives_what_staging_forgets(watched: Watched) -> None:
    watched.retention = Retention(schedule="0 3 * * *")
    watched.look(LATER)
    watched.look(LATER + timedelta(hours=1))
    assert len(_memories(watched)) == 1
    watched.look(LATER + timedelta(hours=7))
    first, again = _memories(watched)
    assert first == again, "written again before it is forgotten"


def _memories(watched: Watched) -> list[object]:
    keys = sorted(key for key in watched.world.staging.objects if key.startswith("watch/"))
    return [json.loads(watched.world.staging.read(key))["reaper"] for key in keys]


def test_where_no_alarm_listens_nothing_is_measured(watched: Watched) -> None:
    watched.alarm = None
    assert watched.look().failures == ()


def test_what_was_told_an_hour_ago_is_remembered_as_well(watched: Watched) -> None:
    """A memory is written with every change, not only before staging forgets it."""
    _forget(watched, 1)
    watched.look()
    _forget(watched, 2)
    for minutes in (10, 20):
        watched.look(LATER + timedelta(minutes=minutes))
    assert _missing(watched.readers[0]) == [["2026-11-19"], ["2026-11-18"]]


def test_revisions_before_belong_to_their_own_slot(watched: Watched) -> None:
    """An entry of another slot that cannot be read must not shift them."""
    day = SLOT.business_date - DAY
    entries = watched.world.entries
    another = entries.read(ledger_key(SLOT, 1))
    del entries.objects[ledger_key(slot(day), 1)]
    entries.put_new(ledger_key(slot(day), 1), another)
    _land(watched)
    redrive(FEED, SLOT, watched.world.cloud("ann", "wrong rows"))
    seen = watched.seen(first=day)
    assert [(bool(one.known.doubt), len(one.known.earlier)) for one in seen] == [(True, 0), (False, 1)]


def test_an_attempt_that_failed_is_told_only_while_there_is_something_left_to_do(watched: Watched) -> None:
    watched.world.rows.fails = {SLOT.occurrence: NotPermitted("the source refuses")}
    _forget(watched)
    with pytest.raises(NotPermitted):
        run(FEED, SLOT, watched.world.cloud())
    (one,) = watched.seen()
    assert one.known.failed
    watched.world.rows.fails = {}
    run(FEED, SLOT, watched.world.cloud())
    later = replace(one.known.failed, failed_at=LATER)  # another run, late, whose source refused
    watched.world.cloud().ledger.record_failure(later)
    (one,) = watched.seen()
    assert (one.known.failed, one.known.doubt) == (None, "")
