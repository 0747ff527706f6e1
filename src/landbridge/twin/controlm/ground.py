"""What has an administrator set up by hand for the jobs: program, account, pool, and where the agents mount the share?

Taken from the declaration as the install pages say, and not from what renders: a folder that names another path, pool,
account or program then finds nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from landbridge.project import Place


@dataclass(frozen=True, slots=True)
class Ground:
    """One environment's agents and resource pool."""

    command: str
    """Path of Landbridge. Source: docs/hosts-linux.md, docs/hosts-windows.md."""
    folder: str
    """Of the declaration."""
    account: str
    pool: str
    """Source: docs/control-m.md."""
    holding: str
    """Folder of all feeds' folders that files are moved to."""


def ground(where: Place) -> Ground:
    """Give what is set up for an environment.

    Raises:
        UsageError: it has no `controlm`.
    """
    controlm, host, share = where.controlm, where.host, where.share
    if controlm is None:
        raise UsageError(f"environment `{where.environment}` has no `controlm`", hint="see docs/control-m.md")
    if host.os == "linux":
        program, project = "/opt/landbridge/bin/landbridge", f"/etc/landbridge/{where.project}"
    else:
        program = r"C:\Program Files\Landbridge\landbridge.exe"
        project = rf"C:\ProgramData\Landbridge\{where.project}"
    project = host.folder or project
    named = controlm.folder or f"{where.project}_{where.environment}".upper().replace("-", "_")
    path = PurePosixPath if host.os == "linux" else PureWindowsPath
    beside = path(project) / share.path / ".landbridge" / where.environment.lower() / "holding"
    return Ground(
        command=host.command or program,
        folder=project,
        account=host.account,
        pool=controlm.pool or f"{named}_SESSIONS",
        holding=str(path(project) / share.holding if share.holding else beside),
    )
