"""How does a key in AWS KMS sign evidence? The key never leaves KMS; only a digest goes there.

ECDSA on P-256 alone: of what KMS signs, it is what every checker knows, and it takes a digest. KMS's Ed25519 takes at
most 4,096 bytes of message, which a bundle exceeds, and its pre-hashed form is another signature than DSSE's checkers know.

Source: AWS KMS API Reference, Sign and GetPublicKey; AWS KMS Developer Guide, "Asymmetric key specs".
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landbridge import dsse
from landbridge.errors import NotPermitted, Unavailable, UsageError
from landbridge.refusals import BUSY, CHAIN, DENIED, EXPIRED, LOG_IN, NO_CREDENTIALS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

ALGORITHM = "ECDSA_SHA_256"
KEY_SPEC = "ECC_NIST_P256"


@dataclass(frozen=True, slots=True)
class KmsKey:
    """One key in KMS; obeys ports.Signer."""

    client: Any
    """boto3's client of KMS."""
    arn: str
    public: dsse.PublicKey

    @property
    def key_id(self) -> str:
        """See ports.Signer."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """See ports.Signer. Sends the SHA-256 of `message`, so that its size does not matter.

        Raises:
            NotPermitted, Unavailable, UsageError: KMS did not sign.
        """
        with _told(self.arn):
            answer = self.client.sign(
                KeyId=self.arn,
                Message=hashlib.sha256(message).digest(),
                MessageType="DIGEST",
                SigningAlgorithm=ALGORITHM,
            )
        signature: bytes = answer["Signature"]
        return signature


def open_key(client: Any, arn: str) -> KmsKey:  # noqa: ANN401 - boto3's client
    """Give the key `arn`, if it is one that signs evidence.

    Raises:
        UsageError: there is no such key, or it is of another kind.
        NotPermitted, Unavailable: KMS did not tell.
    """
    with _told(arn):
        answer = client.get_public_key(KeyId=arn)
    public = dsse.public_key_of_der(answer["PublicKey"])
    spec, usage = answer.get("KeySpec", ""), answer.get("KeyUsage", "")
    if public is None or spec != KEY_SPEC or usage != "SIGN_VERIFY":
        raise UsageError(
            f"the KMS key {arn} cannot sign evidence",
            expected=f"key spec {KEY_SPEC}, usage SIGN_VERIFY",
            seen=f"{spec}, {usage}",
            hint="make one: aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY",
        )
    return KmsKey(client, arn, public)


@contextmanager
def _told(arn: str) -> Iterator[None]:
    """Say what an error of KMS means for whoever wants to sign."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except NO_CREDENTIALS as error:
        raise NotPermitted(f"there are no credentials to use {arn} with", hint=CHAIN) from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in EXPIRED:
            raise NotPermitted("the credentials have expired", hint=LOG_IN) from error
        if code in DENIED | UNKNOWN:
            need = "it needs kms:GetPublicKey and kms:Sign for this key"
            raise NotPermitted(f"KMS refused to use {arn}", seen=code, hint=need) from error
        if code in BUSY or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER:
            raise Unavailable(f"KMS did not answer for {arn}", seen=code) from error
        raise UsageError(
            f"KMS does not sign with {arn}",
            seen=code,
            hint="compare evidence.kms_key with the key's ARN and state",
        ) from error
    except BotoCoreError as error:
        raise Unavailable("KMS cannot be reached", seen=type(error).__name__) from error


_SERVER = 500
"""The first status that means: the server's fault."""
