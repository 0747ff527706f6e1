"""What does an examination look through, and which sides does this machine see?"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from landbridge import wiring
from landbridge.deploy.needs import needs
from landbridge.doctor.finding import Side
from landbridge.doctor.patient import Identity, Patient, Shore
from landbridge.errors import LandbridgeError
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Tuning
from landbridge.sources.around import Around, Silent
from landbridge.stores.retried import Retried
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.stores.s3_asked import Asked
from landbridge.wiring import ground_side
from landbridge.wiring.receipt_keys import receipt_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.feed import Feed
    from landbridge.ports import Progress, Store
    from landbridge.project import Declaration
    from landbridge.twin.state import TwinState
    from landbridge.wiring.ground_side import Host

_T = TypeVar("_T")
_TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - the name of a variable
_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
"""In the environment of every container of a pod. Source: Kubernetes, "Accessing the API from a Pod"."""
_CONNECT = 10.0


@contextmanager
def patient(
    declared: Declaration,
    environment: str,
    feeds: Sequence[Feed],
    *,
    twin: bool,
    sources: bool,
    progress: Progress,
) -> Iterator[Patient]:
    """Lend what an examination looks through; connections that checks made are closed afterwards."""
    state = wiring.twin_of(declared, environment) if twin else None
    host = wiring.host(declared, environment, twin=twin, progress=progress)
    place, references = host.place, host.references
    line = _Once(lambda: _line(host))

    def around() -> Around:
        _, session, endpoint = wiring.pod_session(declared, environment, twin=twin)
        account = S3Account(session, endpoint)

        def stores(name: str) -> Store:
            return Retried(S3Store(name.removeprefix("s3://"), account=account))

        folder, clock = declared.folder, host.process.clock
        return Around(folder, environment, place.variables, references, clock, Silent(), stores)

    try:
        yield Patient(
            declared=declared,
            place=place,
            feeds=tuple(feeds),
            needs=needs(declared, environment),
            now=host.process.clock.now,
            secrets=references,
            twin=twin,
            sources=sources,
            identities=_Once(lambda: tuple(_identities(declared, environment, state))),
            in_cluster=_in_cluster(),
            job_name=os.environ.get(wiring.JOB_NAME, ""),
            endpoint=lambda: ground_side.endpoint(place, references, host.twin),
            remote=line,
            shore=_Once(lambda: _shore(host)),
            receipt_key=lambda: ground_side.receipt_key(place, references, host.twin),
            receipt_keys=lambda: receipt_keys(place, references, host.twin),
            around=around,
            scratch=Path(tempfile.gettempdir()),
            python=sys.version_info[:3],
            requirements=tuple(metadata.requires("landbridge") or ()),
        )
    finally:
        for made in line.made:
            made.close()


def sides(declared: Declaration, environment: str, *, twin: bool) -> tuple[Side, ...]:
    """Tell which sides this machine sees: the cloud's with AWS credentials, the ground's with the share or the SFTP key.

    With neither both are examined, and say what is lacking.
    """
    if twin:
        return tuple(Side)
    if _in_cluster():
        return (Side.CLOUD,)
    place, session, _ = wiring.pod_session(declared, environment, twin=False)
    del place
    host = wiring.host(declared, environment, twin=False, progress=Silent())
    seen = {
        Side.CLOUD: session.get_credentials() is not None,
        Side.GROUND: _sees_ground(host),
    }
    return tuple(side for side in Side if seen[side]) or tuple(Side)


def _sees_ground(host: Host) -> bool:
    try:
        if _shore(host).root.is_dir():
            return True
        host.references.resolve(host.place.sftp.private_key)
    except (LandbridgeError, OSError):
        return False
    return True


def _in_cluster() -> bool:
    return bool(os.environ.get(_IN_CLUSTER) or os.environ.get(wiring.JOB_NAME))


def _shore(host: Host) -> Shore:
    if host.twin is not None:
        ground_side.share(host).close()  # the twin's own is adopted without asking anybody
    root, journal = ground_side.folders(host)
    private = root / ".landbridge" / host.place.environment.lower()
    return Shore(root, journal or private / "journal", host.collector)


class _Once(Generic[_T]):
    """Makes something when it is first asked for, once for all checks: two that adopt a share at once would give it two identities."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._made: list[_T] = []
        self._making = threading.Lock()

    def __call__(self) -> _T:
        with self._making:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    @property
    def made(self) -> Sequence[_T]:
        """What was made so far: one, or nothing."""
        return self._made


def _identities(declared: Declaration, environment: str, state: TwinState | None) -> Iterator[Identity]:
    """Give the AWS credentials at hand: on the twin all roles', elsewhere this process's own."""
    if state is None:
        _, session, endpoint = wiring.pod_session(declared, environment, twin=False)
        token = os.environ.get(_TOKEN_FILE, "")
        yield Identity("", Asked(session, endpoint), Path(token) if token else None)
        return
    from landbridge.twin.identity import session as taken

    roles = {"pod": state.pod, "operator": state.operator, "watch": state.watch, "reaper": state.reaper}
    for role, who in roles.items():
        yield Identity(role, Asked(taken(state, who), state.endpoint), who.token_file)


def _line(host: Host) -> SftpRemote:
    endpoint = ground_side.endpoint(host.place, host.references, host.twin)
    tuning = Tuning(connect_timeout=_CONNECT, client=ground_side.ssh_client(host.sftp_client))
    return SftpRemote(endpoint, tuning)
