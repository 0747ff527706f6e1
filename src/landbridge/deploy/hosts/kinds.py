"""Which schedulers of hosts can be rendered for, and which of them fit the hosts' operating system?"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.deploy.hosts import airflow, autosys, cron, systemd, windows
from landbridge.deploy.hosts.jobs import ground
from landbridge.errors import UsageError
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.deploy.hosts.jobs import Ground
    from landbridge.project import Declaration


class Kind(StrEnum):
    """A scheduler of hosts on premises."""

    SYSTEMD = "systemd"
    CRON = "cron"
    WINDOWS = "windows"
    AIRFLOW = "airflow"
    AUTOSYS = "autosys"


RENDERERS: dict[Kind, Callable[[Ground], dict[str, str]]] = {
    Kind.SYSTEMD: systemd.files,
    Kind.CRON: cron.files,
    Kind.WINDOWS: windows.files,
    Kind.AIRFLOW: airflow.files,
    Kind.AUTOSYS: autosys.files,
}
"""Each gives its files by name; connects to nothing."""
SYSTEMS = {
    Kind.SYSTEMD: {"linux"},
    Kind.CRON: {"linux"},
    Kind.WINDOWS: {"windows"},
    Kind.AIRFLOW: {"linux"},
    Kind.AUTOSYS: {"linux", "windows"},
}
"""What the hosts must run; Airflow has no worker on Windows."""


def rendered(
    declaration: Declaration, environment: str, kind: Kind, *, checks: bool = True
) -> dict[str, str]:
    """Give the files of one scheduler for one environment; see jobs.ground for `checks`.

    Raises:
        UsageError: the scheduler does not run on the declared hosts, or no feed exists in the environment.
    """
    runs = place(declaration.project, environment).host.os
    if runs not in SYSTEMS[kind]:
        raise UsageError(
            f"{kind} does not run on the hosts of {environment}",
            expected=f"`host.os`: {' or '.join(sorted(SYSTEMS[kind]))}",
            seen=runs,
            hint="declare `host: {os: ...}`, or choose another `--kind`",
        )
    return RENDERERS[kind](ground(declaration, environment, checks=checks))


def name_of(declaration: Declaration, environment: str) -> str:
    """Give the name that files and units of an environment begin with."""
    return f"{declaration.project.project}-{environment}".lower()
