"""Is a signature one key's, over one payload?"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from landbridge import dsse
from landbridge.errors import IntegrityBroken
from tests.fakes.proven import AUDIT, pair


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_signature_is_of_one_key_over_one_payload(kind: str) -> None:
    def made(number: int) -> tuple[Any, Any]:
        """A way to sign, and the public key."""
        if kind == "ed25519":
            key = dsse.private_key(pair(number).private)
            assert key is not None
            return key.sign, key.public
        secret = derive_private_key(number, SECP256R1())
        known = dsse.public_of(secret.public_key())
        return (lambda message: secret.sign(message, ECDSA(SHA256()))), known

    (sign, known), (_, other) = made(3), made(4)
    signature = sign(dsse.pae(b"payload"))
    assert known.verifies(signature, b"payload")
    assert not known.verifies(signature, b"payload.")
    assert not known.verifies(sign(b"payload"), b"payload"), "the type of the payload is signed, too"
    assert not known.verifies(signature[:-1] + bytes([signature[-1] ^ 1]), b"payload")
    assert not known.verifies(b"", b"payload")
    assert not other.verifies(signature, b"payload")


def test_only_an_ed25519_key_of_ours_signs_and_it_is_not_shown() -> None:
    curve = derive_private_key(7, SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert dsse.private_key(curve.decode()) is None
    assert dsse.private_key("no key") is None
    assert dsse.private_key(AUDIT.public) is None
    key = dsse.private_key(AUDIT.private)
    assert key is not None
    assert "PrivateKey" not in repr(key)


@pytest.mark.parametrize(
    ("found", "count"),
    [
        ([], 0),
        ([5, "x", None, [], {}, {"keyid": "k"}], 0),
        ([{"sig": "AAAA"}], 1),
        ([{"sig": "AAAA", "keyid": "k"}] * dsse._MOST_SIGNATURES, dsse._MOST_SIGNATURES),
    ],
)
def test_what_is_no_signature_is_none(found: list[object], count: int) -> None:
    """Strangers may put anything beside ours."""
    body = orjson.dumps({"payload": "AAAA", "payloadType": dsse.PAYLOAD_TYPE, "signatures": found})
    assert len(dsse.opened(body, "it", len(body)).signatures) == count
    with pytest.raises(IntegrityBroken):
        dsse.opened(body, "it", len(body) - 1)


@pytest.mark.parametrize(
    "odd",
    [
        {"payloadType": "text/plain"},
        {"signatures": [{"sig": "AAAA"}] * (dsse._MOST_SIGNATURES + 1)},
        {"signatures": [{"sig": "AAA"}]},
        {"signatures": [{"sig": "AA*A"}]},
        {"signatures": {}},
        {"payload": "A"},
        {"payload": 5},
    ],
)
def test_what_is_no_envelope_is_refused(odd: dict[str, object]) -> None:
    sound = {"payload": "AAAA", "payloadType": dsse.PAYLOAD_TYPE, "signatures": []}
    with pytest.raises(IntegrityBroken):
        dsse.opened(orjson.dumps(sound | odd), "it", 1 << 20)


def test_what_is_no_public_key_is_none() -> None:
    assert dsse.public_key_of_der(b"no key") is None
    assert dsse.public_key("no key") is None
    assert dsse.public_key(AUDIT.private) is None
