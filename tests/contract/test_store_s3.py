"""What does the S3 store do when S3 answers late, wrongly, twice, or not at all?"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest

from landbridge.errors import (
    IntegrityBroken,
    LandbridgeError,
    NotFound,
    NotPermitted,
    StoreConflict,
    Unavailable,
    UsageError,
)
from landbridge.facts import Location
from landbridge.stores import s3
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.stores.s3_errors import meaning
from landbridge.stores.s3_parts import MOST_PARTS, Sizes
from tests.contract.stands import MIB, SMALL_SIZES, account, content_of
from tests.servers.faulty import Faulty, Request, faulty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.seaweed import Lent

pytestmark = pytest.mark.slow

LARGE = random.Random(2).randbytes(11 * MIB)


@pytest.fixture(scope="module")
def bucket(seaweed: Lent) -> str:
    return seaweed.bucket("faults")


@pytest.fixture
def proxy(seaweed: Lent) -> Iterator[Faulty]:
    with faulty(seaweed.server.ports.s3) as running:
        yield running


@pytest.fixture
def straight(seaweed: Lent, bucket: str, request: pytest.FixtureRequest) -> S3Store:
    return S3Store(
        bucket, request.node.name.encode().hex()[:200], account=account(seaweed), sizes=SMALL_SIZES
    )


@pytest.fixture
def crooked(seaweed: Lent, proxy: Faulty, straight: S3Store) -> S3Store:
    bucket, _, prefix = straight.name.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix, account=account(seaweed, proxy.endpoint), sizes=SMALL_SIZES)


def _put(request: Request) -> bool:
    return request.method == "PUT"


def _copy(request: Request) -> bool:
    return "x-amz-copy-source" in request.headers and "partNumber" not in request.target


def _part(request: Request) -> bool:
    return "partNumber" in request.target


def _completes(request: Request) -> bool:
    return request.method == "POST" and "uploadId=" in request.target


def _unfinished(seaweed: Lent, store: S3Store) -> list[str]:
    bucket, _, prefix = store.name.removeprefix("s3://").partition("/")
    found = seaweed.client.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    return [upload["Key"] for upload in found.get("Uploads", [])]


def _staged(store: S3Store, tmp_path: Path, body: bytes) -> Location:
    path = tmp_path / "draft"
    path.write_bytes(body)
    return store.put_file("draft", path, content_of(body)).at


def test_an_answer_that_is_lost_does_not_make_a_conflict(proxy: Faulty, crooked: S3Store) -> None:
    proxy.times(1, "lose answer", _put)
    blob = crooked.put_new("0001.json", b"verdict")
    assert crooked.read("0001.json") == b"verdict"
    assert crooked.head("0001.json") == replace(blob, modified_at=crooked.head("0001.json").modified_at)  # type: ignore[union-attr] # it was read


@pytest.mark.parametrize(("size", "which"), [(10, _copy), (11 * MIB, _completes)])
def test_a_copy_whose_answer_is_lost_is_recognised(
    proxy: Faulty, crooked: S3Store, tmp_path: Path, size: int, which: object
) -> None:
    source = _staged(crooked, tmp_path, LARGE[:size])
    proxy.times(1, "lose answer", _copy if which is _copy else _completes)
    crooked.copy_new(source, "final", content_of(LARGE[:size]))
    assert crooked.head("final") is not None
    assert b"".join(crooked.chunks(Location(crooked.name, "final"))) == LARGE[:size]


@pytest.mark.parametrize("size", [0, 10, 11 * MIB])
def test_a_store_without_conditional_copies_gets_them_in_parts(
    proxy: Faulty, crooked: S3Store, tmp_path: Path, size: int
) -> None:
    source = _staged(crooked, tmp_path, LARGE[:size])
    proxy.fault = lambda request: 501 if _copy(request) else "pass"
    crooked.copy_new(source, "final", content_of(LARGE[:size]))
    assert any(
        _completes(request) and request.headers.get("if-none-match") == "*" for request in proxy.requests
    )
    known = crooked.head("final")
    assert known is not None
    assert (known.size, known.sha256) == (size, content_of(LARGE[:size]).sha256)
    source = crooked.put_new("other", b"other bytes").at
    with pytest.raises(StoreConflict):
        crooked.copy_new(source, "final", content_of(b"other bytes"))


@pytest.mark.parametrize("which", [_copy, _completes])
def test_a_write_that_met_another_one_begins_again(
    seaweed: Lent, proxy: Faulty, crooked: S3Store, tmp_path: Path, which: object
) -> None:
    body = LARGE[:10] if which is _copy else LARGE
    source = _staged(crooked, tmp_path, body)
    proxy.times(2, 409, _copy if which is _copy else _completes)
    crooked.copy_new(source, "final", content_of(body))
    assert b"".join(crooked.chunks(Location(crooked.name, "final"))) == body
    assert _unfinished(seaweed, crooked) == []


def test_a_create_that_met_another_one_begins_again(proxy: Faulty, crooked: S3Store) -> None:
    proxy.times(2, 409, _put)
    crooked.put_new("0001.json", b"verdict")
    assert crooked.read("0001.json") == b"verdict"


def test_a_crowd_that_does_not_end_is_worth_a_later_try(proxy: Faulty, crooked: S3Store) -> None:
    proxy.fault = lambda request: 409 if _put(request) else "pass"
    with pytest.raises(Unavailable):
        crooked.put_new("0001.json", b"verdict")


@pytest.mark.parametrize("size", [10, 11 * MIB])
def test_bytes_damaged_on_the_way_are_refused(
    seaweed: Lent, proxy: Faulty, crooked: S3Store, tmp_path: Path, size: int
) -> None:
    (tmp_path / "draft").write_bytes(LARGE[:size])
    proxy.fault = lambda request: "damage" if _put(request) else "pass"
    with pytest.raises(Unavailable, match="damaged"):
        crooked.put_file("draft", tmp_path / "draft", content_of(LARGE[:size]))
    assert crooked.head("draft") is None
    assert _unfinished(seaweed, crooked) == []


@pytest.mark.parametrize("fault", [500, 503, "drop"])
def test_one_bad_answer_is_got_over(proxy: Faulty, crooked: S3Store, tmp_path: Path, fault: int) -> None:
    source = _staged(crooked, tmp_path, LARGE)
    seen = 0

    def first_of_each(request: Request) -> int | str:
        nonlocal seen
        seen += 1
        return fault if seen % 2 else "pass"

    proxy.fault = first_of_each  # type: ignore[assignment] # the parameter is a Fault
    crooked.copy_new(source, "final", content_of(LARGE))
    came = crooked.fetch(Location(crooked.name, "final"), tmp_path / "came")
    assert came.sha256 == content_of(LARGE).sha256


def test_a_copy_that_fails_half_way_leaves_nothing(
    seaweed: Lent, proxy: Faulty, crooked: S3Store, tmp_path: Path
) -> None:
    source = _staged(crooked, tmp_path, LARGE)
    proxy.fault = lambda request: 403 if _part(request) and "partNumber=2" in request.target else "pass"
    with pytest.raises(NotPermitted, match="s3:PutObject"):
        crooked.copy_new(source, "final", content_of(LARGE))
    assert crooked.head("final") is None
    assert _unfinished(seaweed, crooked) == []


def test_a_download_that_breaks_leaves_no_file(proxy: Faulty, crooked: S3Store, tmp_path: Path) -> None:
    source = _staged(crooked, tmp_path, LARGE)
    proxy.fault = lambda request: (
        403 if request.headers.get("range", "").startswith("bytes=5242880") else "pass"
    )
    with pytest.raises(NotPermitted):
        crooked.fetch(source, tmp_path / "came")
    assert not (tmp_path / "came").exists()


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(straight: S3Store, tmp_path: Path) -> None:
    body = random.Random(3).randbytes(40 * MIB)
    source = _staged(straight, tmp_path, body)
    stream = straight.chunks(source, 1 * MIB)
    next(stream)
    (tmp_path / "other").write_bytes(b"other" * 10 * MIB)
    straight.put_file("draft", tmp_path / "other", content_of(b"other" * 10 * MIB))
    with pytest.raises(LandbridgeError, match="replaced"):
        list(stream)


def test_a_process_that_dies_while_it_uploads_leaves_nothing_visible(
    seaweed: Lent, straight: S3Store
) -> None:
    bucket, _, prefix = straight.name.removeprefix("s3://").partition("/")
    key = seaweed.server.admin
    program = textwrap.dedent("""
        import boto3, os, sys
        from landbridge.facts import Content
        from landbridge.stores.s3 import S3Store
        from landbridge.stores.s3_account import S3Account
        key, secret, endpoint, bucket, prefix = sys.argv[1:]
        session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="eu-west-2")
        def blocks():
            for _ in range(3):
                yield bytes(8 << 20)
            os._exit(9)
        store = S3Store(bucket, prefix, account=S3Account(session, endpoint))
        store.put_stream("final", blocks(), Content(32 << 20, "0" * 64, 0))
    """)
    ended = subprocess.run(
        [sys.executable, "-c", program, key.access_key, key.secret_key, seaweed.endpoint, bucket, prefix],
        check=False,
        timeout=60,
    )
    assert ended.returncode == 9
    assert straight.head("final") is None
    assert list(straight.list("")) == []


def test_what_others_put_there_is_compared_by_its_bytes(
    seaweed: Lent, straight: S3Store, tmp_path: Path
) -> None:
    bucket, _, prefix = straight.name.removeprefix("s3://").partition("/")
    for name in ("same", "other"):
        seaweed.client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=name.encode())
    assert straight.put_new("same", b"same").sha256 == ""
    source = _staged(straight, tmp_path, b"same!")
    with pytest.raises(StoreConflict):
        straight.copy_new(source, "other", content_of(b"same!"))


def test_what_is_read_at_once_is_small(straight: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one large object where a manifest should be would fill the memory of whoever looks."""
    monkeypatch.setattr(s3, "SMALL", 3)
    straight.put_new("three", b"abc")
    assert straight.read("three") == b"abc"
    straight.put_new("four", b"abcd")
    with pytest.raises(UsageError, match="too large to be read at once"):
        straight.read("four")


def test_a_server_that_is_away(tmp_path: Path) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-2")
    away = S3Store("bucket", account=S3Account(session, "http://127.0.0.1:1"))
    with pytest.raises(Unavailable):
        away.head("a")
    with pytest.raises(Unavailable):
        away.copy_new(Location("s3://bucket", "x"), "a", content_of(b""))
    with pytest.raises(Unavailable):
        list(away.list(""))


def test_the_certificates_to_trust_are_those_of_boto3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-2")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "proxy.pem"))
    with pytest.raises(UsageError, match=r"proxy\.pem") as told:
        S3Store("bucket", account=S3Account(session, "https://127.0.0.1:1")).head("a")
    assert "AWS_CA_BUNDLE" in str(told.value.expected)
    (tmp_path / "proxy.pem").write_text("nothing that could be trusted")
    with pytest.raises(UsageError, match=r"proxy\.pem"):
        S3Store("bucket", account=S3Account(session, "https://127.0.0.1:1")).head("a")


def test_a_bucket_that_is_not_there_is_named(seaweed: Lent) -> None:
    store = S3Store("no-such-bucket", account=account(seaweed))
    with pytest.raises(UsageError, match="no-such-bucket"):
        store.read("a")
    with pytest.raises(UsageError, match="no-such-bucket"):
        store.put_new("a", b"")
    with pytest.raises(UsageError, match="no-such-bucket"):
        list(store.list(""))


def test_wrong_credentials_are_told_apart_from_missing_permissions(seaweed: Lent, straight: S3Store) -> None:
    session = boto3.Session(
        aws_access_key_id="nobody", aws_secret_access_key="s3cret", region_name="eu-west-2"
    )
    store = S3Store("bucket", account=S3Account(session, seaweed.endpoint))
    for call in (lambda: store.read("a"), lambda: list(store.list("")), lambda: store.put_new("a", b"")):
        with pytest.raises(NotPermitted, match="credentials") as told:
            call()
        assert "s3cret" not in str(told.value)


def test_a_refusal_names_the_permission(seaweed: Lent) -> None:
    bucket = seaweed.bucket("refused")
    store = S3Store(bucket, account=account(seaweed))
    store.put_new("known", b"x")
    denied = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {"Effect": "Deny", "Principal": "*", "Action": denied, "Resource": arns}
    seaweed.client.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    with pytest.raises(NotPermitted, match=r"or not there.*s3:GetObject.*s3:ListBucket"):
        store.read("known")
    with pytest.raises(NotPermitted, match=r"s3:GetObject.*s3:ListBucket"):
        store.head("missing")
    with pytest.raises(NotPermitted, match="s3:PutObject"):
        store.put_new("new", b"")
    with pytest.raises(NotPermitted, match="s3:ListBucket"):
        list(store.list(""))


def test_what_is_gone_is_told_as_such_by_every_reading_call_where_aws_answers_403(
    crooked: S3Store, straight: S3Store, proxy: Faulty, tmp_path: Path
) -> None:
    """AWS answers 403 to a GET of an absent key, too, as SeaweedFS does not: a draft that expired, say."""
    content, gone = content_of(b"gone"), Location(straight.name, "drafts/gone.csv", version="v1")
    proxy.fault = lambda request: 403 if "gone.csv" in request.target.partition("?")[0] else "pass"
    for read in (
        lambda: crooked.read("drafts/gone.csv"),
        lambda: list(crooked.chunks(gone)),
        lambda: crooked.fetch(gone, tmp_path / "came"),
        lambda: crooked.copy_new(gone, "copy.csv", content),
    ):
        with pytest.raises(NotFound):
            read()


def test_what_is_forbidden_is_not_told_as_gone(crooked: S3Store, straight: S3Store, proxy: Faulty) -> None:
    straight.put_new("drafts/there.csv", b"there")
    proxy.fault = lambda request: 403 if "there.csv" in request.target.partition("?")[0] else "pass"
    at = Location(straight.name, "drafts/there.csv")
    for read in (
        lambda: crooked.read(at.key),
        lambda: list(crooked.chunks(at)),
        lambda: crooked.copy_new(at, "copy.csv", content_of(b"there")),
    ):
        with pytest.raises(NotPermitted):
            read()


def test_absence_is_seen_by_a_role_that_may_only_list_prefixes(proxy: Faulty, crooked: S3Store) -> None:
    """AWS answers 403 to a HEAD of an absent key, unless the role may list the whole bucket."""
    crooked.put_new("there.json", b"{}")
    crooked.put_new("there.json.more", b"{}")
    proxy.fault = lambda request: 403 if request.method == "HEAD" else "pass"
    assert crooked.head("absent.json") is None
    assert crooked.head("there.js") is None, "a longer key is another key"
    with pytest.raises(NotPermitted):
        crooked.head("there.json")
    proxy.fault = lambda _: 403
    with pytest.raises(NotPermitted):
        crooked.head("absent.json")


def test_no_encryption_header_is_sent(proxy: Faulty, crooked: S3Store, tmp_path: Path) -> None:
    for size in (10, 11 * MIB):
        source = _staged(crooked, tmp_path, LARGE[:size])
        crooked.copy_new(source, f"final{size}", content_of(LARGE[:size]))
    crooked.put_new("0001.json", b"")
    crooked.put_stream("stream", [LARGE], content_of(LARGE))
    names = {name for request in proxy.requests for name in request.headers}
    assert not {name for name in names if "encryption" in name}
    assert any(request.headers.get("x-amz-checksum-sha256") for request in proxy.requests if _put(request))
    drafts = [request for request in proxy.requests if _put(request) and request.target.endswith("/draft")]
    assert all(request.headers.get("x-amz-checksum-sha256") for request in drafts), (
        "kept by S3 for the auditor"
    )
    parts = [
        request for request in proxy.requests if _part(request) and "x-amz-copy-source" not in request.headers
    ]
    assert parts
    assert all(any(name.startswith("x-amz-checksum-") for name in part.headers) for part in parts)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "NoSuchKey", NotFound),
        (403, "AccessDenied", NotPermitted),
        (400, "ExpiredToken", NotPermitted),
        (403, "RequestTimeTooSkewed", NotPermitted),
        (400, "BadDigest", Unavailable),
        (429, "", Unavailable),
        (500, "InternalError", Unavailable),
        (503, "SlowDown", Unavailable),
        (0, "", Unavailable),
        (412, "PreconditionFailed", IntegrityBroken),
        (404, "NoSuchUpload", Unavailable),
        (404, "NoSuchBucket", UsageError),
        (409, "OperationAborted", Unavailable),
        (400, "InvalidBucketName", UsageError),
    ],
)
def test_what_an_answer_means(status: int, code: str, expected: type[LandbridgeError]) -> None:
    assert type(meaning("s3://b/k", "s3:GetObject", status, code)) is expected


@pytest.mark.parametrize("size", [0, 1, 8 * MIB, 80 * 10**9, 50 * 10**12])
def test_no_upload_needs_more_parts_than_s3_takes(size: int) -> None:
    sizes = Sizes()
    for part in (sizes.part_of(size), sizes.copy_part_of(size)):
        assert size <= part * MOST_PARTS
        assert part % MIB == 0
    assert sizes.copy_part_of(size) <= 5 << 30
