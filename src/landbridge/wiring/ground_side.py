"""How is the ground side of one environment filled in?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from landbridge.canary.below import Below
from landbridge.canary.nest import Nest
from landbridge.errors import UsageError
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Client, Endpoint, Tuning
from landbridge.sftp.retried import Retried
from landbridge.share.folder import FolderShare
from landbridge.share.holding import HoldingFolder, usual_place
from landbridge.wiring.choice import feeds_in
from landbridge.wiring.host_keys import pins
from landbridge.wiring.receipt_keys import receipt_keys
from landbridge.world import Ground

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.project import Declaration, Place
    from landbridge.twin.state import Ground as TwinGround
    from landbridge.wiring.process import Process
    from landbridge.wiring.secrets import References


@dataclass(frozen=True, slots=True)
class Host:
    """Everything the ground side of one environment is filled in from."""

    declared: Declaration
    place: Place
    references: References
    twin: TwinGround | None
    collector: str
    sftp_client: str
    """As the environment says it; empty: chosen by what this host has."""
    process: Process


def make(host: Host) -> Ground:
    """Fill in the ports of a collection; nothing is connected or touched before the first call."""
    place, references = host.place, host.references

    latest = partial(endpoint, place, references, host.twin)
    tuning = Tuning(bandwidth=place.share.bandwidth, client=ssh_client(host.sftp_client))
    return Ground(
        environment=place.environment,
        remote=Retried(SftpRemote(latest(), tuning, latest)),
        share=share(host),
        receipt_key=receipt_key(place, references, host.twin),
        receipt_keys=receipt_keys(place, references, host.twin),
        clock=host.process.clock,
        progress=host.process.progress,
        parallel=place.share.parallel,
    )


def share(host: Host) -> FolderShare:
    """Give the share alone, for what needs no server.

    The twin's own folder is adopted without asking anybody, but only once: what was moved away since is missed there as anywhere.
    """
    environment, clock = host.place.environment, host.process.clock
    if host.twin is not None:
        made = FolderShare(host.twin.share, environment, host.collector, clock)
        adopted = host.twin.share.with_name("share.adopted")
        if not adopted.exists():
            made.adopt()
            adopted.touch()
        return made
    root, journal = folders(host)
    return FolderShare(root, environment, host.collector, clock, journal=journal)


def nest(host: Host, canary: str) -> Nest:
    """Give the place of a canary on the share."""
    root, journal = folders(host)
    private = root / ".landbridge" / host.place.environment.lower()
    return Nest(private, journal or private / "journal", canary)


def for_canary(host: Host, nest: Nest) -> Ground:
    """Fill in the ports of a canary's landing: its own view of the server, and a share of its own in `nest`."""
    own = FolderShare(
        nest.root, host.place.environment, host.collector, host.process.clock, journal=nest.journal
    )
    own.adopt()
    ground = make(host)
    return replace(ground, share=own, remote=Below(ground.remote, nest.canary))


def folders(host: Host) -> tuple[Path, Path | None]:
    """Give the root of the share, and the folder of its journal where that is elsewhere."""
    if host.twin is not None:
        return host.twin.share, None
    settings, folder, text = host.place.share, host.declared.folder, host.references.text
    return folder / text(settings.path), folder / text(settings.journal) if settings.journal else None


def holding(host: Host) -> HoldingFolder:
    """Give the folder where another mover puts files. The twin's own is prepared without asking anybody."""
    clock, environment = host.process.clock, host.place.environment
    if host.twin is not None:
        share(host).close()
        made = HoldingFolder(usual_place(host.twin.share, environment), host.twin.share, clock)
        made.prepare([feed.feed for feed in feeds_in(host.declared, environment)])
        return made
    settings, folder, text = host.place.share, host.declared.folder, host.references.text
    root = folder / text(settings.path)
    place = folder / text(settings.holding) if settings.holding else usual_place(root, environment)
    return HoldingFolder(place, root, clock)


def receipt_key(place: Place, references: References, twin: TwinGround | None) -> str:
    """Give the key that signs receipts."""
    if twin is not None:
        return twin.receipt_key_file.read_text(encoding="utf-8")
    return references.resolve(place.share.receipt_key)


def ssh_client(word: str) -> Client:
    """Say who speaks SSH.

    Raises:
        UsageError: no such client.
    """
    try:
        return Client(word or Client.AUTO)
    except ValueError as error:
        raise UsageError(
            f"no SFTP client `{word}`",
            expected=", ".join(Client),
            hint="correct the environment variable LANDBRIDGE_SFTP_CLIENT, or unset it",
        ) from error


def endpoint(place: Place, references: References, twin: TwinGround | None) -> Endpoint:
    """Give the SFTP server with the keys of now."""
    if twin is not None:
        key = twin.private_key_file.read_text(encoding="utf-8")
        return Endpoint(twin.host, twin.port, twin.user, key, (twin.host_key,))
    declared = place.sftp
    return Endpoint(
        host=references.text(declared.host),
        port=declared.port,
        user=declared.user,
        private_key=references.resolve(declared.private_key),
        host_keys=pins(place, references),
        passphrase=references.resolve(declared.passphrase) if declared.passphrase else None,
    )
