"""Does a command talk to the environment that was named, the twin's to the twin alone and the real one's never to it?"""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from landbridge import wiring
from landbridge.canary.bird import named
from landbridge.cluster import Kubernetes
from landbridge.controlm import ControlM
from landbridge.declare import PROJECT_FILE
from landbridge.errors import NotPermitted, TryAgain, Unavailable, UsageError
from landbridge.events import listen, log
from landbridge.facts import Location
from landbridge.schedule import slot_named
from landbridge.sftp import keys
from landbridge.stores.folder import FolderStore
from landbridge.twin.keys import Ed25519Key
from landbridge.twin.state import EVIDENCE_KEY, EVIDENCE_PUBLIC_KEY, WebIdentity, folder_of, save
from landbridge.wiring import canary_side, choice, cloud_side, ground_side
from landbridge.wiring.logs import log_to_stderr
from landbridge.wiring.process import Process
from tests.contract.bridge import JumpingClock
from tests.core import declared
from tests.core.declared import examined
from tests.core.formats import Silent
from tests.core.test_twin_state import _state
from tests.fakes.proven import COLLECTOR, STRANGER

if TYPE_CHECKING:
    from landbridge.ports import Remote
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
    monkeypatch.setattr(getpass, "getuser", nobody)
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
    for _ in range(2):
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


# Which feed, slot and store a command means


def _with(folder: Path, **more: str) -> Declaration:
    """Give the small declaration with lines added to its files."""
    names = dict(zip(("project", "orders", "sales", "contract"), declared.FILES, strict=False))
    files = {**declared.FILES}
    for name, text in more.items():
        files[names[name]] += text
    found = examined(folder, files).declaration
    assert found is not None
    return found


def test_a_feed_is_only_in_its_own_environments(tmp_path: Path) -> None:
    one = _with(tmp_path, orders="environments: [PRD]\n")
    assert [feed.feed for feed in choice.feeds_in(one, "DEV")] == ["sales"]
    assert [feed.feed for feed in choice.feeds_in(one, "PRD")] == ["orders", "sales"]
    assert choice.feed_of(one, "orders", "PRD").feed == "orders"
    with pytest.raises(UsageError, match="does not exist in DEV"):
        choice.feed_of(one, "orders", "DEV")


def test_the_only_environment_need_not_be_named_and_no_other_is_known(tmp_path: Path) -> None:
    files = {**declared.FILES}
    files[PROJECT_FILE] = files[PROJECT_FILE].replace("  PRD: {}\n", "")
    one = examined(tmp_path, files).declaration
    assert one is not None
    assert choice.environment_of(one, "") == "DEV"
    assert choice.environment_of(one, "dev") == "DEV"
    with pytest.raises(UsageError, match="no environment `PRD`"):
        choice.environment_of(one, "PRD")


@pytest.mark.parametrize(("minutes", "count"), [(-1, 1), (0, 1), (65, 2), (24 * 60, 24)])
def test_a_day_stands_for_its_slots_that_are_due_and_before_them_for_the_first(
    project: Declaration, minutes: int, count: int
) -> None:
    now = datetime(2026, 11, 20, 0, 5, tzinfo=UTC) + timedelta(minutes=minutes)
    found = choice.scheduled(project, project.feeds["sales"], "2026-11-20", now=now)
    assert [slot.scheduled_at.hour for slot in found] == list(range(count))


def test_a_job_that_cron_starts_too_early_is_told_why_unless_a_slot_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**declared.FILES}
    sales = list(files)[2]
    files[sales] = files[sales].replace('cron: "5 * * * *"', 'cron: "5 * * * *", starts: 2027-01-01')
    one = examined(tmp_path, files).declaration
    assert one is not None
    at = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
    monkeypatch.setenv(wiring.JOB_NAME, f"sales-{int(at.timestamp()) // 60}")
    assert "start on 2027-01-01" in wiring.no_slot_because(one, one.feeds["sales"], "")
    assert wiring.no_slot_because(one, one.feeds["sales"], "20270101T1005Z") == ""


def test_a_reaper_knows_the_slots_of_the_schedule_and_doubts_the_others(on_ground: Declaration) -> None:
    slot_of = wiring.reaping(on_ground, "DEV", twin=False, progress=Silent()).slot_of
    known = slot_of("orders", "2026-11-20")
    assert known is not None
    assert known.business_date == date(2026, 11, 20)
    assert slot_of("orders", "20261120T0507Z") is None
    assert slot_of("nobody", "2026-11-20") is None


def test_a_place_is_looked_for_where_it_is(on_ground: Declaration, tmp_path: Path) -> None:
    store_of = wiring.evidence(on_ground, "DEV", twin=False).store_of
    folder = FolderStore(tmp_path / "a b")
    assert store_of(Location(folder.name, "x")).name == folder.name
    assert store_of(Location("s3://other/pre/fix", "x")).name == "s3://other/pre/fix"


def test_sources_are_read_only_once_their_upstream_is_ready(tmp_path: Path) -> None:
    ready = '  ready: {signal: {kind: file, path: "in/done"}, every: 1s, limit: 2s}\n'
    files = {**declared.FILES}
    orders = list(files)[1]
    files[orders] = files[orders].replace('  deadline: {at: "07:00"}\n', ready)
    one = examined(tmp_path, files).declaration
    assert one is not None
    feed, clock = one.feeds["orders"], JumpingClock()
    place = wiring._where(one, "DEV", twin=False)[0]
    world = Process(clock=clock, progress=Silent(), run_id="r", actor="a")
    account: Any = None
    slot = slot_named(feed, choice.calendar(one, feed), "2026-11-20")
    asked = partial(
        cloud_side._sources, one, place, account, wiring._references(one, None), world, feed, slot
    )
    with pytest.raises(TryAgain, match="not ready"), asked():
        pass
    assert clock.slept == [1.0, 1.0]
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / "done").write_text("")
    with pytest.raises(UsageError, match="DATABASE_URL"), asked() as sources, sources["orders"].open(slot):
        pass


def test_everybody_who_is_declared_is_told(
    on_ground: Declaration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = 'watch: {mail: [team@example.org], smtp: "mail.example.org:587", sender: lb@example.org, webhook: "env:HOOK"}\n'
    one = replace(_with(tmp_path / "watched", project=section), folder=on_ground.folder)
    monkeypatch.setenv("HOOK", "https://hooks.example.org/x")
    monkeypatch.delenv(wiring.ALARM_TOPIC, raising=False)
    told = wiring.watching(one, "DEV", twin=False, progress=Silent())
    assert [each.name for each in told.tellers] == ["mail", "webhook"]
    relay = told.tellers[0]._teller._relay  # type: ignore[attr-defined] # of a mail that is tried again
    assert (relay.host, relay.port, relay.starttls, relay.user) == ("mail.example.org", 587, True, "")
    assert told.meter is None, "no account is declared"


def test_evidence_of_a_twin_is_signed_with_the_twins_own_key(project: Declaration, twin: TwinState) -> None:
    folder = twin.ground.receipt_key_file.parent
    (folder / EVIDENCE_KEY).write_text(STRANGER.private)
    (folder / EVIDENCE_PUBLIC_KEY).write_text(STRANGER.public)
    assert wiring.bundle_keys(project, "DEV", twin=True) == (STRANGER.public,)
    assert wiring.evidence_signer(project, "DEV", twin=True).sign(b"x")


def test_what_a_collection_stands_on_is_shown_without_its_key(on_ground: Declaration) -> None:
    ground = wiring.ground(on_ground, "DEV", twin=False, progress=Silent())
    ground.remote.close()
    assert "PRIVATE KEY" not in repr(ground)


def _private(on_ground: Declaration, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Adopt the share, and give our private folder on it."""
    monkeypatch.setenv("LANDBRIDGE_COLLECTOR", "here")
    root, _ = ground_side.folders(wiring.host(on_ground, "DEV", twin=False, progress=Silent()))
    root.mkdir(parents=True)
    share = wiring.share(on_ground, "DEV", twin=False, progress=Silent())
    share.adopt()
    share.close()
    return root / ".landbridge" / "dev"


def _open_below(folder: Path) -> list[str]:
    links = [f"{link.readlink()}" for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link.startswith(f"{folder}/")]


def test_a_canary_leaves_nothing_on_the_share_however_its_landing_ended(
    on_ground: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that cannot be read ends it after its folder was made: a canary is sent to find just that."""
    private = _private(on_ground, monkeypatch)
    canary = named(datetime.now(UTC), "0123abcd")
    landing = partial(canary_side.ground, on_ground, "DEV", canary, twin=False, progress=Silent())

    def failing() -> None:
        with landing() as ground:
            assert (private / "canary" / canary).is_dir()
            assert ground.share.landed("orders", "2026-11-20", date(2026, 11, 20)) is None
            assert _open_below(private)
            raise TryAgain("the server is away")

    with pytest.raises(TryAgain):
        failing()
    assert not (private / "canary").exists()
    assert not _open_below(private)
    (on_ground.folder / "keys" / "collector").write_text("no key")
    with pytest.raises(NotPermitted), landing():
        pass
    assert not (private / "canary").exists()


def test_a_canary_closes_the_line_that_it_was_lent(
    on_ground: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    _private(on_ground, monkeypatch)
    canary = named(datetime.now(UTC), "0123abcd")
    lent: list[Remote] = []
    with canary_side.remote(on_ground, "DEV", twin=False, progress=Silent()) as remote:
        lent.append(remote)
    with canary_side.ground(on_ground, "DEV", canary, twin=False, progress=Silent()) as ground:
        lent.append(ground.remote)
    for remote in lent:
        with pytest.raises(Unavailable, match="was closed"):
            remote.files("/outbound")


def test_events_are_one_line_of_json_each_with_what_the_command_is_about(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        log_to_stderr(watched=False, level="", feed="old")
        log_to_stderr(watched=False, level="", run_id="r1")
        log.debug("too small")
        log.info("staged", size=7)
        (line,) = capsys.readouterr().err.splitlines()
        found = json.loads(line)
        assert found.pop("timestamp").endswith("Z")
        assert found == {"event": "staged", "level": "info", "run_id": "r1", "size": 7}
        log_to_stderr(watched=True)
        log.info("not on a terminal")
        log.warning("told", size=7)
        (line,) = capsys.readouterr().err.splitlines()
        assert "told" in line
        with pytest.raises(json.JSONDecodeError):
            json.loads(line)
        monkeypatch.setenv(wiring.LOG, "ERROR")
        wiring.log(verbose=False)
        log.warning("below what was asked for")
        assert capsys.readouterr().err == ""
        wiring.log(verbose=True)
        log.debug("all")
        assert "all" in capsys.readouterr().err
    finally:
        listen(None, "info")


# What a cluster and a scheduler take


@pytest.mark.parametrize(
    "keys",
    [
        {"image": "landbridge:latest"},
        {"image": f"Landbridge@sha256:{'0' * 64}"},
        {"namespace": "Upper"},
        {"namespace": "a" * 64},
        {"service_account": "-x"},
        {"cpu": "1x"},
        {"memory_overhead": "1G"},
        {"environment": {"1X": "y"}},
        {"environment": {"X": {"secret": "s", "key": "a/b"}}},
        {"volumes": [{"claim": "c", "path": "relative"}]},
        {"volumes": [{"claim": "c", "path": "/a b"}]},
        {"reach": [{"name": "db", "cidr": "10.0.0.0/8", "ports": []}]},
        {"reach": [{"name": "db", "cidr": "10.0.0.0/8", "ports": [0]}]},
        {"reach": [{"name": "db", "cidr": "10.0.0.0/8", "ports": [65536]}]},
        {"aws_reach": []},
    ],
)
def test_what_kubernetes_would_refuse_or_read_otherwise_is_refused_here(keys: dict[str, object]) -> None:
    sound = {"image": f"registry/landbridge@sha256:{'0' * 64}"}
    Kubernetes.model_validate_json(json.dumps(sound))
    with pytest.raises(ValidationError):
        Kubernetes.model_validate_json(json.dumps(sound | keys))


@pytest.mark.parametrize(
    "keys",
    [
        {"server": "a b"},
        {"key": "$(x)"},
        {"members": []},
        {"time_zones": {"Europe/London": "london"}},
        {"first_year": 1999},
        {"last_year": 3000},
        {"first_year": 2030, "last_year": 2029},
        {"sessions": 0},
        {"sessions": 11},
        {"retries": -1},
        {"retries": 100},
        {"api": {"url": "https://h"}},
        {"api": {"url": "https://h", "token": "env:T", "user": "u", "password": "env:P"}},
        {"api": {"url": "https://h", "user": "u"}},
        {"api": {"url": "https://h", "token": "env:T", "password": "env:P"}},
        {"api": {"url": "https://h", "token": "pasted"}},
    ],
)
def test_what_controlm_would_refuse_is_refused_here(keys: dict[str, object]) -> None:
    sound = {"server": "ctm", "agents": "group", "key": "landbridge", "first_year": 2026, "last_year": 2026}
    for login in ({"token": "env:T"}, {"user": "u", "password": "env:P"}):
        ControlM.model_validate_json(json.dumps(sound | {"api": {"url": "https://h", **login}}))
    with pytest.raises(ValidationError):
        ControlM.model_validate_json(json.dumps(sound | keys))
