"""How does the whole chain come up on this machine, for one environment of one project?

Everything lies in one private folder and survives restarts. The admin key makes buckets, and is used for nothing else.
"""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from landbridge.deploy.needs import needs
from landbridge.twin import child, iam, state
from landbridge.twin.buckets import prepare
from landbridge.twin.files import private_folder, write_private
from landbridge.twin.identity import session
from landbridge.twin.issuer import Issuer, Projected
from landbridge.twin.keys import Ed25519Key
from landbridge.twin.lock import only_one
from landbridge.twin.ports import LOOPBACK, Ports
from landbridge.twin.seaweed import Config, Seaweed, SftpServer, SftpUser
from landbridge.twin.state import EVIDENCE_KEY, EVIDENCE_PUBLIC_KEY, Ground, Service, TwinState, WebIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from landbridge.deploy.needs import Needs, Role
    from landbridge.ports import Progress
    from landbridge.project import Declaration


@dataclass(frozen=True, slots=True)
class Remembered:
    """Ports of the last start, taken again where they are free."""

    server: Ports
    issuer: int


@dataclass(frozen=True, slots=True)
class Twin:
    """A running twin, and the server in it."""

    state: TwinState
    server: Seaweed


@contextmanager
def running(
    declaration: Declaration, environment: str, *, progress: Progress, folder: Path | None = None
) -> Iterator[Twin]:
    """Run the twin of `environment` for the length of a `with`, in `folder` (else in the project's `.landbridge`).

    Its server ends with the calling thread at the latest. State is on record while it runs, and is left there when
    the server did not end by our hand: `state.load` tells the two apart.

    Raises:
        TryAgain: one is running (or starting) there.
        Unavailable: a part did not come up; nothing is left running.
    """
    where = folder or state.make_folder(declaration.folder, environment)
    with fulfilling(needs(declaration, environment), where, progress=progress) as twin:
        yield twin


@contextmanager
def fulfilling(needed: Needs, folder: Path, *, progress: Progress) -> Iterator[Twin]:
    """Do what `running` does, from what a declaration needs."""
    private_folder(folder)
    with ExitStack() as parts:
        parts.enter_context(only_one(folder))
        with _step(progress, "keys"):
            ground = _ground(needed, folder)
            signing_key = _kept(folder / "keys" / "sessions", _random_key)
        before = _remembered(folder)
        roles = (needed.pod, needed.operator, needed.watch, needed.reaper)
        pod, operator, watch, reaper = (_web_identity(role, folder) for role in roles)
        with _step(progress, "token issuer"):
            issuer = Issuer(folder / "issuer", before.issuer if before else None)
            tokens = tuple(
                Projected(role.trust, identity.token_file)
                for role, identity in zip(roles, (pod, operator, watch, reaper), strict=True)
            )
            parts.enter_context(issuer.serving(tokens))
        with _step(progress, "S3, STS and SFTP server"):
            config = Config(
                folder / "server",
                _sftp(needed, folder),
                iam.document(needed, issuer=issuer.url, signing_key=signing_key),
                before.server if before else None,
                needed.region,
            )
            server = parts.enter_context(Seaweed.start(config))
            write_private(folder / "ports.json", _adapter().dump_json(Remembered(server.ports, issuer.port)))
        with _step(progress, "buckets"):
            prepare(server.client(), needed)
        up = TwinState(
            project=needed.project,
            environment=needed.environment,
            folder=folder,
            started_at=datetime.now(UTC),
            region=needed.region,
            endpoint=server.endpoint,
            issuer=issuer.url,
            ports=server.ports,
            bucket=needed.sftp.bucket,
            pod=pod,
            operator=operator,
            watch=watch,
            reaper=reaper,
            ground=replace(ground, port=server.ports.sftp),
            keeper=child.identity(os.getpid()),
            services=(_service("server", server.process.pid, folder / "server" / "weed.log"),),
        )
        with _step(progress, "the pod's role"):
            session(up, up.pod)
        state.save(up)
        try:
            yield Twin(up, server)
        finally:
            if server.process.poll() is None:
                state.forget(folder)


def _service(name: str, pid: int, log: Path) -> Service:
    return Service(name, child.identity(pid), log)


@contextmanager
def _step(progress: Progress, name: str) -> Iterator[None]:
    progress.start(name, 1, "")
    try:
        yield
    finally:
        progress.finish(name)


def _ground(needed: Needs, folder: Path) -> Ground:
    """Make what the collector's side has, where it is not there yet: keys, and the folder that plays the share."""
    keys = private_folder(folder / "keys")
    share = folder / "share"
    share.mkdir(exist_ok=True)
    host = Ed25519Key.parse(_kept(keys / "sftp_host", _openssh))
    Ed25519Key.parse(_kept(keys / "collector", _openssh))
    receipts = Ed25519Key.parse_pem(_kept(keys / "receipts.pem", _pem))
    write_private(keys / "receipts.pub", receipts.public_pem)
    bundles = Ed25519Key.parse_pem(_kept(keys / EVIDENCE_KEY, _pem))
    write_private(keys / EVIDENCE_PUBLIC_KEY, bundles.public_pem)
    return Ground(
        host=LOOPBACK,
        port=0,
        user=needed.sftp.name,
        private_key_file=keys / "collector",
        host_key=host.public_openssh,
        share=share,
        receipt_key_file=keys / "receipts.pem",
        receipt_public_key_file=keys / "receipts.pub",
    )


def _sftp(needed: Needs, folder: Path) -> SftpServer:
    keys = folder / "keys"
    collector = Ed25519Key.parse((keys / "collector").read_text(encoding="utf-8"))
    user = SftpUser(
        needed.sftp.name,
        (collector.public_openssh,),
        iam.home(needed.sftp),
        iam.sftp_permissions(needed.sftp),
    )
    return SftpServer((keys / "sftp_host").read_text(encoding="utf-8"), (user,))


def _web_identity(role: Role, folder: Path) -> WebIdentity:
    tokens = private_folder(folder / "tokens")
    return WebIdentity(iam.role_arn(role), tokens / role.trust.service_account, role.trust.service_account)


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Give what the file holds, made and written at the first time."""
    if not path.exists():
        write_private(path, make())
    return path.read_text(encoding="utf-8")


def _openssh() -> str:
    return Ed25519Key.generate().private_openssh


def _pem() -> str:
    return Ed25519Key.generate().private_pem


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _remembered(folder: Path) -> Remembered | None:
    try:
        return _adapter().validate_json((folder / "ports.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


@cache
def _adapter() -> TypeAdapter[Remembered]:
    return TypeAdapter(Remembered)
