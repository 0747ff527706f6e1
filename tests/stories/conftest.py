"""On what are the stories played? One project with its twin, for all stories of a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.cli.output import Silent
from landbridge.twin import twin
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import Bridgehead
from tests.stories.crashers import crashers
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from landbridge.facts import Commitment
    from landbridge.project import Declaration
    from landbridge.world import Evidence
    from tests.servers.sftp import Sftp
    from tests.stories.crashers import Crashing

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Stage:
    """A project whose twin is up, and a runner that obeys."""

    folder: Path
    declaration: Declaration
    runner: subprocess.Popen[str]
    evidence: Evidence
    admin: S3Client
    """With every right, for what only somebody else would do."""
    environment: dict[str, str]
    """What tells boto3, in this process, where the twin gives out credentials: they are fetched anew after a while."""

    def order(self, *orders: str) -> list[str]:
        """Have orders (`FEED DATE KILL_AT STEP`) done at the same time and say how each ended."""
        assert self.runner.stdin is not None
        assert self.runner.stdout is not None
        self.runner.stdin.write(";".join(orders) + "\n")
        self.runner.stdin.flush()
        return [said.strip() for said in self.runner.stdout.readline().split("||")]

    def commitments(self, feed: str, day: str) -> tuple[Commitment, ...]:
        from landbridge.wiring import choice

        declared = self.declaration.feeds[feed]
        slot = choice.slot_of(self.declaration, declared, day, now=wiring.now())
        return self.evidence.ledger.history(slot)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with played(tmp_path_factory.mktemp("story")) as stage:
        yield stage


@pytest.fixture(autouse=True)
def _on_its_own_twin(request: pytest.FixtureRequest) -> None:
    """Bring credentials from the twin of this story: another one in this process may have had its own since."""
    if "stage" in request.fixturenames:
        os.environ.update(request.getfixturevalue("stage").environment)


@pytest.fixture
def at(tmp_path: Path) -> Bridgehead:
    """Give the two ends of a bridge: what was released, and the share."""
    return Bridgehead(tmp_path / "at")


@pytest.fixture
def server(at: Bridgehead) -> Iterator[Sftp]:
    with asyncssh_server(at.server) as running:
        yield running


@pytest.fixture(scope="module")
def crashing() -> Iterator[Crashing]:
    with crashers() as started:
        yield started


@contextmanager
def played(empty: Path) -> Iterator[Stage]:
    """Set a stage up in an empty folder."""
    folder = write_project(empty)
    declaration = wiring.declaration(folder)
    with twin.running(declaration, "DEV", progress=Silent()) as up:
        runner = subprocess.Popen(
            [sys.executable, "-m", "tests.stories.runner", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with runner:
            assert runner.stdout is not None
            assert runner.stdout.readline() == "ready\n"
            evidence = wiring.evidence(declaration, "DEV", twin=True)
            told = {name: text for name, text in os.environ.items() if name.startswith("AWS_")}
            yield Stage(folder, declaration, runner, evidence, up.server.client(), told)
            assert runner.stdin is not None
            runner.stdin.close()
            runner.wait(20)
