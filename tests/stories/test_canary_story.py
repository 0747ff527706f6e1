"""A canary goes the whole way, in halves and into every fault, and nobody who looks for data meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.twin.state import folder_of, load

if TYPE_CHECKING:
    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

LANDBRIDGE = Path(sys.executable).parent / "landbridge"
CLOUD = ["generate", "stage", "validate", "commit", "release"]
GROUND = ["see it over SFTP", "list", "download", "land", "send the receipt", "read the receipt back"]


def landbridge(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [LANDBRIDGE, *words, "--twin", "--project", stage.folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def flown(stage: Stage, *words: str, code: int = 0) -> Any:
    done = landbridge(stage, "canary", "--json", *words)
    assert done.returncode == code, done.stderr
    told = json.loads(done.stdout)
    assert told["exit"] == code
    return told


def share(stage: Stage) -> Path:
    return load(folder_of(stage.folder, "DEV")).ground.share


def test_it_goes_the_whole_way_and_each_hop_is_timed(stage: Stage) -> None:
    told = flown(stage)
    assert [hop["hop"] for hop in told["hops"]] == CLOUD + GROUND
    assert all(0 < hop["seconds"] < 60 for hop in told["hops"])
    assert told["seconds"] == pytest.approx(sum(hop["seconds"] for hop in told["hops"]), abs=0.02)
    assert told["failed"] is None
    assert len(told["left"]) == 4


def test_nobody_who_looks_for_data_meets_it(stage: Stage) -> None:
    before = landbridge(stage, "status", "--json").stdout
    name = flown(stage)["canary"]
    assert landbridge(stage, "status", "--json").stdout == before
    collected = landbridge(stage, "collect", "--json")
    assert collected.returncode == 0, collected.stderr
    assert "canary" not in collected.stdout
    root = share(stage)
    assert [path for path in root.rglob("*") if "canary" in path.name] == []
    reports = [one["Key"] for one in _listed(stage, "story-reports")]
    ours = [key for key in reports if name in key]
    assert ours
    assert all(key.startswith(("outbound/_canary/", "receipts/_canary/")) for key in ours)
    assert not [key for key in reports if key.startswith("outbound/_manifests/") and "canary" in key]
    ledger = [one["Key"] for one in _listed(stage, "story-ledger") if name in one["Key"]]
    assert len(ledger) == 1
    assert ledger[0].startswith(f"_canary/{name}/")


def test_the_sides_fly_it_alone(stage: Stage) -> None:
    sent = flown(stage, "--until", "released")
    assert [hop["hop"] for hop in sent["hops"]] == CLOUD
    taken = flown(stage, "--from", "released")
    assert [hop["hop"] for hop in taken["hops"]] == GROUND
    assert taken["canary"] == sent["canary"]
    named = flown(stage, "--until", "released")["canary"]
    flown(stage, "--until", "released")
    assert flown(stage, "--from", "released", "--canary", named)["canary"] == named


def test_nothing_sent_is_awaited_and_then_given_up(stage: Stage) -> None:
    flown(stage)  # the newest has its receipt
    told = flown(stage, "--from", "released", "--timeout", "3", code=69)
    assert told["failed"] == "see it over SFTP"


def test_a_file_that_was_changed_on_the_way_is_refused_and_leaves_nothing_on_the_share(stage: Stage) -> None:
    name = flown(stage, "--until", "released")["canary"]
    (key,) = [
        one["Key"]
        for one in _listed(stage, "story-reports")
        if name in one["Key"] and one["Key"].endswith(".csv")
    ]
    size = stage.admin.head_object(Bucket="story-reports", Key=key)["ContentLength"]
    stage.admin.put_object(Bucket="story-reports", Key=key, Body=b"x" * size)
    told = flown(stage, "--from", "released", "--canary", name, code=76)
    assert told["failed"] == "land"
    assert [path for path in share(stage).rglob("*") if "canary" in path.name] == []


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "released", "--from", "released"),
        ("--canary", "20261128T071500Z-0123abcd"),
        ("--from", "released", "--canary", "../../outbound"),
        ("--timeout", "0"),
    ],
)
def test_what_does_not_fit_together_is_refused(stage: Stage, words: tuple[str, ...]) -> None:
    assert landbridge(stage, "canary", *words).returncode == 64


def test_the_feed_of_canaries_can_be_nobody_elses(stage: Stage) -> None:
    feed = stage.folder / "feeds" / "good.yaml"
    taken = stage.folder / "feeds" / "landbridge-canary.yaml"
    text = feed.read_text()
    taken.write_text(text.replace("feed: good", "feed: landbridge-canary").replace("_good_", "_bird_"))
    try:
        command: list[str | Path] = [LANDBRIDGE, "check", "--project", stage.folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    finally:
        taken.unlink()
    assert done.returncode == 78
    assert "`landbridge-canary` is the feed of `landbridge canary`" in done.stderr + done.stdout


def test_the_doctor_finds_the_twin_whole_and_speaks_json(stage: Stage) -> None:
    done = landbridge(stage, "doctor", "--json", "--sources")
    told = json.loads(done.stdout)
    wrong = [one for one in told["findings"] if one["verdict"] in {"warn", "broken"}]
    assert (wrong, done.returncode, told["exit"]) == ([], 0, 0)
    assert told["sides"] == ["cloud", "ground"]
    assert {one["check"] for one in told["findings"]} >= {"permissions", "host key", "share", "sources"}


def test_the_doctor_names_what_mends(stage: Stage) -> None:
    rules = stage.admin.get_bucket_lifecycle_configuration(Bucket="story-staging")["Rules"]
    stage.admin.delete_bucket_lifecycle(Bucket="story-staging")
    done = landbridge(stage, "doctor", "--side", "cloud", "--feed", "good")
    stage.admin.put_bucket_lifecycle_configuration(
        Bucket="story-staging",
        LifecycleConfiguration={"Rules": rules},
    )
    assert done.returncode == 0, "a warning"
    assert "nothing ever forgets drafts/" in done.stdout
    assert "mend lifecycles: story-staging:" in done.stdout
    assert f"landbridge twin up --environment DEV --project {stage.folder}" in done.stdout


def _listed(stage: Stage, bucket: str) -> list[Any]:
    return list(stage.admin.list_objects_v2(Bucket=bucket).get("Contents", ()))
