"""Does a command talk to the environment that was named, the twin's to the twin alone and the real one's never to it?"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.errors import Unavailable, UsageError
from landbridge.sftp import keys
from landbridge.twin.keys import Ed25519Key
from landbridge.twin.state import WebIdentity, folder_of, save
from landbridge.wiring import ground_side
from tests.core import declared
from tests.core.declared import examined
from tests.core.formats import Silent
from tests.core.test_twin_state import _state
from tests.fakes.proven import COLLECTOR

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.project import Declaration
    from landbridge.twin.state import TwinState

MINE = {
    "AWS_ACCESS_KEY_ID": "AKIAMINE",
    "AWS_SECRET_ACCESS_KEY": "mine",
    "AWS_SESSION_TOKEN": "mine",
    "AWS_PROFILE": "admin",
}


@pytest.fixture
def project(tmp_path: Path) -> Declaration:
    found = examined(tmp_path, declared.FILES).declaration
    assert found is not None
    return found


@pytest.fixture
def twin(project: Declaration) -> TwinState:
    folder = folder_of(project.folder, "DEV")
    folder.mkdir(parents=True)
    plain = _state(folder)
    plain.ground.receipt_public_key_file.write_text(COLLECTOR.public)
    roles = {
        name: WebIdentity(f"arn:aws:iam::000000000000:role/{name}", folder / name, name)
        for name in ("pod", "operator", "watch", "reaper")
    }
    state = replace(plain, **roles)  # type: ignore[arg-type] # fields by name
    save(state)
    return state


def test_the_twin_is_asked_for_and_nothing_else_stands_in_for_it(project: Declaration) -> None:
    """A command meant for the twin must not write into a real bucket because the twin is down."""
    with pytest.raises(Unavailable, match="twin is not running"):
        wiring.cloud(project, "DEV", twin=True, progress=Silent())
    with pytest.raises(Unavailable, match="twin is not running"):
        wiring.evidence(project, "DEV", twin=True)


@pytest.mark.parametrize("who", ["pod", "operator"])
def test_on_the_twin_a_command_is_the_twins_role_whoever_calls_it(
    project: Declaration, twin: TwinState, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """boto3 takes keys of the environment before a web identity: with them the twin's policies would be tried on nobody."""
    for name, value in MINE.items():
        monkeypatch.setenv(name, value)
    if who == "pod":
        wiring.cloud(project, "DEV", twin=True, progress=Silent())
    else:
        wiring.evidence(project, "DEV", twin=True)
    assert not MINE.keys() & os.environ.keys()
    assert os.environ["AWS_ROLE_ARN"] == f"arn:aws:iam::000000000000:role/{who}"
    assert os.environ["AWS_ENDPOINT_URL"] == twin.endpoint
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"


def test_on_the_twin_every_store_is_at_its_endpoint(project: Declaration, twin: TwinState) -> None:
    cloud = wiring.cloud(project, "DEV", twin=True, progress=Silent())
    assert {cloud.staging.reach, cloud.reports.reach} == {twin.endpoint}  # type: ignore[attr-defined] # stores that carry
    evidence = wiring.evidence(project, "DEV", twin=True)
    assert evidence.reports.reach == twin.endpoint  # type: ignore[attr-defined] # as above


def test_beside_a_twin_the_real_environment_is_still_the_real_one(
    project: Declaration, twin: TwinState, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in MINE.items():
        if name != "AWS_PROFILE":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    before = dict(os.environ)
    cloud = wiring.cloud(project, "DEV", twin=False, progress=Silent())
    assert "amazonaws.com" in cloud.reports.reach  # type: ignore[attr-defined] # a store that carries
    assert twin.endpoint not in cloud.staging.reach  # type: ignore[attr-defined] # as above
    assert dict(os.environ) == before, "whose credentials count is the caller's affair"


@pytest.fixture
def on_ground(project: Declaration, monkeypatch: pytest.MonkeyPatch) -> Declaration:
    """A project whose files and variables of the ground side are there."""
    files = {
        "collector": Ed25519Key.generate().private_openssh,
        "host.pub": f"{Ed25519Key.generate().public_openssh}\n",
        "receipts.pem": COLLECTOR.private,
        "receipts.pub": COLLECTOR.public,
    }
    (project.folder / "keys").mkdir(exist_ok=True)
    for name, text in files.items():
        (project.folder / "keys" / name).write_text(text)
    monkeypatch.setenv("SFTP_HOST", "sftp.example.org")
    return project


def test_while_a_host_key_is_replaced_both_of_a_file_are_pinned(on_ground: Declaration) -> None:
    """`keys retire --host` lets the server show the second one once it is in the file: the collector must know it too."""
    old, new = (Ed25519Key.generate().public_openssh for _ in range(2))
    (on_ground.folder / "keys" / "host.pub").write_text(f"{old} old\n\n{new}\n")
    host = wiring.host(on_ground, "PRD", twin=False, progress=Silent())
    known = ground_side.endpoint(host.place, host.references, None)
    assert known.host_keys == (f"{old} old", new) == wiring.pinned(on_ground, "PRD")
    assert [key.line for key in keys.read(known).pinned] == [old, new]
    (on_ground.folder / "keys" / "host.pub").write_text("\n")
    with pytest.raises(UsageError, match="host key"):
        wiring.ground(on_ground, "PRD", twin=False, progress=Silent())


@pytest.mark.parametrize("environment", ["DEV", "PRD"])
def test_an_environment_has_its_own_buckets_and_its_own_ledger(
    project: Declaration, environment: str
) -> None:
    cloud = wiring.cloud(project, environment, twin=False, progress=Silent())
    low = environment.lower()
    names = (cloud.staging.name, cloud.reports.name, cloud.ledger._store.name)
    assert names == (f"s3://demo-{low}-staging", f"s3://demo-{low}-reports", f"s3://demo-{low}-ledger")
    assert (cloud.environment, cloud.ledger._environment) == (environment, environment)


def test_with_several_environments_the_one_of_the_process_is_meant(
    project: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(wiring.ENVIRONMENT, raising=False)
    with pytest.raises(UsageError, match="which environment"):
        wiring.environment_of(project, "")
    monkeypatch.setenv(wiring.ENVIRONMENT, "prd")
    assert wiring.environment_of(project, "") == "PRD"
    assert wiring.environment_of(project, "DEV") == "DEV", "what is typed counts before it"
