"""The whole way on the twin: a slot is released, a mover brings it, `landbridge land` says how it ended, as a job's log shows it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.cli.output import Silent
from landbridge.errors import Exit

if TYPE_CHECKING:
    from tests.stories.conftest import Stage

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("sftp") is None, reason="the mover is OpenSSH's sftp"),
]

LANDBRIDGE = Path(sys.executable).parent / "landbridge"
DAY, MONDAY, WAIVED = "2026-03-04", "2026-03-09", "2026-03-11"


def landbridge(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [LANDBRIDGE, "land", *words, "--twin", "--project", stage.folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def ended(stage: Stage, feed: str, *words: str, day: str = DAY) -> tuple[int, str]:
    """Give the exit code and the one line of summary."""
    done = landbridge(stage, "--feed", feed, "--date", day, *words)
    (line,) = done.stdout.splitlines()
    assert line.endswith(f"; exit {done.returncode}")
    return done.returncode, line


def moved(stage: Stage, tmp_path: Path, feed: str, name: str, day: str = DAY) -> Path:
    """Bring a file and then its manifest from the twin's own SFTP server, as a file-transfer job does."""
    # Makes the folders, as any `land` on a twin does: no test relies on one before it, which another process may have run.
    wiring.holding(stage.declaration, "DEV", twin=True, progress=Silent())
    state = wiring.twin_of(stage.declaration, "DEV").ground
    to = state.share / ".landbridge" / "dev" / "holding" / feed
    hosts = tmp_path / "hosts"
    hosts.write_text(f"[{state.host}]:{state.port} {state.host_key}\n")
    lines = []
    for path in (f"/outbound/story/{name}", f"/outbound/_manifests/{day}/{feed}.{day}.0001.json"):
        last = path.rsplit("/", 1)[-1]
        lines += [f'get "{path}" "{to}/.part_{last}"', f"!mv '{to}/.part_{last}' '{to}/{last}'"]
    key = ["-i", f"{state.private_key_file}", "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={hosts}"]
    subprocess.run(
        ["sftp", "-q", "-P", f"{state.port}", *key, "-b", "-", f"{state.user}@{state.host}"],
        input="\n".join(lines),
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return to


def test_a_slot_comes_from_its_sources_to_the_share_by_a_mover(stage: Stage, tmp_path: Path) -> None:
    code, line = ended(stage, "good")
    assert (code, "good/2026-03-04 not released" in line) == (Exit.TRY_AGAIN, True), line
    assert stage.order(f"good {DAY} 0 all")[0].startswith("0 released")
    code, line = ended(stage, "good")
    assert (code, "waiting" in line) == (Exit.TRY_AGAIN, True), line
    to = moved(stage, tmp_path, "good", "STORY_DEV_good_20260304_001.csv")
    code, line = ended(stage, "good")
    assert code == Exit.DONE, line
    assert line.startswith(
        "landbridge land DEV: good/2026-03-04 revision 1 delivered (STORY_DEV_good_20260304_001.csv, "
    )
    assert list(to.iterdir()) == []
    code, line = ended(stage, "good")
    assert (code, "already there" in line) == (Exit.DONE, True), line
    shown = subprocess.run(
        [LANDBRIDGE, "trace", f"good/{DAY}", "--twin", "--project", stage.folder],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ".land.good" in shown.stdout, "who landed it, on the receipt"


def test_an_encrypted_file_is_landed_as_it_was_released(stage: Stage, tmp_path: Path) -> None:
    assert stage.order(f"sealed {DAY} 0 all")[0].startswith("0 released")
    commitment = stage.commitments("sealed", DAY)[0]
    moved(stage, tmp_path, "sealed", commitment.target.key.rsplit("/", 1)[-1])
    done = landbridge(stage, "--feed", "sealed", "--scheduled", DAY.replace("-", ""), "--json")
    assert done.returncode == Exit.DONE, done.stderr
    document = json.loads(done.stdout)
    (outcome,) = document["outcomes"]
    assert (outcome["state"], outcome["size"]) == ("delivered", commitment.delivered.size)
    assert (document["exit"], document["left"]) == (0, [])


def test_what_never_comes_is_told_by_the_server_and_a_quarantine_by_the_ledger_alone(stage: Stage) -> None:
    for feed, verdict in (("broken", "0 quarantine"), ("empty", "0 skip")):
        assert stage.order(f"{feed} {DAY} 0 all")[0].startswith(verdict)
    for feed, alone, asking, word in (
        ("broken", Exit.TRY_AGAIN, Exit.DATA, "quarantined"),
        ("empty", Exit.DONE, Exit.DONE, "skipped"),
    ):
        assert ended(stage, feed)[0] == alone
        code, line = ended(stage, feed, "--ask-ledger")
        assert (code, word in line) == (asking, True), line
    assert stage.order(f"broken {DAY} 0 waive")[0].startswith("0 waive")
    assert ended(stage, "broken")[0] == Exit.DONE
    assert stage.order(f"broken {DAY} 0 redrive")[0].startswith("0 quarantine")
    assert ended(stage, "broken")[0] == Exit.TRY_AGAIN, "it owes a file again, and the server says so"


def test_a_waiver_ends_the_wait_of_a_host_that_sees_the_sftp_server_alone(stage: Stage) -> None:
    """The pod's role writes that no file comes where the SFTP user may read it, by the very policies that are deployed."""

    def told(*words: str) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [LANDBRIDGE, *words, "--twin", "--project", stage.folder]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert told("waive", f"good/{WAIVED}", "--reason", "ticket 7: a bank holiday").returncode == Exit.DONE
    day = WAIVED.replace("-", "")
    done = told("collect", "--feed", "good", "--until-deadline", "--scheduled", day)
    assert (done.returncode, "waived" in done.stdout) == (Exit.DONE, True), done.stdout + done.stderr
    assert told("redrive", f"good/{WAIVED}", "--reason", "it is needed after all").returncode == Exit.DONE
    done = told("collect", "--feed", "good", "--until-deadline", "--scheduled", day)
    assert (done.returncode, "delivered" in done.stdout) == (Exit.DONE, True), done.stdout + done.stderr


def test_torn_bytes_are_refused_in_one_line(stage: Stage, tmp_path: Path) -> None:
    assert stage.order(f"good {MONDAY} 0 all")[0].startswith("0 released")
    name = "STORY_DEV_good_20260309_001.csv"
    to = moved(stage, tmp_path, "good", name, MONDAY)
    (to / name).write_bytes((to / name).read_bytes()[:-1])
    done = landbridge(stage, "--feed", "good", "--date", MONDAY)
    assert done.returncode == Exit.INTEGRITY
    (line,) = done.stdout.splitlines()
    assert "refused" in line
    assert f"left in holding: 'good/{name}'" in line
    assert "is not what was released" in done.stderr
