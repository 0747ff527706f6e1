"""What an operator does on a hard day, on real servers: typed as a person types it, killed in the middle, two at once."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.cli.output import Silent
from landbridge.facts import Location, Verdict
from landbridge.naming import manifest_key
from landbridge.reap import Kind, harvest, reap
from tests.stories.conftest import played

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

LANDBRIDGE = Path(sys.executable).parent / "landbridge"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage of its own: what is collected here, other stories have not released."""
    with played(tmp_path_factory.mktemp("hard")) as stage:
        yield stage


@pytest.fixture(scope="module")
def days() -> itertools.chain[str]:
    """Give business dates that no story has used."""
    return itertools.chain(f"2025-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29))


def typed(stage: Stage, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [LANDBRIDGE, *words, "--twin", "--project", stage.folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def state(stage: Stage, feed: str, day: str) -> dict[str, object]:
    shown = typed(stage, "status", "--feed", feed, "--since", day, "--until", day, "--json")
    (one,) = json.loads(shown.stdout)
    assert isinstance(one, dict)
    return one


def on_the_share(stage: Stage, feed: str) -> list[str]:
    share = wiring.twin_of(stage.declaration, "DEV").ground.share
    return sorted(path.name for path in share.glob(f"STORY_DEV_{feed}_*"))


# Quarantine


def test_what_is_in_quarantine_is_listed_shown_released_and_delivered(
    stage: Stage, days: Iterator[str]
) -> None:
    day = next(days)
    assert stage.order(f"broken {day} 0 all")[0].startswith("0 quarantine")
    (listed,) = json.loads(
        typed(stage, "quarantine", "list", "--since", day, "--until", day, "--json").stdout
    )
    assert (listed["slot"], listed["broken"]) == (f"broken/{day}", ["unique id", "minimum amount"])
    shown = typed(stage, "quarantine", "show", f"broken/{day}")
    for word in ("quarantine/broken", "minimum", "-1.00", "not yet"):
        assert word in shown.stdout
    said = typed(
        stage, "quarantine", "release", f"broken/{day}", "--reason", "taken", "--actor", "ann", "--json"
    )
    assert json.loads(said.stdout)["ours"] is True
    breach, released = stage.commitments("broken", day)
    assert (released.actor, released.reason, released.report) == ("ann", "taken", breach.report)
    typed(stage, "collect", "--since", "2024-01-01")
    now = state(stage, "broken", day)
    assert (now["state"], now["revision"], now["contract_met"]) == ("delivered", 2, False)
    assert f"STORY_DEV_broken_{day.replace('-', '')}_002.csv" in on_the_share(stage, "broken")
    assert typed(stage, "quarantine", "list", "--since", day, "--until", day, "--json").stdout == "[]\n"
    assert "released by ann" in typed(stage, "quarantine", "show", f"broken/{day}").stdout
    typed(stage, "verify", f"broken/{day}")


def test_what_is_rejected_is_closed_and_status_says_so(stage: Stage, days: Iterator[str]) -> None:
    day = next(days)
    stage.order(f"broken {day} 0 all")
    typed(stage, "status", "--feed", "broken", "--since", day, "--until", day, "--check", code=65)
    typed(stage, "quarantine", "reject", f"broken/{day}", "--reason", "last week's rows", "--actor", "ann")
    shown = typed(stage, "status", "--feed", "broken", "--since", day, "--until", day, "--check")
    assert "quarantined (rejected: last week's rows; ann)" in shown.stdout
    typed(stage, "run", "broken", "--date", day, code=65)
    again = typed(stage, "quarantine", "release", f"broken/{day}", "--reason", "let it go", code=64)
    assert "reject by ann" in again.stderr
    assert typed(stage, "quarantine", "list", "--since", day, "--until", day, "--json").stdout == "[]\n"


@pytest.mark.parametrize("decision", ["release", "redrive"])
def test_killed_at_any_call_the_same_decision_goes_on(
    stage: Stage, days: Iterator[str], decision: str
) -> None:
    feed, first = ("broken", "quarantine") if decision == "release" else ("good", "released")
    for kill_at in itertools.count(1, 3):
        day = next(days)
        assert stage.order(f"{feed} {day} 0 all")[0].startswith(f"0 {first}")
        (said,) = stage.order(f"{feed} {day} {kill_at} {decision}")
        if said != "killed":
            assert said == "0 release 2 ours"
            break
        assert stage.order(f"{feed} {day} 0 {decision}")[0].startswith("0 release 2 ")
        older, newest = stage.commitments(feed, day)
        assert (older.revision, newest.revision, newest.verdict) == (1, 2, Verdict.RELEASE)
        reports = stage.evidence.reports
        body = b"".join(reports.chunks(Location(reports.name, newest.target.key)))
        assert hashlib.sha256(body).hexdigest() == newest.delivered.sha256
        assert reports.head(manifest_key(newest.slot, 2)) is not None
    assert kill_at > 15


def test_of_several_operators_at_once_one_decides(stage: Stage, days: Iterator[str]) -> None:
    for _ in range(4):
        day = next(days)
        stage.order(f"broken {day} 0 all")
        said = stage.order(*(f"broken {day} 0 {step}" for step in ("release", "reject", "waive", "release")))
        _, *decided = stage.commitments("broken", day)
        # On a busy machine the last may begin when another has ended: what was rejected may still be waived.
        assert len(decided) == 1 or [one.verdict for one in decided] == [Verdict.REJECT, Verdict.WAIVE]
        ours = [one for one in said if one.endswith(" ours")]
        assert sorted(ours) == sorted(f"0 {one.verdict} {one.revision} ours" for one in decided)
        refused = [one for one in said if not one.startswith("0 ")]
        assert all(one.startswith("64 ") and "a story" in one for one in refused), said


def test_a_run_and_a_waiver_at_once_agree(stage: Stage, days: Iterator[str]) -> None:
    for _ in range(3):
        day = next(days)
        run, waived = stage.order(f"good {day} 0 all", f"good {day} 0 waive")
        (decided,) = stage.commitments("good", day)
        if decided.verdict is Verdict.WAIVE:
            assert run.startswith("0 waive")
        else:
            assert run.startswith("0 released")
            assert waived.startswith("64 ")


# Redrive


def test_a_corrected_file_comes_after_the_first_one_under_its_own_name(
    stage: Stage, days: Iterator[str]
) -> None:
    day = next(days)
    stage.order(f"good {day} 0 all")
    typed(stage, "collect", "--since", "2024-01-01")
    typed(stage, "redrive", f"good/{day}", "--reason", "double rows", "--actor", "ann")
    assert state(stage, "good", day)["state"] == "released"
    typed(stage, "collect", "--since", "2024-01-01")
    number = day.replace("-", "")
    ours = [name for name in on_the_share(stage, "good") if number in name]
    assert ours == [f"STORY_DEV_good_{number}_001.csv", f"STORY_DEV_good_{number}_002.csv"]
    now = state(stage, "good", day)
    assert (now["state"], now["revision"], now["reason"]) == ("delivered", 2, "double rows")
    again = typed(stage, "redrive", f"good/{day}", "--reason", "double rows", "--json")
    assert json.loads(again.stdout)["ours"] is False
    assert len(stage.commitments("good", day)) == 2


def test_what_was_superseded_before_it_was_collected_never_lands(stage: Stage, days: Iterator[str]) -> None:
    day = next(days)
    stage.order(f"good {day} 0 all")
    stage.order(f"good {day} 0 redrive")
    typed(stage, "collect", "--since", "2024-01-01")
    typed(stage, "collect", "--since", "2024-01-01")
    number = day.replace("-", "")
    ours = [name for name in on_the_share(stage, "good") if number in name]
    assert ours == [f"STORY_DEV_good_{number}_002.csv"]


def test_what_staging_forgot_before_it_was_released_is_redriven(stage: Stage, days: Iterator[str]) -> None:
    day = next(days)
    for step in ("generate", "validate"):
        stage.order(f"good {day} 0 {step}")
    (stuck,) = stage.commitments("good", day)
    bucket = stuck.staged.store.removeprefix("s3://")
    for one in stage.admin.list_object_versions(Bucket=bucket, Prefix=stuck.staged.key)["Versions"]:
        stage.admin.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    failed = typed(stage, "run", "good", "--date", day, code=69)
    assert f"landbridge redrive good/{day}" in failed.stderr
    typed(stage, "redrive", f"good/{day}", "--reason", "staging expired")
    assert state(stage, "good", day)["state"] == "released"


# Waive


def test_a_waived_slot_alarms_nobody_and_only_a_redrive_opens_it(stage: Stage, days: Iterator[str]) -> None:
    day = next(days)
    typed(stage, "waive", f"good/{day}", "--reason", "closed that day", "--actor", "ann")
    shown = typed(stage, "status", "--feed", "good", "--since", day, "--until", day, "--check")
    assert "waived (closed that day; ann)" in shown.stdout
    assert "waived" in typed(stage, "run", "good", "--date", day).stdout
    assert "closed that day" in typed(stage, "trace", f"good/{day}").stdout
    typed(stage, "verify", f"good/{day}")
    typed(stage, "redrive", f"good/{day}", "--reason", "they opened after all")
    refused = typed(stage, "waive", f"good/{day}", "--reason", "no", code=64)
    assert "has landed or may land" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("redrive", "goood/2025-01-01", "--reason", "x"), "`good`?"),
        (("waive", "good/2023-12-30", "--reason", "x"), "for instance 2024-01-01"),
        (("waive", "good", "--reason", "x"), "FEED/OCCURRENCE"),
        (("redrive", "good/2025-01-01"), "a decision needs a reason"),
        (("quarantine", "reject", "good/2025-12-24", "--reason", "x"), "nothing was decided"),
        (("waive", "good/2025-12-24", "--reason", "x", "--actor", "a\nb"), "is no name"),
    ],
)
def test_what_was_mistyped_is_told_with_what_is_near(stage: Stage, words: tuple[str, ...], told: str) -> None:
    said = typed(stage, *words, code=64).stderr
    assert told in said


# Backfill


def test_a_backfill_that_is_interrupted_goes_on_and_runs_no_slot_twice(
    stage: Stage, days: Iterator[str]
) -> None:
    asked = ("backfill", "sealed", "--from", "2024-03-01", "--to", "2024-03-31", "--parallel", "2")
    plan = typed(stage, *asked, "--dry-run").stdout
    assert "31 of 31 slots to run" in plan
    command: list[str | Path] = [LANDBRIDGE, *asked, "--twin", "--project", stage.folder, "--reason", "late"]
    going = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LANDBRIDGE_LOG": "info"},
    )
    assert going.stderr is not None
    for line in going.stderr:
        if '"event": "released"' in line:
            going.send_signal(signal.SIGINT)
            break
    shown, _ = going.communicate(timeout=100)
    assert going.returncode == 130
    lines = [line.split() for line in shown.splitlines() if line.startswith("sealed/")]
    assert len(lines) == 31, "one line a slot, also of those that did not begin"
    done = [line[0] for line in lines if line[1] == "released"]
    assert 1 <= len(done) < 31
    rest = json.loads(typed(stage, *asked, "--json").stdout)["slots"]
    assert len(rest) == 31 - len(done)
    assert {one["ended"] for one in rest} == {"released"}
    for day in range(1, 32):
        (one,) = stage.commitments("sealed", f"2024-03-{day:02d}")
        assert one.reason == ("late" if f"sealed/2024-03-{day:02d}" in done else "")
    assert "0 of 31 slots to run" in typed(stage, *asked).stdout


def test_a_backfill_ends_as_its_worst_slot(stage: Stage) -> None:
    said = typed(stage, "backfill", "broken", "--from", "2024-03-01", "--to", "2024-03-02", code=65)
    assert said.stdout.count("quarantine") == 2
    typed(stage, "backfill", "broken", "--from", "2024-03-02", "--to", "2024-03-01", code=64)


# Reap


def test_what_landed_is_reaped_by_its_own_role_and_never_released_again(
    stage: Stage, days: Iterator[str]
) -> None:
    day, unlanded = next(days), next(days)
    stage.order(f"good {day} 0 all")
    typed(stage, "collect", "--since", "2024-01-01")
    stage.order(f"good {unlanded} 0 all")
    assert "to be removed" not in typed(stage, "reap").stdout, "nothing is old enough"
    made = wiring.reaping(stage.declaration, "DEV", twin=True, progress=Silent())
    later = replace(made, now=made.now + timedelta(days=31))
    found = harvest(later)
    (landed,), (kept,) = stage.commitments("good", day), stage.commitments("good", unlanded)
    due = {one.blob.at.key for one in found.due if one.kind is Kind.RELEASED}
    assert landed.target.key in due
    assert kept.target.key not in due
    done = reap(later, found)
    assert done.failed == ()
    reports = stage.evidence.reports
    assert reports.head(landed.target.key) is None
    assert reports.head(kept.target.key) is not None
    assert reports.head(manifest_key(landed.slot, 1)) is not None
    assert harvest(later).due == ()
    stage.order(f"good {day} 0 all")
    assert reports.head(landed.target.key) is None, "a run finds it released and leaves it"
    assert state(stage, "good", day)["state"] == "delivered"
    typed(stage, "verify", f"good/{day}")
