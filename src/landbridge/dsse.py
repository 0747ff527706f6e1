"""How is a statement signed, so that anybody with the public key can check it without Landbridge?

DSSE envelopes of in-toto statements, by Ed25519 or ECDSA on P-256. The envelope is small enough to be written out here;
tests hold it against securesystemslib and openssl.

Source: DSSE 1.0 (secure-systems-lab/dsse), in-toto Attestation Framework, Statement v1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, assert_never

import orjson

from landbridge.errors import IntegrityBroken

if TYPE_CHECKING:
    from typing import Literal

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from landbridge.ports import Signer

    Algorithm = Literal["ed25519", "ecdsa-p256-sha256"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope, and what it says of its key."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its signatures, taken apart; nothing of it is believed yet."""

    payload: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with."""

    key: Ed25519PublicKey | EllipticCurvePublicKey
    algorithm: Algorithm
    key_id: str
    """sha256 of its DER form (SubjectPublicKeyInfo): what `openssl pkey -pubin -outform DER | sha256sum` prints."""

    def verifies(self, signature: bytes, payload: bytes) -> bool:
        """Tell whether `signature` is this key's, over `payload` as DSSE signs it."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            match self.key:
                case Ed25519PublicKey():
                    self.key.verify(signature, pae(payload))
                case EllipticCurvePublicKey():
                    self.key.verify(signature, pae(payload), ECDSA(SHA256()))
                case _:
                    assert_never(self.key)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class KeyInFile:
    """An Ed25519 private key in this process's hands; obeys ports.Signer."""

    key: Ed25519PrivateKey = field(repr=False)
    public: PublicKey

    @property
    def key_id(self) -> str:
        """See ports.Signer."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """See ports.Signer."""
        return self.key.sign(message)


def pae(payload: bytes) -> bytes:
    """Give what is signed: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sealed(payload: bytes, signer: Signer) -> bytes:
    """Give the signed envelope of a payload, in the one form that `written` demands."""
    return written(Envelope(payload, (Signature(signer.key_id, signer.sign(pae(payload))),)))


def written(envelope: Envelope) -> bytes:
    """Give the one form of an envelope: sorted keys, no spaces, padded base64, one line end."""
    document = {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": one.key_id, "sig": base64.b64encode(one.value).decode()} for one in envelope.signatures
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n"


def opened(body: bytes, what: str, most: int) -> Envelope:
    """Take an envelope apart, believing nothing. `what` it is goes into messages.

    Raises:
        IntegrityBroken: more than `most` bytes, or no envelope of an in-toto statement.
    """
    if len(body) > most:
        raise _broken(what, f"at most {most} bytes", f"{len(body)} bytes")
    try:
        match orjson.loads(body):
            case {"payload": str(payload), "payloadType": str(kind), "signatures": [*found]} if (
                kind == PAYLOAD_TYPE and len(found) <= _MOST_SIGNATURES
            ):
                signatures = tuple(
                    Signature(str(one.get("keyid", "")), base64.b64decode(str(one["sig"]), validate=True))
                    for one in found
                    if isinstance(one, dict) and "sig" in one
                )
                return Envelope(base64.b64decode(payload, validate=True), signatures)
            case _:
                raise _broken(what, "a DSSE envelope of an in-toto statement", "something else")
    except orjson.JSONDecodeError as error:
        raise _broken(what, "a DSSE envelope", "no JSON") from error
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise _broken(what, "a DSSE envelope", f"no base64: {error}") from error


def private_key(pem: str) -> KeyInFile | None:
    """Read an Ed25519 private key (PKCS #8 PEM, without a passphrase); None when it is none: the library's message may quote it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, Ed25519PrivateKey):
        return None
    public = public_of(key.public_key())
    return KeyInFile(key, public) if public else None


@lru_cache(maxsize=64)
def public_key(pem: str) -> PublicKey | None:
    """Read a public key (PEM) of one of the two kinds; None when it is none. Kept: each receipt is held against the same few."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return public_of(load_pem_public_key(pem.encode()))
    except (ValueError, UnsupportedAlgorithm):
        return None


def public_key_of_der(der: bytes) -> PublicKey | None:
    """Read a public key as AWS KMS gives it (SubjectPublicKeyInfo)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return public_of(load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm):
        return None


def public_of(key: object) -> PublicKey | None:
    """Give a key of the library as one of ours; None when signatures are not checked with its kind."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    match key:
        case Ed25519PublicKey():
            algorithm: Algorithm = "ed25519"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            algorithm = "ecdsa-p256-sha256"
        case _:
            return None
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(key, algorithm, hashlib.sha256(der).hexdigest())


def _broken(what: str, expected: str, seen: str) -> IntegrityBroken:
    return IntegrityBroken(
        f"{what} is not readable as evidence",
        expected=expected,
        seen=seen,
        hint="it was never written by Landbridge, or was changed since: look at who can write there",
    )
