"""Where on a host on premises is the program, where is the declaration, and with which words is it called?

The one place of the defaults; every scheduler that calls Landbridge on a host asks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from landbridge.project import Place

COMMAND = {
    "linux": "/opt/landbridge/bin/landbridge",
    "windows": "C:\\Program Files\\Landbridge\\landbridge.exe",
}
"""The program, where the install pages put it."""
FOLDER = {"linux": "/etc/landbridge/{project}", "windows": "C:\\ProgramData\\Landbridge\\{project}"}
"""The declaration of a project, where the install pages put it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Landbridge as it is installed on the hosts of one environment."""

    os: Literal["linux", "windows"]
    command: str
    """Absolute path of the program; may hold spaces."""
    folder: str
    """Absolute path of the declaration; may hold spaces."""
    account: str
    environment: str

    def words(self, *command: str) -> tuple[str, ...]:
        """Give the words of a call, unquoted: program, command with its options, environment and project folder."""
        return (self.command, *command, "--environment", self.environment, "--project", self.folder)


def ending_well(word: str) -> str:
    r"""Keep a `\\` at the end of a quoted word of Windows from taking the quote for its own."""
    return word + "\\" if word.endswith("\\") else word


def installed(where: Place) -> Installed:
    """Fill in what `host:` leaves out."""
    host = where.host
    return Installed(
        os=host.os,
        command=host.command or COMMAND[host.os],
        folder=_plain(host.folder or FOLDER[host.os].format(project=where.project)),
        account=host.account,
        environment=where.environment,
    )


def _plain(folder: str) -> str:
    """Leave out separators at the end: behind a backslash a quote would not end the word."""
    plain = folder.rstrip("/\\")
    return folder if plain == "" or plain.endswith(":") else plain  # a root stays one
