"""What proves that a file arrived, and when does such a proof hold?

A receipt is an in-toto statement in a DSSE envelope, signed with the collector's Ed25519 key: anybody with the public
key can check it without Landbridge. It names the sha256 of the landed bytes and of the ledger's commitment, which
chains it to the verdict, and carries a digest of itself, so that damage shows also to those without the key.

How the bytes came (a download, or a copy out of holding) is a fact of its own, and travels in the receipt, since a
collector can write nothing else: the receipt names its digest, and the signature is over both. Receipts of before, and
those of which nobody knows it, are of version 1 and have no such fact; to the letter what they always were.

Source: DSSE 1.0 (secure-systems-lab/dsse), in-toto Attestation Framework, Statement v1.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from landbridge import dsse
from landbridge.dsse import STATEMENT
from landbridge.errors import IntegrityBroken, UsageError
from landbridge.facts import Download, Receipt, Taken
from landbridge.ledger import entries
from landbridge.naming import receipt_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.dsse import KeyInFile
    from landbridge.facts import Brought, Manifest
    from landbridge.ports import Store

PREDICATE = "urn:landbridge:receipt:v1"
"""Of a receipt alone."""
WITH_BROUGHT = "urn:landbridge:receipt:v2"
"""Of a receipt with the fact of how its bytes came."""

MOST = 64 << 10
"""Bytes of an envelope."""


def make_receipt_bytes(receipt: Receipt, private_key_pem: str) -> bytes:
    """Give the signed envelope of a receipt. The same receipt and key always give the same bytes.

    Raises:
        UsageError: that is not an Ed25519 private key in PEM.
    """
    return dsse.sealed(entries.canonical(_statement(receipt)), _signer(private_key_pem))


def read_receipt(body: bytes, public_keys: Sequence[str]) -> Receipt:
    """Give the receipt that an envelope holds, if one of `public_keys` (PEM) signed it and it is undamaged.

    Whether it belongs to a released file is for `confirm`.

    Raises:
        IntegrityBroken: no signature by one of the keys, not a receipt, or damaged.
        UsageError: one of the keys is not an Ed25519 public key in PEM.
    """
    keys = [_public(pem) for pem in public_keys]
    envelope = dsse.opened(body, "a receipt", MOST)
    if not any(key.verifies(one.value, envelope.payload) for key in keys for one in envelope.signatures):
        raise IntegrityBroken(
            "a receipt is not signed by a known collector",
            expected=f"a signature by {' or '.join(key.key_id[:16] for key in keys) or 'a key under `share.receipt_public_keys`: none is declared'}",
            hint="compare share.receipt_public_keys with the collector's key",
        )
    return _stated(envelope.payload)


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
    _confirm_brought(receipt, manifest)


def brought_fact(brought: Brought) -> tuple[str, bytes]:
    """Give the kind of the fact of how bytes came, and its bytes, whose sha256 the receipt names."""
    kind = next(kind for kind, fact in _BROUGHT.items() if isinstance(brought, fact))
    return kind, entries.written(kind, brought)


def brought_from(kind: str, body: bytes, where: str) -> Brought:
    """Read such a fact, which stands at `where`.

    Raises:
        IntegrityBroken: it is none.
    """
    fact = _BROUGHT.get(kind)
    if fact is None:
        raise entries.broken(where, f"a fact of the kind {' or '.join(_BROUGHT)}", kind[:80] or "none")
    return entries.read(kind, fact, body, where, most=MOST)


def _confirm_brought(receipt: Receipt, manifest: Manifest) -> None:
    brought = receipt.brought
    if brought is None:
        return
    expected: tuple[object, ...] = (manifest.size, manifest.sha256, manifest.commitment)
    seen: tuple[object, ...] = (brought.size, brought.sha256, brought.commitment)
    if isinstance(brought, Download):
        expected, seen = (*expected, manifest.remote_path), (*seen, brought.remote_path)
    if seen != expected:
        raise IntegrityBroken(
            f"the receipt for {manifest.feed}/{manifest.occurrence} revision {manifest.revision} tells of another file's way",
            expected=", ".join(map(str, expected)),
            seen=", ".join(map(str, seen)),
        )


def receipt_in(reports: Store, manifest: Manifest, public_keys: Sequence[str]) -> Receipt | None:
    """Give the receipt for a released file: the first valid one that was ever sent; None when none was sent.

    Raises:
        IntegrityBroken: something was sent, and nothing of it holds; says why the newest does not.
    """
    body = envelope_in(reports, manifest, public_keys)
    return read_receipt(body, public_keys) if body else None


def envelope_in(reports: Store, manifest: Manifest, public_keys: Sequence[str]) -> bytes | None:
    """Give the receipt that `receipt_in` gives as the collector signed it, byte for byte."""
    key = receipt_key(manifest.feed, manifest.occurrence, manifest.revision, manifest.business_date)
    reason: IntegrityBroken | None = None
    for blob in reports.versions(key):
        try:
            if blob.size > MOST:
                raise entries.broken(str(blob.at), f"at most {MOST} bytes", f"{blob.size} bytes")
            body = b"".join(reports.chunks(blob.at))
            confirm(read_receipt(body, public_keys), manifest)
        except IntegrityBroken as error:
            reason = error
        else:
            return body
    if reason:
        raise reason
    return None


def _statement(receipt: Receipt) -> dict[str, object]:
    fields = orjson.loads(entries.written("receipt", receipt))
    del fields["brought"]
    predicate: dict[str, object] = {"receipt": fields}
    if receipt.brought is not None:
        _, fact = brought_fact(receipt.brought)
        fields["brought"] = hashlib.sha256(fact).hexdigest()
        predicate["brought"] = orjson.loads(fact)
    predicate["digest"] = {"sha256": _self_digest(fields)}
    return {
        "_type": STATEMENT,
        "subject": [{"name": receipt.landed_path, "digest": {"sha256": receipt.sha256}}],
        "predicateType": WITH_BROUGHT if receipt.brought else PREDICATE,
        "predicate": predicate,
    }


def _self_digest(fields: object) -> str:
    return hashlib.sha256(entries.canonical(fields)).hexdigest()


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
            "predicate": {"digest": {"sha256": str(digest)}, "receipt": dict(fields), **others},
        } if kind == STATEMENT and predicate in {PREDICATE, WITH_BROUGHT}:
            if digest != _self_digest(fields):
                raise entries.broken("a receipt", f"its own digest {digest:.64}", _self_digest(fields))
            fact = others.get("brought") if predicate == WITH_BROUGHT else None
            fact_kind = str(fact.get("kind")) if isinstance(fact, dict) else ""
            brought = brought_from(fact_kind, entries.canonical(fact), "a receipt") if fact else None
            own = {name: value for name, value in fields.items() if name != "brought"}
            found = entries.read("receipt", Receipt, entries.canonical(own), "a receipt", most=MOST)
            found = replace(found, brought=brought)
        case _:
            raise entries.broken(
                "a receipt",
                f"an in-toto statement of {PREDICATE} or {WITH_BROUGHT}; a newer Landbridge may have written it",
                "another statement",
            )
    if statement != orjson.loads(entries.canonical(_statement(found))):
        raise entries.broken(
            "a receipt", "the file it speaks of as its subject, and the digest of how that came", "others"
        )
    return found


_BROUGHT: dict[str, type[Brought]] = {"download": Download, "taken": Taken}
"""What a receipt can tell of how its bytes came, by the kind under which it is written."""


@lru_cache(maxsize=1)
def _signer(pem: str) -> KeyInFile:
    """Give what signs. A collector has one key and signs thousands of times."""
    key = dsse.private_key(pem)
    if key is None:
        raise UsageError(
            "the key that signs receipts cannot be used",
            expected="an Ed25519 private key in PEM (PKCS 8), without a passphrase",
            hint="make one: openssl genpkey -algorithm ed25519",
        )
    return key


@lru_cache(maxsize=16)
def _public(pem: str) -> dsse.PublicKey:
    """Give what checks. A project has a few collectors, and an audit reads thousands of their receipts."""
    key = dsse.public_key(pem)
    if key is None or key.algorithm != "ed25519":
        raise UsageError(
            "one of share.receipt_public_keys cannot be used",
            expected="an Ed25519 public key in PEM",
            hint="get it from the private one: openssl pkey -in KEY -pubout",
        )
    return key
