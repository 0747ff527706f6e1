"""Can every secret be resolved, is every key one that can be used, do the pairs fit, and how old are they? None is ever shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.deploy.referred import references
from landbridge.doctor.finding import broken, ok, refused, skipped, warn
from landbridge.errors import Exit, IntegrityBroken, LandbridgeError
from landbridge.facts import Receipt
from landbridge.formats.openpgp import ends_of
from landbridge.ledger import make_receipt_bytes, read_receipt
from landbridge.sftp import keys as ssh_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient

OLD = timedelta(days=365)
"""Age of an SSH key at which somebody should bring a new one."""
SOON = timedelta(days=60)
"""A recipient's key that ends so soon is said: getting a new one takes people some weeks."""
_LEAST_RSA = 2048
_GOOD_RSA = 3072


def of_cloud(patient: Patient) -> Iterator[Finding]:
    """See that every reference of the feeds and of the watch resolves."""
    parts = (*patient.feeds, patient.place.watch)
    yield from _resolved(patient, sorted({each for part in parts for each in references(part)}))


def of_ground(patient: Patient) -> Iterator[Finding]:
    """See that every reference of SFTP side and share resolves; the twin has keys of its own."""
    if patient.twin:
        yield skipped("", "the twin has keys of its own, whatever is declared")
        return
    parts = (patient.place.sftp, patient.place.share)
    yield from _resolved(patient, sorted({each for part in parts for each in references(part)}))


def _resolved(patient: Patient, found: list[str]) -> Iterator[Finding]:
    if not found:
        yield ok("", "the declaration refers to none")
    for reference in found:
        try:
            known = patient.secrets.resolve(reference)
        except LandbridgeError as error:
            yield refused(reference, error, error.hint)
            continue
        if known.strip():
            yield ok(reference, "resolves")
        else:
            yield broken(reference, "resolves to nothing", Exit.DECLARATION)


def sftp_key(patient: Patient) -> Iterator[Finding]:
    """See that the SFTP user's private key can be read, and is long enough."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    keys = ssh_keys.read(patient.endpoint())
    key = load_ssh_private_key(keys.private.encode(), None)
    kind = type(key).__name__.strip("_").removesuffix("PrivateKey").removesuffix("Private")
    if not isinstance(key, RSAPrivateKey):
        yield ok("", kind)
        return
    seen = f"RSA of {key.key_size} bits"
    if key.key_size < _LEAST_RSA:
        yield broken("", f"{seen}: servers refuse it", Exit.PERMISSION)
    elif key.key_size < _GOOD_RSA:
        yield warn("", f"{seen}, {_GOOD_RSA} or more are usual")
    else:
        yield ok("", seen)


def age(patient: Patient) -> Iterator[Finding]:
    """See how old the SFTP user's private key is, where it is a file: its time tells."""
    declared = patient.place.sftp.private_key
    if patient.twin:
        yield skipped("", "the twin's key is made with the twin")
    elif not declared.startswith("file:"):
        why = "only a file tells its age here; of a secret, `landbridge keys status` does"
        yield skipped("", why)
    else:
        path = patient.declared.folder / declared.removeprefix("file:")
        try:
            made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            yield skipped("", f"{path} cannot be looked at: {error.strerror}")
            return
        days = (patient.now() - made).days
        seen = counted(days, "day")
        yield warn("", seen) if patient.now() - made > OLD else ok("", seen)


def receipts(patient: Patient) -> Iterator[Finding]:
    """See that what this collector signs is believed by who reads it: the private key fits one of the public ones."""
    at = patient.now()
    trial = Receipt(
        "landbridge-doctor",
        f"{at:%Y%m%dT%H%MZ}",
        at.date(),
        1,
        patient.environment,
        0,
        "0" * 64,
        "trial",
        at,
        "doctor",
        "0" * 64,
    )
    body = make_receipt_bytes(trial, patient.receipt_key())
    public = patient.receipt_keys()
    try:
        read_receipt(body, public)
    except IntegrityBroken:
        seen = f"none of the declared public keys ({len(public)}) is of the private one: nobody would believe a receipt"
        yield broken("", seen, Exit.INTEGRITY)
        return
    fits = "the declared public key" if len(public) == 1 else f"one of the {len(public)} declared public keys"
    yield ok("", f"the private key fits {fits}")


def recipients(patient: Patient) -> Iterator[Finding]:
    """See that every recipient's OpenPGP key can be encrypted to, and when it ends."""
    encrypted = [feed for feed in patient.feeds if feed.file.encryption]
    if not encrypted:
        yield ok("", "no feed encrypts")
    for feed in encrypted:
        for reference in feed.file.encryption.recipients if feed.file.encryption else ():
            what = f"{feed.feed}: {reference}"
            try:
                ends = ends_of(patient.secrets.resolve(reference), patient.now())
            except LandbridgeError as error:
                yield refused(what, error, error.hint)
                continue
            if ends is None:
                yield ok(what, "never expires")
            elif ends - patient.now() < SOON:
                yield warn(what, f"expires on {ends:%Y-%m-%d}", "ask the recipient for their new key")
            else:
                yield ok(what, f"until {ends:%Y-%m-%d}")
