"""What an operator sees: status, trace and verify over real slots, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

LANDBRIDGE = Path(sys.executable).parent / "landbridge"
DAY = "2026-02-03"


def landbridge(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [LANDBRIDGE, *words, "--twin", "--project", stage.folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def played(stage: Stage) -> Stage:
    """Slots of one day: one released, one in quarantine, one skipped, one (`sent`) without a verdict."""
    for feed, end in (("good", "0 released"), ("broken", "0 quarantine"), ("empty", "0 skip")):
        assert stage.order(f"{feed} {DAY} 0 all")[0].startswith(end)
    return stage


def test_status_tells_the_state_of_every_slot(played: Stage) -> None:
    shown = landbridge(played, "status", "--since", DAY, "--until", DAY)
    assert shown.returncode == 0, shown.stderr
    for word in ("released late", "quarantined late", "skipped", "missing late"):
        assert word in shown.stdout
    assert "STORY_DEV_good_20260203_001.csv" in shown.stdout


def test_status_speaks_json_and_checks(played: Stage) -> None:
    shown = landbridge(played, "status", "--since", DAY, "--until", DAY, "--json", "--check")
    assert shown.returncode == 65, "a slot is missing, another in quarantine"
    states = {one["feed"]: one["state"] for one in json.loads(shown.stdout)}
    assert states == {
        "good": "released",
        "broken": "quarantined",
        "empty": "skipped",
        "sent": "missing",
        "sealed": "missing",
    }
    only = landbridge(played, "status", "--since", DAY, "--until", DAY, "--feed", "empty", "--check")
    assert only.returncode == 0, "a skipped slot alarms nobody"


def test_trace_follows_a_slot_a_feed_and_a_file(played: Stage) -> None:
    by_slot = landbridge(played, "trace", f"good/{DAY}")
    assert by_slot.returncode == 0, by_slot.stderr
    hops = [line.split("  ")[0] for line in by_slot.stdout.splitlines()[2:] if line.strip()]
    assert hops == ["source rows", "validated", "verdict release", "copied", "released"]
    by_file = landbridge(played, "trace", "STORY_DEV_good_20260203_001.csv")
    assert by_file.stdout == by_slot.stdout
    by_feed = landbridge(played, "trace", "broken")
    assert "unique" in by_feed.stdout
    assert "minimum" in by_feed.stdout


def test_trace_of_nothing_says_what_to_do(played: Stage) -> None:
    none = landbridge(played, "trace", f"sent/{DAY}")
    assert none.returncode == 64
    assert "landbridge run sent --date 2026-02-03" in none.stderr
    assert "Traceback" not in none.stderr


def test_verify_finds_the_same_bytes_everywhere(played: Stage) -> None:
    shown = landbridge(played, "verify", f"good/{DAY}", "--json")
    assert shown.returncode == 0, shown.stderr
    findings = {one["name"]: one["finding"] for one in json.loads(shown.stdout)["places"]}
    assert findings == {"staging": "same", "reports": "same", "manifest": "same", "share": "gone"}


def test_verify_finds_a_changed_byte(stage: Stage) -> None:
    """Somebody with rights of their own overwrites the released file."""
    day = "2026-02-04"
    assert stage.order(f"good {day} 0 all")[0].startswith("0 released")
    (commitment,) = stage.commitments("good", day)
    admin = stage.admin
    body = admin.get_object(Bucket="story-reports", Key=commitment.target.key)["Body"].read()
    admin.put_object(Bucket="story-reports", Key=commitment.target.key, Body=body.replace(b"12.", b"13.", 1))
    shown = landbridge(stage, "verify", f"good/{day}")
    assert shown.returncode == 76
    assert "reports" in shown.stderr
    assert " from the evidence" in shown.stderr


def test_a_command_for_a_twin_that_is_down_says_so(stage: Stage, tmp_path: Path) -> None:
    made = subprocess.run([LANDBRIDGE, "init", tmp_path / "new"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    shown = subprocess.run(
        [LANDBRIDGE, "status", "--twin", "--project", tmp_path / "new"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 69
    assert "landbridge twin up" in shown.stderr
