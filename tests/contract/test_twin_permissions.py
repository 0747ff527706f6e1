"""Does the twin enforce the very policy documents, trusts and SFTP permissions that a declaration needs?"""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncssh
import pytest
from botocore.exceptions import ClientError

from landbridge.deploy.needs import Trust, needs
from landbridge.errors import NotPermitted
from landbridge.twin.identity import session
from landbridge.twin.issuer import Issuer
from landbridge.twin.twin import running
from tests.servers.declared import declaration, feed
from tests.servers.quiet import QUIET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from landbridge.twin.state import WebIdentity
    from landbridge.twin.twin import Twin

STAGING, REPORTS, LEDGER = "acme-dev-staging", "acme-dev-reports", "acme-dev-ledger"
_PLACE = {"kind": "s3", "name": "copy", "bucket": "acme-{environment}-copies", "prefix": "kept"}
_FILE = {
    "name": "O_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision}.csv",
    "folder": "orders",
    "also_to": [_PLACE],
}
DECLARED = declaration(feed(file=_FILE))


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    with running(DECLARED, "DEV", progress=QUIET, folder=tmp_path_factory.mktemp("twin")) as up:
        admin = up.server.client()
        for bucket, key in (
            (STAGING, "drafts/orders/2026-11-20/a.csv"),
            (STAGING, "elsewhere/a"),
            (STAGING, "drafts/orders/2026-11-20/reaped.csv"),
            (STAGING, "quarantine/orders/2026-11-20/reaped.csv"),
            (REPORTS, "outbound/orders/a.csv"),
            (REPORTS, "outbound/orders/reaped.csv"),
            (REPORTS, "outbound/_manifests/2026-11-20/a.json"),
            (REPORTS, "receipts/2026-11-20/a.json"),
            (REPORTS, "other/a"),
            (LEDGER, "2026-11-20/orders/2026-11-20/0001.json"),
        ):
            admin.put_object(Bucket=bucket, Key=key, Body=b"one")
        yield up


def _client(twin: Twin, who: WebIdentity) -> S3Client:
    return session(twin.state, who).client("s3", endpoint_url=twin.state.endpoint)


@pytest.fixture(scope="module")
def pod(twin: Twin) -> S3Client:
    return _client(twin, twin.state.pod)


@pytest.fixture(scope="module")
def reaper(twin: Twin) -> S3Client:
    return _client(twin, twin.state.reaper)


@pytest.fixture(scope="module")
def operator(twin: Twin) -> S3Client:
    return _client(twin, twin.state.operator)


def _put(bucket: str, key: str) -> Callable[[S3Client], object]:
    return lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=b"two")


def _get(bucket: str, key: str) -> Callable[[S3Client], object]:
    return lambda s3: s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _list(bucket: str, prefix: str) -> Callable[[S3Client], object]:
    return lambda s3: s3.list_objects_v2(Bucket=bucket, Prefix=prefix)


def _delete(bucket: str, key: str) -> Callable[[S3Client], object]:
    return lambda s3: s3.delete_object(Bucket=bucket, Key=key)


def _copy(key: str) -> Callable[[S3Client], object]:
    source = {"Bucket": STAGING, "Key": "drafts/orders/2026-11-20/a.csv"}
    return lambda s3: s3.copy_object(Bucket=REPORTS, Key=key, CopySource=source)  # type: ignore[arg-type] # a plain dict will do


POD_MAY: dict[str, Callable[[S3Client], object]] = {
    "stage a draft": _put(STAGING, "drafts/orders/2026-11-21/b.csv"),
    "read it back": _get(STAGING, "drafts/orders/2026-11-20/a.csv"),
    "see the drafts": _list(STAGING, "drafts/orders/"),
    "quarantine": _put(STAGING, "quarantine/orders/2026-11-20/a.csv"),
    "commit": _put(LEDGER, "2026-11-21/orders/2026-11-21/0001.json"),
    "read a verdict": _get(LEDGER, "2026-11-20/orders/2026-11-20/0001.json"),
    "see a day of the ledger": _list(LEDGER, "2026-11-20/"),
    "promote": _copy("outbound/orders/b.csv"),
    "write a manifest": _put(REPORTS, "outbound/_manifests/2026-11-20/orders.json"),
    "verify what is released": _get(REPORTS, "outbound/orders/a.csv"),
    "see what is released": _list(REPORTS, "outbound/"),
    "copy to a further place": _put("acme-dev-copies", "kept/outbound/orders/a.csv"),
}

POD_MAY_NOT: dict[str, Callable[[S3Client], object]] = {
    "write elsewhere in staging": _put(STAGING, "elsewhere/b"),
    "read elsewhere in staging": _get(STAGING, "elsewhere/a"),
    "see all of staging": _list(STAGING, ""),
    "see elsewhere in staging": _list(STAGING, "elsewhere/"),
    "see all of the ledger": _list(LEDGER, ""),
    "see what is no day of the ledger": _list(LEDGER, "20"),
    "write beside outbound": _put(REPORTS, "outbound-b/b"),
    "write elsewhere in reports": _put(REPORTS, "other/b"),
    "copy elsewhere in reports": _copy("other/b"),
    "write at the root of reports": _put(REPORTS, "b"),
    "forge a receipt": _put(REPORTS, "receipts/2026-11-20/b.json"),
    "read a receipt": _get(REPORTS, "receipts/2026-11-20/a.json"),
    "see receipts": _list(REPORTS, "receipts/"),
    "see all of reports": _list(REPORTS, ""),
    "delete a draft": _delete(STAGING, "drafts/orders/2026-11-20/a.csv"),
    "delete a verdict": _delete(LEDGER, "2026-11-20/orders/2026-11-20/0001.json"),
    "delete a release": _delete(REPORTS, "outbound/orders/a.csv"),
    "write beside the further place": _put("acme-dev-copies", "other/a"),
    "make a bucket": lambda s3: s3.create_bucket(Bucket="mine"),
    "end versions": lambda s3: s3.put_bucket_versioning(
        Bucket=LEDGER, VersioningConfiguration={"Status": "Suspended"}
    ),
    "open a bucket": lambda s3: s3.put_bucket_policy(Bucket=REPORTS, Policy="{}"),
    "end expiry": lambda s3: s3.delete_bucket_lifecycle(Bucket=STAGING),
}

OPERATOR_MAY: dict[str, Callable[[S3Client], object]] = {
    "read a draft": _get(STAGING, "drafts/orders/2026-11-20/a.csv"),
    "read a verdict": _get(LEDGER, "2026-11-20/orders/2026-11-20/0001.json"),
    "read a release": _get(REPORTS, "outbound/orders/a.csv"),
    "read a receipt": _get(REPORTS, "receipts/2026-11-20/a.json"),
    "see receipts": _list(REPORTS, "receipts/2026-11-20/"),
    "see the versions of a receipt": lambda s3: s3.list_object_versions(Bucket=REPORTS, Prefix="receipts/"),
    "see a day": _list(LEDGER, "2026-11-20/"),
}

OPERATOR_MAY_NOT: dict[str, Callable[[S3Client], object]] = {
    "stage": _put(STAGING, "drafts/orders/2026-11-20/c.csv"),
    "commit": _put(LEDGER, "2026-11-22/orders/2026-11-22/0001.json"),
    "release": _put(REPORTS, "outbound/orders/c.csv"),
    "receipt": _put(REPORTS, "receipts/2026-11-20/c.json"),
    "delete": _delete(REPORTS, "outbound/orders/a.csv"),
    "read elsewhere": _get(REPORTS, "other/a"),
    "see elsewhere": _list(REPORTS, "other/"),
}


def _remove(bucket: str, key: str) -> Callable[[S3Client], object]:
    """Remove the one version there is, for good."""

    def deed(s3: S3Client) -> object:
        version = s3.head_object(Bucket=bucket, Key=key).get("VersionId", "null")
        return s3.delete_object(Bucket=bucket, Key=key, VersionId=version)

    return deed


REAPER_MAY: dict[str, Callable[[S3Client], object]] = {
    "read a verdict": _get(LEDGER, "2026-11-20/orders/2026-11-20/0001.json"),
    "read a receipt": _get(REPORTS, "receipts/2026-11-20/a.json"),
    "see releases": _list(REPORTS, "outbound/"),
    "see what is in quarantine": _list(STAGING, "quarantine/"),
    "remove a release": _remove(REPORTS, "outbound/orders/reaped.csv"),
    "remove a draft": _remove(STAGING, "drafts/orders/2026-11-20/reaped.csv"),
    "remove what is in quarantine": _remove(STAGING, "quarantine/orders/2026-11-20/reaped.csv"),
}

REAPER_MAY_NOT: dict[str, Callable[[S3Client], object]] = {
    "remove a verdict": _remove(LEDGER, "2026-11-20/orders/2026-11-20/0001.json"),
    "remove a manifest": _remove(REPORTS, "outbound/_manifests/2026-11-20/a.json"),
    "remove a receipt": _remove(REPORTS, "receipts/2026-11-20/a.json"),
    "remove elsewhere": _remove(REPORTS, "other/a"),
    "hide a release": _delete(REPORTS, "outbound/orders/a.csv"),
    "stage": _put(STAGING, "drafts/orders/2026-11-20/d.csv"),
    "commit": _put(LEDGER, "2026-11-23/orders/2026-11-23/0001.json"),
    "release": _put(REPORTS, "outbound/orders/d.csv"),
}


@pytest.mark.parametrize("deed", REAPER_MAY)
def test_the_reaper_may(reaper: S3Client, deed: str) -> None:
    REAPER_MAY[deed](reaper)


@pytest.mark.parametrize("deed", REAPER_MAY_NOT)
def test_the_reaper_may_not(reaper: S3Client, deed: str) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied|403"):
        REAPER_MAY_NOT[deed](reaper)


@pytest.mark.parametrize("who", ["pod", "operator"])
def test_nobody_else_removes_for_good(twin: Twin, who: str) -> None:
    client = _client(twin, twin.state.pod if who == "pod" else twin.state.operator)
    with pytest.raises(ClientError, match="AccessDenied"):
        _remove(REPORTS, "outbound/orders/a.csv")(client)


@pytest.mark.parametrize("deed", POD_MAY)
def test_the_pod_may(pod: S3Client, deed: str) -> None:
    POD_MAY[deed](pod)


@pytest.mark.parametrize("deed", POD_MAY_NOT)
def test_the_pod_may_not(pod: S3Client, deed: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        POD_MAY_NOT[deed](pod)


@pytest.mark.parametrize("deed", OPERATOR_MAY)
def test_the_operator_may(operator: S3Client, deed: str) -> None:
    OPERATOR_MAY[deed](operator)


@pytest.mark.parametrize("deed", OPERATOR_MAY_NOT)
def test_the_operator_may_not(operator: S3Client, deed: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        OPERATOR_MAY_NOT[deed](operator)


def test_deleting_many_at_once_deletes_none(twin: Twin, pod: S3Client) -> None:
    key = "drafts/orders/2026-11-20/a.csv"
    answer = pod.delete_objects(Bucket=STAGING, Delete={"Objects": [{"Key": key}]})
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
    assert twin.server.client().get_object(Bucket=STAGING, Key=key)["Body"].read() == b"one"


def test_staging_forgets_drafts_and_what_was_told_only(twin: Twin) -> None:
    rules = twin.server.client().get_bucket_lifecycle_configuration(Bucket=STAGING)["Rules"]
    assert [(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules] == [
        ("drafts/", 7),
        ("watch/", 7),
    ]


def test_an_overwritten_draft_is_still_there_as_a_version(pod: S3Client) -> None:
    key = "drafts/orders/2026-11-20/versions.csv"
    first = pod.put_object(Bucket=STAGING, Key=key, Body=b"first")["VersionId"]
    pod.put_object(Bucket=STAGING, Key=key, Body=b"second")
    assert pod.get_object(Bucket=STAGING, Key=key, VersionId=first)["Body"].read() == b"first"


# Who takes a role


def test_any_aws_program_becomes_the_pod_with_what_eks_gives_it(twin: Twin) -> None:
    """The chain of boto3 itself: a role and a token file in the environment, nothing else."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    program = "import boto3; print(boto3.client('s3').list_objects_v2(Bucket='acme-dev-reports', Prefix='outbound/')['KeyCount'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=variables | twin.state.environment_of(twin.state.pod),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert int(done.stdout) >= 1


def _taking_the_role_with(twin: Twin, token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token, encoding="utf-8")
    session(twin.state, replace(twin.state.pod, token_file=tmp_path / "token"))


def _twins_issuer(twin: Twin) -> Issuer:
    """The twin's own issuer: the same key, under the same URL."""
    issuer = Issuer(twin.state.folder / "issuer")
    issuer.url = twin.state.issuer
    return issuer


def _trust() -> Trust:
    return needs(DECLARED, "DEV").pod.trust


def test_the_issuers_token_is_taken(twin: Twin, tmp_path: Path) -> None:
    """What the refusals below differ from in one thing each."""
    _taking_the_role_with(twin, _twins_issuer(twin).token(_trust(), now=time.time()), tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(_trust(), service_account="other"),
        replace(_trust(), service_account="landbridge-operator"),
        replace(_trust(), namespace="other"),
        replace(_trust(), audience="other"),
    ],
    ids=["another account", "the operator's account", "another namespace", "another audience"],
)
def test_a_token_of_somebody_else_is_refused(twin: Twin, tmp_path: Path, wrong: Trust) -> None:
    with pytest.raises(NotPermitted):
        _taking_the_role_with(twin, _twins_issuer(twin).token(wrong, now=time.time()), tmp_path)


def test_a_token_signed_by_another_key_is_refused(twin: Twin, tmp_path: Path) -> None:
    forger = Issuer(tmp_path / "forger")
    forger.url = twin.state.issuer
    forger._key_id = _twins_issuer(twin)._key_id
    with pytest.raises(NotPermitted):
        _taking_the_role_with(twin, forger.token(_trust(), now=time.time()), tmp_path)


def test_a_token_that_ran_out_is_refused(twin: Twin, tmp_path: Path) -> None:
    with pytest.raises(NotPermitted):
        _taking_the_role_with(twin, _twins_issuer(twin).token(_trust(), now=time.time() - 7200), tmp_path)


def test_what_is_secret_is_readable_by_nobody_else(twin: Twin) -> None:
    folder = twin.state.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = [*(folder / "keys").iterdir(), *(folder / "tokens").iterdir(), *(folder / "issuer").iterdir()]
    secrets += [folder / "state.json", *(folder / "server").glob("*.json"), folder / "server" / "weed.log"]
    assert len(secrets) > 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


# The collector


@asynccontextmanager
async def _sftp(twin: Twin) -> AsyncIterator[asyncssh.SFTPClient]:
    ground = twin.state.ground
    async with (
        asyncssh.connect(
            ground.host,
            ground.port,
            username=ground.user,
            client_keys=[str(ground.private_key_file)],
            known_hosts=([asyncssh.import_public_key(ground.host_key)], [], []),
            config=None,
        ) as connection,
        connection.start_sftp_client() as client,
    ):
        yield client


async def _write(sftp: asyncssh.SFTPClient, path: str, body: bytes) -> None:
    async with sftp.open(path, "wb") as file:
        await file.write(body)


async def _read(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    async with sftp.open(path, "rb") as file:
        return await file.read()


async def _collector_works(twin: Twin) -> None:
    async with _sftp(twin) as sftp:
        assert await _read(sftp, "/outbound/orders/a.csv") == b"one"
        assert (await sftp.stat("/outbound/orders/a.csv")).size == 3
        assert sorted(map(str, await sftp.listdir("/"))) == ["other", "outbound", "receipts"]
        await sftp.makedirs("/receipts/2026-11-23", exist_ok=True)
        await _write(sftp, "/receipts/2026-11-23/r.json", b"receipt")
        assert await _read(sftp, "/receipts/2026-11-23/r.json") == b"receipt"
        await _write(sftp, "/receipts/2026-11-23/r.json", b"receipt")


def test_the_collector_reads_releases_and_adds_receipts(twin: Twin, operator: S3Client) -> None:
    asyncio.run(_collector_works(twin))
    seen = operator.get_object(Bucket=REPORTS, Key="receipts/2026-11-23/r.json")
    assert seen["Body"].read() == b"receipt"


COLLECTOR_MAY_NOT: dict[str, Callable[[asyncssh.SFTPClient], Awaitable[object]]] = {
    "write into outbound": lambda sftp: _write(sftp, "/outbound/orders/x.csv", b"x"),
    "overwrite a release": lambda sftp: _write(sftp, "/outbound/orders/a.csv", b"x"),
    "delete a release": lambda sftp: sftp.remove("/outbound/orders/a.csv"),
    "rename a release": lambda sftp: sftp.rename("/outbound/orders/a.csv", "/outbound/orders/b.csv"),
    "move a release away": lambda sftp: sftp.rename("/outbound/orders/a.csv", "/receipts/a.csv"),
    "make a folder in outbound": lambda sftp: sftp.mkdir("/outbound/mine"),
    "remove a folder of outbound": lambda sftp: sftp.rmdir("/outbound/orders"),
    "delete a receipt": lambda sftp: sftp.remove("/receipts/2026-11-20/a.json"),
    "rename a receipt": lambda sftp: sftp.rename("/receipts/2026-11-20/a.json", "/receipts/b.json"),
    "replace a receipt by renaming": lambda sftp: sftp.posix_rename(
        "/receipts/2026-11-20/a.json", "/receipts/b.json"
    ),
    "write at the root": lambda sftp: _write(sftp, "/x", b"x"),
    "write elsewhere": lambda sftp: _write(sftp, "/other/x", b"x"),
    "read elsewhere": lambda sftp: _read(sftp, "/other/a"),
    "leave the home": lambda sftp: _read(sftp, f"/../{LEDGER}/2026-11-20/orders/2026-11-20/0001.json"),
}


@pytest.mark.parametrize("deed", COLLECTOR_MAY_NOT)
def test_the_collector_may_not(twin: Twin, deed: str) -> None:
    async def attempt() -> None:
        async with _sftp(twin) as sftp:
            await COLLECTOR_MAY_NOT[deed](sftp)

    with pytest.raises(asyncssh.SFTPError):
        asyncio.run(attempt())
    admin = twin.server.client()
    assert admin.get_object(Bucket=REPORTS, Key="outbound/orders/a.csv")["Body"].read() == b"one"
    assert admin.get_object(Bucket=REPORTS, Key="receipts/2026-11-20/a.json")["Body"].read() == b"one"


@pytest.mark.parametrize(
    "path", [f"/../{LEDGER}", f"/../../buckets/{LEDGER}", "/..", "/../..", "/outbound/../../.."]
)
def test_the_collector_sees_nothing_outside_its_home(twin: Twin, path: str) -> None:
    async def names() -> set[str]:
        async with _sftp(twin) as sftp:
            try:
                return {str(name) for name in await sftp.listdir(path)}
            except asyncssh.SFTPError:
                return set()

    assert asyncio.run(names()) <= {"other", "outbound", "receipts"}


def test_another_key_does_not_log_in(twin: Twin) -> None:
    async def attempt() -> None:
        async with asyncssh.connect(
            twin.state.ground.host,
            twin.state.ground.port,
            username=twin.state.ground.user,
            client_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            known_hosts=None,
            config=None,
            agent_path=None,
        ):
            pass

    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(attempt())
