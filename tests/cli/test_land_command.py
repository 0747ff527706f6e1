"""What does `landbridge land` say, and with which code does it end, so that a scheduler can branch? The real program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from landbridge import cli, wiring
from landbridge.cli.outcomes import exit_of
from landbridge.errors import ContractBroken, Exit, IntegrityBroken, NotYet, UsageError
from landbridge.released import Outcome, State
from landbridge.wiring import choice
from tests.cli.test_collect_command import Host
from tests.servers.line import Line, line_to
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import DAY, Bridgehead
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
FEEDS = ["broken", "empty", "good", "sealed", "sent"]
NAMED = ("--feed", "good", "--date", f"{DAY}")


class Agent(Host):
    """A host on which a mover brings files, and `land` is the next job."""

    proxy: Line
    """Between it and the server."""

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "landbridge", "land", *words],
            cwd=self.project,
            env={**os.environ, "LANDBRIDGE_COLLECTOR": "agent1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def looking(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start it, and go on when it looks at the server."""
        before, until = self.proxy.connections, time.monotonic() + 60
        with self.start(*words) as process:
            while self.proxy.connections == before:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.01)
            yield process

    def prepare(self) -> None:
        """Do what `land --prepare` does, which the first days show; a program takes a second to start."""
        self.at.holding.prepare(FEEDS)

    def line(self, *words: str) -> tuple[int, str]:
        """Give the exit code and the one line on standard output."""
        code, out, err = self.run(*words)
        lines = out.splitlines()
        assert len(lines) == 1, out + err
        assert "Traceback" not in err
        return code, lines[0]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    at = Bridgehead(tmp_path / "at")
    with asyncssh_server(at.server) as server, line_to(server.port) as proxy:
        project = tmp_path / "project"
        project.mkdir()
        made = Agent(at, project, proxy.port, server.user_key.private_openssh, server.host_key.public_openssh)
        made.proxy = proxy
        yield made


def test_the_first_days_of_a_mover(agent: Agent) -> None:
    code, line = agent.line(*NAMED)
    assert code == Exit.CANNOT_CREATE
    assert line.startswith("landbridge land DEV: failed: the holding folder ")
    assert "--prepare" in line
    assert agent.run("--prepare")[0] == Exit.DONE
    assert agent.at.holding.feeds() == FEEDS
    assert agent.line() == (
        Exit.DONE,
        "landbridge land DEV: nothing in holding that waits to be landed; exit 0",
    )
    code, line = agent.line(*NAMED)
    assert (code, line.count("not released")) == (Exit.TRY_AGAIN, 1)
    assert "late or quarantined: only the ledger tells, --ask-ledger" in line
    released = agent.at.release(b"one", feed="good")
    code, line = agent.line(*NAMED)
    assert (code, "good/2026-11-20 revision 1 waiting" in line) == (Exit.TRY_AGAIN, True), line
    agent.at.moved(released)
    (agent.at.held("good") / "strange\nname").write_bytes(b"")
    assert agent.line(*NAMED) == (
        Exit.DONE,
        (
            "landbridge land DEV: good/2026-11-20 revision 1 delivered (good_2026-11-20_1.csv, 3 bytes); "
            "left in holding: 'good/strange\\nname'; exit 0"
        ),
    )
    assert [receipt.collector for receipt in agent.at.proven()] == ["agent1.land.good"]
    assert "already there" in agent.line(*NAMED)[1]


def test_a_wait_ends_when_the_file_is_there(agent: Agent) -> None:
    agent.prepare()
    released = agent.at.release(b"one", feed="good")
    began = time.monotonic()
    assert agent.line(*NAMED, "--wait", "1s")[0] == Exit.TRY_AGAIN
    assert time.monotonic() - began > 1
    with agent.looking(*NAMED, "--wait", "60s") as process:
        agent.at.moved(released)
        out, _ = process.communicate(timeout=50)
    assert (process.returncode, "delivered" in out) == (Exit.DONE, True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("json_too", [False, True])
def test_a_job_that_is_stopped_says_so_on_its_line(
    agent: Agent, number: signal.Signals, *, json_too: bool
) -> None:
    agent.prepare()
    words = (*NAMED, "--wait", "60s", *(("--json",) if json_too else ()))
    with agent.looking(*words) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=50)
    expected = "landbridge land DEV: interrupted; the same command carries on where it stopped; exit 130"
    assert process.returncode == Exit.INTERRUPTED, out + err
    assert "Traceback" not in err
    if json_too:
        document = json.loads(out)
        assert (document["summary"], document["exit"]) == (expected, Exit.INTERRUPTED)
    else:
        assert out.splitlines() == [expected]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_moved_file_lands_with_the_documented_mode_under_any_umask(agent: Agent) -> None:
    agent.prepare()
    released = agent.at.release(b"one", feed="good")
    agent.at.moved(released)
    before = os.umask(0o077)
    try:
        assert agent.line(*NAMED)[0] == Exit.DONE
    finally:
        os.umask(before)
    assert (agent.at.root / released.landed_name).stat().st_mode & 0o7777 == 0o640


def test_an_order_date_of_six_digits_is_no_skipped_slot(agent: Agent) -> None:
    agent.prepare()
    code, line = agent.line("--feed", "good", "--scheduled", "261214")
    assert code == Exit.USAGE
    assert line.endswith("exit 64")
    assert "%%$ODATE" in line


def test_json_has_the_same_line_and_every_outcome(agent: Agent) -> None:
    agent.prepare()
    for feed in ("good", "broken", "empty", "sent"):
        agent.at.moved(agent.at.release(b"one", feed=feed))
    torn = agent.at.held("sent") / "sent_2026-11-20_1.csv"
    torn.write_bytes(b"two")
    code, out, err = agent.run("--json", "--since", f"{DAY}")
    document = json.loads(out)
    assert code == document["exit"] == Exit.INTEGRITY, err
    assert document["summary"].startswith("landbridge land DEV: 3 delivered, 1 refused; left in holding: ")
    assert {one["slot"]: one["state"] for one in document["outcomes"]} == {
        "good/2026-11-20": "delivered",
        "broken/2026-11-20": "delivered",
        "empty/2026-11-20": "delivered",
        "sent/2026-11-20": "refused",
    }
    assert document["left"] == ["sent/sent.2026-11-20.0001.json", "sent/sent_2026-11-20_1.csv"]


def test_a_time_at_which_the_schedule_has_no_slot_is_nothing_to_do(agent: Agent) -> None:
    agent.prepare()
    code, line = agent.line("--feed", "good", "--scheduled", "20231231")
    assert (code, "skipped" in line) == (Exit.DONE, True)
    agent.at.moved(agent.at.release(b"one", feed="good"))
    code, line = agent.line("--feed", "good", "--scheduled", "20261120")
    assert (code, "delivered" in line) == (Exit.DONE, True), line
    assert "already there" in agent.line("--feed", "good", "--scheduled", "20261120T0600Z")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("--date", f"{DAY}"),
        ("--feed", "good", "--date", f"{DAY}", "--scheduled", "20261120"),
        ("--feed", "good", "--scheduled", "yesterday"),
        ("--feed", "good", "--scheduled", "20261120T0700Z"),
        ("--feed", "never", "--date", f"{DAY}"),
        ("--since", "yesterday"),
    ],
)
def test_what_names_no_slot_is_a_mistake_of_usage(
    agent: Agent, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    agent.prepare()
    assert cli._run(["land", "--project", str(agent.project), *words]) == Exit.USAGE
    assert capsys.readouterr().err.startswith(("usage:", "error:"))


def test_a_holding_folder_can_be_declared_elsewhere(agent: Agent, tmp_path: Path) -> None:
    text = (agent.project / "landbridge.yaml").read_text()
    place = tmp_path / "elsewhere"
    (agent.project / "landbridge.yaml").write_text(
        text.replace("  bandwidth:", f'  holding: "{place}/{{environment}}"\n  bandwidth:')
    )
    code, line = agent.line(*NAMED)
    assert (code, f"{place}/dev" in line) == (Exit.CANNOT_CREATE, True)
    place.mkdir()
    agent.run("--prepare", "--feed", "good")
    assert [one.name for one in (place / "dev").iterdir()] == ["good"]
    released = agent.at.release(b"one", feed="good")
    (place / "dev/good/good_2026-11-20_1.csv").write_bytes(b"one")
    assert agent.line(*NAMED)[0] == Exit.DONE
    assert agent.at.seen() == {released.landed_name: b"one"}
    assert list((place / "dev/good").iterdir()) == []


def _ended(state: State, error: object) -> Outcome:
    return Outcome("good/2026-11-20", 1, state, error=error)  # type: ignore[arg-type]


def test_the_worst_of_several_outcomes_is_the_exit_code() -> None:
    late = _ended(State.WAITING, NotYet("not there"))
    broken = _ended(State.QUARANTINED, ContractBroken("broken"))
    wrong = _ended(State.REFUSED, IntegrityBroken("wrong"))
    fine = _ended(State.DELIVERED, None)
    assert exit_of([fine]) is exit_of([]) is Exit.DONE
    assert exit_of([fine, late]) is Exit.TRY_AGAIN
    assert exit_of([broken, late]) is Exit.DATA
    assert exit_of([late, wrong, broken]) is Exit.INTEGRITY


_FREQUENT = '{cron: "*/30 8-9 * * 1-5", time_zone: Europe/London, starts: 2024-01-01, deadline: 1h}'


def test_a_day_of_the_scheduler_means_the_slots_that_are_due_on_it(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    daily = (project / "feeds/good.yaml").read_text()
    head, _, tail = daily.partition("schedule: ")
    tail = tail[tail.index("\n") :].replace("{business_date:%Y%m%d}", "{scheduled_at}")
    (project / "feeds/good.yaml").write_text(f"{head}schedule: {_FREQUENT}{tail}")
    declared = wiring.declaration(project)
    frequent, once = declared.feeds["good"], declared.feeds["sent"]

    def named(text: str, hour: int, minute: int = 0) -> list[str]:
        now = datetime(2026, 7, 1, hour, minute, tzinfo=UTC)
        return [slot.occurrence for slot in choice.scheduled(declared, frequent, text, now=now)]

    # Eight o'clock in London is seven in UTC in summer.
    assert named("20260701", 7, 40) == ["20260701T0700Z", "20260701T0730Z"]
    assert named("2026-07-01", 5) == ["20260701T0700Z"], "too early: the first one is waited for"
    assert len(named("20260630", 5)) == 4
    assert named("20260704", 5) == [], "a Saturday"
    assert named("20260701T0800Z", 5) == ["20260701T0800Z"]
    with pytest.raises(UsageError):
        named("20260701T0810Z", 5)
    (slot,) = choice.scheduled(declared, once, "20260701", now=datetime(2026, 7, 1, 1, tzinfo=UTC))
    assert (slot.occurrence, slot.scheduled_at.hour) == ("2026-07-01", 5)
