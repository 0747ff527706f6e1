"""What does the S3 store ask, request by request? Conditions and checksums that no server misses until the day they matter.

A request is answered here before it is sent. SeaweedFS honours most of what is asked, but a race between a look and a
copy, or a copy that differs from its source, cannot be ordered from it.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from landbridge.errors import (
    IntegrityBroken,
    LandbridgeError,
    NotFound,
    NotPermitted,
    StoreConflict,
    Unavailable,
    UsageError,
)
from landbridge.facts import Content, Location
from landbridge.ports import Blob
from landbridge.stores import s3_asked, s3_copy, s3_read
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.stores.s3_asked import Answer, Asked
from landbridge.stores.s3_errors import told
from landbridge.stores.s3_parts import Sizes, at_once, upload_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_s3.client import S3Client

BODY = b"0123456789"
CONTENT = Content(len(BODY), hashlib.sha256(BODY).hexdigest(), 1)
FOUND = s3_copy.Original("staging", "drafts/x", "v7", '"e7"')
LARGE = Content(5 << 19, "5" * 64, 1)
WHOLE, PARTS = Sizes(), Sizes(copy_limit=0, copy_part=1 << 20)


@dataclass
class _Raw:
    body: bytes

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.body


@dataclass
class Wire:
    """Answers every request at once, and keeps it."""

    asked: list[AWSPreparedRequest] = field(default_factory=list)
    sha256: str = CONTENT.sha256
    """Of the object that a copy says it has made; empty where it does not say."""
    kind: str = ""
    """`-2` for a checksum of checksums, as of an upload in two parts."""
    crc32: str = ""
    """What a part is answered with."""
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What the requests of one kind are answered with, by `kind_of`."""

    def answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.asked.append(request)
        kind = kind_of(request)
        if kind in self.refused:
            status, code = self.refused[kind]
            return AWSResponse(
                request.url, status, HTTPHeaders(), _Raw(f"<Error><Code>{code}</Code></Error>".encode())
            )
        bodies = {
            "begin": "<R><UploadId>u1</UploadId></R>",
            "part of a copy": '<R><ETag>"p"</ETag></R>',
            "end": '<R><ETag>"made"</ETag></R>',
            "copy": f'<R><ETag>"made"</ETag>{self._checksum()}</R>',
        }
        headers = {"ETag": '"p"', "x-amz-version-id": "v1", "Content-Length": f"{len(BODY)}"}
        if kind == "part" and self.crc32:
            headers["x-amz-checksum-crc32"] = self.crc32
        if kind == "look":
            headers |= {"ETag": FOUND.etag, "x-amz-meta-sha256": self.sha256}
        return AWSResponse(
            request.url, 200, HTTPHeaders.from_dict(headers), _Raw(bodies.get(kind, "").encode())
        )

    def _checksum(self) -> str:
        told = base64.b64encode(bytes.fromhex(self.sha256)).decode() + self.kind
        return f"<ChecksumSHA256>{told}</ChecksumSHA256>" if self.sha256 else ""

    def of(self, kind: str) -> list[dict[str, str]]:
        """The headers of all requests of one kind, with names in lower case and texts as values."""
        return [
            {name.lower(): _text(value) for name, value in one.headers.items()}
            for one in self.asked
            if kind_of(one) == kind
        ]


def kind_of(request: AWSPreparedRequest) -> str:
    copies = "x-amz-copy-source" in {name.lower() for name in request.headers}
    match request.method:
        case "HEAD":
            return "look"
        case "POST":
            return "begin" if request.url.endswith("?uploads") else "end"
        case "DELETE":
            return "abort"
        case _ if "partNumber=" in request.url:
            return "part of a copy" if copies else "part"
        case _:
            return "copy" if copies else "put"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture(scope="module")
def client() -> S3Client:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-2")
    return S3Account(session, "http://127.0.0.1:1").client


@pytest.fixture(autouse=True)
def wire(client: S3Client) -> Iterator[Wire]:
    """No request of this module leaves the process."""
    answers = Wire()
    client.meta.events.register("before-send.s3", answers.answer)  # type: ignore[arg-type] # an answer is what botocore asks for
    yield answers
    client.meta.events.unregister("before-send.s3", answers.answer)  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(("sizes", "kind", "count"), [(WHOLE, "copy", 1), (PARTS, "part of a copy", 3)])
def test_a_copy_is_bound_to_the_very_version_that_was_looked_at(
    client: S3Client, wire: Wire, sizes: Sizes, kind: str, count: int
) -> None:
    """Without the condition, what came between the look and the copy would be released under another one's digest."""
    s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT if kind == "copy" else LARGE, sizes)
    asked = wire.of(kind)
    assert len(asked) == count
    assert {one["x-amz-copy-source"] for one in asked} == {"staging/drafts/x?versionId=v7"}
    assert {one["x-amz-copy-source-if-match"] for one in asked} == {FOUND.etag}


def test_a_copy_in_parts_takes_every_byte_once(client: S3Client, wire: Wire) -> None:
    s3_copy.copy(client, FOUND, "reports", "outbound/x", LARGE, PARTS)
    ranges = {one["x-amz-copy-source-range"] for one in wire.of("part of a copy")}
    assert ranges == {"bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-2621439"}


@pytest.mark.parametrize(("sizes", "kind"), [(WHOLE, "copy"), (PARTS, "end")])
def test_a_copy_becomes_visible_only_where_nothing_is(
    client: S3Client, wire: Wire, sizes: Sizes, kind: str
) -> None:
    s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, sizes)
    assert [one["if-none-match"] for one in wire.of(kind)] == ["*"]


def test_a_copy_is_asked_for_its_checksum_and_in_parts_for_its_digest(client: S3Client, wire: Wire) -> None:
    s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, WHOLE)
    assert [one["x-amz-checksum-algorithm"] for one in wire.of("copy")] == ["SHA256"]
    s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, PARTS)
    assert [one["x-amz-meta-sha256"] for one in wire.of("begin")] == [CONTENT.sha256]


def test_a_copy_with_other_bytes_than_its_source_is_no_release(client: S3Client, wire: Wire) -> None:
    wire.sha256 = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(IntegrityBroken, match="other bytes than its source"):
        s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, WHOLE)


@pytest.mark.parametrize(("sha256", "kind"), [("", ""), (hashlib.sha256(b"of parts").hexdigest(), "-2")])
def test_a_copy_that_tells_no_checksum_of_the_whole_is_not_doubted(
    client: S3Client, wire: Wire, sha256: str, kind: str
) -> None:
    wire.sha256, wire.kind = sha256, kind
    assert s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, WHOLE).etag == '"made"'


def test_the_look_before_a_copy_is_at_the_version_that_was_committed(client: S3Client, wire: Wire) -> None:
    at = Location("s3://staging", "drafts/x", "v7", '"e7"')
    assert s3_copy.original(client, at, CONTENT) == FOUND
    assert [one.url.partition("?")[2] for one in wire.asked] == ["versionId=v7"]


@pytest.mark.parametrize(
    ("digest", "at", "is_known"),
    [
        ("", Location("s3://staging", "drafts/x", etag='"e7"'), True),
        ("", Location("s3://staging", "drafts/x", "v7", '"e7"'), True),
        ("", Location("s3://staging", "drafts/x"), False),
        ("", Location("s3://staging", "drafts/x", etag='"other"'), False),
        ("f" * 64, Location("s3://staging", "drafts/x", etag='"e7"'), False),
        (CONTENT.sha256, Location("s3://staging", "drafts/x", etag='"other"'), True),
    ],
)
def test_an_object_is_known_by_its_digest_and_without_one_by_its_pin(
    client: S3Client, wire: Wire, digest: str, at: Location, is_known: bool
) -> None:
    wire.sha256 = digest
    if is_known:
        assert s3_copy.original(client, at, CONTENT).etag == FOUND.etag
        return
    with pytest.raises(IntegrityBroken, match="no longer has the bytes"):
        s3_copy.original(client, at, CONTENT)


def test_an_object_of_another_size_is_another_one_whatever_digest_it_bears(client: S3Client) -> None:
    with pytest.raises(IntegrityBroken, match="no longer has the bytes"):
        s3_copy.original(client, Location("s3://staging", "drafts/x"), Content(9, CONTENT.sha256, 1))


def test_every_part_of_an_upload_carries_a_checksum_that_is_said_again_at_its_end(
    client: S3Client, wire: Wire
) -> None:
    upload_stream(client, "reports", "x", [BODY], CONTENT, 4)
    assert len(wire.of("part")) == 3
    assert all(one.get("x-amz-checksum-crc32") or one.get("x-amz-trailer") for one in wire.of("part"))
    assert [one["if-none-match"] for one in wire.of("end")] == ["*"]
    assert [one["x-amz-meta-sha256"] for one in wire.of("begin")] == [CONTENT.sha256]


@pytest.mark.parametrize("kind", ["part of a copy", "end"])
@pytest.mark.parametrize("status", [403, 409, 412])
def test_an_upload_that_does_not_end_is_taken_back(
    client: S3Client, wire: Wire, kind: str, status: int
) -> None:
    wire.refused = {kind: (status, "Refused")}
    with pytest.raises(ClientError):
        s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, PARTS)
    assert len(wire.of("abort")) == 1


def test_a_refused_copy_is_not_tried_in_parts(client: S3Client, wire: Wire) -> None:
    """Only a store that knows no conditional copy gets one in parts; what was refused stays so."""
    wire.refused = {"copy": (403, "AccessDenied")}
    with pytest.raises(ClientError):
        s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, WHOLE)
    assert not wire.of("begin")


@pytest.mark.parametrize(("status", "code"), [(501, ""), (400, "NotImplemented"), (501, "NotImplemented")])
def test_a_store_that_knows_no_conditional_copy_gets_one_in_parts_under_the_same_condition(
    client: S3Client, wire: Wire, status: int, code: str
) -> None:
    wire.refused = {"copy": (status, code)}
    s3_copy.copy(client, FOUND, "reports", "outbound/x", CONTENT, WHOLE)
    assert [one["x-amz-copy-source-if-match"] for one in wire.of("part of a copy")] == [FOUND.etag]
    assert [one["if-none-match"] for one in wire.of("end")] == ["*"]


@pytest.mark.parametrize(
    ("status", "code", "is_lost"),
    [
        (409, "ConditionalRequestConflict", True),
        (412, "PreconditionFailed", True),
        (404, "NoSuchUpload", True),
        (404, "NoSuchKey", False),
        (403, "AccessDenied", False),
        (500, "InternalError", False),
    ],
)
def test_only_what_others_did_is_a_reason_to_look_again(status: int, code: str, is_lost: bool) -> None:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert s3_copy.lost(ClientError(answer, "CopyObject")) is is_lost  # type: ignore[arg-type] # as far as it is read


@pytest.mark.parametrize(
    ("code", "expected"), [("ServiceUnavailable", Unavailable), ("AccessDenied", NotPermitted)]
)
def test_a_token_service_that_is_away_is_told_from_a_role_that_is_refused(
    code: str, expected: type[Exception]
) -> None:
    refusal = ClientError({"Error": {"Code": code}}, "AssumeRoleWithWebIdentity")
    with pytest.raises(expected) as told_as, told("s3://reports/x", "s3:GetObject"):
        raise refusal
    assert code in str(told_as.value)


# What the doctor asks, which must leave nothing behind


@pytest.fixture(scope="module")
def doctor() -> Asked:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-2")
    return Asked(session, "http://127.0.0.1:1")


@pytest.fixture
def asked(doctor: Asked, wire: Wire) -> Iterator[Asked]:
    doctor._s3.meta.events.register("before-send.s3", wire.answer)  # type: ignore[arg-type] # as above
    yield doctor
    doctor._s3.meta.events.unregister("before-send.s3", wire.answer)  # type: ignore[arg-type] # as above


def test_a_write_that_is_only_asked_about_is_refused_for_its_checksum(asked: Asked, wire: Wire) -> None:
    """Allowed, it would else be an object: in a bucket whose names are immutable, for ever."""
    assert asked.put("reports", "outbound/x") is Answer.TOOK, "a store that takes a wrong checksum is no S3"
    (headers,) = wire.of("put")
    digest = hashlib.sha256(s3_asked._BODY).digest()
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-checksum-sha256"] not in {"", base64.b64encode(digest).decode()}


def test_a_removal_that_is_only_asked_about_is_bound_to_what_no_object_has(asked: Asked, wire: Wire) -> None:
    asked.delete("reports", "outbound/x")
    asked.delete_version("reports", "outbound/x")
    bound, versioned = wire.of("abort")  # both are DELETE
    assert bound["if-match"].endswith('-9999"')
    assert [one.url.partition("?")[2] for one in wire.asked] == ["", f"versionId={'0' * 32}"]
    assert "if-match" not in versioned


def test_an_upload_that_is_only_asked_about_is_taken_back(asked: Asked, wire: Wire) -> None:
    assert asked.begin("reports", "outbound/x") is Answer.ALLOWED
    assert [kind_of(one) for one in wire.asked] == ["begin", "abort"]
    assert wire.asked[1].url.endswith("?uploadId=u1")


@pytest.mark.parametrize(
    ("code", "status"), [("NoSuchBucket", 404), ("ExpiredToken", 400), ("SignatureDoesNotMatch", 403)]
)
def test_what_says_nothing_of_a_permission_is_not_taken_for_an_answer(
    asked: Asked, wire: Wire, code: str, status: int
) -> None:
    wire.refused = dict.fromkeys(("put", "abort", "look"), (status, code))
    for ask in (asked.put, asked.delete, asked.abort):
        with pytest.raises(LandbridgeError):
            ask("reports", "outbound/x")


@pytest.mark.parametrize(
    ("status", "answer"), [(400, Answer.ALLOWED), (412, Answer.ALLOWED), (403, Answer.REFUSED)]
)
def test_a_permission_is_read_from_the_refusal(asked: Asked, wire: Wire, status: int, answer: Answer) -> None:
    wire.refused = {"put": (status, "AccessDenied" if status == 403 else "BadDigest")}
    assert asked.put("reports", "outbound/x") is answer


@pytest.mark.parametrize("ask", ["encryption", "blocks_public", "policy", "lifecycle"])
def test_a_setting_that_a_bucket_has_not_is_told_from_one_that_may_not_be_seen(
    asked: Asked, wire: Wire, ask: str
) -> None:
    wire.refused = {"put": (404, "NoSuchThing")}
    assert not getattr(asked, ask)("reports")
    for status, code, expected in (
        (404, "NoSuchBucket", UsageError),
        (403, "AccessDenied", NotPermitted),
        (400, "AccessDenied", UsageError),
    ):
        wire.refused = {"put": (status, code)}
        with pytest.raises(expected):
            getattr(asked, ask)("reports")


def test_reading_is_asked_about_at_the_version_that_is_to_be_read(asked: Asked, wire: Wire) -> None:
    assert asked.get("reports", "x", "v7") is Answer.ALLOWED
    asked.get("reports", "x")
    assert [one.url.partition("?")[2] for one in wire.asked] == ["versionId=v7", ""]


def test_a_role_that_is_refused_says_nothing_of_a_permission(asked: Asked) -> None:
    def ask() -> None:
        refusal: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(refusal, "AssumeRoleWithWebIdentity")

    with pytest.raises(NotPermitted, match="no usable AWS credentials"):
        asked._answered("s3://reports/x", ask)


# What the store does with what it is answered


class Looking(S3Store):
    """A store that sees what the test says under every name."""

    seen: Blob | None = None

    def head(self, key: str) -> Blob | None:
        return self.seen and replace(self.seen, at=replace(self.seen.at, key=key))


@pytest.fixture(scope="module")
def account() -> S3Account:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-2")
    return S3Account(session, "http://127.0.0.1:1")


@pytest.fixture
def store(account: S3Account, wire: Wire) -> Iterator[Looking]:
    account.client.meta.events.register("before-send.s3", wire.answer)  # type: ignore[arg-type] # as above
    yield Looking("reports", "/below/", account=account, sizes=Sizes(part=4))
    account.client.meta.events.unregister("before-send.s3", wire.answer)  # type: ignore[arg-type] # as above


def _seen(size: int, sha256: str, version: str = "", etag: str = '"e"') -> Blob:
    return Blob(Location("s3://reports/below", "x", version, etag), size, datetime.now(UTC), sha256)


def test_a_stream_that_met_others_and_found_nothing_has_to_be_brought_again(
    store: Looking, wire: Wire
) -> None:
    wire.refused = {"end": (409, "ConditionalRequestConflict")}
    with pytest.raises(Unavailable, match="by others"):
        store.put_stream("x", iter([BODY]), CONTENT)
    assert len(wire.of("abort")) == 1


@pytest.mark.parametrize(("size", "sha256"), [(9, CONTENT.sha256), (10, "f" * 64)])
def test_what_stands_in_the_way_is_the_same_only_by_size_and_digest(
    store: Looking, wire: Wire, size: int, sha256: str
) -> None:
    wire.refused = {"end": (412, "PreconditionFailed")}
    store.seen = _seen(size, sha256)
    with pytest.raises(StoreConflict):
        store.put_stream("x", iter([BODY]), CONTENT)
    store.seen = _seen(len(BODY), CONTENT.sha256)
    assert store.put_stream("x", iter([BODY]), CONTENT) == store.seen


@pytest.mark.parametrize(
    ("at", "there", "removed"),
    [
        (_seen(1, "", "v1"), None, "v1"),
        (_seen(1, ""), None, ""),
        (_seen(1, ""), _seen(1, ""), "null"),
        (_seen(1, "", etag=""), _seen(1, ""), "null"),
        (_seen(1, ""), _seen(1, "", etag='"other"'), ""),
        (_seen(1, ""), _seen(1, "", "v2"), ""),
    ],
    ids=["its version", "gone", "by etag", "any", "another one", "versions since"],
)
def test_only_the_very_object_that_was_recorded_is_removed(
    store: Looking, wire: Wire, at: Blob, there: Blob | None, removed: str
) -> None:
    store.seen = there
    store.remove(at.at)
    assert [one.url for one in wire.asked] == (
        [f"http://127.0.0.1:1/reports/below/x?versionId={removed}"] if removed else []
    )
    with pytest.raises(UsageError, match="is not in"):
        store.remove(Location("s3://staging", "x", "v1"))


def test_a_draft_that_is_gone_from_another_bucket_is_told_as_such(store: Looking, wire: Wire) -> None:
    wire.refused = {"look": (403, "AccessDenied")}
    with pytest.raises(NotFound):
        store.copy_new(Location("s3://staging/of/it", "drafts/x", "v7"), "x", CONTENT)
    assert wire.asked[-1].url.startswith("http://127.0.0.1:1/staging?")
    assert "prefix=of%2Fit%2Fdrafts%2Fx" in wire.asked[-1].url
    wire.refused |= {"put": (403, "AccessDenied")}
    with pytest.raises(NotPermitted):
        store.copy_new(Location("s3://staging/of/it", "drafts/x", "v7"), "x", CONTENT)


def test_a_copy_that_failed_in_one_part_goes_on_with_few_others(client: S3Client, wire: Wire) -> None:
    wire.refused = {"part of a copy": (403, "AccessDenied")}
    with pytest.raises(ClientError):
        s3_copy.copy(client, FOUND, "reports", "x", Content(2_000 << 20, "5" * 64, 1), PARTS)
    assert len(wire.of("part of a copy")) <= s3_copy._AT_ONCE
    assert kind_of(wire.asked[-1]) == "abort", "nothing of it is sent any more"


def test_an_upload_that_cannot_be_taken_back_tells_why_it_failed_and_not_that(
    client: S3Client, wire: Wire
) -> None:
    wire.refused = {"end": (412, "PreconditionFailed"), "abort": (403, "AccessDenied")}
    with pytest.raises(ClientError, match="PreconditionFailed"):
        upload_stream(client, "reports", "x", [BODY], CONTENT, 4)


def test_the_checksum_that_a_part_was_answered_with_is_said_again(client: S3Client, wire: Wire) -> None:
    wire.crc32 = "AAAAAA=="
    upload_stream(client, "reports", "x", [BODY], CONTENT, 4)
    said = next(one.body for one in wire.asked if kind_of(one) == "end")
    assert _text(cast("bytes", said)).count("<ChecksumCRC32>AAAAAA==</ChecksumCRC32>") == 3


def test_parts_are_never_smaller_than_is_declared() -> None:
    assert (Sizes().part_of(1), Sizes().copy_part_of(1)) == (8 << 20, 64 << 20)


@pytest.mark.parametrize(
    ("part", "together"), [(8 << 20, 4), (16 << 20, 4), (17 << 20, 3), (33 << 20, 1), (600 << 20, 1)]
)
def test_the_parts_of_one_upload_fit_into_memory_together(part: int, together: int) -> None:
    assert at_once(part) == together


def test_few_pieces_are_asked_for_before_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer that waits holds a connection."""
    asked: list[tuple[int, int]] = []

    def get(_store: object, _key: str, *, options: Any) -> Any:
        start, end = options["range"]
        asked.append((start, end))
        meta = {"size": 1_000, "version": "v1", "e_tag": '"e"'}
        body = bytes(end - start)
        return SimpleNamespace(meta=meta, bytes=lambda: body, stream=lambda **_: iter([body]))

    monkeypatch.setattr(s3_read, "obstore", SimpleNamespace(get=get))
    got = 0
    for piece in s3_read.pieces(cast("Any", None), "x", "s3://b/x", "", 10):
        got += len(piece)
        assert len(asked) <= got // 10 + s3_read.AHEAD + 1
    assert got == 1_000
    assert sorted(asked) == [(start, start + 10) for start in range(0, 1_000, 10)]
