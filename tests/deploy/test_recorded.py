"""Does every request that whole runs send have a row, and a permission that covers this very bucket and key?

A proxy before the twin records what a run, a large run, a collection's evidence, `trace`, `verify` and the watch send.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from landbridge import wiring
from landbridge.alarms import Watch
from landbridge.cli.output import Silent
from landbridge.deploy.calls import CALLS
from landbridge.deploy.needs import Needs, needs
from landbridge.facts import Content
from landbridge.hops import hops
from landbridge.project import place
from landbridge.recheck import recheck
from landbridge.run import run
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.stores.s3_parts import Sizes
from landbridge.survey import survey
from landbridge.twin.identity import session
from landbridge.twin.twin import running
from landbridge.watch import look
from landbridge.wiring import choice, cloud_side, reading, watch_side
from landbridge.wiring.clock import SystemClock
from landbridge.wiring.process import Process
from landbridge.wiring.secrets import References
from tests.servers.faulty import Faulty, Request, faulty
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.deploy.policy import Policy
    from landbridge.facts import Commitment
    from landbridge.project import Declaration
    from landbridge.twin.twin import Twin

pytestmark = [pytest.mark.slow, pytest.mark.story]

MIB = 1 << 20
NOW = datetime(2025, 5, 6, 9, 0, tzinfo=UTC)
API = {
    ("PUT", frozenset[str]()): "PutObject",
    ("GET", frozenset[str]()): "GetObject",
    ("HEAD", frozenset[str]()): "HeadObject",
    ("GET", frozenset({"list-type"})): "ListObjectsV2",
    ("GET", frozenset({"versions"})): "ListObjectVersions",
    ("POST", frozenset({"uploads"})): "CreateMultipartUpload",
    ("PUT", frozenset({"partNumber", "uploadId"})): "UploadPart",
    ("POST", frozenset({"uploadId"})): "CompleteMultipartUpload",
    ("DELETE", frozenset({"uploadId"})): "AbortMultipartUpload",
}
_TELLING = {"list-type", "versions", "uploads", "partNumber", "uploadId", "delete", "acl", "tagging"}
NEEDS = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
}
"""Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"."""


@dataclass(frozen=True)
class Sent:
    """A request as an API call on something."""

    api: str
    permission: str
    resource: str
    prefix: str | None = None


def sent(request: Request) -> Iterator[Sent]:
    """Read a request of S3: the call, and every permission that AWS asks for it."""
    parts = urlsplit(request.target)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    api = API[request.method, frozenset(query) & _TELLING]
    source = request.headers.get("x-amz-copy-source", "")
    if source:
        api = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}[api]
        path, _, version = unquote(source).lstrip("/").partition("?versionId=")
        permission = "s3:GetObjectVersion" if version else "s3:GetObject"
        yield Sent(f"s3:{api}", permission, f"arn:aws:s3:::{path}")
    permission = NEEDS[api]
    if permission == "s3:GetObject" and "versionId" in query:
        permission = "s3:GetObjectVersion"
    prefix = query.get("prefix", [""])[0] if api.startswith("ListObject") else None
    yield Sent(f"s3:{api}", permission, f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else ""), prefix)


def allowing(policy: Policy, one: Sent) -> str:
    """Give the statement that allows it; empty for none."""
    for statement in policy.statements:
        if one.permission not in statement.actions:
            continue
        if not any(fnmatchcase(one.resource, pattern) for pattern in statement.resources):
            continue
        prefixes = statement.conditions.get("StringLike", {}).get("s3:prefix", ())
        if not prefixes or any(fnmatchcase(one.prefix or "", pattern) for pattern in prefixes):
            return statement.sid
    return ""


@dataclass
class Recorded:
    """A twin behind a proxy, for each role its own session."""

    declaration: Declaration
    twin: Twin
    proxy: Faulty
    needed: Needs

    def taken(self) -> list[Request]:
        requests = list(self.proxy.requests)
        self.proxy.requests.clear()
        return requests


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = write_project(tmp_path_factory.mktemp("recorded"))
    declaration = wiring.declaration(folder)
    with (
        running(declaration, "DEV", progress=Silent()) as twin,
        faulty(twin.state.ports.s3) as proxy,
    ):
        yield Recorded(declaration, twin, proxy, needs(declaration, "DEV"))


def _process() -> Process:
    return Process(SystemClock(), Silent(), "run", "test")


def _references(here: Recorded) -> References:
    return References({}, here.declaration.folder, lambda _: "")


def _ran(here: Recorded, feed: str, sizes: Sizes | None = None) -> Commitment:
    where = place(here.declaration.project, "DEV")
    boto = session(replace(here.twin.state, endpoint=here.proxy.endpoint), here.twin.state.pod)
    cloud = cloud_side.make(
        here.declaration,
        where,
        session=boto,
        endpoint=here.proxy.endpoint,
        references=_references(here),
        process=_process(),
    )
    if sizes:
        account = S3Account(boto, here.proxy.endpoint)
        cloud = replace(
            cloud,
            staging=S3Store(where.buckets.staging, account=account, sizes=sizes),
            reports=S3Store(where.buckets.reports, account=account, sizes=sizes),
        )
    declared = here.declaration.feeds[feed]
    slot = choice.slot_of(here.declaration, declared, "2025-05-06" if not sizes else "2025-05-05", now=NOW)
    run(declared, slot, cloud)
    newest = cloud.ledger.newest(slot)
    assert newest
    return newest


def _looked(here: Recorded, commitment: Commitment) -> None:
    boto = session(replace(here.twin.state, endpoint=here.proxy.endpoint), here.twin.state.operator)
    evidence = reading.make(
        here.declaration,
        place(here.declaration.project, "DEV"),
        session=boto,
        endpoint=here.proxy.endpoint,
        references=_references(here),
        ground=here.twin.state.ground,
    )
    feeds = list(here.declaration.feeds.values())
    survey(here.declaration.project, feeds, NOW.date(), NOW.date(), evidence, NOW)
    hops(commitment, evidence)
    recheck(commitment, evidence, (), Silent())


def _watched(here: Recorded) -> None:
    boto = session(replace(here.twin.state, endpoint=here.proxy.endpoint), here.twin.state.watch)
    where = replace(
        place(here.declaration.project, "DEV"),
        watch=Watch.model_validate_json('{"look_back": "1d", "catch_up": "6h"}'),
    )
    watching = watch_side.make(
        here.declaration,
        where,
        session=boto,
        endpoint=here.proxy.endpoint,
        references=_references(here),
        process=_process(),
        ground=here.twin.state.ground,
        topic="",
    )

    class Reader:
        name = "reader"

        def tell(self, notice: object) -> None: ...

    watching = replace(watching, tellers=(Reader(),), clock=SystemClock())
    look(here.declaration.project, [here.declaration.feeds["good"]], watching)
    look(here.declaration.project, [here.declaration.feeds["good"]], watching)


def _examined(here: Recorded, policy: Policy) -> set[str]:
    """Hold every recorded request against the policy and the table; give the calls that were seen."""
    seen: set[str] = set()
    rows = {(call.api, need.permission) for call in CALLS for need in call.needs}
    for request in here.taken():
        if (
            request.method == "POST"
            and urlsplit(request.target).path == "/"
            and "uploads" not in request.target
        ):
            seen.add("sts:AssumeRoleWithWebIdentity")
            continue
        for one in sent(request):
            assert allowing(policy, one), f"no statement of {policy.name} allows {one}"
            assert (one.api, one.permission) in rows, f"no row of the table needs {one}"
            seen.add(one.api)
    assert seen <= {call.api for call in CALLS}
    return seen


def test_a_run_sends_what_the_table_says(recorded: Recorded) -> None:
    for feed in ("good", "broken", "empty", "sealed"):
        _ran(recorded, feed)
        _ran(recorded, feed)
    assert _examined(recorded, recorded.needed.pod.policy) == {
        "sts:AssumeRoleWithWebIdentity",
        "s3:PutObject",
        "s3:CopyObject",
        "s3:GetObject",
        "s3:HeadObject",
        "s3:ListObjectsV2",
    }


def test_a_run_in_parts_sends_what_the_table_says(recorded: Recorded, tmp_path: Path) -> None:
    _ran(recorded, "good", Sizes(copy_limit=0, copy_part=5 * MIB, part=4096))
    (tmp_path / "large").write_bytes(bytes(6 * MIB))
    boto = session(replace(recorded.twin.state, endpoint=recorded.proxy.endpoint), recorded.twin.state.pod)
    store = S3Store(
        "story-staging", account=S3Account(boto, recorded.proxy.endpoint), sizes=Sizes(part=5 * MIB)
    )
    content = Content(6 * MIB, hashlib.sha256(bytes(6 * MIB)).hexdigest(), 0)
    blob = store.put_file("drafts/good/large", tmp_path / "large", content)
    store.fetch(blob.at, tmp_path / "came")
    assert _examined(recorded, recorded.needed.pod.policy) >= {
        "s3:CreateMultipartUpload",
        "s3:UploadPart",
        "s3:UploadPartCopy",
        "s3:CompleteMultipartUpload",
    }


def test_status_trace_and_verify_send_what_the_table_says(recorded: Recorded) -> None:
    commitment = _ran(recorded, "good")
    recorded.taken()
    _looked(recorded, commitment)
    assert _examined(recorded, recorded.needed.operator.policy) == {
        "sts:AssumeRoleWithWebIdentity",
        "s3:GetObject",
        "s3:HeadObject",
        "s3:ListObjectsV2",
        "s3:ListObjectVersions",
    }


def test_the_watch_sends_what_the_table_says(recorded: Recorded) -> None:
    recorded.taken()
    _watched(recorded)
    assert {"s3:PutObject", "s3:ListObjectsV2"} <= _examined(recorded, recorded.needed.watch.policy)


@pytest.mark.parametrize(
    ("method", "target", "permission", "resource"),
    [
        ("DELETE", "/b/k?uploadId=1", "s3:AbortMultipartUpload", "arn:aws:s3:::b/k"),
        ("GET", "/b?list-type=2&prefix=drafts%2F", "s3:ListBucket", "arn:aws:s3:::b"),
        ("GET", "/b/k?versionId=1", "s3:GetObjectVersion", "arn:aws:s3:::b/k"),
    ],
)
def test_a_request_is_read_as_aws_reads_it(method: str, target: str, permission: str, resource: str) -> None:
    (one,) = sent(Request(method, target, {}))
    assert (one.permission, one.resource) == (permission, resource)
    assert re.match("s3:[A-Z]", one.api)


def test_a_call_that_no_policy_allows_would_be_seen(recorded: Recorded) -> None:
    forged = Sent("s3:PutObject", "s3:PutObject", "arn:aws:s3:::story-reports/receipts/x")
    assert not allowing(recorded.needed.pod.policy, forged)
    with pytest.raises(KeyError):
        list(sent(Request("DELETE", "/b/k", {})))
