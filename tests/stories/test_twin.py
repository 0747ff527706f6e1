"""The twin comes up, goes down, keeps its data, survives a murder, and leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.declare import load
from landbridge.errors import Exit
from landbridge.twin import state
from landbridge.twin.child import Identity, is_running
from landbridge.twin.control import down, up
from landbridge.twin.seaweed import AccessKey, admin_client
from tests.servers.quiet import QUIET
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.twin.state import TwinState

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

_BUCKET, _KEY = "story-reports", "outbound/story/kept.csv"


def landbridge(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "landbridge", *words, "--project", project],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _json(project: Path, *words: str) -> dict[str, object]:
    done = landbridge(project, *words, "--json")
    document: dict[str, object] = json.loads(done.stdout)
    return document


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = write_project(tmp_path / "project")
    yield folder
    down(state.folder_of(folder, "DEV"))


def _up(project: Path, *, schedule: bool = False) -> TwinState:
    return up(load(project), "DEV", schedule=schedule, progress=QUIET).state


def _state(project: Path) -> TwinState:
    return state.load(state.folder_of(project, "DEV"))


def _processes(twin: TwinState) -> list[Identity]:
    return [twin.keeper, *(service.process for service in twin.services)]


def _wait_until_gone(processes: list[Identity]) -> None:
    until = time.monotonic() + 30
    while any(map(is_running, processes)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, processes))


def _belonging_to(project: Path) -> list[str]:
    """Give the command lines of all processes that work in the project's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(project) in str((process / "cwd").readlink()):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    return found


def _write(twin: TwinState, body: bytes) -> None:
    _admin(twin).put_object(Bucket=_BUCKET, Key=_KEY, Body=body)


def _read(twin: TwinState) -> bytes:
    body: bytes = _admin(twin).get_object(Bucket=_BUCKET, Key=_KEY)["Body"].read()
    return body


def _admin(twin: TwinState):  # type: ignore[no-untyped-def] # an S3Client, whose stubs only mypy has
    key = AccessKey(**json.loads((twin.folder / "server" / "admin.json").read_text()))
    return admin_client(twin.endpoint, key, twin.region)


def test_up_status_down_and_up_again_with_its_data(project: Path) -> None:
    came = landbridge(project, "twin", "up")
    assert (came.returncode, came.stderr) == (0, "")
    twin = _state(project)
    assert twin.endpoint in came.stdout
    _write(twin, b"kept")
    seen = landbridge(project, "twin", "status")
    assert seen.returncode == 0
    assert twin.endpoint in seen.stdout
    assert "unwell" not in seen.stdout

    again = landbridge(project, "twin", "up")
    assert again.returncode == 0
    assert "already running" in again.stderr
    assert _state(project) == twin

    assert landbridge(project, "twin", "down").returncode == 0
    _wait_until_gone(_processes(twin))
    assert _belonging_to(project) == []
    assert landbridge(project, "twin", "status").returncode == Exit.UNAVAILABLE
    assert landbridge(project, "run", "good", "--twin", "--date", "2026-11-20").returncode == Exit.UNAVAILABLE

    later = _up(project)
    assert _read(later) == b"kept"
    assert (later.ports, later.issuer, later.ground) == (twin.ports, twin.issuer, twin.ground)


def test_down_can_wipe(project: Path) -> None:
    twin = _up(project)
    assert landbridge(project, "twin", "down", "--wipe").returncode == 0
    assert not twin.folder.exists()
    assert landbridge(project, "twin", "down").returncode == 0


@pytest.mark.parametrize("part", ["keeper", "server"])
def test_a_part_that_was_killed_is_seen_and_up_brings_it_back(project: Path, part: str) -> None:
    twin = _up(project)
    _write(twin, b"kept")
    victim = twin.keeper if part == "keeper" else twin.services[0].process
    os.kill(victim.pid, signal.SIGKILL)
    _wait_until_gone(_processes(twin))  # the others end with it
    seen = _json(project, "twin", "status")
    assert seen["healthy"] is False
    refused = landbridge(project, "run", "good", "--twin", "--date", "2026-11-20")
    assert refused.returncode == Exit.UNAVAILABLE
    assert "landbridge twin up" in refused.stderr
    assert _read(_up(project)) == b"kept"


def test_interrupting_up_stops_what_it_started(project: Path) -> None:
    rising = subprocess.Popen(
        [sys.executable, "-m", "landbridge", "twin", "up", "--project", project],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with rising:
        until = time.monotonic() + 60
        while not any("weed" in line for line in _belonging_to(project)) and time.monotonic() < until:
            time.sleep(0.02)
        rising.send_signal(signal.SIGINT)
        rising.communicate(timeout=60)
    assert rising.returncode == Exit.INTERRUPTED
    assert _belonging_to(project) == []


def test_killing_up_half_way_leaves_nothing_either(project: Path) -> None:
    rising = subprocess.Popen(
        [sys.executable, "-m", "landbridge", "twin", "up", "--project", project],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with rising:
        until = time.monotonic() + 60
        while not any("weed" in line for line in _belonging_to(project)) and time.monotonic() < until:
            time.sleep(0.02)
        rising.kill()
    until = time.monotonic() + 60
    while _belonging_to(project) and time.monotonic() < until:
        time.sleep(0.1)
    assert _belonging_to(project) == []


def test_the_foreground_twin_ends_with_ctrl_c(project: Path) -> None:
    staying = subprocess.Popen(
        [sys.executable, "-m", "landbridge", "twin", "up", "--foreground", "--project", project],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with staying:
        assert staying.stdout is not None
        assert "twin of story DEV" in staying.stdout.readline()
        twin = _state(project)
        assert twin.keeper.pid == staying.pid
        second = landbridge(project, "twin", "up", "--foreground")
        assert second.returncode == Exit.TRY_AGAIN
        staying.send_signal(signal.SIGINT)
        staying.communicate(timeout=60)
    assert staying.returncode == 0
    _wait_until_gone(_processes(twin))


def test_two_ups_at_once_make_one_twin(project: Path) -> None:
    command = [sys.executable, "-m", "landbridge", "twin", "up", "--project", str(project)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = []
    for rising in both:
        with rising:
            _, said = rising.communicate(timeout=120)
            ended.append((rising.returncode, said))
    assert Exit.DONE in {code for code, _ in ended}
    assert {code for code, _ in ended} <= {Exit.DONE, Exit.TRY_AGAIN}, ended
    assert sum("weed" in line for line in _belonging_to(project)) == 1
    assert _json(project, "twin", "status")["healthy"] is True


def test_down_needs_no_declaration(project: Path) -> None:
    twin = _up(project)
    (project / "landbridge.yaml").write_text("nonsense: [")
    assert landbridge(project, "twin", "down").returncode == 0
    _wait_until_gone(_processes(twin))


def test_the_scheduler_runs_with_the_twin_and_ends_with_it(project: Path) -> None:
    twin = _up(project, schedule=True)
    assert [service.name for service in twin.services] == ["server", "scheduler"]
    until = time.monotonic() + 30
    while not (twin.folder / "schedule.json").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert (twin.folder / "schedule.json").exists()
    assert landbridge(project, "twin", "down").returncode == 0
    _wait_until_gone(_processes(twin))
    assert _belonging_to(project) == []


def test_a_tick_fires_what_is_due_at_a_virtual_time(project: Path) -> None:
    _up(project)
    nothing = landbridge(project, "twin", "tick", "--now", "2026-11-20T05:00", "--within", "1h")
    assert nothing.returncode == 0
    assert "nothing was due" in nothing.stderr
    done = landbridge(project, "twin", "tick", "--now", "2026-11-20T07:00", "--within", "2h", "--json")
    fired = {one["slot"]: one["exit"] for one in json.loads(done.stdout)}
    collected = fired.pop("")
    assert fired == {
        "broken/2026-11-20": Exit.DATA,
        "empty/2026-11-20": Exit.DONE,
        "good/2026-11-20": Exit.DONE,
        "sent/2026-11-20": Exit.DONE,
        "sealed/2026-11-20": Exit.DONE,
    }
    assert collected == Exit.DONE
    assert done.returncode == Exit.DATA
    landed = sorted(path.name for path in (_state(project).ground.share).glob("STORY_*"))
    assert landed == [f"STORY_DEV_{feed}_20261120_001.csv" for feed in ("good", "sealed", "sent")]
