"""One daily slot from emitted artefacts alone, every command a process of its own; and the twin that executes them by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from examples.eidv import api
from landbridge import wiring
from landbridge.cli.output import Silent
from landbridge.deploy.needs import needs
from landbridge.errors import Exit, UsageError
from landbridge.twin import emitted, executing, state, twin
from landbridge.twin.child import is_running
from landbridge.twin.control import down
from landbridge.twin.programs import Subprocess
from landbridge.twin.workers import Inline
from tests.stories.month import ENVIRONMENT, Upstream, at, laid_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = laid_out(tmp_path / "eidv")
    yield folder
    if state.recorded(state.folder_of(folder, ENVIRONMENT)):  # a twin in the background
        down(state.folder_of(folder, ENVIRONMENT))


def _landbridge(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "landbridge", *words, "--project", project],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **api.environment(1)},
    )


def test_a_slot_goes_from_the_cronjob_to_the_share_by_what_was_emitted(project: Path) -> None:
    declaration = wiring.declaration(project)
    with Upstream() as upstream, twin.running(declaration, ENVIRONMENT, progress=Silent()) as up:
        emitted.emit(declaration, ENVIRONMENT, up.state.folder)
        emitted.prepare(declaration, up.state)
        made = emitted.schedulers(
            declaration,
            up.state,
            at("2026-03-30T04:58"),
            workers=Inline(),
            program=Subprocess((sys.executable, "-m", "landbridge")),
            outside={**os.environ, **api.environment(upstream.server.server_port)},
        )
        try:
            made.start()
            made.agenda.advance(at("2026-03-30T05:04"))
        finally:
            made.close()
        ended = [
            f"{one.who} {one.what}"
            for one in made.chronicle.happened
            if one.what in {"job complete", "ended ok", "ended not ok", "service complete"}
        ]
        minutes = int(at("2026-03-30T05:00").timestamp()) // 60
        assert sorted(ended) == [
            "VERIFICATIONS_LAND ended ok",
            "VERIFICATIONS_MOVE ended ok",
            "VERIFICATIONS_SLA ended ok",
            "VERIFICATIONS_SLA service complete",
            "VERIFICATIONS_WATCH ended ok",
            f"eidv-dev-verifications-{minutes} job complete",
        ]
        landed = {path.name for path in up.state.ground.share.iterdir() if path.is_file()}
        name = "eIDVAPPSTORE_EDBH_DEV_VERIFICATIONS_20260329_001.csv"
        assert landed == {name, f"{name}.done"}
        evidence = wiring.evidence(declaration, ENVIRONMENT, twin=True)
        assert [blob.at.key for blob in evidence.reports.list("receipts/2026-03-29/")] == [
            "receipts/2026-03-29/verifications.2026-03-29.0001.json"
        ]
        assert not list((up.state.folder / "emitted" / "cluster" / "pods").iterdir())


def test_the_reaper_runs_from_its_cronjob_with_its_own_role(project: Path) -> None:
    declaration = wiring.declaration(project)
    with twin.running(declaration, ENVIRONMENT, progress=Silent()) as up:
        emitted.emit(declaration, ENVIRONMENT, up.state.folder)
        emitted.prepare(declaration, up.state)
        (drafts,) = (one.name for one in needs(declaration, ENVIRONMENT).buckets if one.purpose == "staging")
        admin, draft = up.server.client(), "drafts/verifications/2026-03-29/young.csv"
        admin.put_object(Bucket=drafts, Key=draft, Body=b"not old enough")
        made = emitted.schedulers(
            declaration,
            up.state,
            at("2026-03-30T02:29"),
            workers=Inline(),
            program=Subprocess((sys.executable, "-m", "landbridge")),
            outside={**os.environ, **api.environment(1)},
        )
        try:
            made.start()
            made.agenda.advance(at("2026-03-30T02:31"))
        finally:
            made.close()
        job = f"eidv-dev-landbridge-reaper-{int(at('2026-03-30T02:30').timestamp()) // 60}"
        ended = [one.what for one in made.chronicle.happened if one.who == job]
        assert ended[-1] == "job complete", made.chronicle.happened
        assert admin.head_object(Bucket=drafts, Key=draft)["ContentLength"] > 0


def test_the_twin_executes_what_is_emitted_until_it_is_brought_down(project: Path) -> None:
    came = _landbridge(project, "twin", "up", "--environment", ENVIRONMENT, "--controlm")
    assert came.returncode == 0, came.stderr
    running = state.load(state.folder_of(project, ENVIRONMENT))
    assert [service.name for service in running.services] == ["server", "schedulers"]
    until = time.monotonic() + 60
    seen: dict[str, object] = {}
    while not seen.get("jobs") and time.monotonic() < until:
        time.sleep(0.5)
        status = json.loads(_landbridge(project, "twin", "status", "--json").stdout)
        seen = status["twins"]["dev"]
    jobs = {job["job"]: job["state"] for job in seen["jobs"]}  # type: ignore[attr-defined] # JSON
    assert {"VERIFICATIONS_WATCH", "VERIFICATIONS_SLA", "REST"} <= set(jobs)
    shown = _landbridge(project, "twin", "status").stdout
    assert "VERIFICATIONS_WATCH" in shown
    assert _landbridge(project, "twin", "down").returncode == 0
    assert not any(is_running(service.process) for service in running.services)
    again = executing.remembered(emitted.folder_of(running.folder) / "happened.jsonl")
    assert again.ended.keys() <= {(job, day) for job, day in again.ended if job in jobs}


def test_one_scheduler_at_a_time(project: Path) -> None:
    both = _landbridge(project, "twin", "up", "--environment", ENVIRONMENT, "--controlm", "--schedule")
    assert both.returncode == Exit.USAGE
    assert "two schedulers" in both.stderr


def test_what_the_twin_cannot_execute_keeps_it_down(project: Path) -> None:
    text = (project / "landbridge.yaml").read_text()
    extra = "\n  extra: {VERIFICATIONS_LAND: {Confirm: true}}"
    (project / "landbridge.yaml").write_text(text.replace("\ncontrolm:", f"\ncontrolm:{extra}"))
    refused = _landbridge(project, "twin", "up", "--environment", ENVIRONMENT, "--controlm")
    assert refused.returncode == Exit.USAGE
    assert "Confirm" in refused.stderr
    assert state.recorded(state.folder_of(project, ENVIRONMENT)) is None


def test_an_environment_without_control_m_is_refused(project: Path) -> None:
    declaration = wiring.declaration(project)
    bare = declaration.project.model_copy(update={"controlm": None})
    with pytest.raises((UsageError, Exception), match="controlm"):
        emitted.emit(
            type(declaration)(declaration.folder, bare, declaration.feeds, digest=declaration.digest),
            ENVIRONMENT,
            project / "nowhere",
        )


def test_what_happened_before_a_restart_is_remembered(tmp_path: Path) -> None:
    lines = [
        {
            "at": "x",
            "who": "eidv-dev-summary-29580785",
            "what": "job created",
            "scheduled": "2026-03-30T05:05:00+00:00",
        },
        {"at": "x", "who": "A", "what": "ended not ok", "order_date": "20260330"},
        {"at": "x", "who": "A", "what": "started", "order_date": "20260330"},
        {"at": "x", "who": "B", "what": "ended ok", "order_date": "20260330"},
    ]
    file = tmp_path / "happened.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"cut o')
    before = executing.remembered(file)
    assert before.fired == {"eidv-dev-summary": at("2026-03-30T05:05")}
    assert before.ended == {("B", (at("2026-03-30T00:00") + timedelta(0)).date()): True}
