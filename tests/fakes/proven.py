"""One slot that went all the way, in memory: what evidence is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from landbridge import bundle, dsse
from landbridge.facts import Content, Location, Receipt, Released, Taken, Verdict
from landbridge.ledger import Ledger, make_receipt_bytes, manifest_bytes
from landbridge.naming import manifest_key, receipt_key
from landbridge.steps.record import record
from landbridge.world import Evidence
from tests.fakes.facts import AT, commitment, downloaded
from tests.fakes.memory_store import MemoryStore
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from landbridge.bundle import Bundle
    from landbridge.facts import Commitment, Download

FILE = b"id,amount\n1,12.50\n"
CONTENT = Content(len(FILE), hashlib.sha256(FILE).hexdigest(), 1)
CONTRACT = "apiVersion: v3.1.0\nkind: DataContract\nname: flights\nversion: 1.0.0\n"


@dataclass(frozen=True)
class Pair:
    """A key pair in PEM."""

    private: str
    public: str


@cache
def pair(seed: int) -> Pair:
    """Give an Ed25519 key that is the same each time."""
    return _pems(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def _pems(key: Ed25519PrivateKey) -> Pair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Pair(private.decode(), public.decode())


COLLECTOR, AUDIT, STRANGER = pair(1), pair(3), pair(2)


@dataclass(frozen=True)
class P256:
    """An ECDSA key in this process, as KMS has them; obeys ports.Signer."""

    public: str
    key_id: str

    def sign(self, message: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        return derive_private_key(7, SECP256R1()).sign(message, ECDSA(SHA256()))


def p256() -> P256:
    pem = (
        derive_private_key(7, SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    known = dsse.public_key(pem)
    assert known is not None
    return P256(pem, known.key_id)


def signer(keys: Pair = AUDIT) -> dsse.KeyInFile:
    found = dsse.private_key(keys.private)
    assert found is not None
    return found


@dataclass
class Proven:
    """The stores, and what a run and a collector leave in them."""

    store: MemoryStore
    reports: MemoryStore
    ledger: Ledger
    run_id: str = "run-1"
    actor: str = "cron@pod"

    @property
    def clock(self) -> SetClock:
        return SetClock(AT)

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            environment="UAT",
            ledger=self.ledger,
            reports=self.reports,
            staging=MemoryStore(),
            receipt_keys=(COLLECTOR.public,),
            share=None,
            store_of=lambda _: self.reports,
        )

    def decide(
        self, revision: int = 1, *, old: bool = False, verdict: Verdict = Verdict.RELEASE
    ) -> Commitment:
        """Commit; `old` as before contracts were kept."""
        contract = "" if old else self.ledger.keep_contract(CONTRACT)
        made = replace(
            commitment(revision=revision, verdict=verdict),
            plain=CONTENT,
            delivered=CONTENT,
            recipients=(),
            contract=contract,
        )
        made = replace(made, target=replace(made.target, key=f"outbound/flights/flights_{revision}.csv"))
        return self.ledger.commit(made)

    def release(self, decided: Commitment, *, recorded: bool = True) -> None:
        """Do what promotion does."""
        blob = self.reports._add(decided.target.key, FILE)
        digest = self.ledger.digest(decided)
        manifest = manifest_bytes(decided, digest)
        written = self.reports.put_new(manifest_key(decided.slot, decided.revision), manifest)
        at = replace(blob.at, version="v7", etag='"e7"')
        if recorded:
            record(Released(decided, at, written.at), manifest, digest, self)

    def receipt(self, decided: Commitment, *, old: bool = False) -> Receipt:
        """Give it; `old` as before downloads were kept."""
        return Receipt(
            feed=decided.slot.feed,
            occurrence=decided.slot.occurrence,
            business_date=decided.slot.business_date,
            revision=decided.revision,
            environment=decided.environment,
            size=decided.delivered.size,
            sha256=decided.delivered.sha256,
            landed_path=decided.target.landed_name,
            landed_at=AT,
            collector="edge1",
            commitment=self.ledger.digest(decided),
            brought=None if old else self.download(decided),
        )

    def taken(self, decided: Commitment) -> Taken:
        content, name = decided.delivered, decided.target.key.rpartition("/")[2]
        path, digest = f"/holding/{decided.slot.feed}/{name}", self.ledger.digest(decided)
        return Taken(path, content.size, content.sha256, AT, AT, "edge1.land.flights", digest)

    def download(self, decided: Commitment) -> Download:
        content, digest = decided.delivered, self.ledger.digest(decided)
        return downloaded(content.size, content.sha256, digest, path=f"/{decided.target.key}")

    def land(
        self, decided: Commitment, keys: Pair = COLLECTOR, *, old: bool = False, taken: bool = False
    ) -> None:
        """Do what the collector does; `taken` as where another mover brings the files."""
        receipt = self.receipt(decided, old=old)
        if taken:
            receipt = replace(receipt, brought=self.taken(decided))
        key = receipt_key(receipt.feed, receipt.occurrence, receipt.revision, receipt.business_date)
        self.reports._add(key, make_receipt_bytes(receipt, keys.private))

    def bundle(self, about: Commitment, declared: bundle.gathering.Declared | None = None) -> Bundle:
        return bundle.gather(
            about,
            self.ledger.history(about.slot),
            self.evidence,
            project="eidv",
            declared=declared,
            made_at=AT,
            made_by="auditor@desk",
        )


def stage() -> Proven:
    store = MemoryStore()
    return Proven(store, MemoryStore(), Ledger(store, "UAT"))


def delivered() -> tuple[Proven, Commitment]:
    """One revision, all the way."""
    there = stage()
    decided = there.decide()
    there.release(decided)
    there.land(decided)
    return there, decided


def elsewhere(at: Location) -> Location:
    return replace(at, key=at.key + ".elsewhere")
