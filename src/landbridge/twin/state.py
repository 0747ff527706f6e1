"""What does a twin leave in its folder, so that the commands of both sides find it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations when the program runs
from functools import cache
from pathlib import Path  # noqa: TC003 - as datetime

from pydantic import TypeAdapter, ValidationError

from landbridge.errors import Unavailable
from landbridge.twin.child import Identity, is_running
from landbridge.twin.files import private_folder, write_private
from landbridge.twin.ports import Ports  # noqa: TC001 - as datetime

EVIDENCE_KEY, EVIDENCE_PUBLIC_KEY = "evidence.pem", "evidence.pub"
"""Names of the twin's own key for evidence bundles, beside that for receipts."""


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """What a pod is given on EKS: a role, and the file with its projected service-account token."""

    role_arn: str
    """AWS_ROLE_ARN."""
    token_file: Path
    """AWS_WEB_IDENTITY_TOKEN_FILE; the twin replaces the token in it before it runs out, as the kubelet does."""
    session_name: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What the collector is given."""

    host: str
    port: int
    user: str
    private_key_file: Path
    """The user's, OpenSSH PEM."""
    host_key: str
    """The server's public key, one OpenSSH line."""
    share: Path
    """The folder that plays the file share."""
    receipt_key_file: Path
    """Ed25519 private key (PKCS #8 PEM) that signs receipts."""
    receipt_public_key_file: Path
    """Its public key (PEM)."""


@dataclass(frozen=True, slots=True)
class Service:
    """One running part of the twin."""

    name: str
    process: Identity
    log: Path


@dataclass(frozen=True, slots=True)
class TwinState:
    """A twin that is up: one environment of one project on this machine."""

    project: str
    environment: str
    folder: Path
    started_at: datetime
    region: str
    endpoint: str
    """URL of S3 and of STS (AWS_ENDPOINT_URL)."""
    issuer: str
    """URL of the OIDC issuer."""
    ports: Ports
    bucket: str
    """The reports bucket, the SFTP user's home."""
    pod: WebIdentity
    """The role of the run: it stages, commits, promotes."""
    operator: WebIdentity
    """The role of `status`, `trace` and `verify`: it only reads."""
    watch: WebIdentity
    """The role of `watch`."""
    reaper: WebIdentity
    """The role of `reap`."""
    ground: Ground
    keeper: Identity
    """The process that owns all others; they end with it."""
    services: tuple[Service, ...]

    def environment_of(self, who: WebIdentity) -> dict[str, str]:
        """Give the variables that EKS puts into a pod, and the endpoint: any AWS program becomes `who` with them."""
        return {
            "AWS_ROLE_ARN": who.role_arn,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(who.token_file),
            "AWS_ROLE_SESSION_NAME": who.session_name,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def is_up(self) -> bool:
        """Tell whether every process of the twin still runs."""
        return all(is_running(who) for who in (self.keeper, *(service.process for service in self.services)))


def folder_of(project_folder: Path, environment: str) -> Path:
    """Where the twin of an environment keeps everything: `.landbridge/twin/dev`."""
    return project_folder.resolve() / ".landbridge" / "twin" / environment.lower()


def make_folder(project_folder: Path, environment: str) -> Path:
    """Make that folder, which only this user may enter, and keep all of `.landbridge` out of git."""
    folder = private_folder(folder_of(project_folder, environment))
    (folder.parents[1] / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder


def folders(project_folder: Path) -> list[Path]:
    """Give the folders of all twins that this project has, or had and kept the data of."""
    return sorted(path for path in folder_of(project_folder, "").glob("*") if path.is_dir())


def load(folder: Path) -> TwinState:
    """Read the state of a twin that is up.

    Raises:
        Unavailable: it is not up, or parts of it died.
    """
    state = recorded(folder)
    if state is None:
        raise Unavailable(
            "the twin is not running", seen=f"no state in {folder}", hint="run `landbridge twin up`"
        )
    if not state.is_up():
        raise Unavailable(
            "the twin stopped without `landbridge twin down`",
            seen=f"not all of its processes run any more (see {folder})",
            hint="run `landbridge twin up`: it keeps its data",
        )
    return state


def recorded(folder: Path) -> TwinState | None:
    """Read the state that is on record, whether or not its processes still run; None when there is none.

    Raises:
        Unavailable: the file is not one of this release.
    """
    path = _path(folder)
    try:
        return _adapter().validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise Unavailable(
            f"{path} cannot be read: another release of Landbridge wrote it",
            hint="end that twin's processes, remove the file, and run `landbridge twin up`",
        ) from error


def save(state: TwinState) -> None:
    """Put the state on record, for this user only, all or nothing."""
    write_private(_path(state.folder), _adapter().dump_json(state, indent=2))


def forget(folder: Path) -> None:
    """Take the state off the record. Idempotent."""
    _path(folder).unlink(missing_ok=True)


def _path(folder: Path) -> Path:
    return folder / "state.json"


@cache
def _adapter() -> TypeAdapter[TwinState]:
    return TypeAdapter(TwinState)
