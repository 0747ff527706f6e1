"""Does a command talk to the environment that was named, the twin's to the twin alone and the real one's never to it?"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.declare import PROJECT_FILE
from landbridge.errors import Unavailable, UsageError
from landbridge.sftp import keys
from landbridge.twin.keys import Ed25519Key
from landbridge.twin.state import WebIdentity, folder_of, save
from landbridge.wiring import ground_side
from tests.core import declared
from tests.core.declared import examined
from tests.core.formats import Silent
from tests.core.test_twin_state import _state
from tests.fakes.proven import COLLECTOR, STRANGER

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


# Who acts, with which secrets and keys


class Vault:
    """Stands for a session of boto3 whose Secrets Manager gives one answer."""

    def __init__(self, answer: dict[str, str]) -> None:
        self.answer = answer

    def client(self, service: str) -> Vault:
        assert service == "secretsmanager"
        return self

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 calls it
        return {**self.answer, "ARN": SecretId}


def test_a_secret_that_holds_no_text_is_told(project: Declaration) -> None:
    for answer, text in (({"SecretString": "s3cret"}, "s3cret"), ({}, "")):
        references = wiring._references(project, Vault(answer))  # type: ignore[arg-type] # what is asked of a session
        if text:
            assert references.resolve("aws-sm:one") == text
            continue
        with pytest.raises(UsageError, match="holds no text"):
            references.resolve("aws-sm:one")


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_whoever_has_no_name_acts_under_a_number(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def nobody() -> str:
        raise error

    monkeypatch.setenv(wiring.ACTOR, "the on-call")
    assert wiring.who() == "the on-call"
    monkeypatch.delenv(wiring.ACTOR)
    monkeypatch.setattr(wiring.getpass, "getuser", nobody)
    assert wiring.who().startswith(f"{os.getuid()}@")


@pytest.mark.parametrize(
    ("name", "part", "whole"),
    [
        ("host", "", "host"),
        ("host", "canary", "host.canary"),
        ("h" * 93, "canary", "h" * 93 + ".canary"),
        ("h" * 94, "canary", "h" * 94),
    ],
)
def test_a_collector_is_named_after_its_host(
    project: Declaration, monkeypatch: pytest.MonkeyPatch, name: str, part: str, whole: str
) -> None:
    """What is longer the share refuses, and a receipt too."""
    monkeypatch.setenv(wiring.COLLECTOR, name)
    assert wiring.host(project, "DEV", twin=False, progress=Silent(), part=part).collector == whole
    monkeypatch.setenv(wiring.COLLECTOR, "")
    assert wiring.host(project, "DEV", twin=False, progress=Silent()).collector == socket.gethostname()


def test_a_client_for_sftp_that_there_is_not_is_told(
    on_ground: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(wiring.SFTP_CLIENT, "putty")
    with pytest.raises(UsageError, match="no SFTP client `putty`"):
        wiring.ground(on_ground, "DEV", twin=False, progress=Silent())


def test_a_collector_knows_its_own_keys_and_the_twins_only_on_the_twin(
    on_ground: Declaration, twin: TwinState
) -> None:
    twin.ground.private_key_file.write_text(Ed25519Key.generate().private_openssh)
    twin.ground.receipt_key_file.write_text(STRANGER.private)
    twin.ground.receipt_public_key_file.write_text(STRANGER.public)
    assert wiring.collector_keys(on_ground, "DEV", twin=False) == (COLLECTOR.public.rstrip(),)
    assert wiring.collector_keys(on_ground, "DEV", twin=True) == (STRANGER.public,)
    real = wiring.host(on_ground, "DEV", twin=False, progress=Silent())
    assert ground_side.receipt_key(real.place, real.references, real.twin) == COLLECTOR.private.rstrip()
    lent = wiring.host(on_ground, "DEV", twin=True, progress=Silent())
    assert ground_side.receipt_key(lent.place, lent.references, lent.twin) == STRANGER.private
    known = ground_side.endpoint(lent.place, lent.references, lent.twin)
    assert (known.host, known.host_keys) == (twin.ground.host, (twin.ground.host_key,))
    assert ground_side.folders(real)[0] == on_ground.folder / "share" / "dev"
    assert ground_side.folders(lent) == (twin.ground.share, None)


def test_evidence_is_signed_with_the_declared_key_or_not_at_all(tmp_path: Path) -> None:
    files = {**declared.FILES}
    plain = examined(tmp_path / "plain", files).declaration
    assert plain is not None
    with pytest.raises(UsageError, match="no key for evidence"):
        wiring.evidence_signer(plain, "DEV", twin=False)
    assert wiring.bundle_keys(plain, "DEV", twin=False) == ()
    section = 'evidence: {signing_key: "file:keys/evidence.pem", public_keys: ["file:keys/evidence.pub"]}\n'
    files[PROJECT_FILE] = files[PROJECT_FILE] + section
    signed = examined(tmp_path / "signed", files).declaration
    assert signed is not None
    (signed.folder / "keys").mkdir(exist_ok=True)
    (signed.folder / "keys" / "evidence.pub").write_text(COLLECTOR.public)
    for text in ("no key", COLLECTOR.public):
        (signed.folder / "keys" / "evidence.pem").write_text(text)
        with pytest.raises(UsageError, match="cannot be used"):
            wiring.evidence_signer(signed, "DEV", twin=False)
    (signed.folder / "keys" / "evidence.pem").write_text(COLLECTOR.private)
    assert wiring.evidence_signer(signed, "DEV", twin=False).sign(b"x")
    assert wiring.bundle_keys(signed, "DEV", twin=False) == (COLLECTOR.public.rstrip(),)


def test_what_is_not_declared_is_not_guessed(project: Declaration) -> None:
    with pytest.raises(UsageError, match="no AWS account"):
        wiring.aws_account(project, "DEV")
    with pytest.raises(UsageError, match="no Automation API"), wiring.controlm(project, "DEV", tell=print):
        pass
    with pytest.raises(UsageError, match="which SFTP server"):
        wiring.keys(project, "DEV", "", host=False, tell=print)
    assert wiring.pinned(project, "DEV") == (), "a file that is not there yet pins nothing"


def test_nobody_on_aws_is_told_of_a_twin(
    on_ground: Declaration, twin: TwinState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its slots would wake up whoever watches the real ones."""
    monkeypatch.setenv(wiring.ALARM_TOPIC, "arn:aws:sns:eu-west-2:123456789012:alarms")
    named = wiring.watching(on_ground, "DEV", twin=False, progress=Silent())
    assert [one.name for one in named.tellers] == ["sns"]
    lent = wiring.watching(on_ground, "DEV", twin=True, progress=Silent())
    assert (lent.tellers, lent.meter) == ((), None)


@pytest.mark.parametrize("ahead", [0, 14, 16, 600])
def test_a_job_may_be_a_quarter_of_an_hour_ahead_of_a_pods_clock_and_a_person_a_minute(
    project: Declaration, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    feed = project.feeds["sales"]
    at = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
    monkeypatch.setattr(wiring, "now", lambda: at - timedelta(minutes=ahead))
    monkeypatch.setenv(wiring.JOB_NAME, f"sales-{int(at.timestamp()) // 60}")

    def is_due(wanted: str, *, early: bool = False) -> bool:
        try:
            return wiring.slot_due(project, feed, wanted, early=early).scheduled_at == at
        except UsageError:
            return False

    assert is_due("") is (ahead <= 15)
    assert is_due("20261120T1005Z") is (ahead <= 1)
    assert is_due("20261120T1005Z", early=True)


def test_a_log_level_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wiring.LOG, "loud")
    with pytest.raises(UsageError, match="no log level `loud`"):
        wiring.log(verbose=False)
