"""Which key signs evidence bundles, and which keys are they checked with?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge import dsse
from landbridge.errors import UsageError
from landbridge.twin.state import EVIDENCE_KEY, EVIDENCE_PUBLIC_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from landbridge.ports import Signer
    from landbridge.project import EvidenceDeclared, Place
    from landbridge.twin.state import Ground
    from landbridge.wiring.secrets import References

_EXAMPLE = 'evidence: {signing_key: "file:keys/evidence.pem", public_keys: ["file:keys/evidence.pub"]}'


def signer(
    place: Place, references: References, session: Callable[[], boto3.Session], twin: Ground | None
) -> Signer:
    """Give what signs bundles of an environment; on the twin, the twin's own key.

    Raises:
        UsageError: no key is declared, or it cannot be used.
    """
    if twin is not None:
        return _in_file(twin.receipt_key_file.with_name(EVIDENCE_KEY).read_text(encoding="utf-8"))
    declared = _declared(place)
    if declared.signing_key is not None:
        return _in_file(references.resolve(declared.signing_key))
    if declared.kms_key is None:  # the model's validator has refused this
        raise AssertionError(place.environment)
    from landbridge.signers.kms import open_key

    region = declared.kms_key.split(":")[3]
    return open_key(session().client("kms", region_name=region), declared.kms_key)


def checked_with(place: Place, references: References, twin: Ground | None) -> tuple[str, ...]:
    """Give the public keys (PEM) that bundles of an environment are checked with; none where none are declared.

    Raises:
        UsageError: one is not there.
    """
    if twin is not None:
        return (twin.receipt_key_file.with_name(EVIDENCE_PUBLIC_KEY).read_text(encoding="utf-8"),)
    return tuple(references.text(key) for key in place.evidence.public_keys) if place.evidence else ()


def _declared(place: Place) -> EvidenceDeclared:
    if place.evidence is None:
        raise UsageError(
            f"no key for evidence is declared for `{place.environment}`",
            expected="a section `evidence` in landbridge.yaml",
            hint=f"add {_EXAMPLE} and make the key: openssl genpkey -algorithm ed25519 -out keys/evidence.pem",
        )
    return place.evidence


def _in_file(pem: str) -> Signer:
    key = dsse.private_key(pem)
    if key is None:
        raise UsageError(
            "the key that signs evidence cannot be used",
            expected="an Ed25519 private key in PEM (PKCS 8), without a passphrase",
            hint="make one: openssl genpkey -algorithm ed25519 -out keys/evidence.pem",
        )
    return key
