"""From a run to a proof that somebody checks in an empty folder, with openssl and jq, and without Landbridge's stores."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from tests.docs.test_evidence_page import TOOLS, _run

if TYPE_CHECKING:
    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

LANDBRIDGE = Path(sys.executable).parent / "landbridge"
DAY, NAME = "2026-04-08", "STORY_DEV_good_20260408_001.csv"


def landbridge(*words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LANDBRIDGE, *words], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def on(stage: Stage, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return landbridge(*words, "--twin", "--project", stage.folder)


def test_a_slot_is_run_collected_bundled_and_checked_elsewhere(stage: Stage, tmp_path: Path) -> None:
    assert stage.order(f"good {DAY} 0 all")[0].startswith("0 released")
    on(stage, "collect", "--adopt-share")  # another story may have done so
    done = on(stage, "collect", "--since", DAY, "--feed", "good")
    assert done.returncode == 0, done.stderr
    ground = wiring.twin_of(stage.declaration, "DEV").ground

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    proof = elsewhere / "evidence.json"
    made = on(stage, "evidence", f"good/{DAY}", "--out", proof)
    assert made.returncode == 0, made.stderr
    again = on(stage, "evidence", f"good/{DAY}", "--out", proof)
    assert again.returncode == 64, "what is there is not overwritten"

    shutil.copy(ground.share / NAME, elsewhere / NAME)
    shutil.copy(ground.receipt_key_file.with_name("evidence.pub"), elsewhere / "evidence.pub")
    shutil.copy(ground.receipt_public_key_file, elsewhere / "collector.pub")
    check: list[str | Path] = [
        "verify",
        "--bundle",
        proof,
        "--key",
        elsewhere / "evidence.pub",
        "--file",
        elsewhere / NAME,
    ]
    checked = landbridge(*check, "--receipt-key", elsewhere / "collector.pub", "--json", folder=elsewhere)
    assert checked.returncode == 0, checked.stderr
    assert [one["what"] for one in json.loads(checked.stdout)["checked"]] == [
        "signature",
        "chain",
        "commitments",
        "contract",
        "verdict",
        "manifest 1",
        "promotion 1",
        "download 1",
        "receipt 1",
        "file",
    ]
    (elsewhere / "spoilt.csv").write_bytes((elsewhere / NAME).read_bytes() + b"\n")
    spoilt = landbridge(*check[:-1], elsewhere / "spoilt.csv", folder=elsewhere)
    assert spoilt.returncode == 76
    assert "file differs from the evidence" in spoilt.stderr
    stranger = landbridge(*check[:4], elsewhere / "collector.pub", folder=elsewhere)
    assert stranger.returncode == 76
    assert "signature does not hold" in stranger.stderr

    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        pytest.skip(f"checked by Landbridge alone: there is no {', '.join(missing)} here")
    by_hand = _run(elsewhere, "signature", "ed25519", "file", "facts", "receipts")
    assert by_hand.returncode == 0, by_hand.stderr
    assert by_hand.stdout.count("Signature Verified Successfully") == 2


def test_an_audit_lists_every_slot_of_a_day(stage: Stage) -> None:
    day = "2026-04-09"
    for feed, end in (("good", "0 released"), ("broken", "0 quarantine"), ("empty", "0 skip")):
        assert stage.order(f"{feed} {day} 0 all")[0].startswith(end)
    done = on(stage, "audit", "--from", day, "--to", day, "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["feed"]: row for row in json.loads(done.stdout)}
    assert {feed: (row["state"], row["evidence"]) for feed, row in rows.items()} == {
        "good": ("released", "open"),
        "broken": ("quarantined", "whole"),
        "empty": ("skipped", "whole"),
        "sent": ("missing", "none"),
        "sealed": ("missing", "none"),
    }
    assert rows["good"]["contract_sha256"] == rows["broken"]["contract_sha256"] != ""
    as_csv = on(stage, "audit", "--from", day, "--to", day, "--csv")
    read = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert {row["feed"]: row["sha256"] for row in read} == {feed: row["sha256"] for feed, row in rows.items()}
    assert on(stage, "audit", "--from", day, "--to", day, "--check").returncode == 65
    both = on(stage, "audit", "--from", day, "--to", day, "--json", "--csv")
    assert both.returncode == 64


def test_evidence_without_a_declared_key_says_how_to_declare_one(stage: Stage, tmp_path: Path) -> None:
    done = landbridge("evidence", f"good/{DAY}", "--out", tmp_path / "x", "--project", stage.folder)
    assert done.returncode == 64
    assert "evidence: {signing_key:" in done.stderr
    assert not (tmp_path / "x").exists()
