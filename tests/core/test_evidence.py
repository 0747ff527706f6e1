"""May what came from the other side be believed? Manifests and receipts, honest and hostile."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_on_curve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from landbridge.dsse import private_key, sealed
from landbridge.errors import IntegrityBroken, UsageError
from landbridge.facts import Receipt, Taken
from landbridge.ledger import (
    brought_fact,
    brought_from,
    confirm,
    entries,
    make_receipt_bytes,
    manifest_bytes,
    manifest_for,
    manifest_from,
    read_receipt,
    receipt_in,
)
from landbridge.naming import manifest_name, receipt_key
from tests.fakes.facts import AT, DAY, commitment, downloaded
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.facts import Brought, Location, Manifest

NAME = "flights.2026-11-20.0001.json"
DIGEST = "e" * 64


def _pair(seed: int) -> tuple[str, str]:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = _pair(1)
STRANGER, STRANGER_PUBLIC = _pair(2)


@pytest.fixture
def manifest() -> Manifest:
    return manifest_for(commitment(), DIGEST)


@pytest.fixture
def receipt(manifest: Manifest) -> Receipt:
    return Receipt(
        feed=manifest.feed,
        occurrence=manifest.occurrence,
        business_date=manifest.business_date,
        revision=manifest.revision,
        environment=manifest.environment,
        size=manifest.size,
        sha256=manifest.sha256,
        landed_path=manifest.landed_name,
        landed_at=AT,
        collector="collector-1",
        commitment=manifest.commitment,
    )


def test_a_manifest_says_what_the_collector_needs(manifest: Manifest) -> None:
    assert manifest.remote_path == "/outbound/flights/flights_2026-11-20.csv"
    assert (manifest.size, manifest.sha256, manifest.rows) == (1234, "b" * 64, 10)
    assert manifest.commitment == DIGEST
    assert manifest_from(manifest_bytes(commitment(), DIGEST), NAME) == manifest


def test_the_same_commitment_gives_the_same_manifest() -> None:
    assert manifest_bytes(commitment(), DIGEST) == manifest_bytes(commitment(), DIGEST)


HOSTILE: list[tuple[str, Any]] = [
    ("feed", "../x"),
    ("feed", "Flights"),
    ("feed", "a" * 64),
    ("feed", "flights\n"),
    ("feed", None),
    ("occurrence", "2026-11-20/../.."),
    ("occurrence", "20261120T0600Z."),
    ("occurrence", "2026-11-20\n"),
    ("business_date", "2026-13-01"),
    ("business_date", 20261120),
    ("revision", 0),
    ("revision", -1),
    ("revision", 10_000),
    ("revision", True),
    ("revision", "1"),
    ("revision", 1.0),
    ("environment", "U A T"),
    ("environment", "UAT\n"),
    ("remote_path", "/receipts/x"),
    ("remote_path", "outbound/x"),
    ("remote_path", "/outbound/../receipts/x"),
    ("remote_path", "/outbound/"),
    ("remote_path", "/outbound//x"),
    ("remote_path", "/outbound/_manifests/x.json"),
    ("remote_path", "/outbound/" + "a/" * 600 + "b"),
    ("landed_name", "../../etc/passwd"),
    ("landed_name", "/etc/passwd"),
    ("landed_name", "C:\\Windows\\x"),
    ("landed_name", "nul.csv"),
    ("landed_name", "a\x00b"),
    ("landed_name", "a\u202eb.csv"),
    ("landed_name", ".hidden"),
    ("landed_name", ""),
    ("landed_name", "x" * 256),
    ("landed_name", ["x"]),
    ("landed_name", "in/\ud800"),
    ("landed_name", "in/" * 342 + "x"),
    ("done_name", "../done"),
    ("done_name", "flights.csv"),
    ("size", -1),
    ("size", 10**18),
    ("size", 1e3),
    ("rows", -1),
    ("rows", 10**18),
    ("sha256", "B" * 64),
    ("sha256", "b" * 63),
    ("sha256", "b" * 64 + "\n"),
    ("commitment", ""),
    ("commitment", "b" * 64 + "\n"),
    ("committed_at", "yesterday"),
    ("committed_at", "2026-11-21T05:30:00"),
    ("deadline", "2026-11-21T05:30:00"),
    ("deadline", 0),
    ("more", 1),
    ("kind", "receipt"),
    ("schema", 2),
]


@pytest.mark.parametrize(
    ("field", "value"), HOSTILE, ids=[f"{field}-{value!r:.30}" for field, value in HOSTILE]
)
def test_a_hostile_manifest_is_refused(field: str, value: object) -> None:
    document = json.loads(manifest_bytes(commitment(), DIGEST))
    document[field] = value
    own = "{feed}.{occurrence}.{revision:04}.json" if type(document["revision"]) is int else NAME
    with pytest.raises(IntegrityBroken):  # also under the very name that it claims
        manifest_from(json.dumps(document).encode(), own.format(**document))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("feed", "Flights"),
        ("feed", "x/y"),
        ("feed", "x" * 64),
        ("feed", "flights\n"),
        ("occurrence", "2026-11-20/../.."),
        ("occurrence", "20261120"),
        ("revision", 0),
        ("revision", 10_000),
    ],
)
def test_a_hostile_manifest_is_refused_also_under_the_name_that_goes_with_it(
    field: str, value: object
) -> None:
    document = {**json.loads(manifest_bytes(commitment(), DIGEST)), field: value}
    name = manifest_name(document["feed"], document["occurrence"], document["revision"])
    with pytest.raises(IntegrityBroken, match=f"`{field}` is out of bounds"):
        manifest_from(json.dumps(document).encode(), name)


def test_a_manifest_is_believed_up_to_64_kib() -> None:
    body = manifest_bytes(commitment(), DIGEST)
    assert manifest_from(body.ljust(64 << 10), NAME) == manifest_from(body, NAME)
    with pytest.raises(IntegrityBroken):
        manifest_from(body.ljust((64 << 10) + 1), NAME)


@pytest.mark.parametrize(
    "name", ["flights.2026-11-20.0002.json", "other.2026-11-20.0001.json", "flights.2026-11-21.0001.json", ""]
)
def test_a_manifest_under_another_ones_name_is_refused(name: str) -> None:
    with pytest.raises(IntegrityBroken):
        manifest_from(manifest_bytes(commitment(), DIGEST), name)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[" * 100_000, b'{"a":' * 50_000, b"\xff", b"{}", b" " * 70_000]
)
def test_bytes_that_are_no_manifest_are_refused(body: bytes) -> None:
    with pytest.raises(IntegrityBroken):
        manifest_from(body, NAME)
    with pytest.raises(IntegrityBroken):
        read_receipt(body, [PUBLIC])


def test_a_manifest_or_receipt_that_is_too_large_is_refused_whatever_it_says(receipt: Receipt) -> None:
    room = b" " * (64 << 10)
    with pytest.raises(IntegrityBroken, match="not readable as evidence"):
        manifest_from(manifest_bytes(commitment(), DIGEST) + room, NAME)
    with pytest.raises(IntegrityBroken, match="not readable as evidence"):
        read_receipt(make_receipt_bytes(receipt, PRIVATE) + room, [PUBLIC])


def test_instants_of_another_zone_are_read_in_utc() -> None:
    document = json.loads(manifest_bytes(commitment(), DIGEST))
    document |= {"committed_at": "2026-11-21T06:30:00+01:00", "deadline": "2026-11-21T08:00:00+01:00"}
    found = manifest_from(json.dumps(document).encode(), NAME)
    assert found.deadline is not None
    assert f"{found.committed_at} {found.deadline}" == "2026-11-21 05:30:00+00:00 2026-11-21 07:00:00+00:00"


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_anything_but_a_refusal(body: bytes) -> None:
    with pytest.raises(IntegrityBroken):
        manifest_from(body, NAME)
    with pytest.raises(IntegrityBroken):
        read_receipt(body, [PUBLIC])


def test_a_receipt_comes_back_from_its_envelope(receipt: Receipt) -> None:
    body = make_receipt_bytes(receipt, PRIVATE)
    assert read_receipt(body, [PUBLIC]) == receipt
    assert read_receipt(body, [STRANGER_PUBLIC, PUBLIC]) == receipt
    assert make_receipt_bytes(receipt, PRIVATE) == body


@pytest.mark.parametrize("how", ["download", "taken"])
def test_how_the_bytes_came_is_a_fact_of_its_own_that_the_receipt_names(
    manifest: Manifest, receipt: Receipt, how: str
) -> None:
    told = replace(receipt, brought=_brought(manifest, how))
    body = make_receipt_bytes(told, PRIVATE)
    assert read_receipt(body, [PUBLIC]) == told
    confirm(told, manifest)
    statement = json.loads(base64.b64decode(json.loads(body)["payload"]))
    assert statement["predicateType"] == "urn:landbridge:receipt:v2"
    assert told.brought is not None
    kind, fact = brought_fact(told.brought)
    assert (kind, json.loads(fact)) == (how, statement["predicate"]["brought"])
    assert statement["predicate"]["receipt"]["brought"] == hashlib.sha256(fact).hexdigest()
    assert brought_from(kind, fact, "here") == told.brought


def _brought(manifest: Manifest, how: str) -> Brought:
    if how == "download":
        return downloaded(manifest.size, manifest.sha256, manifest.commitment, path=manifest.remote_path)
    return Taken("/holding/x.csv", manifest.size, manifest.sha256, AT, AT, "collector-1", manifest.commitment)


def test_a_receipt_without_it_is_to_the_letter_what_it_was_before_it_was_kept(receipt: Receipt) -> None:
    body = make_receipt_bytes(receipt, PRIVATE)
    assert (
        hashlib.sha256(body).hexdigest() == "f06d401e4899b61b43c385b09fc10cd3136b477dfc0c1f938ce6ff44924895dc"
    )
    assert b"urn:landbridge:receipt:v1" in base64.b64decode(json.loads(body)["payload"])


@pytest.mark.parametrize(
    ("field", "value"), [("size", 1), ("sha256", "0" * 64), ("commitment", "0" * 64), ("remote_path", "/x")]
)
def test_a_receipt_that_tells_of_another_files_way_breaks_the_chain(
    manifest: Manifest, receipt: Receipt, field: str, value: object
) -> None:
    changed: dict[str, Any] = {field: value}
    brought = replace(_brought(manifest, "download"), **changed)
    with pytest.raises(IntegrityBroken, match="another file's way"):
        confirm(replace(receipt, brought=brought), manifest)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["brought"].update(attempts=2),
        lambda p: p["brought"]["server"].update(host="other"),
        lambda p: p["brought"].update(kind="taken"),
        lambda p: p["brought"].update(kind=None),
        lambda p: p["brought"].update(more=1),
        lambda p: p.update(brought=None),
        lambda p: p.update(brought=[]),
        lambda p: p.pop("brought"),
        lambda p: p["receipt"].pop("brought"),
        lambda p: p.update(more=1),
    ],
)
def test_a_signed_receipt_that_contradicts_its_own_way_is_refused(
    manifest: Manifest, receipt: Receipt, change: Callable[[dict[str, Any]], object]
) -> None:
    body = make_receipt_bytes(replace(receipt, brought=_brought(manifest, "download")), PRIVATE)

    def spoil(statement: dict[str, Any]) -> None:
        predicate = statement["predicate"]
        change(predicate)
        predicate["digest"]["sha256"] = hashlib.sha256(entries.canonical(predicate["receipt"])).hexdigest()

    with pytest.raises(IntegrityBroken):
        read_receipt(_resigned(body, spoil), [PUBLIC])
    with pytest.raises(IntegrityBroken):  # as version 1 none of it may be there
        read_receipt(_resigned(body, lambda s: s.update(predicateType="urn:landbridge:receipt:v1")), [PUBLIC])


def test_a_receipt_by_a_stranger_does_not_count(receipt: Receipt) -> None:
    for keys in ([PUBLIC], []):
        with pytest.raises(IntegrityBroken, match="not signed by a known collector"):
            read_receipt(make_receipt_bytes(receipt, STRANGER), keys)


def test_every_flipped_bit_is_noticed(receipt: Receipt) -> None:
    body = bytearray(make_receipt_bytes(receipt, PRIVATE))
    document = json.loads(body)
    inside = [body.index(document["payload"].encode()), body.index(document["signatures"][0]["sig"].encode())]
    for start in inside:
        for offset in range(start, start + 60, 7):
            spoilt = bytearray(body)
            spoilt[offset] = ord("A") if spoilt[offset] != ord("A") else ord("B")
            with pytest.raises(IntegrityBroken):
                read_receipt(bytes(spoilt), [PUBLIC])


def test_one_signature_of_several_is_enough(receipt: Receipt) -> None:
    ours, other = (json.loads(make_receipt_bytes(receipt, key)) for key in (PRIVATE, STRANGER))
    ours["signatures"] = [*other["signatures"], *ours["signatures"]]
    assert read_receipt(json.dumps(ours).encode(), [PUBLIC]) == receipt
    ours["signatures"] *= 9
    with pytest.raises(
        IntegrityBroken, match="not readable as evidence"
    ):  # each is work for whoever reads it
        read_receipt(json.dumps(ours).encode(), [PUBLIC])


def test_what_is_signed_and_is_no_statement_is_refused() -> None:
    signer = private_key(PRIVATE)
    assert signer is not None
    with pytest.raises(IntegrityBroken) as refused:
        read_receipt(sealed(b"signed, and no JSON", signer), [PUBLIC])
    assert refused.value.seen == "no JSON"


@pytest.mark.parametrize("letters", ["\n", "!", " ", "-"])
def test_what_is_no_base64_is_not_passed_over(receipt: Receipt, letters: str) -> None:
    """Or one receipt would have any number of forms, each with a digest of its own."""
    envelope = json.loads(make_receipt_bytes(receipt, PRIVATE))
    payload, sig = envelope["payload"], envelope["signatures"][0]["sig"]
    for spelled in (
        envelope | {"payload": payload[:8] + letters + payload[8:]},
        envelope | {"signatures": [{"keyid": "", "sig": sig[:8] + letters + sig[8:]}]},
    ):
        with pytest.raises(IntegrityBroken):
            read_receipt(json.dumps(spelled).encode(), [PUBLIC])


def test_the_envelope_is_verifiable_without_us(receipt: Receipt) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer")
    body = make_receipt_bytes(receipt, PRIVATE)
    envelope = dsse.Envelope.from_dict(json.loads(body))
    public: Any = load_pem_public_key(PUBLIC.encode())
    key = signer.SSlibKey.from_crypto(public, keyid=json.loads(body)["signatures"][0]["keyid"])
    assert set(envelope.verify([key], 1)) == {key.keyid}
    statement = json.loads(envelope.payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": receipt.landed_path, "digest": {"sha256": receipt.sha256}}]


def _resigned(body: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change the statement and sign it again with the right key: only the inner checks are left to notice."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    envelope = json.loads(body)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    payload = json.dumps(statement).encode()
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(key.sign(signed)).decode()
    return json.dumps(envelope).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["predicate"]["receipt"].update(size=1),
        lambda s: s["predicate"]["digest"].update(sha256="0" * 64),
        lambda s: s["predicate"].pop("digest"),
        lambda s: s["subject"][0]["digest"].update(sha256="0" * 64),
        lambda s: s["subject"].append(s["subject"][0]),
        lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"),
        lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda s: s.update(predicate=None),
    ],
)
def test_a_signed_statement_that_contradicts_itself_is_refused(
    receipt: Receipt, change: Callable[[dict[str, Any]], object]
) -> None:
    body = make_receipt_bytes(receipt, PRIVATE)
    assert read_receipt(_resigned(body, lambda _: None), [PUBLIC]) == receipt
    with pytest.raises(IntegrityBroken):
        read_receipt(_resigned(body, change), [PUBLIC])


@pytest.mark.parametrize("field", ["_type", "predicateType"])
def test_a_signed_statement_of_another_kind_is_named_as_that(receipt: Receipt, field: str) -> None:
    """Whoever signs with one key for two programs has statements of the other one, too."""
    with pytest.raises(IntegrityBroken) as refused:
        read_receipt(
            _resigned(make_receipt_bytes(receipt, PRIVATE), lambda s: s.update({field: "urn:x"})), [PUBLIC]
        )
    assert refused.value.seen == "another statement"


def test_damage_inside_is_named_as_damage(receipt: Receipt) -> None:
    body = make_receipt_bytes(receipt, PRIVATE)
    with pytest.raises(IntegrityBroken, match="its own digest"):
        read_receipt(_resigned(body, lambda s: s["predicate"]["receipt"].update(size=1)), [PUBLIC])


def test_another_payload_type_is_refused(receipt: Receipt) -> None:
    envelope = json.loads(make_receipt_bytes(receipt, PRIVATE))
    envelope["payloadType"] = "text/plain"
    with pytest.raises(IntegrityBroken):
        read_receipt(json.dumps(envelope).encode(), [PUBLIC])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("feed", "other"),
        ("occurrence", "2026-11-21"),
        ("business_date", DAY.replace(day=21)),
        ("revision", 2),
        ("environment", "PROD"),
        ("size", 1),
        ("sha256", "0" * 64),
        ("commitment", "0" * 64),
    ],
)
def test_a_receipt_for_another_file_breaks_the_chain(
    manifest: Manifest, receipt: Receipt, field: str, value: object
) -> None:
    confirm(receipt, manifest)
    changed: dict[str, Any] = {field: value}
    with pytest.raises(IntegrityBroken, match=field):
        confirm(replace(receipt, **changed), manifest)


def test_the_first_valid_receipt_wins(manifest: Manifest, receipt: Receipt, tmp_path: Any) -> None:
    store = MemoryStore()
    assert receipt_in(store, manifest, [PUBLIC]) is None
    later = replace(receipt, landed_path="moved.csv")
    other = replace(receipt, sha256="0" * 64)
    key = receipt_key(receipt.feed, receipt.occurrence, receipt.revision, receipt.business_date)
    versions = [
        b"half a receip",
        b"x" * 100_000,
        make_receipt_bytes(later, STRANGER),
        make_receipt_bytes(other, PRIVATE),
    ]
    for body in versions:
        store._add(key, body)
    with pytest.raises(IntegrityBroken, match="another file"):
        receipt_in(store, manifest, [PUBLIC])
    store._add(key, make_receipt_bytes(receipt, PRIVATE))
    store._add(key, make_receipt_bytes(later, PRIVATE))
    assert receipt_in(store, manifest, [PUBLIC]) == receipt


def test_what_is_too_large_for_a_receipt_is_not_read(manifest: Manifest, receipt: Receipt) -> None:
    """The SFTP user may write what it likes beside the receipts, and as much."""

    class Read(MemoryStore):
        sizes: list[int] = []  # noqa: RUF012 - of this one store

        def chunks(self, at: Location, size: int = 8 << 20) -> Iterator[bytes]:
            self.sizes.append(len(self._at(at).body))
            return super().chunks(at, size)

    store = Read()
    key = receipt_key(receipt.feed, receipt.occurrence, receipt.revision, receipt.business_date)
    store._add(key, b"x" * (65 << 10))
    store._add(key, make_receipt_bytes(receipt, PRIVATE))
    assert receipt_in(store, manifest, [PUBLIC]) == receipt
    assert len(store.sizes) == 1


def test_a_key_of_another_kind_is_named_without_being_shown(receipt: Receipt) -> None:
    rsa = generate_private_key(65537, 2048)
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for bad in (pem, "no key", PUBLIC):
        with pytest.raises(UsageError, match="Ed25519") as told:
            make_receipt_bytes(receipt, bad)
        assert bad[:40] not in str(told.value)
    curve = generate_on_curve(SECP256R1()).public_key()  # which a bundle may be signed with, and no receipt
    other = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for bad in (public, other, "no key"):
        with pytest.raises(UsageError, match="Ed25519"):
            read_receipt(make_receipt_bytes(receipt, PRIVATE), [bad])
