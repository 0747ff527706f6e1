"""What proves that a file arrived, and when does such a proof hold?

A receipt is an in-toto statement in a DSSE envelope, signed with the collector's Ed25519 key: anybody with the public
key can check it without Landbridge. It names the sha256 of the landed bytes and of the ledger's commitment, which
chains it to the verdict, and carries a digest of itself, so that damage shows also to those without the key.

Source: DSSE 1.0 (secure-systems-lab/dsse), in-toto Attestation Framework, Statement v1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from landbridge.errors import IntegrityBroken, UsageError
from landbridge.facts import Receipt
from landbridge.ledger import entries
from landbridge.naming import receipt_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from landbridge.facts import Manifest
    from landbridge.ports import Store

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:landbridge:receipt:v1"

MOST = 64 << 10
"""Bytes of an envelope."""
_MOST_SIGNATURES = 16


def make_receipt_bytes(receipt: Receipt, private_key_pem: str) -> bytes:
    """Give the signed envelope of a receipt. The same receipt and key always give the same bytes.

    Raises:
        UsageError: that is not an Ed25519 private key in PEM.
    """
    key, key_id = _signer(private_key_pem)
    payload = entries.canonical(_statement(receipt))
    signature = {
        "keyid": key_id,
        "sig": base64.b64encode(key.sign(_signed(payload))).decode(),
    }
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signature],
    }
    return entries.canonical(envelope) + b"\n"


def read_receipt(body: bytes, public_keys: Sequence[str]) -> Receipt:
    """Give the receipt that an envelope holds, if one of `public_keys` (PEM) signed it and it is undamaged.

    Whether it belongs to a released file is for `confirm`.

    Raises:
        IntegrityBroken: no signature by one of the keys, not a receipt, or damaged.
        UsageError: one of the keys is not an Ed25519 public key in PEM.
    """
    keys = [_public(pem) for pem in public_keys]
    payload, signatures = _opened(body)
    if not any(_verifies(key, signature, payload) for key in keys for signature in signatures):
        raise IntegrityBroken(
            "a receipt is not signed by a known collector",
            expected=f"a signature by {' or '.join(_key_id(key)[:16] for key in keys) or 'one of no keys'}",
            hint="compare share.receipt_public_keys with the collector's key",
        )
    return _stated(payload)


def confirm(receipt: Receipt, manifest: Manifest) -> None:
    """See that a receipt is for the very file that the manifest released: the chain to the commitment holds.

    Raises:
        IntegrityBroken: it is not; the message names the first difference.
    """
    for field in (
        "feed",
        "occurrence",
        "business_date",
        "revision",
        "environment",
        "size",
        "sha256",
        "commitment",
    ):
        expected, seen = getattr(manifest, field), getattr(receipt, field)
        if expected != seen:
            raise IntegrityBroken(
                f"the receipt for {manifest.feed}/{manifest.occurrence} revision {manifest.revision} is for another file",
                expected=f"{field} {expected}",
                seen=str(seen),
            )


def receipt_in(reports: Store, manifest: Manifest, public_keys: Sequence[str]) -> Receipt | None:
    """Give the receipt for a released file: the first valid one that was ever sent; None when none was sent.

    Raises:
        IntegrityBroken: something was sent, and nothing of it holds; says why the newest does not.
    """
    key = receipt_key(manifest.feed, manifest.occurrence, manifest.revision, manifest.business_date)
    reason: IntegrityBroken | None = None
    for blob in reports.versions(key):
        try:
            if blob.size > MOST:
                raise entries.broken(str(blob.at), f"at most {MOST} bytes", f"{blob.size} bytes")
            found = read_receipt(b"".join(reports.chunks(blob.at)), public_keys)
            confirm(found, manifest)
        except IntegrityBroken as error:
            reason = error
        else:
            return found
    if reason:
        raise reason
    return None


def _statement(receipt: Receipt) -> dict[str, object]:
    fields = orjson.loads(entries.written("receipt", receipt))
    return {
        "_type": STATEMENT,
        "subject": [{"name": receipt.landed_path, "digest": {"sha256": receipt.sha256}}],
        "predicateType": PREDICATE,
        "predicate": {"digest": {"sha256": _self_digest(fields)}, "receipt": fields},
    }


def _self_digest(fields: object) -> str:
    return hashlib.sha256(entries.canonical(fields)).hexdigest()


def _opened(body: bytes) -> tuple[bytes, list[bytes]]:
    """Take an envelope apart, believing nothing."""
    if len(body) > MOST:
        raise entries.broken("a receipt", f"at most {MOST} bytes", f"{len(body)} bytes")
    try:
        match orjson.loads(body):
            case {"payload": str(payload), "payloadType": str(kind), "signatures": [*found]} if (
                kind == PAYLOAD_TYPE and len(found) <= _MOST_SIGNATURES
            ):
                signatures = [str(one["sig"]) for one in found if isinstance(one, dict) and "sig" in one]
                return base64.b64decode(payload, validate=True), [
                    base64.b64decode(signature, validate=True) for signature in signatures
                ]
            case _:
                raise entries.broken("a receipt", "a DSSE envelope of an in-toto statement", "something else")
    except (orjson.JSONDecodeError, binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise entries.broken("a receipt", "a DSSE envelope", type(error).__name__) from error


def _stated(payload: bytes) -> Receipt:
    """Read a payload whose signature holds; still not believed to be well formed."""
    try:
        statement = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise entries.broken("a receipt", "an in-toto statement", "no JSON") from error
    match statement:
        case {
            "_type": str(kind),
            "predicateType": str(predicate),
            "predicate": {"digest": {"sha256": str(digest)}, "receipt": dict(fields)},
        } if kind == STATEMENT and predicate == PREDICATE:
            if digest != _self_digest(fields):
                raise entries.broken("a receipt", f"its own digest {digest:.64}", _self_digest(fields))
            found = entries.read("receipt", Receipt, entries.canonical(fields), "a receipt", most=MOST)
        case _:
            raise entries.broken("a receipt", f"an in-toto statement of {PREDICATE}", "another statement")
    if statement != orjson.loads(entries.canonical(_statement(found))):
        raise entries.broken("a receipt", "a subject that is the file it speaks of", "another subject")
    return found


def _signed(payload: bytes) -> bytes:
    """Give what is signed: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _verifies(key: Ed25519PublicKey, signature: bytes, payload: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, _signed(payload))
    except InvalidSignature:
        return False
    return True


def _key_id(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@lru_cache(maxsize=1)
def _signer(pem: str) -> tuple[Ed25519PrivateKey, str]:
    """Give the key and its id. A collector has one key and signs thousands of times."""
    key = _private(pem)
    return key, _key_id(key.public_key())


def _private(pem: str) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # the library's message may quote the key
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            "the key that signs receipts cannot be used",
            expected="an Ed25519 private key in PEM (PKCS 8), without a passphrase",
            hint="make one: openssl genpkey -algorithm ed25519",
        )
    return key


def _public(pem: str) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(
            "one of share.receipt_public_keys cannot be used",
            expected="an Ed25519 public key in PEM",
            hint="get it from the private one: openssl pkey -in KEY -pubout",
        )
    return key
