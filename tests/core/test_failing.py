"""Is it on record why a slot has no file, also when the log of its run is gone?"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.audit import Proof, audit
from landbridge.bundle import check, gather, payload_of
from landbridge.cli import audit as auditing
from landbridge.cli import status, trace
from landbridge.decisions import waive
from landbridge.dsse import sealed
from landbridge.errors import IntegrityBroken, LandbridgeError, TryAgain, Unavailable
from landbridge.facts import Released, SlotState, Verdict
from landbridge.hops import hops
from landbridge.jobs import run_promote, run_validate
from landbridge.ledger.thinning import FIRST, ROOM
from landbridge.naming import attempt_prefix, failure_prefix
from landbridge.run import commit, make, run
from landbridge.standing import Known, standing, why_not
from landbridge.survey import survey
from landbridge.telling import concerns
from tests.core.declared import FILES, examined
from tests.fakes.memory_cloud import MemoryWorld, slot, trades
from tests.fakes.memory_store import MemoryStore
from tests.fakes.proven import AUDIT, signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.facts import Failure
    from landbridge.ports import Blob
    from landbridge.project import Project
    from landbridge.standing import Standing

FEED, SLOT = trades(), slot()
AWAY = Unavailable("the source is away", seen="row 3: Ann Burke", hint="landbridge run")


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    declared = examined(tmp_path, FILES).declaration
    assert declared is not None
    return declared.project


def failed(world: MemoryWorld, error: BaseException = AWAY) -> tuple[Failure, ...]:
    """Run, and fail in the sources."""
    world.rows.fails[SLOT.occurrence] = error
    with pytest.raises(type(error)) as raised:
        run(FEED, SLOT, world.cloud())
    assert raised.value is error, "what happened is told as it was"
    world.rows.fails.clear()
    return world.cloud().ledger.failures(SLOT)[0]


def looked_at(world: MemoryWorld, project: Project, after: timedelta = timedelta(days=3)) -> Standing:
    day = SLOT.business_date
    (seen,) = survey(project, [FEED], day, day, world.evidence(), SLOT.scheduled_at + after)
    return seen


def test_a_run_that_fails_leaves_step_code_reason_time_and_who(world: MemoryWorld) -> None:
    (left,) = failed(world)
    assert (left.step, left.exit, left.reason) == ("generate", 69, "the source is away")
    assert (left.slot, left.revision, left.actor, left.run_id) == (SLOT, 1, "cron", "run of cron")
    assert left.failed_at < world.clock.now()
    assert world.cloud().ledger.history(SLOT) == (), "it decides nothing"
    (key,) = world.entries.objects
    assert key.startswith(failure_prefix(SLOT))
    assert b"Ann Burke" not in world.entries.read(key), "what was seen may be of the data"


def test_a_missing_slot_says_why_to_everybody_who_looks(world: MemoryWorld, project: Project) -> None:
    failed(world)
    world.clock.sleep(600)
    failed(world, TryAgain("the upstream is not ready"))
    seen = looked_at(world, project)
    assert (seen.state, seen.known.commitment) == (SlotState.MISSING, None)
    assert seen.known.failed
    assert why_not(seen.known.failed) == "generate failed, exit code 75: the upstream is not ready"
    (row,) = audit([seen], world.evidence())
    assert (row.evidence, row.failed_step, row.failed_exit) == (Proof.NONE, "generate", 75)
    assert (row.failed_reason, row.failed_at) == ("the upstream is not ready", seen.known.failed.failed_at)
    (told,) = concerns([seen], SLOT.scheduled_at + timedelta(days=3), timedelta(hours=1))
    assert "generate failed, exit code 75: the upstream is not ready, 2026-11-20 06:11" in told.says


def test_the_commands_say_it_in_one_line(
    world: MemoryWorld, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = failed(world)
    seen = looked_at(world, project)
    (row,) = audit([seen], world.evidence())
    assert status._note(seen) == "generate failed, exit code 69: the source is away"
    assert auditing._why(row) == "generate failed, exit code 69: the source is away"
    trace._say_undecided(SLOT, "DEV", failures, 0, as_json=False)
    said = capsys.readouterr()
    assert "trades/2026-11-20  DEV: nothing decided" in said.out
    assert "exit code 69: the source is away" in said.out
    assert "next, when that is mended: landbridge run trades --date 2026-11-20" in said.err
    trace._say_undecided(SLOT, "DEV", failures, 0, as_json=True)
    (revision,) = json.loads(capsys.readouterr().out)
    assert [hop["name"] for hop in revision["hops"]] == ["generate failed"]


def test_what_failed_is_past_once_a_run_comes_to_its_end(world: MemoryWorld, project: Project) -> None:
    failed(world)
    world.clock.sleep(600)
    released = run(FEED, SLOT, world.cloud())
    assert isinstance(released, Released)
    assert looked_at(world, project).known.failed is None
    way = hops(released.commitment, world.evidence(), world.cloud().ledger.failures(SLOT)[0])
    assert (way[0].name, way[0].who, way[0].where) == (
        "generate failed",
        "cron run of cron",
        "exit code 69: the source is away",
    )
    made = gather(
        released.commitment,
        [released.commitment],
        world.evidence(),
        project="trades",
        declared=None,
        made_at=world.clock.now(),
        made_by="auditor",
    )
    _, checked = check(sealed(payload_of(made), signer()), [AUDIT.public])
    assert [one for one in checked if not one.holds] == []
    assert [one.kind for one in made.links].count("failure") == 1


@dataclass
class Refusing(MemoryStore):
    """Takes nothing whose key has `word` in it."""

    word: str = ""

    def put_new(self, key: str, body: bytes) -> Blob:
        if self.word in key:
            raise Unavailable("the store is away")
        return super().put_new(key, body)


def test_a_release_that_is_stuck_says_why(world: MemoryWorld, project: Project) -> None:
    world.reports = Refusing(word="_manifests")
    with pytest.raises(Unavailable, match="the store is away"):
        run(FEED, SLOT, world.cloud())
    seen = looked_at(world, project)
    assert seen.state is SlotState.COMMITTED
    assert seen.known.failed
    assert why_not(seen.known.failed) == "promote failed, exit code 69: the store is away"
    (told,) = concerns([seen], SLOT.scheduled_at + timedelta(days=3), timedelta(hours=1))
    assert "promote failed" in told.says


def test_what_failed_before_the_verdict_is_not_why_its_release_is_stuck(
    world: MemoryWorld, project: Project
) -> None:
    failed(world)
    world.clock.sleep(600)
    decided = commit(
        FEED, make(FEED, SLOT, world.cloud()), world.cloud()
    )  # and a crash, which leaves no record
    assert decided.verdict is Verdict.RELEASE
    seen = looked_at(world, project)
    assert (seen.state, seen.known.failed) == (SlotState.COMMITTED, None)


def test_a_record_that_cannot_be_written_hides_nothing(world: MemoryWorld) -> None:
    world.entries = Refusing(word="failures")
    assert failed(world) == ()


def test_an_interrupted_run_says_so(world: MemoryWorld) -> None:
    (left,) = failed(world, KeyboardInterrupt())
    assert (left.exit, left.reason.partition(":")[0]) == (130, "interrupted")


def test_a_bug_is_told_by_its_traceback_alone(world: MemoryWorld) -> None:
    assert failed(world, ZeroDivisionError()) == ()


def test_a_reason_is_one_short_line(world: MemoryWorld) -> None:
    (left,) = failed(world, LandbridgeError("a\tlong\x1b[31m\nstory " + "x" * 900))
    assert left.reason.startswith("a long [31m story xxx")
    assert len(left.reason) == 300
    assert left.reason.isprintable()


def test_a_job_whose_predecessor_did_not_run_says_so(world: MemoryWorld, project: Project) -> None:
    for job in (run_validate, run_promote):
        with pytest.raises(TryAgain):
            job(FEED, SLOT, world.cloud())
        world.clock.sleep(60)
    assert [(one.step, one.exit) for one in world.cloud().ledger.failures(SLOT)[0]] == [
        ("validate", 75),
        ("promote", 75),
    ]
    assert attempt_prefix(SLOT) not in "".join(world.entries.objects)
    assert looked_at(world, project).known.failed


def test_a_record_that_was_changed_is_a_doubt_and_no_reason(world: MemoryWorld, project: Project) -> None:
    failed(world)
    (key,) = world.entries.objects
    world.entries._add(key, world.entries.read(key).replace(b'"environment":"DEV"', b'"environment":"PRD"'))
    with pytest.raises(IntegrityBroken):
        world.cloud().ledger.failure(key)
    seen = looked_at(world, project)
    assert seen.known.failed is None
    assert "not readable as evidence" in seen.known.doubt


def test_a_record_of_another_slot_tells_nothing_of_this_one(world: MemoryWorld) -> None:
    failed(world)
    (key,) = world.entries.objects
    other = failure_prefix(slot(SLOT.business_date - timedelta(days=1))) + key.rsplit("/", 1)[1]
    world.entries.put_new(other, world.entries.read(key))
    with pytest.raises(IntegrityBroken):
        world.cloud().ledger.failure(other)


def test_what_failed_is_no_verdict() -> None:
    judged = standing(SLOT, Known(), now=SLOT.scheduled_at, missing_after=timedelta(days=1))
    assert judged.verdict is None
    assert replace(judged, known=Known()).known.failed is None


# How many are kept


def failing_every(
    world: MemoryWorld, pause: timedelta, times: int, why: Callable[[int], str]
) -> list[Failure]:
    """Let so many attempts fail, and give all that are on record."""
    one = failed(world)[0]
    for number in range(1, times):
        at = one.failed_at + number * pause
        world.cloud().ledger.record_failure(replace(one, failed_at=at, reason=why(number)))
    return [world.cloud().ledger.failure(key) for key in sorted(world.entries.objects)]


def test_what_fails_each_minute_for_a_week_leaves_some_records_the_first_and_a_late_one_among_them(
    world: MemoryWorld,
) -> None:
    kept = failing_every(world, timedelta(minutes=1), 7 * 24 * 60, lambda _: "the source is away")
    assert FIRST < len(kept) <= ROOM
    assert [one.failed_at - kept[0].failed_at for one in kept[:FIRST]] == [
        number * timedelta(minutes=1) for number in range(FIRST)
    ]
    assert timedelta(days=7) - (kept[-1].failed_at - kept[0].failed_at) < timedelta(hours=17), "a tenth of it"
    shown, left_out = world.cloud().ledger.failures(SLOT)
    assert [*shown] == [kept[0], *kept[-49:]]
    assert left_out == len(kept) - 50


def test_a_new_reason_is_recorded_at_once_as_long_as_there_is_room(world: MemoryWorld) -> None:
    kept = failing_every(world, timedelta(seconds=1), 1_000, lambda number: f"reason {number // 40}")
    assert {one.reason for one in kept} >= {f"reason {number}" for number in range(1_000 // 40)}
    assert len(kept) <= ROOM


def test_a_reason_that_is_new_each_time_does_not_fill_the_ledger(world: MemoryWorld) -> None:
    kept = failing_every(world, timedelta(seconds=1), 2_000, lambda number: f"request {number} failed")
    assert ROOM <= len(kept) < ROOM + 40
    assert kept[-1].failed_at > kept[0].failed_at + timedelta(seconds=1_700)


def test_the_attempt_on_a_later_revision_is_recorded_whatever_was_before(world: MemoryWorld) -> None:
    kept = failing_every(world, timedelta(seconds=1), 200, lambda _: "the source is away")
    world.cloud().ledger.record_failure(replace(kept[-1], revision=2))
    assert world.cloud().ledger.failures(SLOT)[0][-1].revision == 2


def test_somebody_elses_file_among_them_hides_no_error(world: MemoryWorld) -> None:
    world.entries.put_new(f"{failure_prefix(SLOT)}0.json", b"")
    for number in range(2 * FIRST):
        world.rows.fails[SLOT.occurrence] = Unavailable(f"away {number}")
        with pytest.raises(Unavailable, match=f"away {number}"):
            run(FEED, SLOT, world.cloud())
        world.clock.sleep(1)
    assert len(world.entries.objects) == 2 * FIRST + 1


def test_how_many_are_not_shown_is_said(world: MemoryWorld, capsys: pytest.CaptureFixture[str]) -> None:
    trace._say_undecided(SLOT, "DEV", failed(world), 12, as_json=False)
    assert "12 failures after the first one are on record and not shown" in capsys.readouterr().err


def test_status_names_the_command_for_the_first_slot_that_somebody_has_to_look_at(
    world: MemoryWorld, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> str:
        status._say_next([looked_at(world, project)])
        return capsys.readouterr().err

    assert told() == "next: landbridge run trades --date 2026-11-20\n"
    failed(world)
    assert told() == "next: landbridge trace trades/2026-11-20\n"
    world.rows.good = False
    run(FEED, SLOT, world.cloud())
    capsys.readouterr()
    assert told() == "next: landbridge quarantine show trades/2026-11-20\n"
    waive(FEED, SLOT, world.cloud("ann", "not needed"))
    capsys.readouterr()
    assert told() == ""
