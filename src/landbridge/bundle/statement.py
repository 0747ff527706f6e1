"""What stands in a bundle, and in which one form is it written?

The payload is an in-toto statement whose subject is the file. Its predicate carries every fact of the slot as it is
stored, byte for byte, each with its sha256 and with the digests of the facts before it that it names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - as above
from typing import Literal

import orjson
from pydantic import TypeAdapter

from landbridge import dsse
from landbridge.errors import IntegrityBroken
from landbridge.facts import Content, Slot, Verdict  # noqa: TC001 - as above
from landbridge.ledger import entries

PREDICATE = "urn:landbridge:evidence:v1"
MOST = 64 << 20
"""Bytes of a bundle."""

ContractKnown = Literal["kept", "as declared when bundled", "unknown"]
"""Kept: the text by which the verdict was made, chained to it. Entries of before the ledger kept texts have no such chain."""


@dataclass(frozen=True, slots=True)
class Link:
    """One fact, as it is stored."""

    kind: str
    """`contract`, `attempt`, `failure`, `commitment`, `manifest`, `promotion`, `object`, `download` or `taken`, `receipt`."""
    name: str
    """Its key: in the ledger, or in the reports store; of what travels in a receipt, the receipt's with `#` and its kind."""
    sha256: str
    """Of `text` in UTF-8."""
    follows: tuple[str, ...]
    """Digests of the links before this one that stand in it, in their order."""
    text: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """The evidence of one revision of one slot."""

    project: str
    environment: str
    slot: Slot
    revision: int
    verdict: Verdict
    name: str
    """Of the file, as the consumer knows it; the slot's, where there is none."""
    plain: Content
    """What was validated."""
    delivered: Content
    """What travels: equal to `plain` unless the feed encrypts. The subject is this."""
    contract: ContractKnown
    links: tuple[Link, ...]
    receipt_keys: tuple[str, ...]
    """Public keys (PEM) of the collectors, as declared when the bundle was made."""
    made_at: datetime
    made_by: str


def link(kind: str, name: str, body: bytes, before: Collection[Link]) -> Link:
    """Chain a stored fact to those before it.

    Raises:
        IntegrityBroken: it is not UTF-8.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise entries.broken(name, "UTF-8", f"byte {error.start}") from error
    named = _named(kind, body)
    digests = dict.fromkeys(one.sha256 for one in before)
    return Link(
        kind, name, hashlib.sha256(body).hexdigest(), tuple(one for one in digests if one in named), text
    )


def payload_of(bundle: Bundle) -> bytes:
    """Give the statement that is signed: the same bundle always gives the same bytes."""
    return entries.canonical(
        {
            "_type": dsse.STATEMENT,
            "subject": [{"name": bundle.name, "digest": {"sha256": bundle.delivered.sha256}}],
            "predicateType": PREDICATE,
            "predicate": orjson.loads(entries.written("evidence", bundle)),
        }
    )


def bundle_in(payload: bytes) -> Bundle:
    """Read a payload whose signature holds.

    Raises:
        IntegrityBroken: it is no bundle, or not in the one form that `payload_of` gives.
    """
    try:
        statement = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise entries.broken("a bundle", "an in-toto statement", "no JSON") from error
    match statement:
        case {"_type": str(kind), "predicateType": str(predicate), "predicate": dict(fields)} if (
            kind == dsse.STATEMENT and predicate == PREDICATE
        ):
            found = entries.read("evidence", Bundle, entries.canonical(fields), "a bundle", most=MOST)
        case _:
            raise entries.broken("a bundle", f"an in-toto statement of {PREDICATE}", "another statement")
    if payload_of(found) != payload:
        raise IntegrityBroken(
            "the bundle is not written in the one form that is demanded",
            expected="sorted keys, no spaces, UTF-8, and the file it speaks of as its subject",
        )
    return found


def schema() -> dict[str, object]:
    """Give the JSON Schema (draft 2020-12) of the statement in a bundle."""
    predicate = TypeAdapter(Bundle).json_schema(ref_template="#/$defs/{model}")
    definitions = predicate.pop("$defs", {})
    properties = {"kind": {"const": "evidence"}, "schema": {"const": entries.SCHEMA}}
    predicate["properties"] = properties | predicate["properties"]
    predicate["required"] = [*properties, *predicate["required"]]
    for part in (predicate, *definitions.values()):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
    digest = {
        "type": "object",
        "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
        "required": ["sha256"],
        "additionalProperties": False,
    }
    subject = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "digest": digest},
        "required": ["name", "digest"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": PREDICATE,
        "title": "The statement in an evidence bundle of Landbridge",
        "type": "object",
        "properties": {
            "_type": {"const": dsse.STATEMENT},
            "subject": {"type": "array", "items": subject, "minItems": 1, "maxItems": 1},
            "predicateType": {"const": PREDICATE},
            "predicate": predicate,
        },
        "required": ["_type", "subject", "predicateType", "predicate"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _named(kind: str, body: bytes) -> set[str]:
    """Give every text that stands in a fact as a value; in a receipt, in what is signed of it."""
    if kind == "contract":
        return set()
    if kind == "receipt":
        body = dsse.opened(body, "a receipt", MOST).payload
    try:
        return set(_texts(orjson.loads(body)))
    except orjson.JSONDecodeError as error:
        raise entries.broken(f"a fact of kind {kind}", "JSON", f"line {error.lineno}: {error.msg}") from error


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            return
