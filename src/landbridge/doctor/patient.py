"""What is examined, and through what is it looked at? Filled in by wiring; nothing is connected before a check asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.feed.words import is_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from landbridge.deploy.needs import Needs, Role
    from landbridge.feed import Feed
    from landbridge.ports import Secrets
    from landbridge.project import Declaration, Place
    from landbridge.sftp.client import SftpRemote
    from landbridge.sftp.endpoint import Endpoint
    from landbridge.sources.around import Around
    from landbridge.stores.s3_asked import Asked


@dataclass(frozen=True, slots=True)
class Identity:
    """A set of AWS credentials."""

    role: str
    """`pod`, `operator`, `watch` or `reaper` where it is known beforehand; empty: the one that this process has."""
    asked: Asked
    token: Path | None
    """The file with the service account's token that the role is taken with, if it is taken by one."""


@dataclass(frozen=True, slots=True)
class Shore:
    """The share as this host has it."""

    root: Path
    journal: Path
    collector: str

    def private(self, environment: str) -> Path:
        """Give our own folder on it."""
        return self.root / ".landbridge" / environment.lower()


@dataclass(frozen=True, slots=True)
class Patient:
    """One environment of a declaration, seen from this machine."""

    declared: Declaration
    place: Place
    feeds: tuple[Feed, ...]
    needs: Needs
    now: Callable[[], datetime]
    secrets: Secrets
    twin: bool
    """Whether this is the twin, which has no KMS and no bucket settings of AWS."""
    sources: bool
    """Whether sources may be asked."""
    identities: Callable[[], tuple[Identity, ...]]
    in_cluster: bool
    """Whether this is a pod."""
    job_name: str
    """The Job of this pod, from its label; empty outside one, or where the label is not handed in."""
    endpoint: Callable[[], Endpoint]
    """The SFTP side with its keys."""
    remote: Callable[[], SftpRemote]
    """The same, connected once for all checks."""
    shore: Callable[[], Shore]
    receipt_key: Callable[[], str]
    receipt_keys: Callable[[], tuple[str, ...]]
    around: Callable[[], Around]
    """What the feeds' sources stand on."""
    scratch: Path
    """Where a run keeps bytes of its own."""
    python: tuple[int, ...]
    """Release of the interpreter."""
    requirements: tuple[str, ...]
    """What the installed package asks for, as `duckdb>=2`."""

    def text(self, declared: str) -> str:
        """Resolve a reference, or give plain text back as it is."""
        return self.secrets.resolve(declared) if is_reference(declared) else declared

    @property
    def environment(self) -> str:
        """Its name."""
        return self.place.environment

    @property
    def adopted(self) -> frozenset[str]:
        """Buckets that belong to somebody else's stack."""
        if self.place.aws is None:
            return frozenset()
        adopted, own = self.place.aws.adopt, self.place.buckets
        pairs = ((adopted.staging, own.staging), (adopted.reports, own.reports), (adopted.ledger, own.ledger))
        return frozenset(name for theirs, name in pairs if theirs)

    def roles(self) -> dict[str, Role]:
        """Give the roles that processes take, by their short names."""
        needs = self.needs
        return {
            "pod": needs.pod,
            "operator": needs.operator,
            "watch": needs.watch,
            "reaper": needs.reaper,
        }
