"""How is the cloud side of one environment filled in?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from landbridge.disk.scratch import scratch
from landbridge.feed.outputs import FolderPlace, StorePlace
from landbridge.ledger import Ledger
from landbridge.naming import render
from landbridge.stores.retried import Retried
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.world import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import boto3

    from landbridge.facts import Commitment, Slot
    from landbridge.feed import Feed
    from landbridge.ports import Gate, Source, Store
    from landbridge.ports import Place as PlacePort
    from landbridge.project import Declaration, Place
    from landbridge.wiring.process import Process
    from landbridge.wiring.secrets import References


def make(
    declared: Declaration,
    place: Place,
    *,
    session: boto3.Session,
    endpoint: str | None,
    references: References,
    process: Process,
) -> Cloud:
    """Fill in the ports of a run."""
    account = S3Account(session, endpoint)
    buckets = place.buckets
    staging = Retried(S3Store(buckets.staging, account=account))
    entries = S3Store(buckets.ledger, buckets.ledger_prefix, account=account)

    return Cloud(
        environment=place.environment,
        variables=place.variables,
        staging=staging,
        reports=Retried(S3Store(buckets.reports, account=account)),
        ledger=Ledger(Retried(entries), place.environment, once=entries),
        sources=partial(_sources, declared, place, account, references, process),
        gate=partial(_gate, declared.folder),
        places=partial(_places, declared, place, account, references),
        recipients=partial(_recipients, references),
        scratch=scratch,
        clock=process.clock,
        progress=process.progress,
        run_id=process.run_id,
        actor=process.actor,
    )


def for_canary(
    cloud: Cloud, place: Place, session: boto3.Session, endpoint: str | None, canary: str
) -> Cloud:
    """Give the cloud side as a canary has it: its own source, ledger and reports, one level below the real ones."""
    from landbridge.canary import below, bird

    account = S3Account(session, endpoint)
    buckets = place.buckets
    ledger = S3Store(buckets.ledger, below.ledger_prefix(canary, buckets.ledger_prefix), account=account)

    @contextmanager
    def sources(_: Feed, __: Slot) -> Iterator[Mapping[str, Source]]:
        yield {"seed": bird.Seed(canary, cloud.clock, cloud.progress)}

    return replace(
        cloud,
        reports=Retried(S3Store(buckets.reports, below.reports_prefix(canary), account=account)),
        ledger=Ledger(Retried(ledger), place.environment),
        sources=sources,
        gate=bird.gate,
    )


@contextmanager
def _sources(
    declared: Declaration,
    place: Place,
    account: S3Account,
    references: References,
    process: Process,
    feed: Feed,
    slot: Slot,
) -> Iterator[Mapping[str, Source]]:
    from landbridge.sources.ready import signal, wait_until_ready
    from landbridge.sources.table import open_sources

    def stores(name: str) -> Store:
        return Retried(S3Store(name.removeprefix("s3://"), account=account))

    if readiness := feed.schedule.ready:
        asked = signal(
            readiness.signal,
            folder=declared.folder,
            secrets=references,
            environment=place.environment,
            variables=place.variables,
            clock=process.clock,
            stores=stores,
        )
        zone = feed.schedule.time_zone
        wait_until_ready(readiness, slot, asked, process.clock, process.progress, time_zone=zone)
    with open_sources(
        feed,
        folder=declared.folder,
        secrets=references,
        environment=place.environment,
        variables=place.variables,
        clock=process.clock,
        progress=process.progress,
        stores=stores,
    ) as opened:
        yield opened


def _gate(folder: Path, feed: Feed, spill: Path) -> Gate:
    from landbridge.contract.gate import gate_for
    from landbridge.contract.odcs import load

    contract = load(folder / feed.contract.file, feed.contract.schema_object)
    return gate_for(contract, feed.file, memory=feed.memory, spill=spill)


def _recipients(references: References, feed: Feed) -> tuple[str, ...]:
    encryption = feed.file.encryption
    return tuple(references.resolve(key) for key in encryption.recipients) if encryption else ()


def _places(
    declared: Declaration,
    place: Place,
    account: S3Account,
    references: References,
    feed: Feed,
    commitment: Commitment,
) -> Mapping[str, PlacePort]:
    from landbridge.stores.carry import Beside

    staging = Retried(S3Store(place.buckets.staging, account=account))
    return {
        further.name: Beside(
            staging, further_store(declared, place, account, references, further, commitment)
        )
        for further in feed.file.also_to
    }


def further_store(
    declared: Declaration,
    place: Place,
    account: S3Account,
    references: References,
    further: StorePlace | FolderPlace,
    commitment: Commitment,
) -> Retried:
    """Give the store of one further place of a feed."""

    def fill(text: str) -> str:
        return render(
            text,
            commitment.slot,
            environment=place.environment,
            revision=commitment.revision,
            variables=place.variables,
        )

    match further:
        case StorePlace():
            return Retried(S3Store(fill(further.bucket), fill(further.prefix or ""), account=account))
        case FolderPlace():
            from landbridge.stores.folder import FolderStore

            return Retried(FolderStore(declared.folder / fill(references.text(further.path))))
