"""Does `landbridge doctor` find a fresh twin whole, and each check what is planted for it? On the real twin."""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pysequoia
import pytest
from botocore.stub import Stubber

from landbridge import wiring
from landbridge.cli.output import Silent
from landbridge.controlm import ControlM
from landbridge.deploy.review import policies
from landbridge.disk.local import LOCAL
from landbridge.doctor.finding import Finding, Verdict, exit_of
from landbridge.doctor.patient import Identity, Patient, Shore
from landbridge.doctor.running import examine
from landbridge.doctor.table import CHECKS
from landbridge.errors import Exit, UsageError
from landbridge.facts import Receipt
from landbridge.feed.inputs import PythonSource, SqlSource
from landbridge.project import Holidays
from landbridge.sftp.client import SftpRemote
from landbridge.share.journal import Journal
from landbridge.share.records import LandedRecord
from landbridge.stores.s3_asked import Asked
from landbridge.twin import twin
from landbridge.twin.keys import Ed25519Key
from landbridge.wiring import doctor_side
from tests.servers.sftp import asyncssh_server
from tests.stories.mounts import mounted
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

STAGING, REPORTS, LEDGER = "story-staging", "story-reports", "story-ledger"
BY_NAME = {check.name: check for check in CHECKS}


@dataclass
class Stand:
    """A fresh twin with its patient, and every right over its server."""

    whole: Patient
    admin: S3Client
    as_admin: boto3.Session
    endpoint: str
    folder: Path

    def identity(self, role: str, asked: Asked | None = None) -> Identity:
        """Give one of the twin's own credentials, or others, under the name of a role."""
        own = next((one for one in self.whole.identities() if one.role == role), None)
        token = own.token if own else None
        return Identity(role, asked or (own.asked if own else Asked(self.as_admin, self.endpoint)), token)

    def as_(self, *who: Identity, **more: Any) -> Patient:
        return replace(self.whole, identities=lambda: who, **more)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = write_project(tmp_path_factory.mktemp("doctor"))
    declared = wiring.declaration(folder)
    feeds = wiring.choice.feeds_in(declared, "DEV")
    with (
        twin.running(declared, "DEV", progress=Silent()) as up,
        doctor_side.patient(declared, "DEV", feeds, twin=True, sources=False, progress=Silent()) as whole,
    ):
        key = up.server.admin
        as_admin = boto3.Session(key.access_key, key.secret_key, region_name=up.state.region)
        yield Stand(whole, up.server.client(), as_admin, up.state.endpoint, folder)


def found(patient: Patient, name: str, limit: float = 30) -> list[Finding]:
    return [one.finding for one in examine(patient, [BY_NAME[name]], limit, Silent())]


# ---- A fresh twin ----


def test_a_fresh_twin_is_whole(stand: Stand) -> None:
    every = examine(replace(stand.whole, sources=True), CHECKS, 60, Silent())
    assert [one for one in every if one.finding.verdict in {Verdict.WARN, Verdict.BROKEN}] == []
    assert {one.check.name for one in every} == set(BY_NAME)
    assert sum(one.finding.verdict is Verdict.OK for one in every) > 60
    assert all(one.finding.seen for one in every if one.finding.verdict is Verdict.NOT_CHECKED)
    assert exit_of(one.finding for one in every) == Exit.DONE


def test_an_examination_leaves_one_small_file(stand: Stand) -> None:
    def keys() -> dict[str, list[str]]:
        listed = {
            bucket: stand.admin.list_object_versions(Bucket=bucket) for bucket in (STAGING, REPORTS, LEDGER)
        }
        return {
            bucket: [
                one["Key"]
                for one in [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
                if not one["Key"].endswith("/")
            ]
            for bucket, answer in listed.items()
        }

    examine(stand.whole, CHECKS, 60, Silent())
    assert keys() == {STAGING: [], REPORTS: ["receipts/_canary/doctor.txt"], LEDGER: []}
    assert not stand.admin.list_multipart_uploads(Bucket=STAGING).get("Uploads")
    private = stand.whole.shore().private("DEV")
    assert {one.name for one in private.iterdir()} == {"journal", "volume.json"}


# ---- What is planted: for every check a defect, the code it gives, and that what mends it is said ----


@dataclass(frozen=True)
class Defect:
    check: str
    name: str
    plant: Callable[[Stand, Path], AbstractContextManager[Patient]]
    code: Exit
    """DONE: it is warned of."""
    mend: str
    """Words of what is said to mend it."""


DEFECTS: list[Defect] = []


def defect(check: str, code: Exit, mend: str) -> Callable[[Any], Any]:
    def noted(plant: Any) -> Any:
        made = contextmanager(plant)
        DEFECTS.append(Defect(check, plant.__name__.strip("_"), made, code, mend))
        return plant

    return noted


@defect("python", Exit.DECLARATION, "install Python")
def _python_3_10(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, python=(3, 10, 12))


@defect("libraries", Exit.DECLARATION, "pip install --upgrade landbridge")
def _a_library_is_old(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, requirements=("duckdb>=999",))


@defect("libraries", Exit.DECLARATION, "pip install --upgrade landbridge")
def _a_library_is_absent(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, requirements=("no-such-library-anywhere>=1",))


@defect("scratch", Exit.IO, "TMPDIR")
def _no_scratch(stand: Stand, empty: Path) -> Iterator[Patient]:
    yield replace(stand.whole, scratch=empty / "gone")


@defect("time zones", Exit.DECLARATION, "tzdata")
def _an_unknown_zone(stand: Stand, _: Path) -> Iterator[Patient]:
    feed = stand.whole.feeds[0]
    schedule = feed.schedule.model_copy(update={"time_zone": "Mars/Olympus"})
    yield replace(stand.whole, feeds=(feed.model_copy(update={"schedule": schedule}),))


@defect("holidays", Exit.DONE, "calendars.bank.add")
def _next_year_is_not_known(stand: Stand, _: Path) -> Iterator[Patient]:
    feed = stand.whole.feeds[0]
    schedule = feed.schedule.model_copy(update={"calendar": "bank"})
    only = Holidays(add=(date(2020, 1, 1),))
    project = stand.whole.declared.project.model_copy(update={"calendars": {"bank": only}})
    declared = replace(stand.whole.declared, project=project)
    yield replace(stand.whole, declared=declared, feeds=(feed.model_copy(update={"schedule": schedule}),))


@defect("identity", Exit.DONE, "operator's role")
def _somebody_else(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(Identity("", Asked(stand.as_admin, stand.endpoint), None))


def _token(folder: Path, **claims: object) -> Path:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    path = folder / "token"
    path.write_text(f"e30.{body}.c2ln")
    return path


@defect("service account", Exit.PERMISSION, "landbridge twin up")
def _a_token_ran_out(stand: Stand, empty: Path) -> Iterator[Patient]:
    yield stand.as_(replace(stand.identity("pod"), token=_token(empty, sub="x", exp=1_700_000_000)))


@defect("service account", Exit.PERMISSION, "landbridge twin up")
def _a_token_of_another_account(stand: Stand, empty: Path) -> Iterator[Patient]:
    sub = "system:serviceaccount:other:landbridge"
    yield stand.as_(replace(stand.identity("pod"), token=_token(empty, sub=sub, exp=4_000_000_000)))


@defect("service account", Exit.PERMISSION, "landbridge twin up")
def _no_token(stand: Stand, empty: Path) -> Iterator[Patient]:
    yield stand.as_(replace(stand.identity("pod"), token=empty / "gone"))


@defect("job name", Exit.DECLARATION, "landbridge twin up")
def _a_pod_without_its_label(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, in_cluster=True, job_name="")


@defect("job name", Exit.DONE, "--date")
def _a_job_by_hand(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, in_cluster=True, job_name="by-hand")


@defect("permissions", Exit.PERMISSION, "landbridge twin up")
def _the_pod_may_only_look(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(stand.identity("pod", stand.identity("operator").asked))


@defect("permissions", Exit.PERMISSION, "landbridge twin up")
def _the_operator_sees_no_receipts(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(stand.identity("operator", stand.identity("pod").asked))


@defect("limits", Exit.PERMISSION, "landbridge twin up")
def _the_operator_may_write(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(stand.identity("operator", stand.identity("pod").asked))


@defect("limits", Exit.PERMISSION, "landbridge twin up")
def _the_pod_may_do_anything(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(stand.identity("pod", Asked(stand.as_admin, stand.endpoint)))


@defect("versions", Exit.DECLARATION, "landbridge twin up")
def _no_versions(stand: Stand, _: Path) -> Iterator[Patient]:
    stand.admin.put_bucket_versioning(Bucket=LEDGER, VersioningConfiguration={"Status": "Suspended"})
    yield stand.whole
    stand.admin.put_bucket_versioning(Bucket=LEDGER, VersioningConfiguration={"Status": "Enabled"})


@defect("encryption", Exit.DECLARATION, "landbridge deploy aws apply --environment DEV")
def _no_encryption(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(stand.identity("operator"), twin=False)


def _stubbed(method: str, answer: dict[str, Any]) -> Asked:
    asked = Asked(boto3.Session("a", "b", region_name="eu-west-2"))
    stub = Stubber(asked._s3)
    for _ in range(3):
        stub.add_response(method, answer)
    stub.activate()
    return asked


_HALF = {
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": False,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
}


@defect("public access", Exit.DECLARATION, "landbridge deploy aws apply --environment DEV")
def _half_of_it_is_blocked(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(Identity("operator", _stubbed("get_public_access_block", _HALF), None), twin=False)


@defect("bucket policies", Exit.DECLARATION, "landbridge deploy aws apply --environment DEV")
def _no_policy(stand: Stand, _: Path) -> Iterator[Patient]:
    yield stand.as_(stand.identity("operator"), twin=False)


_TLS = {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
_ONCE = {"Effect": "Deny", "Principal": "*", "Condition": {"Null": {"s3:if-none-match": "true"}}}


@defect("bucket policies", Exit.DECLARATION, "landbridge deploy aws apply --environment DEV")
def _a_verdict_can_be_replaced(stand: Stand, _: Path) -> Iterator[Patient]:
    policy = {"Policy": json.dumps({"Statement": [_TLS]})}
    yield stand.as_(Identity("operator", _stubbed("get_bucket_policy", policy), None), twin=False)


@contextmanager
def _rules(stand: Stand, bucket: str, *prefixes: str) -> Iterator[None]:
    before = stand.admin.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    rules: Any = [
        {
            "ID": f"r{number}",
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "Expiration": {"Days": 9},
        }
        for number, prefix in enumerate(prefixes)
    ]
    stand.admin.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    yield
    stand.admin.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})


@defect("lifecycles", Exit.DECLARATION, "landbridge twin up")
def _receipts_are_forgotten(stand: Stand, _: Path) -> Iterator[Patient]:
    with _rules(stand, REPORTS, "receipts/", "outbound/_canary/", "receipts/_canary/"):
        yield stand.whole


@defect("lifecycles", Exit.DONE, "landbridge twin up")
def _drafts_stay_for_ever(stand: Stand, _: Path) -> Iterator[Patient]:
    with _rules(stand, STAGING, "watch/"):
        yield stand.whole


@dataclass
class Told:
    """Secrets that a test gives; obeys ports.Secrets."""

    texts: dict[str, str]

    def resolve(self, reference: str) -> str:
        if reference not in self.texts:
            raise UsageError(f"`{reference}` is not there", hint="make it")
        return self.texts[reference]


@defect("secrets of the cloud side", Exit.DECLARATION, "make it")
def _a_secret_is_gone(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, secrets=Told({}))


@defect("secrets of the cloud side", Exit.DECLARATION, "set what the reference names")
def _a_secret_is_empty(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, secrets=Told({"file:keys/recipient.asc": " \n"}))


def _recipient(seconds: int) -> Told:
    key = pysequoia.Tsk.generate("Consumer <files@example.org>", validity_seconds=seconds)
    return Told({"file:keys/recipient.asc": str(key.extract_certificate())})


@defect("recipients", Exit.DONE, "new key")
def _a_key_ends_soon(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, secrets=_recipient(86_400))


@defect("recipients", Exit.DECLARATION, "new key")
def _a_key_has_ended(stand: Stand, _: Path) -> Iterator[Patient]:
    later = datetime.now(UTC) + timedelta(days=2)
    yield replace(stand.whole, secrets=_recipient(86_400), now=lambda: later)


@defect("sources", Exit.DECLARATION, "correct the source")
def _a_function_is_gone(stand: Stand, _: Path) -> Iterator[Patient]:
    source = PythonSource(kind="python", function="rows:nobody")
    feed = stand.whole.feeds[0].model_copy(update={"sources": {"rows": source}})
    yield replace(stand.whole, feeds=(feed,), sources=True)


@defect("sources", Exit.UNAVAILABLE, "correct the source")
def _a_database_is_away(stand: Stand, _: Path) -> Iterator[Patient]:
    source = SqlSource(kind="sql", url="postgresql://127.0.0.1:1/none", query="select 1")
    feed = stand.whole.feeds[0].model_copy(update={"sources": {"rows": source}})
    yield replace(stand.whole, feeds=(feed,), sources=True)


def _late(stand: Stand, late: timedelta) -> Patient:
    return replace(stand.whole, now=lambda: datetime.now(UTC) + late)


@defect("clock of the cloud", Exit.PERMISSION, "NTP")
def _ten_minutes_fast(stand: Stand, _: Path) -> Iterator[Patient]:
    yield _late(stand, timedelta(minutes=10))


@defect("clock of the cloud", Exit.DONE, "NTP")
def _a_minute_slow(stand: Stand, _: Path) -> Iterator[Patient]:
    yield _late(stand, -timedelta(minutes=1))


@defect("clocks of the ground", Exit.PERMISSION, "NTP")
def _ten_minutes_slow(stand: Stand, _: Path) -> Iterator[Patient]:
    yield _late(stand, -timedelta(minutes=10))


@defect("secrets of the ground side", Exit.DECLARATION, "make it")
def _no_keys_on_this_host(stand: Stand, _: Path) -> Iterator[Patient]:
    yield replace(stand.whole, twin=False, secrets=Told({}))


@defect("SFTP key", Exit.PERMISSION, "sftp.private_key")
def _a_key_that_is_none(stand: Stand, _: Path) -> Iterator[Patient]:
    wrong = replace(stand.whole.endpoint(), private_key="not a key")
    yield replace(stand.whole, endpoint=lambda: wrong)


@defect("SFTP key", Exit.DONE, "landbridge keys rotate --environment DEV")
def _a_short_key(stand: Stand, _: Path) -> Iterator[Patient]:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    yield replace(stand.whole, endpoint=lambda: replace(stand.whole.endpoint(), private_key=pem))


@defect("age of the SFTP key", Exit.DONE, "landbridge keys rotate --environment DEV")
def _an_old_key(stand: Stand, _: Path) -> Iterator[Patient]:
    path = stand.folder / "keys" / "controlm"
    path.write_text("of no matter")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    yield replace(stand.whole, twin=False)


@defect("receipt key", Exit.INTEGRITY, "receipt_public_keys")
def _a_pair_that_does_not_fit(stand: Stand, _: Path) -> Iterator[Patient]:
    other = Ed25519Key.generate().public_pem
    yield replace(stand.whole, receipt_keys=lambda: (other,))


@defect("host key", Exit.INTEGRITY, "landbridge keys status --host --environment DEV")
def _another_host_key(stand: Stand, _: Path) -> Iterator[Patient]:
    other = replace(stand.whole.endpoint(), host_keys=(Ed25519Key.generate().public_openssh,))
    yield replace(stand.whole, endpoint=lambda: other)


@defect("host key", Exit.DONE, "landbridge keys status --host --environment DEV")
def _an_old_pin(stand: Stand, _: Path) -> Iterator[Patient]:
    whole = stand.whole.endpoint()
    both = replace(whole, host_keys=(*whole.host_keys, Ed25519Key.generate().public_openssh))
    yield replace(stand.whole, endpoint=lambda: both)


@defect("host key", Exit.UNAVAILABLE, "")
def _nobody_answers(stand: Stand, _: Path) -> Iterator[Patient]:
    away = replace(stand.whole.endpoint(), port=1)
    yield replace(stand.whole, endpoint=lambda: away)


@defect("log-in", Exit.PERMISSION, "")
def _a_key_that_is_not_known(stand: Stand, _: Path) -> Iterator[Patient]:
    other = replace(stand.whole.endpoint(), private_key=Ed25519Key.generate().private_openssh)
    with SftpRemote(other) as remote:
        yield replace(stand.whole, remote=lambda: remote)


@defect("log-in", Exit.PERMISSION, "landbridge keys status --environment DEV")
def _the_user_sees_more(stand: Stand, _: Path) -> Iterator[Patient]:
    stand.admin.put_object(Bucket=REPORTS, Key="drafts/secret.csv", Body=b"one")
    yield stand.whole
    stand.admin.delete_object(Bucket=REPORTS, Key="drafts/secret.csv")
    stand.admin.delete_object(Bucket=REPORTS, Key="drafts/")


@contextmanager
def _elsewhere(stand: Stand, folder: Path) -> Iterator[Patient]:
    """Give an SFTP side of which the user may write everything."""
    with asyncssh_server(folder) as server, SftpRemote(server.endpoint()) as remote:
        yield replace(stand.whole, remote=lambda: remote, endpoint=server.endpoint)


@defect("outbound", Exit.PERMISSION, "landbridge twin up")
def _outbound_can_be_written(stand: Stand, empty: Path) -> Iterator[Patient]:
    for name in ("outbound/_manifests", "receipts"):
        (empty / name).mkdir(parents=True)
    with _elsewhere(stand, empty) as patient:
        yield patient


@defect("receipts", Exit.UNAVAILABLE, "")
def _receipts_cannot_be_written(stand: Stand, empty: Path) -> Iterator[Patient]:
    (empty / "receipts").write_text("a file in the folder's place")
    with _elsewhere(stand, empty) as patient:
        yield patient


@defect("share", Exit.CANNOT_CREATE, "landbridge collect --adopt-share")
def _the_share_is_not_mounted(stand: Stand, empty: Path) -> Iterator[Patient]:
    shore = Shore(empty, empty / ".landbridge" / "dev" / "journal", "here")
    yield replace(stand.whole, shore=lambda: shore)


@defect("placing", Exit.CANNOT_CREATE, "mount it writable")
def _the_share_is_read_only(stand: Stand, empty: Path) -> Iterator[Patient]:
    import shutil
    import subprocess

    whole = stand.whole.shore()
    with mounted(empty / "m"):
        shutil.copytree(whole.root, empty / "m" / "share")
        subprocess.run(["mount", "-o", "remount,ro", empty / "m"], check=True)
        root = empty / "m" / "share"
        shore = Shore(root, root / ".landbridge" / "dev" / "journal", "here")
        yield replace(stand.whole, shore=lambda: shore)


@defect("journal", Exit.INTEGRITY, "backup")
def _a_damaged_line(stand: Stand, _: Path) -> Iterator[Patient]:
    day = stand.whole.shore().journal / f"{datetime.now(UTC):%Y-%m-%d}"
    day.mkdir()
    (day / "other.jsonl").write_text("damaged\nand more\n")
    yield stand.whole
    (day / "other.jsonl").unlink()
    day.rmdir()


@defect("lock", Exit.IO, "")
def _a_lock_that_cannot_be(stand: Stand, _: Path) -> Iterator[Patient]:
    shore = replace(stand.whole.shore(), collector="taken")
    (shore.journal / "taken.lock").mkdir()
    yield replace(stand.whole, shore=lambda: shore)
    (shore.journal / "taken.lock").rmdir()


@defect("room", Exit.CANNOT_CREATE, "free space")
def _the_largest_day_does_not_fit(stand: Stand, _: Path) -> Iterator[Patient]:
    shore, at = stand.whole.shore(), datetime.now(UTC)
    day = at.date()
    huge = Receipt("f", f"{day}", day, 1, "DEV", 10**16, "0" * 64, "f.csv", at, "x", "0" * 64)
    book = Journal(LOCAL, shore.journal, "huge")
    book.append(day, LandedRecord(huge, "placed"))
    book.close()
    yield stand.whole
    (shore.journal / f"{day}" / "huge.jsonl").unlink()
    (shore.journal / f"{day}").rmdir()


@defect("holding", Exit.CANNOT_CREATE, "landbridge land --environment DEV --prepare")
def _no_folders_for_control_m(stand: Stand, _: Path) -> Iterator[Patient]:
    declared = ControlM(server="ctm", agents="mft", key="k")
    yield replace(stand.whole, place=replace(stand.whole.place, controlm=declared))


@pytest.mark.parametrize("planted", DEFECTS, ids=lambda one: f"{one.check}: {one.name}")
def test_a_planted_defect_is_found(stand: Stand, tmp_path: Path, planted: Defect) -> None:
    with planted.plant(stand, tmp_path) as patient:
        examined = examine(patient, [BY_NAME[planted.check]], 30, Silent())
    wrong = [one for one in examined if one.finding.verdict in {Verdict.WARN, Verdict.BROKEN}]
    assert wrong, "the defect was not found"
    assert exit_of(one.finding for one in examined) == planted.code
    assert all(one.mend and "{environment}" not in one.mend for one in wrong)
    assert any(planted.mend in one.mend for one in wrong)


def test_every_check_has_a_defect_that_it_finds() -> None:
    assert {one.check for one in DEFECTS} == set(BY_NAME)


# ---- One permission at a time, and the other edges ----


def test_what_hangs_is_cut(stand: Stand) -> None:
    import threading

    stuck = threading.Event()

    def hang() -> Shore:
        stuck.wait(20)
        return stand.whole.shore()

    (one,) = found(replace(stand.whole, shore=hang), "share", limit=0.3)
    stuck.set()
    assert (one.verdict, one.exit) == (Verdict.BROKEN, Exit.UNAVAILABLE)
    assert "0.3 s" in one.seen


def test_a_store_that_takes_a_wrong_checksum_is_told(stand: Stand) -> None:
    asked = Asked(boto3.Session("a", "b", region_name="eu-west-2"))
    stub = Stubber(asked._s3)
    for _ in range(8):
        stub.add_response("put_object", {"ETag": '"x"'})
    stub.activate()
    patient = stand.as_(Identity("pod", asked, None))
    pod = patient.roles()["pod"].policy
    only = replace(pod, statements=(replace(pod.statements[0], actions=("s3:PutObject",)),))
    needs = replace(patient.needs, pod=replace(patient.needs.pod, policy=only))
    (one,) = found(replace(patient, needs=needs), "permissions")
    assert (one.verdict, one.exit) == (Verdict.BROKEN, Exit.INTEGRITY)


def test_a_bucket_that_is_set_well_is_ok(stand: Stand) -> None:
    policy = {"Policy": json.dumps({"Statement": [_TLS, _ONCE]})}
    patient = stand.as_(Identity("operator", _stubbed("get_bucket_policy", policy), None), twin=False)
    assert {one.verdict for one in found(patient, "bucket policies")} == {Verdict.OK}


def test_a_pod_alone_says_that_it_may_not_see_settings(stand: Stand) -> None:
    patient = stand.as_(stand.identity("pod"), twin=False)
    assert {one.verdict for one in found(patient, "encryption")} == {Verdict.NOT_CHECKED}


def test_where_nothing_can_be_read_yet_the_answer_of_aws_is_not_believed(stand: Stand) -> None:
    """AWS answers 403 for a key that is not there; the operator on the twin stands for it with a role that may only list."""
    patient = stand.as_(stand.identity("pod", stand.identity("pod").asked), twin=False)
    findings = {one.what: one for one in found(patient, "permissions")}
    assert findings["pod: Stage"].verdict is Verdict.OK
    assert findings["pod: Encrypt"].verdict is Verdict.OK, "an upload may begin"


def test_the_session_of_a_role_is_taken_once(stand: Stand) -> None:
    assert stand.whole.identities() is stand.whole.identities()


def test_the_reaper_removes_what_it_may_and_the_pod_nothing(stand: Stand) -> None:
    only = {one.what: one for one in found(stand.as_(stand.identity("reaper")), "permissions")}
    assert only["reaper: ReapKept"].verdict is Verdict.OK
    as_reaper = stand.as_(stand.identity("reaper", stand.identity("pod").asked))
    wrong = {one.what: one for one in found(as_reaper, "permissions")}
    assert wrong["reaper: ReapKept"].verdict is Verdict.BROKEN
    as_pod = stand.as_(stand.identity("pod", stand.identity("reaper").asked))
    limits = {one.what: one for one in found(as_pod, "limits")}
    assert limits["pod: removes nothing else"].verdict is Verdict.BROKEN


def test_every_role_that_is_deployed_for_a_process_is_examined(stand: Stand) -> None:
    deployed = set(policies(stand.whole.needs)) - {
        "sftp-user",
        "rotator",
    }  # Transfer Family's, and a person's
    assert set(stand.whole.roles()) == deployed
    assert {one.role for one in stand.whole.identities()} == deployed
