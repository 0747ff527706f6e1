"""What does a twin run when it runs from emitted artefacts alone? Manifests on its cluster, folders on its Control-M.

The files are rendered into the twin's folder and read back from there; what happens is decided by them. From the declaration
come only the stand-ins: which host, path, account, key and clock they name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.deploy.controlm.render import FOLDER, PROFILES, render
from landbridge.deploy.kubernetes.package import package, write
from landbridge.deploy.kubernetes.render import manifests
from landbridge.errors import UsageError
from landbridge.project import place
from landbridge.share.holding import usual_place
from landbridge.twin.agenda import Agenda
from landbridge.twin.chronicle import Chronicle, Happening
from landbridge.twin.controlm.agents import Agents
from landbridge.twin.controlm.executor import ControlM
from landbridge.twin.controlm.ground import ground
from landbridge.twin.controlm.outbox import Outbox
from landbridge.twin.controlm.reading import deployed
from landbridge.twin.controlm.server import Server
from landbridge.twin.controlm.sftp import Login, Sftp
from landbridge.twin.files import private_folder, write_private
from landbridge.twin.kubernetes.cronjobs import Cluster
from landbridge.twin.kubernetes.manifests import applied
from landbridge.twin.kubernetes.pods import Node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landbridge.controlm import ControlM as Declared
    from landbridge.project import Declaration, Place
    from landbridge.twin.agenda import Workers
    from landbridge.twin.controlm.definitions import Deployed
    from landbridge.twin.kubernetes.manifests import Applied
    from landbridge.twin.programs import Program
    from landbridge.twin.state import TwinState

_GREENWICH = "GMT"


def folder_of(twin: Path) -> Path:
    """Where everything of the emitted artefacts and their schedulers lies."""
    return twin / "emitted"


def emit(declaration: Declaration, environment: str, twin: Path) -> tuple[str, ...]:
    """Render manifests and Control-M's documents into the twin's folder, and give the warnings.

    Raises:
        DeclarationWrong: something of the declaration cannot be rendered; `kubernetes:` and `controlm:` are needed.
        UsageError: the twin cannot execute what was rendered.
    """
    where = private_folder(folder_of(twin))
    made, rendered = manifests(declaration, environment), render(declaration, environment)
    write(package(made), private_folder(where / "kubernetes"))
    for name, text in rendered.files.items():
        private_folder((where / name).parent)
        write_private(where / name, text)
    _read(declaration, environment, twin)
    return (*made.warnings, *rendered.warnings)


def _read(declaration: Declaration, environment: str, twin: Path) -> tuple[Applied, Deployed]:
    where = folder_of(twin)
    objects = applied(sorted((where / "kubernetes").glob("*.yaml")))
    profiles, folders = (
        json.loads((where / name).read_text(encoding="utf-8")) for name in (PROFILES, FOLDER)
    )
    return objects, deployed(profiles, folders, _declared(declaration, environment)[1].server)


def _declared(declaration: Declaration, environment: str) -> tuple[Place, Declared]:
    where = place(declaration.project, environment)
    if where.controlm is None:
        raise UsageError(f"environment `{environment}` has no `controlm`", hint="see docs/control-m.md")
    return where, where.controlm


@dataclass(slots=True)
class Schedulers:
    """Both schedulers of a twin, on one agenda."""

    agenda: Agenda
    cluster: Cluster
    controlm: ControlM
    chronicle: Chronicle
    outbox: Outbox
    sftp: Sftp

    def start(self, ended: Mapping[tuple[str, date], bool] | None = None) -> None:
        """Begin; see ControlM.start for `ended`.

        Raises:
            UsageError: they cannot execute what was emitted.
        """
        self.cluster.start()
        self.controlm.start(ended)

    def close(self) -> None:
        """Hang up. Idempotent."""
        self.sftp.close()


def schedulers(
    declaration: Declaration,
    twin: TwinState,
    now: datetime,
    *,
    workers: Workers,
    program: Program,
    outside: Mapping[str, str],
    look_every: timedelta = timedelta(minutes=1),
) -> Schedulers:
    """Read what was emitted, and set both schedulers up at an instant.

    `outside` stands in for Secrets and the services of the outside, by variable; commands on the agents get it, too.

    Raises:
        UsageError: they cannot execute it.
    """
    where = folder_of(twin.folder)
    objects, definitions = _read(declaration, twin.environment, twin.folder)
    agenda = Agenda(now, workers)
    chronicle = Chronicle(where / "happened.jsonl")
    outbox = Outbox(where / "told.jsonl")
    at, declared = _declared(declaration, twin.environment)
    set_up = ground(at)
    sftp = Sftp(
        Login(
            twin.ground.host,
            twin.ground.port,
            twin.ground.user,
            twin.ground.private_key_file,
            twin.ground.host_key,
        )
    )
    executed = {
        name: job
        for name, job in objects.cron_jobs.items()
        if job.spec.jobTemplate.spec.template.spec.serviceAccountName != twin.watch.session_name
    }
    for name in sorted(set(objects.cron_jobs) - set(executed)):
        why = {"because": "it tells CloudWatch and SNS, which a twin has not"}
        chronicle.write(Happening(now, name, "left out", detail=why))
    cluster = Cluster(
        objects.model_copy(update={"cron_jobs": executed}),
        _node(declaration, twin, program, outside),
        agenda,
        chronicle,
    )
    server = Server(
        name=declared.server,
        zone=ZoneInfo(declared.server_time_zone),
        new_day=time.fromisoformat(declared.new_day),
        zones={
            _GREENWICH: ZoneInfo("Etc/GMT"),
            **{label: ZoneInfo(name) for name, label in declared.time_zones.items()},
        },
        pools={set_up.pool: declared.sessions},
        look_every=look_every,
    )
    agents = _agents(declaration, twin, program, outside, sftp)
    controlm = ControlM(server, definitions, agents, agenda, chronicle, outbox)
    return Schedulers(agenda, cluster, controlm, chronicle, outbox, sftp)


def _node(declaration: Declaration, twin: TwinState, program: Program, outside: Mapping[str, str]) -> Node:
    where = place(declaration.project, twin.environment)
    wanted = where.kubernetes.files if where.kubernetes else {}
    files = {path: declaration.folder / path for path in wanted if (declaration.folder / path).is_file()}
    receipts = [each.removeprefix("file:") for each in where.share.receipt_public_keys]
    return Node(
        folder=private_folder(folder_of(twin.folder) / "cluster"),
        program=program,
        identities={
            who.session_name: {**twin.environment_of(who), "AWS_EC2_METADATA_DISABLED": "true"}
            for who in (twin.pod, twin.operator, twin.watch, twin.reaper)
        },
        outside=outside,
        files={**files, **dict.fromkeys(receipts, twin.ground.receipt_public_key_file)},
    )


def _agents(
    declaration: Declaration,
    twin: TwinState,
    program: Program,
    outside: Mapping[str, str],
    sftp: Sftp,
) -> Agents:
    where, declared = _declared(declaration, twin.environment)
    reached, set_up = where.sftp, ground(where)
    holding = usual_place(twin.ground.share, twin.environment)
    return Agents(
        names=frozenset({declared.agents, *(declared.members or ())}),
        accounts=frozenset({set_up.account}),
        program=program,
        installed=set_up.command,
        project=(set_up.folder, declaration.folder.resolve()),
        mounts={set_up.holding: holding} if declared.style == "native" else {},
        endpoints={(reached.host, reached.port, reached.user, declared.key): sftp},
        environment=outside,
        folder=private_folder(folder_of(twin.folder) / "agents"),
    )


def prepare(declaration: Declaration, twin: TwinState) -> None:
    """Make the folders that managed file transfer moves to, as an administrator does once (`landbridge land --prepare`)."""
    holding = usual_place(twin.ground.share, twin.environment)
    for name, feed in declaration.feeds.items():
        if not feed.environments or twin.environment in feed.environments:
            (holding / name).mkdir(parents=True, exist_ok=True)
