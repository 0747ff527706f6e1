"""What exactly will a run of this slot do? (Feed, slot, revision) -> Plan and its digest; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING

from landbridge.naming import ledger_key, manifest_key, receipt_key, target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.facts import Content, Slot, Target
    from landbridge.feed import Feed


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one revision of a slot that is decided before anything runs."""

    slot: Slot
    revision: int
    environment: str
    target: Target
    commitment_key: str
    manifest_key: str
    receipt_key: str
    sources: tuple[str, ...]
    contract: str
    format: str
    compression: str
    encrypted: bool
    empty: str
    also_to: tuple[str, ...]
    digest: str
    """sha256 over all of the above and the feed's whole declaration: a commitment names the plan that was applied."""


def plan(
    feed: Feed, slot: Slot, *, environment: str, variables: Mapping[str, str], revision: int = 1
) -> Plan:
    """Decide what revision `revision` of `slot` will be called and do.

    Raises:
        UsageError: a template of the feed cannot be filled for this slot.
    """
    draft = Plan(
        slot=slot,
        revision=revision,
        environment=environment,
        target=target(feed, slot, environment, revision, variables),
        commitment_key=ledger_key(slot, revision),
        manifest_key=manifest_key(slot, revision),
        receipt_key=receipt_key(slot.feed, slot.occurrence, revision, slot.business_date),
        sources=tuple(f"{name} ({declared.kind})" for name, declared in feed.sources.items()),
        contract=feed.contract.file,
        format=feed.file.format.kind,
        compression=feed.file.compression,
        encrypted=feed.file.encryption is not None,
        empty=feed.empty,
        also_to=tuple(f"{place.name} ({place.kind})" for place in feed.file.also_to),
        digest="",
    )
    text = f"{_spelled(draft)!r}\n{feed.model_dump_json()}"
    return replace(draft, digest=hashlib.sha256(text.encode()).hexdigest())


def _spelled(fact: Plan | Slot | Target) -> dict[str, object]:
    """Give what `dataclasses.asdict` gives of facts within facts, without its deep copies: those cost more than the rest."""
    named = ((one.name, getattr(fact, one.name)) for one in fields(fact))
    return {name: _spelled(value) if is_dataclass(value) else value for name, value in named}  # type: ignore[arg-type] # one of the three


def same_bytes(content: Content, other: Content) -> bool:
    """Tell whether two descriptions are of the same bytes (their row counts may be unknown)."""
    return (content.size, content.sha256) == (other.size, other.sha256)
