"""How is the ground side of one environment filled in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Endpoint, Tuning
from landbridge.sftp.retried import Retried
from landbridge.share.folder import FolderShare
from landbridge.wiring.receipt_keys import receipt_keys
from landbridge.world import Ground

if TYPE_CHECKING:
    from landbridge.project import Declaration, Place
    from landbridge.twin.state import Ground as TwinGround
    from landbridge.wiring.process import Process
    from landbridge.wiring.secrets import References


def make(
    declared: Declaration,
    place: Place,
    *,
    references: References,
    twin: TwinGround | None,
    collector: str,
    process: Process,
) -> Ground:
    """Fill in the ports of a collection; nothing is connected or touched before the first call."""
    settings = place.share
    return Ground(
        environment=place.environment,
        remote=Retried(SftpRemote(_endpoint(place, references, twin), Tuning(bandwidth=settings.bandwidth))),
        share=share(declared, place, references=references, twin=twin, collector=collector, process=process),
        receipt_key=_receipt_key(place, references, twin),
        receipt_keys=receipt_keys(place, references, twin),
        clock=process.clock,
        progress=process.progress,
        parallel=settings.parallel,
    )


def share(
    declared: Declaration,
    place: Place,
    *,
    references: References,
    twin: TwinGround | None,
    collector: str,
    process: Process,
) -> FolderShare:
    """Give the share alone, for what needs no server. The twin's own folder is adopted without asking anybody."""
    if twin is not None:
        made = FolderShare(twin.share, place.environment, collector, process.clock)
        made.adopt()
        return made
    settings = place.share
    return FolderShare(
        declared.folder / references.text(settings.path),
        place.environment,
        collector,
        process.clock,
        journal=declared.folder / references.text(settings.journal) if settings.journal else None,
    )


def _receipt_key(place: Place, references: References, twin: TwinGround | None) -> str:
    if twin is not None:
        return twin.receipt_key_file.read_text(encoding="utf-8")
    return references.resolve(place.share.receipt_key)


def _endpoint(place: Place, references: References, twin: TwinGround | None) -> Endpoint:
    if twin is not None:
        key = twin.private_key_file.read_text(encoding="utf-8")
        return Endpoint(twin.host, twin.port, twin.user, key, (twin.host_key,))
    declared = place.sftp
    return Endpoint(
        host=references.text(declared.host),
        port=declared.port,
        user=declared.user,
        private_key=references.resolve(declared.private_key),
        host_keys=tuple(references.text(key) for key in declared.host_keys),
        passphrase=references.resolve(declared.passphrase) if declared.passphrase else None,
    )
