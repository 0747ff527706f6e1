"""Does every kind of key sign so that a bundle holds? A key in a file, and one in KMS that really signs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

from landbridge import dsse
from landbridge.bundle import check, payload_of
from landbridge.errors import NotPermitted, Unavailable, UsageError
from landbridge.signers.kms import KmsKey, open_key
from tests.fakes.proven import AUDIT, delivered, p256, signer

if TYPE_CHECKING:
    from tests.servers.ministack import Ministack

ARN = "arn:aws:kms:eu-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _pem(der: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    return load_der_public_key(der).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_key_in_a_file_signs_what_its_public_half_checks() -> None:
    there, decided = delivered()
    body = dsse.sealed(payload_of(there.bundle(decided)), signer())
    check(body, [AUDIT.public])
    assert dsse.private_key("no key") is None
    assert dsse.private_key(AUDIT.public) is None


@pytest.mark.slow
def test_a_key_in_kms_signs_what_its_public_half_checks(ministack: Ministack) -> None:
    kms = ministack.client("kms")
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    key = open_key(kms, made["Arn"])
    there, decided = delivered()
    body = dsse.sealed(payload_of(there.bundle(decided)), key)
    pem = _pem(kms.get_public_key(KeyId=made["Arn"])["PublicKey"])
    _, checked = check(body, [pem])
    assert all(one.holds for one in checked)
    assert checked[0].seen.startswith("ecdsa-p256-sha256")


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P384"])
def test_a_key_of_another_kind_is_refused_with_how_to_make_one(ministack: Ministack, spec: str) -> None:
    kms = ministack.client("kms")
    made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    with pytest.raises(UsageError, match="cannot sign evidence") as told:
        open_key(kms, made["Arn"])
    assert "ECC_NIST_P256" in told.value.hint


class Refusing:
    """A client of KMS whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_public_key(self, **_: object) -> dict[str, Any]:
        raise self._error

    def sign(self, **_: object) -> dict[str, Any]:
        raise self._error


def _answer(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Sign",
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_answer("AccessDeniedException"), NotPermitted),
        (_answer("UnrecognizedClientException"), NotPermitted),
        (_answer("InvalidClientTokenId", 403), NotPermitted),
        (NoCredentialsError(), NotPermitted),
        (ProfileNotFound(profile="x"), NotPermitted),
        (_answer("SomethingNew", 599), Unavailable),
        (_answer("SomethingNew", 499), UsageError),
        (ClientError({"Error": {"Code": "SomethingNew"}}, "Sign"), UsageError),
        (_answer("ExpiredTokenException"), NotPermitted),
        (_answer("ThrottlingException"), Unavailable),
        (_answer("KMSInternalException", 500), Unavailable),
        (_answer("NotFoundException"), UsageError),
        (_answer("DisabledException"), UsageError),
        (EndpointConnectionError(endpoint_url="https://kms"), Unavailable),
    ],
    ids=str,
)
def test_what_kms_refuses_says_what_to_do(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        open_key(Refusing(error), ARN)


@pytest.mark.parametrize(
    ("spec", "usage", "is_taken"),
    [
        ("ECC_NIST_P256", "SIGN_VERIFY", True),
        ("ECC_NIST_P256", "KEY_AGREEMENT", False),
        ("ECC_NIST_P384", "SIGN_VERIFY", False),
        ("", "SIGN_VERIFY", False),
    ],
)
def test_a_key_is_taken_by_what_kms_says_of_it(spec: str, usage: str, is_taken: bool) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    class Telling(Refusing):
        def get_public_key(self, **asked: object) -> dict[str, Any]:
            assert asked == {"KeyId": ARN}
            public = load_pem_public_key(p256().public.encode())
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return {"PublicKey": der, "KeySpec": spec, "KeyUsage": usage}

    client = Telling(AssertionError("nothing is signed yet"))
    if is_taken:
        assert open_key(client, ARN).key_id == p256().key_id
        return
    with pytest.raises(UsageError, match="cannot sign evidence"):
        open_key(client, ARN)


def test_what_kms_gives_that_is_no_key_is_not_taken() -> None:
    class Telling(Refusing):
        def get_public_key(self, **_: object) -> dict[str, Any]:
            return {"PublicKey": b"none", "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}

    with pytest.raises(UsageError, match="cannot sign evidence"):
        open_key(Telling(AssertionError()), ARN)


def test_what_kms_signs_is_the_digest_of_the_message() -> None:
    """KMS takes 4,096 bytes; the whole of a short message would be another signature than that of a long one's digest."""

    class Signing(Refusing):
        asked: dict[str, object]

        def sign(self, **asked: object) -> dict[str, Any]:
            self.asked = asked
            return {"Signature": b"s"}

    client = Signing(AssertionError())
    known = dsse.public_key(p256().public)
    assert known is not None
    assert KmsKey(client, ARN, known).sign(b"x" * 10_000) == b"s"
    assert client.asked == {
        "KeyId": ARN,
        "Message": hashlib.sha256(b"x" * 10_000).digest(),
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }


def test_a_p256_key_is_known_by_the_digest_of_its_der_form() -> None:
    known = dsse.public_key(p256().public)
    assert known is not None
    assert (known.algorithm, len(known.key_id)) == ("ecdsa-p256-sha256", 64)
