"""Which facts does a slot have, wherever they lie?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from landbridge.bundle.statement import Bundle, link
from landbridge.errors import NotFound
from landbridge.facts import Seen, Verdict
from landbridge.ledger import brought_fact, entries, envelope_in, manifest_for, read_receipt
from landbridge.naming import contract_key, ledger_key, manifest_key, promotion_key, receipt_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from landbridge.bundle.statement import ContractKnown, Link
    from landbridge.facts import Commitment
    from landbridge.world import Evidence


@dataclass(frozen=True, slots=True)
class Declared:
    """A contract as it is declared now, for entries of before the ledger kept the texts."""

    name: str
    version: str
    text: str


def gather(
    commitment: Commitment,
    history: Sequence[Commitment],
    evidence: Evidence,
    *,
    project: str,
    declared: Declared | None,
    made_at: datetime,
    made_by: str,
) -> Bundle:
    """Put together what is on record of a slot, all revisions of it in `history`; the bundle is about `commitment`.

    Raises:
        IntegrityBroken: something on record does not hold; no bundle is made of it.
        NotFound: a text that the ledger names is not there.
    """
    stored = evidence.ledger.entries_of(commitment.slot)
    known = _known(commitment, declared)
    links: list[Link] = []
    if known == "as declared when bundled" and declared is not None:
        links.append(link("contract", "", declared.text.encode(), ()))
    for kind, name, body in _facts(history, stored, evidence):
        links.append(link(kind, name, body, links))
    name = commitment.target.landed_name.rpartition("/")[2] or str(commitment.slot)
    return Bundle(
        project=project,
        environment=commitment.environment,
        slot=commitment.slot,
        revision=commitment.revision,
        verdict=commitment.verdict,
        name=name,
        plain=commitment.plain,
        delivered=commitment.delivered,
        contract=known,
        links=tuple(links),
        receipt_keys=evidence.receipt_keys,
        made_at=made_at,
        made_by=made_by,
    )


def _known(commitment: Commitment, declared: Declared | None) -> ContractKnown:
    if commitment.contract:
        return "kept"
    report = commitment.report
    same = declared is not None and (declared.name, declared.version) == (
        report.contract,
        report.contract_version,
    )
    return "as declared when bundled" if same else "unknown"


def _facts(
    history: Sequence[Commitment], stored: dict[str, bytes], evidence: Evidence
) -> Iterator[tuple[str, str, bytes]]:
    """Yield kind, key and bytes of every fact, each after those that it names."""
    for digest in dict.fromkeys(one.contract for one in history if one.contract):
        yield "contract", contract_key(digest), evidence.ledger.contract(digest)
    decided = {
        key
        for one in history
        for key in (ledger_key(one.slot, one.revision), promotion_key(one.slot, one.revision))
    }
    for key in sorted(stored.keys() - decided):
        yield _kind(key, stored[key]), key, stored[key]
    for one in history:
        yield "commitment", ledger_key(one.slot, one.revision), stored[ledger_key(one.slot, one.revision)]
        if one.verdict is Verdict.RELEASE:
            yield from _moved(one, stored, evidence)


def _moved(
    commitment: Commitment, stored: dict[str, bytes], evidence: Evidence
) -> Iterator[tuple[str, str, bytes]]:
    slot, revision = commitment.slot, commitment.revision
    try:
        yield "manifest", manifest_key(slot, revision), evidence.reports.read(manifest_key(slot, revision))
    except NotFound:
        return  # not released yet
    promotion = promotion_key(slot, revision)
    if promotion in stored:
        yield "promotion", promotion, stored[promotion]
    elif blob := evidence.reports.head(commitment.target.key):
        # Released before records of releases were kept: what is there now is the best that can be said.
        seen = Seen(blob.at, blob.size, blob.sha256, blob.modified_at)
        yield "object", commitment.target.key, entries.written("object", seen)
    digest = hashlib.sha256(stored[ledger_key(slot, revision)]).hexdigest()
    if body := envelope_in(evidence.reports, manifest_for(commitment, digest), evidence.receipt_keys):
        key = receipt_key(slot.feed, slot.occurrence, revision, slot.business_date)
        if brought := read_receipt(body, evidence.receipt_keys).brought:
            kind, fact = brought_fact(brought)
            yield kind, f"{key}#{kind}", fact
        yield "receipt", key, body


def _kind(key: str, body: bytes) -> str:
    try:
        return str(orjson.loads(body)["kind"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise entries.broken(key, "an entry of the ledger", type(error).__name__) from error
